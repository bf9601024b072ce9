"""Following a MIDI clock that comes in: which pulse the master is at, when, and how fast. Pure.

Each clock message says that another 24th of a quarter note has passed, but some milliseconds early
or late. The times are filtered by a delay-locked loop: a line through the pulses, which each new
pulse pulls a little towards itself. The rules:

* The loop's gains are those of a least-squares line through all pulses since it locked, up to the
  last 96 (a bar of 4/4). So it locks as fast as the pulses allow and then grows calm.
* The line says which pulse an arrival is: the one whose time is nearest. So pulses that were lost
  on the way are counted, and what comes twice, or between two pulses, is not.
* What does not fit the line may also be another tempo. Two strange arrivals raise the question, and
  six arrivals in a row that are evenly spaced, but not on the line, answer it: the loop locks anew
  on those six, and each message heard since the first strange one is counted as a pulse.
* A smaller change of tempo shows as a mean distance from the line that stays off zero. Then the
  line is laid anew through the last twelve pulses only.
* After half a second of silence the line is forgotten, not the count.

Sources: F. Adriaensen, "Using a DLL to filter time" (2005), for the loop; the gains of growing
memory are those of a polynomial fit of degree one in N. Morrison, "Introduction to Sequential
Smoothing and Prediction" (1969); the MIDI 1.0 specification, System Real Time, for the clock.
"""

from collections import deque
from itertools import islice
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
_EVEN_SECONDS, _EVEN_PULSES = 0.005, 0.3
"""The same for the six that make a new line."""
_OTHER_TEMPO = 0.1
"""A new line this much slower or faster is not the old one; six pulses err by less (3 sigma)."""
_DRIFT_SECONDS, _DRIFT_PULSES = 0.002, 8
"""A mean distance over about so many pulses that jitter of 3 ms does not reach (4 sigma)."""
_STRANGE_PULSES = 16
"""How long a strange arrival is remembered against the line."""
_CALM_PULSES = 12
"""After so many pulses without a strange one, the count is no longer in doubt."""


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
        self._count = 0
        self._forget()

    def restart(self) -> None:
        """Count from zero, at the tempo so far: MIDI Start. The next pulse is number 1.

        Some masters begin their pulses anew at Start: that pulse's time is believed, wherever it
        lies between the old ones.
        """
        self._count = self._sure_count = self._unsure_pulses = 0
        self._heard_seconds = deque(islice(reversed(self._heard_seconds), 1), _LOCK_PULSES)
        self._taken.clear()
        self._awaits_downbeat = self._loop is not None

    @property
    def is_locked(self) -> bool:
        """Whether there is a tempo. It stays during a silence, until a pulse ends that."""
        return self._loop is not None

    @property
    def count(self) -> int:
        """How many pulses the master has sent, lost ones included and doubled ones not.

        While strange arrivals may be either a fault or another tempo it is a guess; it is mended by
        the pulse that decides, and only then can it go down (:attr:`relocks` goes up).
        """
        return self._count

    @property
    def relocks(self) -> int:
        """How often a tempo was found that was not the old one's gradual change."""
        return self._relocks

    @property
    def line(self) -> Line | None:
        """The last pulse's number and filtered time and the tempo; None until locked."""
        if self._loop is None:
            return None
        return Line(self._count, self._loop.seconds, self._loop.seconds_per_pulse)

    def is_lost(self, now_seconds: float) -> bool:
        """Whether the clock was heard once and has now been silent for over half a second."""
        heard = self._heard_seconds
        return bool(heard) and now_seconds - heard[-1] > SILENCE_SECONDS
