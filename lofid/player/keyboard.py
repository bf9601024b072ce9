"""The keyboard: what a person plays, with the tick that it was played at.

A person plays to what is heard, which is a latency behind what was handed over; so the tick of a
key is the one that sounded when it was struck.
"""

import math
from collections.abc import Collection, Iterable

from lofid.player import midi
from lofid.player.echo import Echo
from lofid.player.inbox import Inbox
from lofid.player.ports import Ports
from lofid.player.pressure import Pressure
from lofid.player.reports import Reports
from lofid.player.thru import Thru
from lofid.player.transport import Transport

_DOWN = 64
"""From this value on a pedal is down (MIDI 1.0)."""


class Keyboard:
    """Takes from the inbox, reports and passes on. To be called from the loop's thread.

    PortError, by all that passes on, when the port is gone.
    """

    def __init__(self, inbox: Inbox, transport: Transport, reports: Reports, echo: Echo) -> None:
        self.floor_tick = 0
        """The last position that was told: what comes later holds no earlier tick."""
        self._inbox = inbox
        self._transport = transport
        self._reports = reports
        self._echo = echo
        self._held: dict[tuple[int, int], None] = {}
        self._pedals: set[int] = set()
        self._pressure = Pressure()
        self._was_echo = self._was_own = False
        self._ports: Ports | None = None
        self._thru: Thru | None = None

    @property
    def latency_seconds(self) -> float:
        """How long after it was handed over the music is heard."""
        return 0.0 if self._ports is None else self._ports.latency_seconds

    def _now(self, seconds: float) -> float:
        """What the clock shows, or that moment where there is no clock yet."""
        return seconds if self._ports is None else self._ports.now()

    def open(self, ports: Ports, thru: Thru | None) -> None:
        """Play to what these ports sound; pass on what is played, where there is a thru."""
        self._ports, self._thru = ports, thru

    def take(self, before_seconds: float) -> None:
        """Tell what was heard before a moment."""
        for seconds, message in self._inbox.take_before(before_seconds):
            if self._thru is not None and self._thru.is_own(message):
                self._ignore(message)
            elif self._echo.is_echo(message, seconds):
                if not self._was_echo:
                    self._reports.echo()
            else:
                self._hear(message, seconds)
            self._was_echo = self._echo.is_sure
        # What was heard before a moment is told before it, whether there is room or not.
        self._press(self._now(math.inf) if before_seconds == math.inf else math.inf)

    def _press(self, now_seconds: float) -> None:
        """Tell how hard keys are held, where there is room for it."""
        for seconds, data in self._pressure.take(now_seconds):
            self._tell(data, seconds)

    def _ignore(self, message: bytes) -> None:
        """Take no notice of what comes in where thru goes out, and say so once."""
        if not self._was_own:
            self._was_own = True
            self._reports.own_channel(message[0] & 0x0F)

    def _hear(self, message: bytes, seconds: float) -> None:
        """Tell, then pass on: what may sound has been told of."""
        data = midi.heard(message)
        if data is not None and data[0] & 0xF0 in midi.PRESSURE:
            self._pressure.hear(seconds, data)
            self._press(seconds)
        elif data is not None:
            self._end_for(data, seconds)
            self._tell(data, seconds)
        if self._thru is not None:
            self._thru.take(message, seconds)

    def quieten(self, now_seconds: float) -> None:
        """End what was passed on."""
        if self._thru is not None:
            self._thru.quieten(now_seconds)

    def unplug(self, now_seconds: float) -> None:
        """Let go of what a keyboard that went away still held."""
        if self._thru is not None:
            self._thru.release(now_seconds)
        self._let_go(now_seconds)

    def panic(self, now_seconds: float) -> None:
        """End what was passed on, and let go of what is held."""
        self.quieten(now_seconds)
        self._let_go(now_seconds)

    def _let_go(self, now_seconds: float) -> None:
        self._lift([channel for channel, _ in self._held], now_seconds)
        self._raise(self._pedals, now_seconds)

    def _end_for(self, data: list[int], seconds: float) -> None:
        """Let go of what a channel mode message says is held no longer."""
        status, number, _ = data
        channels = [status & 0x0F] if status & 0xF0 == midi.CONTROL_CHANGE else []
        if number in midi.ALL_NOTES_OFF:
            self._lift(channels, seconds)
        if number in midi.PEDAL_UP:
            self._raise(self._pedals.intersection(channels), seconds)

    def _lift(self, channels: Collection[int], seconds: float) -> None:
        """Tell of the end of these channels' keys."""
        for channel, pitch in [key for key in self._held if key[0] in channels]:
            self._tell(list(midi.note_off(channel, pitch)), seconds)

    def _raise(self, channels: Iterable[int], seconds: float) -> None:
        """Tell that these channels' pedals come up."""
        for channel in sorted(channels):
            self._tell([midi.CONTROL_CHANGE | channel, midi.SUSTAIN, 0], seconds)

    def _tell(self, data: list[int], seconds: float) -> None:
        self._remember(*data)
        tick = max(self.floor_tick, self._transport.tick_at(seconds - self.latency_seconds))
        ahead_tick = max(tick, self._transport.tick_at(self._now(seconds)))
        self._reports.heard(tick, ahead_tick, seconds, data)

    def _remember(self, status: int, first: int, second: int) -> None:
        kind, channel = status & 0xF0, status & 0x0F
        if kind == midi.NOTE_ON:
            self._held[channel, first] = None
        elif kind == midi.NOTE_OFF:
            self._held.pop((channel, first), None)
        elif kind == midi.CONTROL_CHANGE and first == midi.SUSTAIN:
            (self._pedals.add if second >= _DOWN else self._pedals.discard)(channel)
