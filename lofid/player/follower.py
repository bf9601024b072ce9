"""Following a MIDI clock that comes in: which pulse the master is at, when, and how fast. Pure.

Each clock message says that another 24th of a quarter note has passed, but some milliseconds early
or late. The times are filtered by a delay-locked loop: a line through the pulses, which each new
pulse pulls a little towards itself. The rules:

* The loop's gains are those of a least-squares line through all pulses since it locked, up to the
  last 96 (a bar of 4/4). So it locks as fast as the pulses allow and then grows calm.
* The line says which pulse an arrival is: the one whose time is nearest. So pulses that were lost
  on the way are counted, and what comes twice, or between two pulses, is not.
* What does not fit may also be another tempo, half or double of the old one, say. Three strange
  arrivals within 16 raise the question. Six in a row that are evenly spaced, but not on the line,
  answer it: the loop locks anew on those six, and each message heard since the first strange one
  is counted as a pulse after all. So the count is exact after a change of tempo, and after faults;
  where both come within 16 pulses, it is off by those faults.
* A smaller change of tempo shows as a mean distance from the line that stays off zero. Then the
  line is laid anew through the last twelve pulses only.
* After half a second of silence the line is forgotten, but not the count.

It takes jitter of up to a third of the distance between pulses: 3 ms up to 250 bpm. Faster than
300 bpm or slower than 20 it finds no tempo, and keeps the one it has.

Sources: F. Adriaensen, "Using a DLL to filter time" (2005), for the loop; N. Morrison,
"Introduction to Sequential Smoothing and Prediction" (1969), for gains that grow like the memory of
a fitted line; the MIDI 1.0 specification, System Real Time, for the clock.
"""

import math
from collections import deque
from collections.abc import Sequence
from typing import NamedTuple

PULSES_PER_QUARTER = 24
SLOWEST_BPM, FASTEST_BPM = 20.0, 300.0
SILENCE_SECONDS = 0.5
"""Four pulses at 20 bpm. Two missing ones at any tempo last 0.375 s, so more is a loss."""

_LONGEST_SECONDS = 60 / (SLOWEST_BPM * PULSES_PER_QUARTER)
_SHORTEST_SECONDS = 60 / (FASTEST_BPM * PULSES_PER_QUARTER)
_RANGE_SLACK = 1.1
"""Six pulses know their tempo to some percent only, at the ends of the range as elsewhere."""
_ECHO_SECONDS = 0.002
"""What comes so soon after a message is its double, or one of a burst that was held back."""
_MEMORY_PULSES = 96
_LOCK_PULSES = 6
_REFIT_PULSES = 12
_TOLERANCE_SECONDS, _TOLERANCE_PULSES = 0.008, 0.4
"""How far from the line a pulse may come, the smaller of both."""
_EVEN_SECONDS, _EVEN_PULSES = 0.0025, 0.2
"""How far from their own line six even pulses lie (root mean square), the smaller of both."""
_OTHER_SECONDS, _OTHER_PULSES = 0.004, 0.35
_OTHER_PACE_SECONDS, _OTHER_PACE = 0.0012, 0.1
"""How far from the old line a new one must be (the smaller of both), or how much slower or faster
(the larger of both). Six pulses with 3 ms of jitter err by less (3 sigma)."""
_DRIFT_PULSES, _DRIFT_JITTERS, _LEAST_DRIFT_SECONDS = 6, 1.4, 0.0005
"""A mean distance over about so many pulses, in mean absolute distances, that jitter alone does not
reach (4 sigma), and what is small enough for any clock."""
_JITTER_PULSES, _USUAL_JITTER_SECONDS = 128, 0.0015
"""How long the mean absolute distance remembers, and what it is taken for at first: 3 ms at most
either way, evenly spread."""
_STRANGE_PULSES, _DOUBT_PULSES = 3, 16
"""How many strange arrivals within how many pulses bring the tempo into question. After so many
pulses without a strange one the count is no longer in doubt."""


class Line(NamedTuple):
    """Where the clock is. Pulse 1 is the first after the start; ``seconds`` is pulse ``number``."""

    number: int
    seconds: float
    seconds_per_pulse: float

    @property
    def tempo_bpm(self) -> float:
        """The tempo in quarter notes a minute."""
        return 60 / (self.seconds_per_pulse * PULSES_PER_QUARTER)

    def seconds_at(self, number: float) -> float:
        """When a pulse is or was, if the tempo stays."""
        return self.seconds + (number - self.number) * self.seconds_per_pulse


class Follower:
    """Follows one clock. To be called from one thread; nothing blocks or reads a clock.

    All seconds are of one monotonic clock, the caller's. What lies before the last pulse in time is
    taken for that pulse's double.
    """

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Forget everything, as if new."""
        self._loop = _Loop()
        self._is_locked = False
        self._locks = 0
        self.restart()

    def restart(self) -> None:
        """Count from zero, at the tempo so far: MIDI Start. The next pulse is number 1.

        Some masters begin their pulses anew at Start, so that pulse is believed wherever it lies
        between the old ones. Until it comes the clock is not lost, however long that takes.
        """
        self._heard_seconds = deque[float](maxlen=_LOCK_PULSES)
        self._taken = deque[tuple[int, float]](maxlen=_REFIT_PULSES)
        self._strange_pulses = deque[int](maxlen=_STRANGE_PULSES)
        self._be_sure(0)

    @property
    def is_locked(self) -> bool:
        """Whether there is a tempo. It stays during a silence, until a pulse ends that."""
        return self._is_locked

    @property
    def count(self) -> int:
        """How many pulses the master has sent, lost ones included and doubled ones not.

        While strange arrivals may be either faults or another tempo it is a guess. The pulse that
        decides mends it; only then can it go down, and :attr:`locks` goes up. Without a tempo (at
        first, and after a silence) it counts what is heard.
        """
        return self._count

    @property
    def locks(self) -> int:
        """How often a tempo was found that the one before, if any, did not lead to."""
        return self._locks

    @property
    def line(self) -> Line | None:
        """The last pulse's number and filtered time, and the tempo. None until locked."""
        if not self._is_locked:
            return None
        return Line(self._count, self._loop.seconds, self._loop.seconds_per_pulse)

    def is_lost(self, now_seconds: float) -> bool:
        """Whether the clock was heard, and has now been silent for over half a second."""
        heard = self._heard_seconds
        return bool(heard) and now_seconds - heard[-1] > SILENCE_SECONDS

    def pulse(self, seconds: float) -> None:
        """Hear a clock message. Constant time and memory."""
        heard = self._heard_seconds
        if heard and seconds - heard[-1] < _ECHO_SECONDS:
            return
        if self.is_lost(seconds):
            self._is_locked = False
        heard.append(seconds)
        if not self._is_locked:
            self._acquire()
        elif self._count == 0:
            self._begin(seconds)
        else:
            self._follow(seconds)

    def _acquire(self) -> None:
        """Count all that comes until six in a row are even."""
        self._count += 1
        if found := _even_line(self._heard_seconds):
            self._lock(found, self._count)

    def _begin(self, seconds: float) -> None:
        """Take the first pulse after a start, which may lie anywhere."""
        is_soon = abs(seconds - self._loop.seconds) < SILENCE_SECONDS
        if is_soon and self._loop.steps_to(seconds) == 1:
            self._loop.take(1, seconds)
        else:
            self._loop.start(seconds, self._loop.seconds_per_pulse, _LOCK_PULSES)
        self._be_sure(1)
        self._taken.append((1, seconds))

    def _follow(self, seconds: float) -> None:
        steps = self._loop.steps_to(seconds)
        if steps:
            self._loop.take(steps, seconds)
            self._count += steps
            self._taken.append((self._count, seconds))
        if steps == 1:
            self._settle()
        else:
            self._doubt()

    def _settle(self) -> None:
        """Go on after a pulse that came where it should."""
        self._unsure_pulses += 1
        strange = self._strange_pulses
        if not strange or self._unsure_pulses - strange[-1] >= _DOUBT_PULSES:
            self._be_sure(self._count)
        if self._loop.is_adrift and self._loop.pulses > len(self._taken) == _REFIT_PULSES:
            line = _fit(self._taken)
            self._loop.start(line.seconds, line.seconds_per_pulse, _REFIT_PULSES)

    def _doubt(self) -> None:
        """Consider after a strange arrival, the third within short, whether the tempo is new."""
        self._unsure_pulses += 1
        strange = self._strange_pulses
        strange.append(self._unsure_pulses)
        if len(strange) < _STRANGE_PULSES or strange[-1] - strange[0] >= _DOUBT_PULSES:
            return
        found = _even_line(self._heard_seconds)
        if found and self._loop.contradicts(found):
            self._lock(found, self._sure_count + self._unsure_pulses)

    def _lock(self, found: Line, number: int) -> None:
        self._locks += 1
        self._be_sure(number)
        self._loop.start(found.seconds, found.seconds_per_pulse, _LOCK_PULSES)
        self._is_locked = True
        self._taken.clear()
        first = number - _LOCK_PULSES + 1
        self._taken.extend(enumerate(self._heard_seconds, start=first))

    def _be_sure(self, count: int) -> None:
        self._count = self._sure_count = count
        self._unsure_pulses = 0
        self._strange_pulses.clear()


class _Loop:
    """A delay-locked loop: a line that holds ``pulses`` pulses and is at the last of them."""

    def __init__(self) -> None:
        self.jitter_seconds = _USUAL_JITTER_SECONDS
        self.start(0.0, _LONGEST_SECONDS, 0)

    def start(self, seconds: float, seconds_per_pulse: float, pulses: int) -> None:
        """Begin a new line, given the last pulse's time. The jitter is the cable's, and stays."""
        self.seconds = seconds
        self.seconds_per_pulse = _in_range(seconds_per_pulse)
        self.pulses = pulses
        self._drift_seconds = 0.0

    @property
    def is_adrift(self) -> bool:
        """Whether the pulses come early or late on the whole."""
        bound = max(_LEAST_DRIFT_SECONDS, _DRIFT_JITTERS * self.jitter_seconds)
        return abs(self._drift_seconds) > bound

    def steps_to(self, seconds: float) -> int:
        """How many pulses further a moment is: 0 if it is none, or the last one again."""
        steps = round((seconds - self.seconds) / self.seconds_per_pulse)
        off = seconds - self.seconds - steps * self.seconds_per_pulse
        is_near = abs(off) <= _bound(_TOLERANCE_SECONDS, _TOLERANCE_PULSES, self.seconds_per_pulse)
        return max(0, steps) if is_near else 0

    def take(self, steps: int, seconds: float) -> None:
        """Go on by some pulses, the last of which came at that moment."""
        ahead = self.seconds + steps * self.seconds_per_pulse
        off = seconds - ahead
        self.pulses = n = min(self.pulses + 1, _MEMORY_PULSES)
        self.seconds = ahead + off * 2 * (2 * n - 1) / (n * (n + 1))
        self.seconds_per_pulse = _in_range(self.seconds_per_pulse + off * 6 / (n * (n + 1)))
        from_drift = off - self._drift_seconds
        self._drift_seconds += from_drift / _DRIFT_PULSES
        self.jitter_seconds += (abs(from_drift) - self.jitter_seconds) / _JITTER_PULSES

    def contradicts(self, other: Line) -> bool:
        """Whether another line has another tempo, or its pulses lie elsewhere."""
        pace = self.seconds_per_pulse
        change = abs(other.seconds_per_pulse - pace)
        off = math.remainder(other.seconds - self.seconds, pace)
        is_elsewhere = abs(off) > _bound(_OTHER_SECONDS, _OTHER_PULSES, pace)
        return is_elsewhere or change > max(_OTHER_PACE_SECONDS, _OTHER_PACE * pace)


def _even_line(heard_seconds: Sequence[float]) -> Line | None:
    """Fit the last pulses, if they are enough, evenly spaced and at a tempo that is followed."""
    if len(heard_seconds) < _LOCK_PULSES:
        return None
    line = _fit(points := list(enumerate(heard_seconds)))
    pace = line.seconds_per_pulse
    if not _SHORTEST_SECONDS / _RANGE_SLACK < pace < _LONGEST_SECONDS * _RANGE_SLACK:
        return None
    squares = [(seconds - line.seconds_at(number)) ** 2 for number, seconds in points]
    is_even = math.sqrt(sum(squares) / len(squares)) <= _bound(_EVEN_SECONDS, _EVEN_PULSES, pace)
    return line if is_even else None


def _fit(points: Sequence[tuple[int, float]]) -> Line:
    """Lay a least-squares line through (number, seconds), at the last of them."""
    base = points[0][1]
    middle = sum(number for number, _ in points) / len(points)
    mean = sum(seconds - base for _, seconds in points) / len(points)
    spread = sum((number - middle) ** 2 for number, _ in points)
    moment = sum((number - middle) * (seconds - base) for number, seconds in points)
    pace = moment / spread
    last = points[-1][0]
    return Line(last, base + mean + (last - middle) * pace, pace)


def _bound(seconds: float, pulses: float, seconds_per_pulse: float) -> float:
    return min(seconds, pulses * seconds_per_pulse)


def _in_range(seconds_per_pulse: float) -> float:
    return min(max(seconds_per_pulse, _SHORTEST_SECONDS), _LONGEST_SECONDS)
