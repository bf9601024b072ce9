"""The rolling context: the last events, model's and person's together, in the order they sounded.

It is kept in the model's home key and on its grid. What a model predicts is a function of the
window made here, and of nothing older.
"""

from bisect import insort
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from lofid.music import BAR_GRID
from lofid.vocabulary import START, Vocabulary

Ids = npt.NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class Entry:
    """One event as the model hears it; ``onset_grid`` counts from the start of the session."""

    onset_grid: int
    length_grid: int
    token_id: int
    velocity_id: int


@dataclass(frozen=True, slots=True)
class Window:
    """What a model is given: four rows of ids, each of shape [events], oldest first.

    ``phase`` is where in the bar the *following* event falls, which is known before it is drawn.
    """

    token: Ids
    rhythm: Ids
    velocity: Ids
    phase: Ids

    def __len__(self) -> int:
        return len(self.token)

    def last(self) -> "Window":
        """The newest event alone: what a step needs."""
        return Window(self.token[-1:], self.rhythm[-1:], self.velocity[-1:], self.phase[-1:])


class Context:
    """The last ``length`` entries. Not thread-safe: it belongs to one composer."""

    def __init__(self, vocabulary: Vocabulary, length: int, pad: bool = False):
        self._vocabulary = vocabulary
        self._length = length
        self._pad = pad
        self._entries: list[Entry] = []

    def __len__(self) -> int:
        return len(self._entries)

    @property
    def entries(self) -> tuple[Entry, ...]:
        """What is remembered, oldest first."""
        return tuple(self._entries)

    def add(self, entry: Entry) -> None:
        """Put an entry in its place by onset; at equal onsets after what is there."""
        insort(self._entries, entry, key=lambda known: known.onset_grid)
        del self._entries[: -self._length]

    def shift(self, by_grid: int) -> None:
        """Move the whole past by so many grid units."""
        self._entries = [
            Entry(e.onset_grid + by_grid, e.length_grid, e.token_id, e.velocity_id)
            for e in self._entries
        ]

    def window(self, next_onset_grid: int) -> Window:
        """Give the ids that lead up to an event at ``next_onset_grid``: at most ``length`` of them.

        While the context is not full, *start* stands before it: once, or as often as it takes to
        fill the window where the model was trained so (``pad``).
        """
        missing = self._length - len(self._entries)
        starts = missing if self._pad else min(missing, 1)
        onsets = [entry.onset_grid for entry in self._entries] + [next_onset_grid]
        steps = [max(later - earlier, 0) for earlier, later in pairwise(onsets)]
        rhythms = [
            self._vocabulary.rhythm_id(step, entry.length_grid)
            for step, entry in zip(steps, self._entries, strict=True)
        ]
        before = [START] * starts
        phases = [onsets[0] % BAR_GRID] * starts + [onset % BAR_GRID for onset in onsets[1:]]
        return Window(
            np.array(before + [entry.token_id for entry in self._entries], np.int32),
            np.array(before + rhythms, np.int32),
            np.array(before + [entry.velocity_id for entry in self._entries], np.int32),
            np.array(phases, np.int32),
        )
