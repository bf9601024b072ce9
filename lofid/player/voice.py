"""The voice: the notes that sound and are to sound, and the output that they leave by.

Never a stuck note: whatever began here ends here, in :meth:`Voice.quieten` at the latest.
"""

import math
from collections.abc import Iterable, Sequence

from lofid.player import midi
from lofid.player.agenda import Note, NoteOff, NoteOn, Score
from lofid.player.echo import Echo
from lofid.player.ports import Ports, Timed
from lofid.player.reports import Reports
from lofid.player.transport import Transport

TOO_LATE_SECONDS = 0.1


class Voice:
    """What sounds, on open ports. To be called from the loop's thread; waits for nothing.

    PortError, by all that sends, when the port is gone.
    """

    def __init__(
        self,
        ports: Ports,
        channels: Iterable[int],
        transport: Transport,
        reports: Reports,
        echo: Echo,
    ) -> None:
        self.score = Score()
        self._ports = ports
        self._channels = set(channels)
        self._transport = transport
        self._reports = reports
        self._echo = echo
        self._timed: list[Timed] = []
        self._poised: list[tuple[NoteOn | NoteOff, bytes]] = []

    def poise(self, first: Sequence[bytes] = ()) -> None:
        """Have all ready that is due at the next tick, after ``first``; :meth:`strike` sends it.

        Making it ready takes longer than sending it, and can be done before it is due. What is
        poised is as good as sent: nothing else may be done before it is struck.
        """
        tick = self.score.next_tick()
        if tick is None:
            return
        messages = self.score.due(tick)
        due_seconds = self._transport.seconds_at(tick)
        data = [_as_bytes(message) for message in messages]
        self._timed = [(due_seconds, each) for each in (*first, *data)]
        self._poised = list(zip(messages, data, strict=True))

    def strike(self) -> None:
        """Send what is poised, or what is due at the next tick; the music moves.

        All at once, and only then tell of it: telling would pull a chord apart.
        """
        if not self._timed:
            self.poise()
        timed, poised = self._timed, self._poised
        self._timed, self._poised = [], []
        if timed:
            self._ports.send(timed)
            self._tell_of(poised, timed[0][0])

    @property
    def is_poised(self) -> bool:
        """Whether something waits to be struck."""
        return bool(self._timed)

    def _tell_of(self, messages: Iterable[tuple[NoteOn | NoteOff, bytes]], due: float) -> None:
        late_seconds = self._ports.late_seconds(due)
        leaves_seconds = due + self._ports.latency_seconds
        for message, sent in messages:
            if isinstance(message, NoteOn):
                self._channels.add(message.channel)
                self._echo.sent(sent, leaves_seconds)
            self._reports.sent(message, late_seconds)

    def drop_late(self, now_seconds: float) -> int:
        """Leave out the notes that should have begun too long ago, and tell of them.

        Gives the first tick that is not too late.
        """
        latest_tick = math.ceil(self._transport.fine_tick_at(now_seconds - TOO_LATE_SECONDS))
        for note in self.score.drop_before(latest_tick):
            self._reports.dropped(note, now_seconds - self._transport.seconds_at(note.on_tick))
        return latest_tick

    def replace(self, tick: int, notes: Iterable[Note], now_seconds: float) -> None:
        """Queue notes in place of what was to begin from ``tick`` on; tell of those too late."""
        transport = self._transport
        for note in self.score.replace(tick, notes):
            due = transport.seconds_at(note.on_tick) if transport.is_moving else now_seconds
            self._reports.dropped(note, max(0.0, now_seconds - due))

    def signal(self, now_seconds: float, *data: bytes) -> None:
        """Send messages that are no notes, now."""
        self._ports.send([(now_seconds, each) for each in data])

    def release(self, now_seconds: float) -> None:
        """End what sounds, note by note."""
        if offs := self.score.release(self._transport.tick_at(now_seconds)):
            self.signal(now_seconds, *map(_as_bytes, offs))
            self._tell(offs)

    def quieten(self, now_seconds: float, others: Iterable[tuple[int, int]] = ()) -> None:
        """End what sounds and ``others``, single note-offs first, then whole channels."""
        held = self.score.held
        offs = self.score.release(self._transport.tick_at(now_seconds))
        strangers = [note for note in others if note not in held]
        channels = self._channels | {channel for channel, _ in [*held, *strangers]}
        singles = [midi.note_off(*note) for note in [*held, *strangers]]
        self.signal(now_seconds, *singles, *midi.panic(sorted(channels)))
        self._tell(offs)

    def _tell(self, offs: Iterable[NoteOff]) -> None:
        for off in offs:
            self._reports.released(off)


def _as_bytes(message: NoteOn | NoteOff) -> bytes:
    if isinstance(message, NoteOn):
        return midi.note_on(message.channel, message.pitch, message.velocity)
    return midi.note_off(message.channel, message.pitch)
