"""The chooser: from what a model says to one event, by lofid's own rules. No memory of its own.

The token first, then its rhythm, then how hard it is struck; each draw uses the session's random
numbers. NoNumbers, by all that draws, where the model gives none.
"""

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from lofid.card import LONGEST_STEP_GRID
from lofid.density import Habit, spread
from lofid.feel import Feel
from lofid.guard import LoopGuard
from lofid.harmony import Harmony
from lofid.keylock import HOME_CLASSES, kept, strangers
from lofid.music import GRID_TICKS, Event, from_home, swung
from lofid.predictor import Foreteller, Prediction
from lofid.refrain import Choice, numbers
from lofid.register import Register
from lofid.sampler import Logits, pick, without
from lofid.touch import touch
from lofid.vocabulary import START, VELOCITY_CLASSES, velocity_id

MOST_AT_ONCE = 4
"""Events (notes and chords) that may begin together; then time has to move on."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where the event begins, on the grid, the tokens that begin there already, and the habit."""

    onset_grid: int
    begun_here: list[int]
    habit: Habit


class Chooser:
    """Draws for one composer, with its random numbers. Not thread-safe."""

    def __init__(self, predictor: Foreteller, rng: np.random.Generator) -> None:
        self._predictor = predictor
        self._card = predictor.card
        self._vocabulary = predictor.vocabulary
        self._rng = rng
        self._outside = strangers(self._vocabulary.pitches)
        self._harmony = Harmony(self._vocabulary.pitches, HOME_CLASSES)
        self._register = Register(self._vocabulary.pitches)
        self._step_sizes = steps = np.array([step for step, _ in self._vocabulary.rhythms])
        is_barred = (steps > LONGEST_STEP_GRID) | (np.arange(len(steps)) == START)
        self._steps_grid = np.where(is_barred, -1, steps)
        self._barred_rhythms = np.flatnonzero(is_barred)
        self._still_rhythms = np.flatnonzero(is_barred | (steps == 0))

    def choose(self, prediction: Prediction, place: Place, guard: LoopGuard, feel: Feel) -> Choice:
        """Draw an event."""
        allowed = self._allowed(numbers(prediction.token_logits), place, guard, feel)
        token = self._draw(allowed, feel)
        rhythm = self._rhythm(prediction, token, place, feel)
        velocity_class, velocity = self._velocity(prediction, token, rhythm, feel)
        step, length = self._card.fixed_rhythm or self._vocabulary.rhythms[rhythm]
        step = min(step, LONGEST_STEP_GRID)
        return Choice(token, rhythm, step, length, velocity_class, velocity)

    def knows_step(self, steps_grid: range) -> bool:
        """Whether the model may have events follow each other by one of these steps."""
        return self._predictor.has_heads and not self._is_barred(steps_grid).all()

    def _is_barred(self, steps_grid: range) -> npt.NDArray[np.bool_]:
        known = self._steps_grid
        return (known < max(steps_grid.start, 0)) | (known >= steps_grid.stop)

    def step(self, prediction: Prediction, token: int, steps_grid: range, feel: Feel) -> int:
        """Draw how long after ``token`` the next event begins, of these steps; one is known."""
        known, barred = self._steps_grid, np.flatnonzero(self._is_barred(steps_grid))
        logits = numbers(self._predictor.rhythm_logits(prediction, token))
        return int(known[self._draw(without(logits, barred), feel)])

    def _allowed(self, logits: Logits, place: Place, guard: LoopGuard, feel: Feel) -> Logits:
        """Bend what the model says of the next token; the rules that matter most come first.

        Each rule leaves at least one token: where a small vocabulary has all begun here, one sounds
        again, but never *start*.
        """
        allowed = without(logits, [START])
        if feel.loop_guard > 0:
            for pitches in guard.closing(place.onset_grid):
                allowed = without(allowed, self._sounding_as(pitches, feel))
            allowed = allowed - feel.loop_guard * guard.costs(place.onset_grid)
        return without(self._steered(allowed, place, feel), place.begun_here)

    def _steered(self, logits: Logits, place: Place, feel: Feel) -> Logits:
        """Bend logits [tokens] to the key, or to a held chord instead, and to a phrase's register.

        A chord that is held wins over the key lock: its scale is as near to the key as it can be.
        """
        shift = feel.key.shift_semitones
        if feel.register_strength > 0:
            down = shift + 12 * self._lead_octaves(feel)
            low, high = (pitch - down for pitch in feel.register)
            logits = self._register.bent(logits, low, high, feel.register_strength)
        if feel.chord:
            chord = frozenset((each - shift) % 12 for each in feel.chord)
            return self._harmony.bent(logits, chord, place.onset_grid)
        return kept(logits, self._outside, feel.key_lock)

    def _lead_octaves(self, feel: Feel) -> int:
        """How many octaves from where it is thought the lead sounds."""
        if feel.register_strength <= 0:
            return 0
        low, high = (pitch - feel.key.shift_semitones for pitch in feel.register)
        return self._register.octaves(low, high)

    def event(self, choice: Choice, onset_grid: int, feel: Feel) -> Event:
        """Give what a choice sounds as, in concert pitch and swung time."""
        onset = swung(onset_grid * GRID_TICKS, feel.swing_percent)
        end = swung((onset_grid + choice.length_grid) * GRID_TICKS, feel.swing_percent)
        event = Event(self._sounding(choice.token, feel), onset, end - onset, 1)
        percent = feel.keys_velocity_percent if event.is_chord else feel.lead_velocity_percent
        return replace(event, velocity=min(max(round(choice.velocity * percent / 100), 1), 127))

    def _sounding(self, token: int, feel: Feel) -> tuple[int, ...]:
        """Give the pitches that a token sounds as: in the key, and in the register of the lead."""
        home = self._vocabulary.pitches[token]
        octaves = self._lead_octaves(feel) if len(home) == 1 else 0
        return from_home(tuple(pitch + 12 * octaves for pitch in home), feel.key)

    def _sounding_as(self, pitches: tuple[int, ...], feel: Feel) -> list[int]:
        """List the tokens that sound as these pitches now."""
        tokens = range(1, len(self._vocabulary.tokens))
        return [token for token in tokens if self._sounding(token, feel) == pitches]

    def _draw(self, logits: Logits, feel: Feel) -> int:
        return pick(logits, feel.temperature, feel.top_p, self._rng)

    def _rhythm(self, prediction: Prediction, token: int, place: Place, feel: Feel) -> int:
        if not self._predictor.has_heads:
            return len(self._vocabulary.rhythms) - 1
        crowded = len(place.begun_here) + 1 >= MOST_AT_ONCE
        banned = self._still_rhythms if crowded else self._barred_rhythms
        logits = numbers(self._predictor.rhythm_logits(prediction, token))
        times = place.habit.still_to_bend(feel.density)
        return self._draw(spread(without(logits, banned), self._step_sizes, times), feel)

    def _velocity(
        self, prediction: Prediction, token: int, rhythm: int, feel: Feel
    ) -> tuple[int, int]:
        """Give a class and a velocity inside it."""
        if (fixed := self._card.fixed_velocity) is not None:
            return velocity_id(fixed), fixed
        logits = numbers(self._predictor.velocity_logits(prediction, token, rhythm))
        allowed = without(logits[: VELOCITY_CLASSES + 1], [START])
        chosen = self._draw(allowed, feel)
        return chosen, touch(chosen, allowed, self._rng)
