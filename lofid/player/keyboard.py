"""The keyboard: what a person plays, with the tick that it was played at.

A person plays to what is heard, which is a latency behind what was handed over; so the tick of a
key is the one that sounded when it was struck.
"""

from collections.abc import Callable

from lofid.player import midi
from lofid.player.echo import Echo
from lofid.player.inbox import Inbox
from lofid.player.reports import Reports
from lofid.player.transport import Transport

SUSTAIN = 64


class Keyboard:
    """Takes from the inbox and reports. To be called from the loop's thread."""

    def __init__(
        self,
        inbox: Inbox,
        transport: Transport,
        reports: Reports,
        echo: Echo,
        now: Callable[[], float],
    ) -> None:
        self._now = now
        self.latency_seconds = 0.0
        self.floor_tick = 0
        """The last position that was told: what comes later holds no earlier tick."""
        self._inbox = inbox
        self._transport = transport
        self._reports = reports
        self._echo = echo
        self._held: dict[tuple[int, int], None] = {}
        self._pedals: set[int] = set()
        self._was_echo = False

    def take(self, before_seconds: float) -> None:
        """Tell what was heard before a moment."""
        for seconds, message in self._inbox.take_before(before_seconds):
            if self._echo.is_echo(message, seconds):
                if not self._was_echo:
                    self._reports.echo()
            elif (data := midi.heard(message)) is not None:
                self._tell(data, seconds)
            self._was_echo = self._echo.is_sure

    def unplug(self, now_seconds: float) -> None:
        """Let go of what a keyboard that went away still held."""
        for channel, pitch in list(self._held):
            self._tell(list(midi.note_off(channel, pitch)), now_seconds)
        for channel in sorted(self._pedals):
            self._tell([midi.CONTROL_CHANGE | channel, SUSTAIN, 0], now_seconds)

    def _tell(self, data: list[int], seconds: float) -> None:
        self._remember(*data)
        tick = max(self.floor_tick, self._transport.tick_at(seconds - self.latency_seconds))
        ahead_tick = max(tick, self._transport.tick_at(self._now()))
        self._reports.heard(tick, ahead_tick, seconds, data)

    def _remember(self, status: int, first: int, second: int) -> None:
        kind, channel = status & 0xF0, status & 0x0F
        if kind == midi.NOTE_ON:
            self._held[channel, first] = None
        elif kind == midi.NOTE_OFF:
            self._held.pop((channel, first), None)
        elif kind == midi.CONTROL_CHANGE and first == SUSTAIN:
            (self._pedals.add if second >= SUSTAIN else self._pedals.discard)(channel)
