"""The keyboard: what a person plays, with the tick that it was played at.

A person plays to what is heard, which is a latency behind what was handed over; so the tick of a
key is the one that sounded when it was struck.
"""

from lofid.player import midi
from lofid.player.echo import Echo
from lofid.player.inbox import Inbox
from lofid.player.ports import Ports
from lofid.player.reports import Reports
from lofid.player.thru import Thru
from lofid.player.transport import Transport

SUSTAIN = 64


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
        self._was_echo = self._was_own = False
        self._ports: Ports | None = None
        self._thru: Thru | None = None

    @property
    def latency_seconds(self) -> float:
        """How long after it was handed over the music is heard."""
        return 0.0 if self._ports is None else self._ports.latency_seconds

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

    def _ignore(self, message: bytes) -> None:
        """Take no notice of what comes in where thru goes out, and say so once."""
        if not self._was_own:
            self._was_own = True
            self._reports.own_channel(message[0] & 0x0F)

    def _hear(self, message: bytes, seconds: float) -> None:
        """Tell, then pass on: what may sound has been told of."""
        if (data := midi.heard(message)) is not None:
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
        for channel, pitch in list(self._held):
            self._tell(list(midi.note_off(channel, pitch)), now_seconds)
        for channel in sorted(self._pedals):
            self._tell([midi.CONTROL_CHANGE | channel, SUSTAIN, 0], now_seconds)

    def _tell(self, data: list[int], seconds: float) -> None:
        self._remember(*data)
        tick = max(self.floor_tick, self._transport.tick_at(seconds - self.latency_seconds))
        now_seconds = seconds if self._ports is None else self._ports.now()
        ahead_tick = max(tick, self._transport.tick_at(now_seconds))
        self._reports.heard(tick, ahead_tick, seconds, data)

    def _remember(self, status: int, first: int, second: int) -> None:
        kind, channel = status & 0xF0, status & 0x0F
        if kind == midi.NOTE_ON:
            self._held[channel, first] = None
        elif kind == midi.NOTE_OFF:
            self._held.pop((channel, first), None)
        elif kind == midi.CONTROL_CHANGE and first == SUSTAIN:
            (self._pedals.add if second >= SUSTAIN else self._pedals.discard)(channel)
