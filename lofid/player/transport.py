"""The transport: whether the music moves, where it is, and when the pulses of MIDI clock fall.

Pure; time is handed in. MIDI clock has 24 pulses to the quarter note, which go on while the music
stands still, so one tempo clock runs all the time. While the music moves its ticks are the music's;
while it stands they only count pulses.
"""

from lofid.player.clock import TICKS_PER_QUARTER, TempoClock

PULSE_TICKS = TICKS_PER_QUARTER // 24
SONG_TICKS = TICKS_PER_QUARTER // 4
"""A step of MIDI's song position: a sixteenth."""
BAR_TICKS = 4 * TICKS_PER_QUARTER
AFTER_START_SECONDS = 0.001
"""What the MIDI 1.0 specification asks between Start or Continue and the pulse that obeys it."""


class Transport:
    """Where the music is and whether it moves. To be called from one thread."""

    def __init__(self) -> None:
        self._clock = TempoClock()
        self._held_tick = 0
        self.is_moving = False
        self.began_tick = 0
        """Where the music last began to move from."""
        self.pulse_tick = 0
        """The next pulse that is to be sent, by the clock's own ticks."""

    @property
    def has_tempo(self) -> bool:
        """False until the first :meth:`idle` or :meth:`start`."""
        return self._clock.is_running

    @property
    def pulse_seconds(self) -> float:
        """When the next pulse falls. Only with a tempo."""
        return self._clock.seconds_at(self.pulse_tick)

    @property
    def tempo_bpm(self) -> float:
        """Quarter notes a minute, 0 without a tempo."""
        return self._clock.tempo_bpm

    def idle(self, now_seconds: float, tempo_bpm: float) -> None:
        """Begin to count pulses, with one now, while the music stands. ValueError as by start."""
        self._clock.start(0, now_seconds, tempo_bpm)
        self.pulse_tick = 0

    def hold(self, tick: int) -> None:
        """Let the music stand at a tick."""
        self._held_tick, self.is_moving = tick, False

    def next_pulse_after(self, seconds: float) -> float:
        """Find the first pulse to come that leaves time for a Start before it."""
        at_tick = self.pulse_tick
        while self._clock.seconds_at(at_tick) < seconds + AFTER_START_SECONDS:
            at_tick += PULSE_TICKS
        return self._clock.seconds_at(at_tick)

    def start(self, tick: int, at_seconds: float, tempo_bpm: float) -> None:
        """Let the music be at ``tick`` at a moment, which may be to come, and move from there.

        ValueError for a tempo that is not above zero.
        """
        self._clock.start(tick, at_seconds, tempo_bpm)
        self.is_moving = True
        self.began_tick = self._held_tick = tick
        self.pulse_tick = -(-tick // PULSE_TICKS) * PULSE_TICKS

    def follow(self, tick: int, at_seconds: float, tempo_bpm: float) -> None:
        """Let the moving music be at ``tick`` at a moment, as a master says; as :meth:`start`."""
        self._clock.start(tick, at_seconds, tempo_bpm)

    def stop(self, now_seconds: float) -> int:
        """Let the music stand where it is, and give where that is; pulses go on."""
        if self.is_moving:
            self._held_tick = self.tick_at(now_seconds)
            self.is_moving = False
        return self._held_tick

    def set_tempo(self, tempo_bpm: float, now_seconds: float) -> None:
        """Go on from where the music is, faster or slower. ValueError as by start."""
        self._clock.set_tempo(tempo_bpm, now_seconds)

    def shift(self, seconds: float) -> None:
        """Take a time in which the machine stood still out of the music's."""
        self._clock.shift(seconds)

    def tick_at(self, now_seconds: float) -> int:
        """Find the last tick whose deadline has come; where the music stands, if it does."""
        if not self.is_moving:
            return self._held_tick
        return max(self._held_tick, self._clock.whole_tick_at(now_seconds))

    def fine_tick_at(self, seconds: float) -> float:
        """Where the moving music is at a moment, in ticks and parts of one."""
        return self._clock.tick_at(seconds)

    def seconds_at(self, tick: int) -> float:
        """Find the deadline of a tick. Only while the music moves."""
        return self._clock.seconds_at(tick)


def next_place(tick: int, place_ticks: int) -> int:
    """Find the first tick at or after ``tick`` that has this place in its bar."""
    return tick + (place_ticks - tick) % BAR_TICKS
