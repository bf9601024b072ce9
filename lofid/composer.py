"""The composer: context to predictor to sampler to events, up to a horizon. No I/O, no clock.

A pure function of the session's seed, the settings, and what was heard and when in composed time:
a session that is played live and one that is rendered are the same events. In whatever pieces the
time is asked for, the music is the same. A model that gives no numbers does not stop it: the last
bar is repeated (:mod:`lofid.refrain`) until it does.
"""

from contextlib import suppress
from dataclasses import dataclass, replace

import numpy as np

from lofid.card import LONGEST_STEP_GRID
from lofid.context import Context, Entry
from lofid.density import Habit, spread
from lofid.errors import ModelError
from lofid.guard import LoopGuard
from lofid.harmony import Harmony
from lofid.keylock import HOME_CLASSES, Mode, kept, strangers
from lofid.music import (
    BAR_GRID,
    GRID_TICKS,
    HIGHEST_PITCH,
    LOWEST_PITCH,
    Event,
    Key,
    into_range,
    swung,
)
from lofid.predictor import Foreteller, Prediction
from lofid.refrain import Choice, Known, NoNumbers, Refrain, numbers
from lofid.register import Register
from lofid.sampler import Logits, pick, probabilities, without
from lofid.vocabulary import START, VELOCITY_CLASSES, VELOCITY_WIDTH, velocity_floor, velocity_id

STEPS_BETWEEN_PRIMES = 64
"""A carried state remembers more than the window; so often it is made from the window anew."""

MOST_AT_ONCE = 4
"""Events (notes and chords) that may begin together; then time has to move on."""

HOME = Key(0, is_minor=False)

MOST_UNEVEN = 4
"""Hands are no machines: a velocity is so far from its middle at most."""

_CLASS_MIDDLES = np.array(
    [velocity_floor(id_) + (VELOCITY_WIDTH - 1) / 2 for id_ in range(1, VELOCITY_CLASSES + 1)]
)


@dataclass(frozen=True, slots=True)
class Feel:
    """The settings that the composer follows; they may change between any two calls."""

    key: Key = HOME
    swing_percent: float = 50.0
    temperature: float = 1.0
    top_p: float = 0.95
    key_lock: Mode = "soft"
    loop_guard: float = 1.0
    lead_velocity_percent: int = 100
    keys_velocity_percent: int = 100
    density: float = 1.0
    chord: frozenset[int] = frozenset()
    """The held chord's pitch classes, as they sound; none while no chord is held."""
    register: tuple[int, int] = (LOWEST_PITCH, HIGHEST_PITCH)
    """The lowest and highest pitch, as they sound, of a phrase that the lead answers."""
    register_strength: float = 0.0
    """From 0 to 1: how much the lead keeps to that register."""


class Composer:
    """One session's composer. Not thread-safe.

    ``faults`` counts the events that were repeated because the model gave no numbers.
    """

    def __init__(self, predictor: Foreteller, feel: Feel, seed: int):
        """Compose until the context is full. ModelError if the model gives no numbers for that."""
        self.feel = feel
        self.faults = 0
        self._predictor = predictor
        self._card = predictor.card
        self._vocabulary = predictor.vocabulary
        self._context = Context(self._vocabulary, self._card.context_length, self._card.pad_context)
        self._outside = strangers(self._vocabulary.pitches)
        self._habit = Habit()
        self._harmony = Harmony(self._vocabulary.pitches, HOME_CLASSES)
        self._register = Register(self._vocabulary.pitches)
        self._step_sizes = steps = np.array([step for step, _ in self._vocabulary.rhythms])
        is_barred = (steps > LONGEST_STEP_GRID) | (np.arange(len(steps)) == START)
        self._barred_rhythms = np.flatnonzero(is_barred)
        self._still_rhythms = np.flatnonzero(is_barred | (steps == 0))
        self._guard = LoopGuard(len(self._vocabulary.tokens))
        self._refrain = Refrain()
        self._rng = np.random.default_rng(seed)
        self._onset_grid = 0
        self._step_grid = 0
        self._begun_here: list[int] = []
        self._prediction: Prediction | None = None
        self._steps = 0
        self._waiting: Event | None = None
        # What is not heard is as dense as learnt; so a density is the same from the start as later.
        self.feel = replace(feel, density=1.0)
        self._prime()
        self.feel = feel

    def _prime(self) -> None:
        """Fill the context with music that nobody hears, so that the first bar is in its stride.

        What follows begins on a bar line, which becomes tick 0.
        """
        self._fill(self._card.context_length)
        last_onset = self._onset_grid
        bar = -(-last_onset // BAR_GRID) * BAR_GRID
        self._context.shift(-bar)
        self._guard.shift(-bar)
        self._refrain.shift(-bar)
        self._onset_grid = self._step_grid = 0
        self._begun_here = []
        self._prediction = None

    def _fill(self, events: int) -> None:
        """Compose so many. ModelError if the model says nothing, or nothing after the first."""
        with suppress(NoNumbers):
            for _ in range(events):
                self._next()
            if not 0 < self.faults == events - 1:
                return
        raise ModelError("the model gives no numbers: train it again, or play another one")

    def compose(self, until_ticks: int) -> list[Event]:
        """Give the events that begin before ``until_ticks`` and were not given before.

        They are in concert pitch and swung time, in the order of their onsets.
        """
        events: list[Event] = []
        while True:
            event = self._waiting or self._next()
            if event.onset_ticks >= until_ticks:
                self._waiting = event
                return events
            self._waiting = None
            events.append(event)

    def hear(self, event: Event) -> str:
        """Take what a person played into the context; give the token it was heard as.

        What was composed already stays; what is composed next follows from it.
        """
        home = tuple(pitch - self.feel.key.shift_semitones for pitch in event.pitches)
        token = self._vocabulary.token_id(into_range(home, LOWEST_PITCH, HIGHEST_PITCH))
        entry = Entry(
            onset_grid=round(event.onset_ticks / GRID_TICKS),
            length_grid=max(1, round(event.length_ticks / GRID_TICKS)),
            token_id=token,
            velocity_id=velocity_id(event.velocity),
        )
        self._context.add(entry)
        self._prediction = None
        return self._vocabulary.tokens[token]

    def _next(self) -> Event:
        choice = self._foretold() or self._repeated()
        token, length = choice.token, choice.length_grid
        self._context.add(Entry(self._onset_grid, length, token, choice.velocity_class))
        event = self._event(token, length, choice.velocity)
        self._guard.add(self._onset_grid, token, choice.rhythm, length, event.pitches)
        self._move_on(choice.step_grid, token)
        return event

    def _foretold(self) -> Choice | None:
        """Draw what the model says; where that is no numbers, once more from the window."""
        with suppress(NoNumbers):
            return self._drawn(self._predict())
        was_carried, self._prediction = self._steps > 0, None
        return self._foretold() if was_carried else None

    def _drawn(self, prediction: Prediction) -> Choice:
        """Draw an event. NoNumbers where the model gives none."""
        allowed = self._allowed(numbers(prediction.token_logits))
        self._refrain.trust()
        token = self._draw(allowed)
        rhythm = self._draw_rhythm(prediction, token)
        velocity_class, velocity = self._draw_velocity(prediction, token, rhythm)
        step, length = self._card.fixed_rhythm or self._vocabulary.rhythms[rhythm]
        step = min(step, LONGEST_STEP_GRID)
        choice = Choice(token, rhythm, step, length, velocity_class, velocity)
        self._refrain.add(self._onset_grid, choice)
        return choice

    def _repeated(self) -> Choice:
        """Go on to what began a bar ago, and repeat it. NoNumbers where nothing ever began."""
        wait, choice = self._recall(self._begun_here)
        self.faults += 1
        if wait := min(wait, LONGEST_STEP_GRID - self._step_grid):
            self._move_on(wait, choice.token)
        step, _ = self._recall([*self._begun_here, choice.token])
        self._refrain.repeat(self._onset_grid, choice)
        return replace(choice, step_grid=step)

    def _recall(self, begun: list[int]) -> Known:
        return self._refrain.next(self._onset_grid, begun, len(begun) >= MOST_AT_ONCE)

    def _allowed(self, logits: Logits) -> Logits:
        """Bend what the model says of the next token; the rules that matter most come first.

        Each rule leaves at least one token: where a small vocabulary has all begun here, one sounds
        again, but never *start*.
        """
        allowed = without(logits, [START])
        if self.feel.loop_guard > 0:
            for pitches in self._guard.closing(self._onset_grid):
                allowed = without(allowed, self._sounding_as(pitches))
            allowed = allowed - self.feel.loop_guard * self._guard.costs(self._onset_grid)
        return without(self._steered(allowed), self._begun_here)

    def _steered(self, logits: Logits) -> Logits:
        """Bend logits [tokens] to the key, or to a held chord instead, and to a phrase's register.

        A chord that is held wins over the key lock: its scale is as near to the key as it can be.
        """
        feel, shift = self.feel, self.feel.key.shift_semitones
        if feel.register_strength > 0:
            down = shift + 12 * self._lead_octaves()
            low, high = (pitch - down for pitch in feel.register)
            logits = self._register.bent(logits, low, high, feel.register_strength)
        if feel.chord:
            chord = frozenset((each - shift) % 12 for each in feel.chord)
            return self._harmony.bent(logits, chord, self._onset_grid)
        return kept(logits, self._outside, feel.key_lock)

    def _lead_octaves(self) -> int:
        """How many octaves from where it is thought the lead sounds."""
        if self.feel.register_strength <= 0:
            return 0
        low, high = (pitch - self.feel.key.shift_semitones for pitch in self.feel.register)
        return self._register.octaves(low, high)

    def _sounding_as(self, pitches: tuple[int, ...]) -> list[int]:
        """List the tokens that are these pitches in the key as it is."""
        known = enumerate(self._vocabulary.pitches[1:], start=1)
        return [token for token, home in known if self._in_key(home) == pitches]

    def _predict(self) -> Prediction:
        """Step where the last prediction still holds; prime from the window where not."""
        window = self._context.window(self._onset_grid)
        if self._prediction is None or self._steps >= STEPS_BETWEEN_PRIMES:
            self._prediction = self._predictor.prime(window)
            self._steps = 0
        else:
            self._prediction = self._predictor.step(self._prediction.state, window.last())
            self._steps += 1
        return self._prediction

    def _draw(self, logits: np.ndarray) -> int:
        return pick(logits, self.feel.temperature, self.feel.top_p, self._rng)

    def _draw_rhythm(self, prediction: Prediction, token: int) -> int:
        if not self._predictor.has_heads:
            return len(self._vocabulary.rhythms) - 1
        crowded = len(self._begun_here) + 1 >= MOST_AT_ONCE
        banned = self._still_rhythms if crowded else self._barred_rhythms
        logits = numbers(self._predictor.rhythm_logits(prediction, token))
        times = self._habit.still_to_bend(self.feel.density)
        self._habit = self._habit.after(self.feel.density)
        return self._draw(spread(without(logits, banned), self._step_sizes, times))

    def _draw_velocity(self, prediction: Prediction, token: int, rhythm: int) -> tuple[int, int]:
        """Give a class and a velocity inside it."""
        if (fixed := self._card.fixed_velocity) is not None:
            return velocity_id(fixed), fixed
        logits = numbers(self._predictor.velocity_logits(prediction, token, rhythm))
        allowed = without(logits[: VELOCITY_CLASSES + 1], [START])
        chosen = self._draw(allowed)
        return chosen, self._touch(chosen, allowed)

    def _touch(self, chosen: int, logits: Logits) -> int:
        """Draw a velocity from a class 16 wide, near where the model thinks it lies.

        Any velocity of the class alike would make the touch more uneven than what was learnt: the
        rounding to classes would count twice (docs/decisions.md).
        """
        expected = float(probabilities(logits, 1.0)[1:] @ _CLASS_MIDDLES)
        unevenness = MOST_UNEVEN * (self._rng.random() - self._rng.random())
        lowest = velocity_floor(chosen)
        highest = lowest + VELOCITY_WIDTH - 1
        nearest = min(max(expected, lowest), highest)
        return round(min(max(nearest + unevenness, lowest), highest))

    def _event(self, token: int, length_grid: int, velocity: int) -> Event:
        feel = self.feel
        onset = swung(self._onset_grid * GRID_TICKS, feel.swing_percent)
        end = swung((self._onset_grid + length_grid) * GRID_TICKS, feel.swing_percent)
        event = Event(self._in_key(self._vocabulary.pitches[token]), onset, end - onset, 1)
        percent = feel.keys_velocity_percent if event.is_chord else feel.lead_velocity_percent
        return replace(event, velocity=min(max(round(velocity * percent / 100), 1), 127))

    def _in_key(self, home: tuple[int, ...]) -> tuple[int, ...]:
        """Bring pitches from home to the key that is played in."""
        octaves = self._lead_octaves() if len(home) == 1 else 0
        shift = self.feel.key.shift_semitones + 12 * octaves
        shifted = tuple(pitch + shift for pitch in home)
        return into_range(shifted, LOWEST_PITCH, HIGHEST_PITCH)

    def _move_on(self, step_grid: int, token: int) -> None:
        self._begun_here = [*self._begun_here, token] if step_grid == 0 else []
        self._onset_grid += step_grid
        self._step_grid = step_grid
