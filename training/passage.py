"""A passage: music as parallel arrays, a corpus's piece or what a composer gave.

All that is measured is measured on passages, so that the same function looks at both.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from lofid.music import GRID_TICKS, Event, parse_token
from training.corpus import Corpus

Ints = NDArray[np.int64]
Pitches = tuple[int, ...]

SCALE = frozenset({0, 2, 4, 5, 7, 9, 11})
"""The home keys, C major and A minor, have these seven pitch classes."""


@dataclass(frozen=True)
class Voicings:
    """V distinct voicings, each of MIDI pitches in the home key, and what is often asked of them.

    One value may serve a whole corpus's passages.
    """

    pitches: tuple[Pitches, ...]

    @cached_property
    def masks(self) -> Ints:
        """Pitch classes as bits [V]: bit 0 is C."""
        return _ints(sum(1 << c for c in {p % 12 for p in row}) for row in self.pitches)

    @cached_property
    def sizes(self) -> Ints:
        """How many pitches sound together [V]."""
        return _ints(len(row) for row in self.pitches)

    @cached_property
    def in_scale(self) -> Ints:
        """How many of each voicing's pitches are in the scale of the home keys [V]."""
        return _ints(sum(p % 12 in SCALE for p in row) for row in self.pitches)

    @cached_property
    def sums(self) -> Ints:
        """The sum of each voicing's pitches [V]."""
        return _ints(sum(row) for row in self.pitches)


@dataclass(frozen=True)
class Passage:
    """N notes and chords in the order of their onsets, all int64 [N] and on the grid of 1/12 beat.

    ``voicing`` points into ``voicings``, ``velocity`` is 1 to 127. Bars begin at multiples of 48.
    """

    voicings: Voicings
    voicing: Ints
    onset: Ints
    length: Ints
    velocity: Ints

    @classmethod
    def of_events(cls, events: Sequence[Event], shift_semitones: int = 0) -> Self:
        """Gather what sounded ``shift_semitones`` above home; swing must be off."""
        home = [tuple(pitch - shift_semitones for pitch in event.pitches) for event in events]
        table = {pitches: i for i, pitches in enumerate(dict.fromkeys(home))}
        return cls(
            Voicings(tuple(table)),
            _ints(table[pitches] for pitches in home),
            _ints(round(event.onset_ticks / GRID_TICKS) for event in events),
            _ints(max(1, round(event.length_ticks / GRID_TICKS)) for event in events),
            _ints(event.velocity for event in events),
        )

    def __len__(self) -> int:
        return len(self.onset)

    @property
    def sizes(self) -> Ints:
        """How many pitches each event has [N]."""
        return self.voicings.sizes[self.voicing]

    @property
    def masks(self) -> Ints:
        """Each event's pitch classes as bits [N]."""
        return self.voicings.masks[self.voicing]

    @property
    def sums(self) -> Ints:
        """The sum of each event's pitches [N]."""
        return self.voicings.sums[self.voicing]

    @property
    def span_grid(self) -> int:
        """From the first onset to the last end."""
        return int((self.onset + self.length).max() - self.onset[0])

    def take(self, which: Any) -> "Passage":
        """Give some of the events, by a slice, numbers or a mask."""
        rows = (self.voicing, self.onset, self.length, self.velocity)
        return Passage(self.voicings, *(row[which] for row in rows))


def pieces(corpus: Corpus, numbers: Iterable[int]) -> Iterator[Passage]:
    """Give pieces of a corpus as passages."""
    voicings = Voicings(tuple(parse_token(token) for token in corpus.tokens))
    rows = (corpus.token, corpus.onset, corpus.length, corpus.velocity)
    for number in numbers:
        where = corpus.piece(number)
        yield Passage(voicings, *(row[where].astype(np.int64) for row in rows))


def _ints(values: Iterable[int]) -> Ints:
    return np.fromiter(values, np.int64)
