"""The rolling context: the last events, model's and person's together, in the order they sounded.

It is kept in the model's home key and on its grid. What a model predicts is a function of the
window made here, and of nothing older.

What was composed can be taken back as long as it has not sounded; what a person played stays where
it was played, though its length may only be known later. So the two are kept apart, and laid
together when they are looked at: at equal onsets the person's comes first.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from lofid.music import BAR_GRID
from lofid.vocabulary import START, Vocabulary

Ids = npt.NDArray[np.int32]
SPARE = 80
"""Entries that are kept beyond the window, for when the newest are taken back."""
REACH = 100
"""Rows that are given even where the window is shorter: as far as a state is carried."""


class Entry(NamedTuple):
    """One event as the model hears it; ``onset_grid`` counts from the start of the session."""

    onset_grid: int
    length_grid: int
    token_id: int
    velocity_id: int


MemoryRow = list[int]
"""[onset, length, token id, velocity class] of an entry, as it is kept from session to session."""


class Row(NamedTuple):
    """One event of a window: where it lies, and its ids.

    ``phase`` is where in the bar the *following* event falls, which is known before it is drawn.
    """

    onset_grid: int
    token: int
    rhythm: int
    velocity: int
    phase: int


@dataclass(frozen=True, slots=True)
class Window:
    """What a model is given: four rows of ids, each of shape [events], oldest first."""

    token: Ids
    rhythm: Ids
    velocity: Ids
    phase: Ids

    def __len__(self) -> int:
        return len(self.token)

    @classmethod
    def of(cls, rows: Iterable[Row]) -> "Window":
        """Lay rows side by side."""
        _, *columns = zip(*rows, strict=True)
        return cls(*(np.array(column, np.int32) for column in columns))

    def part(self, begin: int, end: int) -> "Window":
        """Some of its events."""
        part = slice(begin, end)
        return Window(self.token[part], self.rhythm[part], self.velocity[part], self.phase[part])


class Context:
    """The last ``length`` entries. Not thread-safe: it belongs to one composer."""

    def __init__(self, vocabulary: Vocabulary, length: int, pad: bool = False):
        self._vocabulary = vocabulary
        self.length = length
        self._pad = pad
        self._composed: list[Entry] = []
        self._heard: dict[int, Entry] = {}
        self._made: dict[tuple[Entry, int], Row] = {}
        """Each entry's row of the last time, by where the following event began."""

    def __len__(self) -> int:
        return min(len(self._composed) + len(self._heard), self.length)

    @property
    def heard(self) -> int:
        """How many entries of the window are a person's."""
        heard = set(map(id, self._heard.values()))
        return sum(id(entry) in heard for entry in self._entries()[-self.length :])

    def add(self, entry: Entry) -> None:
        """Put a composed entry after all that were composed."""
        self._composed.append(entry)
        del self._composed[: -self.length - SPARE]

    def hear(self, number: int, entry: Entry) -> None:
        """Put a person's entry in its place by onset; one of the same number is replaced."""
        self._heard[number] = entry
        while len(self._heard) > self.length:
            del self._heard[next(iter(self._heard))]

    def take_back(self, onset_grid: int) -> None:
        """Forget what was composed from an onset on."""
        while self._composed and self._composed[-1].onset_grid >= onset_grid:
            self._composed.pop()

    def clear(self) -> None:
        """Forget everything."""
        self._composed.clear()
        self._heard.clear()

    def shift(self, by_grid: int) -> None:
        """Move the whole past by so many grid units."""
        self._composed = [_moved(entry, by_grid) for entry in self._composed]
        self._heard = {n: _moved(entry, by_grid) for n, entry in self._heard.items()}

    def entries(self) -> list[Entry]:
        """List the entries of the window, in the order in which they sounded."""
        return self._entries()[-self.length :]

    def _entries(self) -> list[Entry]:
        both = [*self._heard.values(), *self._composed]
        return sorted(both, key=lambda entry: entry.onset_grid)[-self.length - SPARE :]

    def rows(self, next_onset_grid: int) -> list[Row]:
        """Give what leads up to an event at ``next_onset_grid``: the window's rows are the last.

        While the context is not full, *start* stands before it: once, or as often as it takes to
        fill the window where the model was trained so (``pad``).
        """
        return self._rows(self._entries()[-max(self.length, REACH) :], next_onset_grid)

    def rows_before(self, number: int) -> list[Row]:
        """Give what leads up to a person's event: nothing to one that is too long ago.

        KeyError for one that is forgotten.
        """
        entry, entries = self._heard[number], self._entries()
        place = next((place for place, known in enumerate(entries) if known is entry), 0)
        return self._rows(
            entries[max(0, place - max(self.length, REACH)) : place], entry.onset_grid
        )

    def _rows(self, entries: Sequence[Entry], next_onset_grid: int) -> list[Row]:
        missing = self.length - len(entries)
        starts = max(missing, 0) if self._pad else min(max(missing, 0), 1)
        onsets = [entry.onset_grid for entry in entries] + [next_onset_grid]
        first = onsets[0]
        rows = [Row(first, START, START, START, first % BAR_GRID)] * starts
        made: dict[tuple[Entry, int], Row] = {}
        for pair in zip(entries, onsets[1:], strict=True):
            # Most rows are the same as the last time.
            made[pair] = row = self._made.get(pair) or self._row(*pair)
            rows.append(row)
        self._made = made
        return rows

    def _row(self, entry: Entry, following_grid: int) -> Row:
        step = max(following_grid - entry.onset_grid, 0)
        rhythm = self._vocabulary.rhythm_id(step, entry.length_grid)
        phase = following_grid % BAR_GRID
        return Row(entry.onset_grid, entry.token_id, rhythm, entry.velocity_id, phase)

    def window(self, next_onset_grid: int) -> Window:
        """Give the ids that lead up to an event at ``next_onset_grid``: at most ``length``."""
        return Window.of(self.rows(next_onset_grid)[-self.length :])


def _moved(entry: Entry, by_grid: int) -> Entry:
    return entry._replace(onset_grid=entry.onset_grid + by_grid)
