"""The tempo clock: ticks to seconds of a monotonic clock and back. Pure; time is handed in.

Every deadline is computed from the last anchor (a start or a change of tempo), never from the
deadline before it, so no error adds up.
"""

import math

TICKS_PER_QUARTER = 480
_ROUNDING_TICKS = 1e-5
"""Forgives floating point (about 1e-7 ticks after a week of uptime); it is worth 20 ns."""


class TempoClock:
    """Where in the music a moment is. To be called from one thread."""

    def __init__(self) -> None:
        self._anchor_tick = 0.0
        self._anchor_seconds = 0.0
        self._ticks_per_second = 0.0

    @property
    def is_running(self) -> bool:
        """False until the first start."""
        return self._ticks_per_second > 0

    @property
    def tempo_bpm(self) -> float:
        """Quarter notes a minute; 0 until the first start."""
        return self._ticks_per_second * 60 / TICKS_PER_QUARTER

    def start(self, tick: int, now_seconds: float, tempo_bpm: float) -> None:
        """Let ``tick`` be now. ValueError for a tempo that is not above zero."""
        self._anchor(float(tick), now_seconds, tempo_bpm)

    def set_tempo(self, tempo_bpm: float, now_seconds: float) -> None:
        """Go on from where the music is, faster or slower; it never jumps.

        ValueError for a tempo that is not above zero, or before the first start.
        """
        if not self.is_running:
            raise ValueError("the clock has no tempo to change before it is started")
        self._anchor(self.tick_at(now_seconds), now_seconds, tempo_bpm)

    def shift(self, seconds: float) -> None:
        """Let the music be as much later as the machine stood still."""
        self._anchor_seconds += seconds

    def tick_at(self, now_seconds: float) -> float:
        """Where the music is at a moment, in ticks and parts of one. Only once started."""
        return self._anchor_tick + (now_seconds - self._anchor_seconds) * self._ticks_per_second

    def whole_tick_at(self, now_seconds: float) -> int:
        """Find the last tick whose deadline has come at a moment."""
        return math.floor(self.tick_at(now_seconds) + _ROUNDING_TICKS)

    def seconds_at(self, tick: int) -> float:
        """Find the deadline of a tick, on the clock that ``now_seconds`` came from."""
        return self._anchor_seconds + (tick - self._anchor_tick) / self._ticks_per_second

    def _anchor(self, tick: float, now_seconds: float, tempo_bpm: float) -> None:
        if not (math.isfinite(tempo_bpm) and tempo_bpm > 0):
            raise ValueError(f"a tempo of {tempo_bpm} quarter notes a minute is not above zero")
        self._anchor_tick, self._anchor_seconds = tick, now_seconds
        self._ticks_per_second = tempo_bpm * TICKS_PER_QUARTER / 60
