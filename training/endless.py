"""Endless: whether a long session stays alive, or loops, falls silent or drifts away."""

from dataclasses import dataclass
from itertools import groupby

import numpy as np

from lofid.music import BAR_GRID
from training.passage import Ints, Passage

PARTS = 10
GRAM = 4
Bar = frozenset[tuple[int, tuple[int, ...], int]]
"""What begins in a bar: place in the bar, pitches, length. Velocities do not count."""


@dataclass(frozen=True)
class Endless:
    """A long session in tenths of its events.

    ``fresh`` counts the distinct runs of four events (voicing, step, length) of each tenth and
    ``register`` is its mean pitch as a MIDI note number.
    """

    events: int
    equal_bars: int
    longest_silence_bars: float
    fresh: tuple[int, ...]
    register: tuple[float, ...]

    @property
    def fresh_ratio(self) -> float:
        """The last tenth's distinct runs against the first one's."""
        return self.fresh[-1] / max(self.fresh[0], 1)

    @property
    def drift_semitones(self) -> float:
        """How much higher the last tenth lies than the first."""
        return self.register[-1] - self.register[0]

    @property
    def slope_semitones(self) -> float:
        """How far a straight line through the tenths rises over the whole session."""
        return float(np.polyfit(np.arange(PARTS), self.register, 1)[0]) * (PARTS - 1)


def look_at(passage: Passage) -> Endless:
    """Look at a long session; it has at least ten times four events."""
    tenths = [passage.take(part) for part in np.array_split(np.arange(len(passage)), PARTS)]
    return Endless(
        events=len(passage),
        equal_bars=equal_bars(passage),
        longest_silence_bars=longest_silence(passage),
        fresh=tuple(distinct_grams(tenth) for tenth in tenths),
        register=tuple(float(tenth.sums.sum() / tenth.sizes.sum()) for tenth in tenths),
    )


def bars(passage: Passage) -> list[Bar]:
    """Give every whole bar from the first event's to the last one's, empty ones too."""
    numbers = passage.onset // BAR_GRID
    begun: dict[int, set[tuple[int, tuple[int, ...], int]]] = {}
    columns = (numbers, passage.onset % BAR_GRID, passage.voicing, passage.length)
    for number, place, voicing, length in zip(*(c.tolist() for c in columns), strict=True):
        entry = (place, passage.voicings.pitches[voicing], length)
        begun.setdefault(number, set()).add(entry)
    return [frozenset(begun.get(n, ())) for n in range(int(numbers[0]), int(numbers[-1]) + 1)]


def equal_bars(passage: Passage) -> int:
    """Length of the longest run of bars in which the very same begins: 1 when none repeats."""
    return max(sum(1 for _ in run) for _, run in groupby(bars(passage)))


def longest_silence(passage: Passage) -> float:
    """Give the longest time between two events in which nothing sounds, in bars."""
    ends = np.maximum.accumulate(passage.onset + passage.length)
    gaps = passage.onset[1:] - ends[:-1]
    return float(max(gaps.max(initial=0), 0)) / BAR_GRID


def distinct_grams(passage: Passage) -> int:
    """How many different runs of four events there are, by voicing, step and length."""
    symbols = _symbols(passage)
    if len(symbols) < GRAM:
        return 0
    return len(np.unique(np.lib.stride_tricks.sliding_window_view(symbols, GRAM), axis=0))


def _symbols(passage: Passage) -> Ints:
    """Number the distinct (voicing, step, length), leaving out the last event: it has no step."""
    rows = np.stack([passage.voicing[:-1], np.diff(passage.onset), passage.length[:-1]], axis=1)
    found: Ints = np.unique(rows, axis=0, return_inverse=True)[1].reshape(-1)
    return found
