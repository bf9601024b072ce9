"""The composer: context to predictor to sampler to events, up to a horizon. No I/O, no clock.

A pure function of the session's seed, the settings, and what was heard and when in composed time:
a session that is played live and one that is rendered are the same events. In whatever pieces the
time is asked for, the music is the same.
"""

from dataclasses import dataclass, replace

import numpy as np

from lofid.card import LONGEST_STEP_GRID
from lofid.context import Context, Entry
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
from lofid.sampler import pick, without
from lofid.vocabulary import START, VELOCITY_CLASSES, VELOCITY_WIDTH, velocity_floor, velocity_id

STEPS_BETWEEN_PRIMES = 64
"""A carried state remembers more than the window; so often it is made from the window anew."""

MOST_AT_ONCE = 4
"""Events (notes and chords) that may begin together; then time has to move on."""

HOME = Key(0, is_minor=False)


@dataclass(frozen=True, slots=True)
class Feel:
    """The settings that the composer follows; they may change between any two calls."""

    key: Key = HOME
    swing_percent: float = 50.0
    temperature: float = 1.0
    top_p: float = 0.95
    lead_velocity_percent: int = 100
    keys_velocity_percent: int = 100


class Composer:
    """One session's composer. Not thread-safe."""

    def __init__(self, predictor: Foreteller, feel: Feel, seed: int):
        self.feel = feel
        self._predictor = predictor
        self._card = predictor.card
        self._vocabulary = predictor.vocabulary
        self._context = Context(self._vocabulary, self._card.context_length, self._card.pad_context)
        self._rng = np.random.default_rng(seed)
        self._onset_grid = 0
        self._begun_here: list[int] = []
        self._prediction: Prediction | None = None
        self._steps = 0
        self._waiting: Event | None = None
        self._prime()

    def _prime(self) -> None:
        """Fill the context with music that nobody hears, so that the first bar is in its stride.

        What follows begins on a bar line, which becomes tick 0.
        """
        for _ in range(self._card.context_length):
            self._next()
        last_onset = self._onset_grid
        bar = -(-last_onset // BAR_GRID) * BAR_GRID
        self._context.shift(-bar)
        self._onset_grid = 0
        self._begun_here = []
        self._prediction = None

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
        prediction = self._predict()
        # Twice: where a small vocabulary has all begun here, one sounds again, but never *start*.
        sounding = without(prediction.token_logits, [START])
        token = self._draw(without(sounding, self._begun_here))
        rhythm = self._draw_rhythm(prediction, token)
        velocity_class, velocity = self._draw_velocity(prediction, token, rhythm)
        step, length = self._card.fixed_rhythm or self._vocabulary.rhythms[rhythm]
        self._context.add(Entry(self._onset_grid, length, token, velocity_class))
        event = self._event(token, length, velocity)
        self._move_on(step, token)
        return event

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
        banned = [
            i
            for i, (step, _) in enumerate(self._vocabulary.rhythms)
            if i == START or step > LONGEST_STEP_GRID or (crowded and step == 0)
        ]
        return self._draw(without(self._predictor.rhythm_logits(prediction, token), banned))

    def _draw_velocity(self, prediction: Prediction, token: int, rhythm: int) -> tuple[int, int]:
        """Give a class and a velocity inside it: classes are 16 wide, hands are no machines."""
        if (fixed := self._card.fixed_velocity) is not None:
            return velocity_id(fixed), fixed
        logits = self._predictor.velocity_logits(prediction, token, rhythm)
        chosen = self._draw(without(logits[: VELOCITY_CLASSES + 1], [START]))
        return chosen, velocity_floor(chosen) + int(self._rng.integers(VELOCITY_WIDTH))

    def _event(self, token: int, length_grid: int, velocity: int) -> Event:
        feel = self.feel
        pitches = tuple(p + feel.key.shift_semitones for p in self._vocabulary.pitches[token])
        onset = swung(self._onset_grid * GRID_TICKS, feel.swing_percent)
        end = swung((self._onset_grid + length_grid) * GRID_TICKS, feel.swing_percent)
        event = Event(into_range(pitches, LOWEST_PITCH, HIGHEST_PITCH), onset, end - onset, 1)
        percent = feel.keys_velocity_percent if event.is_chord else feel.lead_velocity_percent
        return replace(event, velocity=min(max(round(velocity * percent / 100), 1), 127))

    def _move_on(self, step_grid: int, token: int) -> None:
        self._begun_here = [*self._begun_here, token] if step_grid == 0 else []
        self._onset_grid += step_grid
