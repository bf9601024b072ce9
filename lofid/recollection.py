"""The recollection: the model's state after each of the last events.

A model that has heard a hundred events takes a step for the next one, not all hundred again. When
something is put in a little before the newest, or the newest are taken back, the state before it is
still here, and only what follows is heard anew: a few steps of half a millisecond each, where the
whole window is some 17. A carried state remembers more than the window, so now and then it is made
from the window anew; the last few events of that are steps too, to have their states.

Not thread-safe: it belongs to one composer.
"""

from lofid.context import Row, Window
from lofid.predictor import Foreteller, Prediction

STEPS_BETWEEN_PRIMES = 64
"""So many events are heard by steps before the window is heard anew."""

TAIL = 32
"""So many of the newest events may be changed without hearing the whole window anew: those that
are composed ahead, and those that are being played. (Then as many of the oldest may be missing.)"""


class Recollection:
    """What one model makes of the rows of a context."""

    def __init__(self, predictor: Foreteller, length: int) -> None:
        """Remember for ``predictor``, which is to hear ``length`` rows at most."""
        self._predictor = predictor
        self._length = length
        self._path: list[tuple[Row, Prediction]] = []
        """Each row that was heard by a step, and what was predicted after it."""
        self._window: list[Row] = []
        """What was heard in one go before that, and what was predicted after it."""
        self._primed: Prediction | None = None
        self._tail = 0

    @property
    def is_carried(self) -> bool:
        """Whether the newest prediction comes of more than the window."""
        return len(self._path) > self._tail

    def forget(self) -> None:
        """Hear the whole window anew the next time."""
        self._path.clear()
        self._window = []

    def change(self, onset_grid: int) -> None:
        """Take note of a change at an onset; where that is long ago, all is heard anew."""
        if self._window and onset_grid <= self._window[-1].onset_grid:
            self.forget()

    def predict(self, rows: list[Row]) -> Prediction:
        """Say what follows these rows, [a window or more], the oldest first."""
        heard = self._heard_before(rows)
        if heard is None or len(rows) - heard + len(self._path) > STEPS_BETWEEN_PRIMES + self._tail:
            heard = self._prime(rows)
        for row in rows[heard:]:
            prediction = self._predictor.step(self._newest().state, Window.of([row]))
            self._path.append((row, prediction))
        return self._newest()

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
        primed = (
            [i for i, row in enumerate(rows) if row == self._window[-1]] if self._window else []
        )
        if len(primed) != 1 or not self._leads_to(rows[: primed[0] + 1]):
            return None
        missing = min(len(rows), self._length) - len(self._window) - len(rows[primed[0] + 1 :])
        if missing > TAIL:
            return None
        following = rows[primed[0] + 1 :]
        pairs = zip(self._path, following, strict=False)
        same = next((i for i, (a, b) in enumerate(pairs) if a[0] != b), None)
        del self._path[min(len(self._path), len(following)) if same is None else same :]
        return primed[0] + 1 + len(self._path)

    def _leads_to(self, rows: list[Row]) -> bool:
        """Whether what was heard in one go ends as these rows do, as far as both go back."""
        length = min(len(rows), len(self._window))
        return rows[-length:] == self._window[-length:]

    def _prime(self, rows: list[Row]) -> int:
        """Hear the window anew; give how many rows were heard: all."""
        window = rows[-self._length :]
        self._tail = tail = min(TAIL, len(window) // 2)
        self._primed, *others = self._predictor.trail(Window.of(window), tail)
        self._window = window[: len(window) - tail]
        self._path = list(zip(window[len(window) - tail :], others, strict=True))
        return len(rows)
