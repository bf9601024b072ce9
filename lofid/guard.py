"""The loop guard: what keeps an endless player from going round in circles. Pure; bounded memory.

It knows what was composed, never what a person played: whoever plays a loop wants it. Repetition is
music up to a point, so everything here is free until it went on for longer than music does. Three
things are looked at, from the coarse to the exact:

* *Habits*: a token that has followed the same three tokens in bar after bar costs more with each
  doubling of those bars. Our own soft form of n-gram blocking (Romain Paulus et al., "A Deep
  Reinforced Model for Abstractive Summarization", ICLR 2018): bars are counted, not events, so
  that an ostinato counts once a bar.
* *Loops*: the token that carries an exact loop of (token, rhythm) on costs more with each round.
* *Bars*: a bar, or a row of up to eight bars, that was heard seven times running is not finished
  for an eighth time. This one is a rule, not a price, so it holds at any temperature.
"""

import copy
from collections import deque
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from lofid.music import BAR_GRID

Costs = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Pitches = tuple[int, ...]
Bar = frozenset[tuple[int, Pitches, int]]
"""What begins in a bar: its place in the bar, its pitches, its length. Velocities do not count."""

REMEMBERED = 512
"""Events that are looked back on: about sixty bars."""

LONGEST_LOOP = 128
"""Events in the longest loop that is followed."""

FREE_ROUNDS, FREE_BARS = 4, 4
"""A loop is free until it has gone round so often *and* for so long."""

ROUND_COST = 2.0
"""What each further round of a loop (or bar, if that is longer) takes off a token's logit."""

FREE_HABIT_BARS = 4
"""In so many of the remembered bars the same four tokens may follow each other for nothing."""

HABIT_COST = 1.0
"""What each doubling of these bars takes off the logit of the fourth."""

MOST_ROUNDS = 7
"""A row of bars is never heard more often than this in a row (but see :class:`Bars`)."""

LONGEST_ROW = 8
"""Bars in the longest row that the rule watches."""

_NOTHING = -1
_NONE: tuple[Ints, Costs] = (np.zeros(0, np.int64), np.zeros(0))
_BARS_SPAN = 1 << 32
"""More bars than any session has, to pack a token and a bar into one number."""


class LoopGuard:
    """What one composer's events so far forbid or make dear. Not thread-safe."""

    def __init__(self, tokens: int):
        self._tokens = tokens
        self._past = Past()
        self._loops = Loops()
        self._bars = Bars()

    def copy(self) -> "LoopGuard":
        """Give another of the same past, to go back to."""
        other = copy.copy(self)
        other._past, other._bars = self._past.copy(), self._bars.copy()
        other._loops = copy.copy(self._loops)
        return other

    def costs(self, onset_grid: int) -> Costs:
        """Give what to take off the logits [tokens] of an event at ``onset_grid``: 0 and up."""
        costs = np.zeros(self._tokens)
        for tokens, each in (self._loops.costs(self._past, onset_grid), habits(self._past)):
            if len(tokens):
                np.maximum.at(costs, tokens, each)
        return costs

    def closing(self, onset_grid: int) -> Iterator[Pitches]:
        """Give the pitches that must not begin at ``onset_grid``, the most needful first."""
        return self._bars.closing(onset_grid)

    def add(
        self, onset_grid: int, token: int, rhythm: int, length_grid: int, pitches: Pitches
    ) -> None:
        """Take note of an event that was composed; onsets never go back."""
        self._loops.add(self._past, token, rhythm)
        self._past.add(onset_grid, token, rhythm)
        self._bars.add(onset_grid, pitches, length_grid)

    def shift(self, by_grid: int) -> None:
        """Move the whole past by so many grid units: whole bars. A new bar begins."""
        self._past.onsets += by_grid
        self._loops.starts = self._loops.starts + by_grid  # a copy may share the old one
        self._bars.begin()


class Past:
    """The last events, newest first: [REMEMBERED] tokens, rhythms and onsets."""

    def __init__(self) -> None:
        self._have(np.full((3, REMEMBERED), _NOTHING, np.int64))

    def _have(self, rows: Ints) -> None:
        self._rows = rows
        self.tokens, self.rhythms, self.onsets = rows

    def copy(self) -> "Past":
        """Give another with the same events."""
        other = copy.copy(self)
        other._have(self._rows.copy())
        return other

    def add(self, onset_grid: int, token: int, rhythm: int) -> None:
        """Put an event before the others; the oldest is forgotten."""
        self._rows[:, 1:] = self._rows[:, :-1]
        self._rows[:, 0] = token, rhythm, onset_grid


class Loops:
    """For each period of 1 to LONGEST_LOOP events, how long each event has equalled an earlier one.

    ``runs`` [periods] counts the events, ``starts`` [periods] is the onset at which the first round
    of that loop began.
    """

    def __init__(self) -> None:
        self._periods = np.arange(1, LONGEST_LOOP + 1)
        self._free = self._periods * (FREE_ROUNDS - 1)
        self.runs: Ints = np.zeros(LONGEST_LOOP, np.int64)
        self.starts: Ints = np.zeros(LONGEST_LOOP, np.int64)

    def add(self, past: Past, token: int, rhythm: int) -> None:
        """Take an event that follows ``past``."""
        earlier = slice(LONGEST_LOOP)
        same = (past.tokens[earlier] == token) & (past.rhythms[earlier] == rhythm)
        self.runs = (self.runs + 1) * same
        self.starts = np.where(self.runs == 1, past.onsets[earlier], self.starts)

    def costs(self, past: Past, onset_grid: int) -> tuple[Ints, Costs]:
        """Give the tokens that would carry a loop on for too long, and what each costs."""
        over = np.flatnonzero(self.runs > self._free)
        if not len(over):
            return _NONE
        rounds = self.runs[over] / self._periods[over] + 1
        bars = (onset_grid - self.starts[over]) / BAR_GRID
        excess = np.minimum(rounds - FREE_ROUNDS, bars - FREE_BARS)
        return past.tokens[over], ROUND_COST * np.maximum(excess, 0)


def habits(past: Past) -> tuple[Ints, Costs]:
    """Give the tokens that have followed the last three in too many bars, and what each costs."""
    tokens = past.tokens
    places = np.flatnonzero(tokens[1:-2] == tokens[0]) + 1
    for back in (1, 2):
        places = places[tokens[places + back] == tokens[back]]
    if len(places) <= FREE_HABIT_BARS:
        return _NONE
    followers, onsets = tokens[places - 1], past.onsets[places - 1]
    once_a_bar = np.unique(followers * _BARS_SPAN + onsets // BAR_GRID + _BARS_SPAN // 2)
    found, bars = np.unique(once_a_bar // _BARS_SPAN, return_counts=True)
    over = bars > FREE_HABIT_BARS
    return found[over], HABIT_COST * np.log2(bars[over] / FREE_HABIT_BARS)


class Bars:
    """The rule on exact bars, for rows of 1 to LONGEST_ROW bars.

    A bar equals an earlier one when the same set of (place, pitches, length) begins in it, in
    whatever order it was composed. It is complete only when its last missing event is drawn, so it
    is enough to rule out that one. Only an empty bar completes itself, and the step's limit of two
    bars lets no two of them follow each other: a single bar is heard MOST_ROUNDS times at most, a
    longer row with an empty bar in it once more.
    """

    def __init__(self) -> None:
        self._number = 0
        self._begun: set[tuple[int, Pitches, int]] = set()
        self._closed: deque[Bar] = deque(maxlen=LONGEST_ROW)
        self._equal = [0] * (LONGEST_ROW + 1)

    def copy(self) -> "Bars":
        """Give another with the same bars."""
        other = copy.copy(self)
        other._begun, other._closed = set(self._begun), self._closed.copy()
        other._equal = list(self._equal)
        return other

    def add(self, onset_grid: int, pitches: Pitches, length_grid: int) -> None:
        """Take an event; bars that it leaves behind are closed."""
        self._go_to(onset_grid)
        self._begun.add((onset_grid % BAR_GRID, pitches, length_grid))

    def begin(self) -> None:
        """Close the bar as it is; the next one is at onset 0."""
        self._close()
        self._number = 0

    def closing(self, onset_grid: int) -> Iterator[Pitches]:
        """Give the pitches that at ``onset_grid`` would finish a row once too often."""
        self._go_to(onset_grid)
        for row in range(1, LONGEST_ROW + 1):
            if self._equal[row] < MOST_ROUNDS * row - 1:
                continue
            missing = self._closed[-row] - self._begun
            if len(missing) == 1 and self._begun <= self._closed[-row]:
                yield from (p for place, p, _ in missing if place == onset_grid % BAR_GRID)

    def _go_to(self, onset_grid: int) -> None:
        while self._number < onset_grid // BAR_GRID:
            self._close()

    def _close(self) -> None:
        bar = frozenset(self._begun)
        for row in range(1, LONGEST_ROW + 1):
            is_equal = row <= len(self._closed) and self._closed[-row] == bar
            self._equal[row] = self._equal[row] + 1 if is_equal else 0
        self._closed.append(bar)
        self._begun.clear()
        self._number += 1
