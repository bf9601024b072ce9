"""Recital: how much of what is composed stands, event for event, in a piece that was learnt.

A run is what a session and one training piece have in common, one event after another. It is found
exactly: runs of n + 1 events are looked for only where runs of n were, so what is left to look at
shrinks fast.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from training.passage import Ints

LONGEST_OWN = 16
"""A longer shared run is recited; a shorter one is the style."""

_END_OF_MADE, _END_OF_KNOWN = -1, -2
"""They differ, so that no run goes on past the end of a session or a piece."""


@dataclass(frozen=True)
class Recital:
    """For every composed event, the longest shared run that it is part of.

    ``lengths[n]`` counts the events whose longest run has n events; 0 is an event in no piece.
    """

    lengths: tuple[int, ...]

    @property
    def own_share(self) -> float:
        """The share of events in no shared run of more than 16."""
        return sum(self.lengths[: LONGEST_OWN + 1]) / max(sum(self.lengths), 1)

    @property
    def longest_run(self) -> int:
        """The longest shared run of all."""
        return len(self.lengths) - 1


def compare(made: Sequence[Ints], known: Sequence[Ints]) -> Recital:
    """Compare sessions with pieces, each a row of ids that mean the same in both."""
    return Recital(tuple(np.bincount(np.concatenate(shared_runs(made, known))).tolist()))


def shared_runs(made: Sequence[Ints], known: Sequence[Ints]) -> list[Ints]:
    """For each session, give each event's longest run [events] shared with any one piece."""
    lengths = _runs_from(_joined(made, _END_OF_MADE), _joined(known, _END_OF_KNOWN))
    ends = np.cumsum([len(row) + 1 for row in made])
    return [_covering(row[:-1]) for row in np.split(lengths, ends[:-1])]


def _joined(rows: Sequence[Ints], end: int) -> Ints:
    return np.concatenate([np.append(row, end).astype(np.int64) for row in rows])


def _runs_from(made: Ints, known: Ints) -> Ints:
    """Give the longest shared run that begins at each place of ``made``."""
    lengths = np.zeros(len(made), np.int64)
    here, there = np.arange(len(made)), np.arange(len(known))
    mine, theirs, length = made, known, 0
    while True:
        kept, wanted = np.isin(mine, theirs), np.isin(theirs, mine)
        here, there = here[kept], there[wanted]
        if not len(here):
            return lengths
        length += 1
        lengths[here] = length
        mine, theirs = _longer(
            (mine[kept], theirs[wanted]), (made[here + length], known[there + length])
        )


def _longer(runs: tuple[Ints, Ints], following: tuple[Ints, Ints]) -> tuple[Ints, Ints]:
    """Number the runs that are one event longer: equal numbers, equal runs."""
    run = np.unique(np.concatenate(runs), return_inverse=True)[1].reshape(-1)
    after = np.unique(np.concatenate(following), return_inverse=True)[1].reshape(-1)
    both = run * (int(after.max()) + 1) + after
    return both[: len(runs[0])], both[len(runs[0]) :]


def _covering(lengths: Ints) -> Ints:
    """From the runs that begin at each place to the longest run that each place is part of."""
    ends = np.arange(len(lengths)) + lengths
    # A run that ends where the one before it ends is a part of it.
    whole = np.flatnonzero((lengths > 0) & (ends > np.append(-1, ends[:-1])))
    covered = np.zeros_like(lengths)
    for start in whole[np.argsort(lengths[whole], kind="stable")].tolist():
        covered[start : start + lengths[start]] = lengths[start]
    return covered
