"""Chords: what kind of harmony a set of pitch classes is, and what sounds on each beat.

The shells are enough to know a richer chord by: each seventh, ninth, eleventh or thirteenth chord,
each sixth, and each rootless voicing of them holds at least one. (Mark Levine, *The Jazz Piano
Book*, 1989, chapters 3 and 7: root, third and seventh; or third and seventh with the ninth or the
thirteenth above them.)
"""

from collections.abc import Iterable

import numpy as np

from lofid.music import GRID_PER_QUARTER
from training.passage import Ints, Passage

Intervals = tuple[int, ...]

TRIADS: dict[str, Intervals] = {
    "major": (0, 4, 7),
    "minor": (0, 3, 7),
    "diminished": (0, 3, 6),
    "augmented": (0, 4, 8),
}
"""Plain when nothing else sounds, under any root."""

SHELLS: dict[str, Intervals] = {
    "major seventh": (0, 4, 11),
    "dominant seventh": (0, 4, 10),
    "minor seventh": (0, 3, 10),
    "minor with a major seventh": (0, 3, 11),
    "seventh without its third": (0, 7, 10),
    "major seventh without its third": (0, 7, 11),
    "third, seventh and ninth of a dominant": (0, 4, 6),
    "third, seventh and thirteenth of a dominant": (0, 5, 6),
    "diminished seventh": (0, 3, 6, 9),
    "added ninth": (0, 2, 4, 7),
    "minor with an added ninth": (0, 2, 3, 7),
}
"""Rich when all of one sounds, under any root, whatever else does.

A sixth chord is its relative's seventh chord, and a half-diminished one holds a minor seventh's
shell. Third, seventh and ninth of a major or minor chord are a seventh without its third.
"""

SUSPENDED: dict[str, Intervals] = {"second": (0, 2, 7), "fourth": (0, 5, 7)}

KINDS = ("none", "other", "suspended", "triad", "rich")
NONE, OTHER, SUSPENDED_KIND, TRIAD, RICH = range(5)


def mask(intervals: Iterable[int], root: int = 0) -> int:
    """Give pitch classes as bits: bit 0 is C."""
    return sum(1 << (root + interval) % 12 for interval in intervals)


def _under_any_root(chords: Iterable[Intervals]) -> set[int]:
    return {mask(intervals, root) for intervals in chords for root in range(12)}


def _classify_all() -> Ints:
    """Look up table [4096]: pitch classes as bits to the number of a kind."""
    triads, suspended = _under_any_root(TRIADS.values()), _under_any_root(SUSPENDED.values())
    shells = _under_any_root(SHELLS.values())
    kinds = np.full(4096, OTHER, np.int64)
    kinds[0] = NONE
    kinds[list(suspended)] = SUSPENDED_KIND
    kinds[list(triads)] = TRIAD
    for shell in shells:
        kinds[np.arange(4096) & shell == shell] = RICH
    return kinds


KIND_OF = _classify_all()
"""The kind of each of the 4096 sets of pitch classes."""


def kind(pitches: Iterable[int]) -> str:
    """Name what these pitches are together: one of :data:`KINDS`."""
    return KINDS[KIND_OF[mask({pitch % 12 for pitch in pitches})]]


def on_beats(passage: Passage, *, with_lead: bool) -> Ints:
    """Give the pitch classes, as bits, that sound at each beat from the first onset to the last.

    Of the keys (chords), or of everything. A note sounds up to its end, but not at its end.
    """
    first = _beat_at(passage.onset[:1])[0]
    beats = np.zeros(_beat_at(passage.onset[-1:] + 1)[0] - first, np.int64)
    heard = passage if with_lead else passage.take(passage.sizes > 1)
    begin = _beat_at(heard.onset) - first
    end = np.minimum(_beat_at(heard.onset + heard.length) - first, len(beats))
    counts = np.maximum(end - begin, 0)
    ahead = np.arange(counts.sum()) - np.repeat(counts.cumsum() - counts, counts)
    np.bitwise_or.at(beats, np.repeat(begin, counts) + ahead, np.repeat(heard.masks, counts))
    return beats


def _beat_at(grid: Ints) -> Ints:
    """The first beat that is not before these times."""
    return -(-grid // GRID_PER_QUARTER)


def shares(passage: Passage, *, with_lead: bool) -> dict[str, float]:
    """Give the share of beats of each kind; of no beats at all, all are none."""
    kinds = KIND_OF[on_beats(passage, with_lead=with_lead)]
    counts = np.bincount(kinds, minlength=len(KINDS)) if len(kinds) else np.eye(5)[NONE]
    return dict(zip(KINDS, (counts / counts.sum()).tolist(), strict=True))
