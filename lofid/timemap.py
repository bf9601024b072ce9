"""The time map: which tick of a session was at which second, as its records say. Pure.

Between two records time goes evenly, so what another's MIDI clock did in between does not matter.
Neither ticks nor seconds go back: a record that was told late counts for where the music was then.
"""

from array import array
from bisect import bisect_right


class TimeMap:
    """Pairs of a tick and a second, added in the order in which they were recorded."""

    def __init__(self) -> None:
        self._ticks = array("q")
        self._seconds = array("d")

    def add(self, tick: int, seconds: float) -> None:
        """Say that the music was at this tick then."""
        if not self._ticks or (tick > self._ticks[-1] and seconds >= self._seconds[-1]):
            self._ticks.append(tick)
            self._seconds.append(seconds)
        elif tick == self._ticks[-1] and seconds > self._seconds[-1]:
            self._stay(seconds)

    def _stay(self, seconds: float) -> None:
        """At one tick for a time: only the first and the last second of it matter."""
        if len(self._ticks) > 1 and self._ticks[-2] == self._ticks[-1]:
            self._seconds[-1] = seconds
        else:
            self._ticks.append(self._ticks[-1])
            self._seconds.append(seconds)

    def tick_at(self, seconds: float) -> int:
        """Where the music was then; its first or last tick outside. ValueError when empty."""
        return round(_between(self._seconds, self._ticks, seconds))

    def seconds_at(self, tick: int) -> float:
        """When the music was there, the last time; as :meth:`tick_at`."""
        return _between(self._ticks, self._seconds, tick)


def _between(xs: "array[int] | array[float]", ys: "array[int] | array[float]", x: float) -> float:
    """Interpolate linearly; at an ``x`` that is there twice, the later one's ``y``."""
    if not xs:
        raise ValueError("nothing was recorded")
    after = bisect_right(xs, x)
    if after in (0, len(xs)):
        return ys[0 if after == 0 else -1]
    share = (x - xs[after - 1]) / (xs[after] - xs[after - 1])
    return ys[after - 1] + share * (ys[after] - ys[after - 1])
