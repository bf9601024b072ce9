"""The reckoning: where the player's music is by our own clock, since it last said so. Pure.

Called from the engine's thread; time is handed in by ``now``, a monotonic clock in seconds.
"""

from collections.abc import Callable

from lofid.music import TICKS_PER_QUARTER


class Reckoning:
    """Where the music is, how fast, and whether it moves at all."""

    def __init__(self, now: Callable[[], float], tempo_bpm: float) -> None:
        self.tempo_bpm = tempo_bpm
        self.is_moving = False
        self._now = now
        self.told_tick = 0
        """Where the player last said that it was."""
        self._seconds = now()

    @property
    def still_seconds(self) -> float:
        """How long ago :meth:`at` was told."""
        return self._now() - self._seconds

    @property
    def tick(self) -> int:
        """The tick that sounds now; where the music stands, if it does."""
        if not self.is_moving:
            return self.told_tick
        beats = (self._now() - self._seconds) * self.tempo_bpm / 60
        return self.told_tick + int(beats * TICKS_PER_QUARTER)

    def ticks_in(self, seconds: float) -> int:
        """How far the music goes in so long, to the nearest tick."""
        return round(seconds * self.tempo_bpm / 60 * TICKS_PER_QUARTER)

    def moment_of(self, tick: int) -> float:
        """When a tick sounds, on our own clock; now, while the music stands."""
        if not self.is_moving:
            return self._now()
        beats = (tick - self.told_tick) / TICKS_PER_QUARTER
        return self._seconds + beats * 60 / self.tempo_bpm

    def at(self, tick: int, is_moving: bool = True) -> None:
        """Take the player's word for where the music is now, and whether it moves."""
        self.told_tick, self._seconds, self.is_moving = tick, self._now(), is_moving

    def set_tempo(self, tick: int, tempo_bpm: float) -> None:
        """Go on from ``tick``, which is now, at another tempo, as the player's clock does."""
        self.at(tick, self.is_moving)
        self.tempo_bpm = tempo_bpm
