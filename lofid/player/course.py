"""The course: what time brings, each thing at its moment. Waits for nothing, reads no clock.

Notes that begin and end, pulses of MIDI clock, positions to be told, and a bar to be repeated where
the engine has not come in time.
"""

from collections.abc import Callable

from lofid.player import midi
from lofid.player.cover import Cover
from lofid.player.keyboard import Keyboard
from lofid.player.reports import Reports
from lofid.player.transport import PULSE_TICKS, Transport
from lofid.player.voice import Voice

POSITION_TICKS = 240
SUSPENDED_SECONDS = 2.0
"""A loop that is late by so much did not run at all: the machine slept, or we were stopped."""
_ROUNDING_SECONDS = 5e-8
Deadline = tuple[float, Callable[[], None]]


class Course:
    """What is due, on open ports. To be called from the loop's thread. PortError as by Voice."""

    def __init__(
        self,
        voice: Voice,
        transport: Transport,
        cover: Cover,
        keyboard: Keyboard,
        reports: Reports,
        sends_clock: bool,
    ) -> None:
        self._voice = voice
        self._transport = transport
        self._cover = cover
        self._keyboard = keyboard
        self._reports = reports
        self._sends_clock = sends_clock
        self._position_tick = 0

    def next_seconds(self) -> float | None:
        """Find the next deadline, None while nothing is awaited."""
        return min((seconds for seconds, _ in self._deadlines()), default=None)

    def _deadlines(self) -> list[Deadline]:
        """What comes next of each kind; of those at the same moment the first comes first."""
        transport = self._transport
        found: list[Deadline] = []
        if self._sends_clock and transport.has_tempo:
            found.append((transport.pulse_seconds, self.send_pulse))
        if transport.is_moving:
            # A position is passed when it is heard, so that all that was heard before is told.
            at_seconds = transport.seconds_at(self._position_tick) + self._keyboard.latency_seconds
            found.append((at_seconds, self._pass_position))
            if self._cover.until_tick is not None:
                found.append((transport.seconds_at(self._cover.until_tick), self._underrun))
            if (tick := self._voice.score.next_tick()) is not None:
                found.append((transport.seconds_at(tick), self._voice.strike))
        return found

    def poise(self, due_seconds: float) -> None:
        """Make ready what :meth:`strike_poised`, to be called next, sends at this deadline."""
        voice, transport = self._voice, self._transport
        voice.signal(due_seconds)  # nothing, by the same way: it is quicker the second time
        if not transport.is_moving or (tick := voice.score.next_tick()) is None:
            return
        if transport.seconds_at(tick) > due_seconds + _ROUNDING_SECONDS:
            return
        pulse = self._sends_clock and transport.pulse_seconds <= due_seconds + _ROUNDING_SECONDS
        voice.poise([bytes((midi.CLOCK,))] if pulse else [])
        transport.pulse_tick += PULSE_TICKS if pulse else 0

    def strike_poised(self) -> None:
        """Send what was made ready, before anything else is done."""
        if self._voice.is_poised:
            self._voice.strike()

    def oversleep(self, now_seconds: float) -> None:
        """Go on from where the music was, instead of sending a burst of what was missed."""
        due_seconds = self.next_seconds()
        late_seconds = 0.0 if due_seconds is None else now_seconds - due_seconds
        if late_seconds > SUSPENDED_SECONDS:
            self._transport.shift(late_seconds)
            self._reports.suspended(late_seconds)

    def advance(self, now_seconds: float) -> None:
        """Do all that is due, in order; leave out the notes that are too late to begin."""
        if self._transport.is_moving:
            self._cover.skip_to(self._voice.drop_late(now_seconds))
        while (deed := self._next_deed(now_seconds)) is not None:
            deed()

    def _next_deed(self, now_seconds: float) -> Callable[[], None] | None:
        due = [each for each in self._deadlines() if each[0] <= now_seconds + _ROUNDING_SECONDS]
        return min(due, key=lambda each: each[0])[1] if due else None

    def begin(self) -> None:
        """Have nothing left that lies before where the music begins."""
        tick = self._transport.began_tick
        self._voice.score.drop_before(tick)
        self._cover.skip_to(tick)
        self._position_tick = tick

    def send_pulse(self) -> None:
        """Send the next pulse, and be done with it."""
        self._voice.signal(self._transport.pulse_seconds, bytes((midi.CLOCK,)))
        self._transport.pulse_tick += PULSE_TICKS

    def _pass_position(self) -> None:
        tick, keyboard = self._position_tick, self._keyboard
        keyboard.take(self._transport.seconds_at(tick) + keyboard.latency_seconds)
        self._reports.position(tick, self._transport.tempo_bpm)
        keyboard.floor_tick = tick
        self._position_tick = tick - tick % POSITION_TICKS + POSITION_TICKS

    def _underrun(self) -> None:
        assert self._cover.until_tick is not None, "it was a deadline"
        self._reports.underrun(self._cover.until_tick)
        self._voice.score.add(self._cover.repeat())
