"""The recollection: the model's states along the last events.

A model that has heard a hundred events takes a step for the next one, not all hundred again. When
something is put in a little before the newest, or the newest are taken back, a state before it is
still here, and only what follows is heard anew, in a go or two: a millisecond or so, where the
whole window is some 17. A carried state remembers more than the window, so now and then it is made
from the window anew; the last events of that are heard in pieces, to have states among them. And a
state is kept before what is expected to change: a key that is held has no length yet.

Not thread-safe: it belongs to one composer.
"""

from bisect import bisect_left
from collections.abc import Iterator
from itertools import pairwise

from lofid.context import Row, Window
from lofid.predictor import Foreteller, Prediction

STEPS_BETWEEN_PRIMES = 64
"""So many events are heard by steps before the window is heard anew."""

TAIL = 32
"""So many of the newest events may be changed without hearing the whole window anew: those that
are composed ahead, and those that are being played. (Then as many of the oldest may be missing.)"""

PIECE = 8
"""Of the window's last events a state is kept after each so many."""

FEW = 3
"""So many events are heard in little more time than one."""


class Recollection:
    """What one model makes of the rows of a context."""

    def __init__(self, predictor: Foreteller, length: int) -> None:
        """Remember for ``predictor``, which is to hear ``length`` rows at most."""
        self._predictor = predictor
        self._length = length
        self._path: list[tuple[list[Row], Prediction]] = []
        """What was heard in one go, piece by piece, and what was predicted after each."""
        self._window: list[Row] = []
        """What was heard before that, from nothing."""
        self._primed: Prediction | None = None
        self._tail = 0
        self._expected_grid = 0
        """Where something is to change."""

    @property
    def is_carried(self) -> bool:
        """Whether the newest prediction comes of more than the window."""
        return self._steps > self._tail

    @property
    def _steps(self) -> int:
        return sum(len(piece) for piece, _ in self._path)

    def forget(self) -> None:
        """Hear the whole window anew the next time."""
        self._path.clear()
        self._window = []

    def change(self, onset_grid: int) -> None:
        """Take note of a change at an onset; where that is long ago, all is heard anew."""
        if self._window and onset_grid <= self._window[-1].onset_grid:
            self.forget()

    def expect(self, onset_grid: int) -> None:
        """Keep a state before an onset from the next prediction on, for a change to come."""
        self._expected_grid = onset_grid

    def predict(self, rows: list[Row]) -> Prediction:
        """Say what follows these rows, [a window or more], the oldest first."""
        heard = self._heard_before(rows)
        if heard is None or len(rows) - heard + self._steps > STEPS_BETWEEN_PRIMES + self._tail:
            self._prime(rows)
        else:
            for piece in self._pieces(rows[heard:]):
                prediction = self._predictor.step(self._newest().state, Window.of(piece))
                self._path.append((piece, prediction))
        return self._newest()

    def _pieces(self, rows: list[Row]) -> Iterator[list[Row]]:
        """Cut rows where something is to change; a few more to hear then cost less than a go."""
        cut = bisect_left([row.onset_grid for row in rows], self._expected_grid)
        cut = 0 if cut <= FEW else cut
        return filter(None, (rows[:cut], rows[cut:]))

    def _newest(self) -> Prediction:
        if self._path:
            return self._path[-1][1]
        assert self._primed is not None, "something was heard before"
        return self._primed

    def _heard_before(self, rows: list[Row]) -> int | None:
        """Go back to the newest state that these rows lead to; give how many of them it heard.

        None where there is no such state, or where it may be one of several: keys that are struck
        again in one place make equal rows.
        """
        if not self._window:
            return None
        primed = [place for place, row in enumerate(rows) if row == self._window[-1]]
        if len(primed) != 1 or not self._leads_to(rows[: primed[0] + 1]):
            return None
        heard = primed[0] + 1
        missing = min(len(rows), self._length) - len(self._window) - (len(rows) - heard)
        if missing > TAIL:
            return None
        for place, (piece, _) in enumerate(self._path):
            if rows[heard : heard + len(piece)] != piece:
                del self._path[place:]
                break
            heard += len(piece)
        return heard

    def _leads_to(self, rows: list[Row]) -> bool:
        """Whether what was heard from nothing ends as these rows do, as far as both go back."""
        length = min(len(rows), len(self._window))
        return rows[-length:] == self._window[-length:]

    def _prime(self, rows: list[Row]) -> None:
        """Hear the window anew, the last of it in pieces."""
        window = rows[-self._length :]
        self._tail = min(TAIL, len(window) // 2)
        ends = [*range(len(window) - self._tail, len(window), PIECE), len(window)]
        self._primed, *others = self._predictor.trail(Window.of(window), ends)
        self._window = window[: ends[0]]
        pieces = [window[begin:end] for begin, end in pairwise(ends)]
        self._path = list(zip(pieces, others, strict=True))
