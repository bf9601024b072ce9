"""The performer: plays what is due, ends what is owed, tells the engine what happened.

Never a stuck note: whatever ends the loop, :meth:`Performer.finish` ends all that sounds.
"""

import math
from collections.abc import Callable, Iterable
from typing import Any

from lofid.player import midi
from lofid.player.agenda import Note, NoteOff, NoteOn, Score
from lofid.player.clock import TempoClock
from lofid.player.inbox import Inbox
from lofid.player.link import Link
from lofid.player.ports import Hear, PortRequest, Ports
from lofid.player.realtime import Realtime
from lofid.player.wire import Message, WireError

Opener = Callable[[PortRequest, Hear], Ports]

POSITION_TICKS = 240
TOO_LATE_SECONDS = 0.1
SLACK_SECONDS = {True: 0.005, False: 0.02}
"""How late the loop may be without anyone hearing it, with real-time priority and without, where
the ports send at a later moment. It is a constant delay, which nobody hears either."""


class Performer:
    """What is due, owed and told; waits for nothing. To be called from the loop's thread.

    Times are seconds on :meth:`now`: ``now`` until ports are open, and then the ports' own clock,
    which what is heard is stamped with.
    """

    def __init__(
        self,
        link: Link,
        inbox: Inbox,
        opener: Opener,
        realtime: Realtime,
        now: Callable[[], float],
    ) -> None:
        self._link = link
        self._inbox = inbox
        self._opener = opener
        self._realtime = realtime
        self._now = now
        self._ports: Ports | None = None
        self._score = Score()
        self._clock = TempoClock()
        self._position_tick = 0
        self._told_tick = 0
        self._channels: set[int] = set()
        self._is_stop_asked = False
        self.is_done = False

    def ask_to_stop(self) -> None:
        """Stop at the next :meth:`advance`. From any thread, and from a signal handler."""
        self._is_stop_asked = True

    def now(self) -> float:
        """Seconds on the clock that is played by. From any thread."""
        return self._now()

    @property
    def is_ahead(self) -> bool:
        """Whether messages are handed over before they leave, so that exactness is the ports'."""
        return self._ports is not None and self._ports.latency_seconds > 0

    def next_seconds(self) -> float | None:
        """Find the next deadline, None while the clock has not started."""
        if not self._clock.is_running:
            return None
        return self._clock.seconds_at(self._next_tick())

    def obey(self, message: Message, now_seconds: float) -> None:
        """Do what the engine says; once stopped, nothing more.

        WireError for what cannot be understood, PortError where MIDI fails.
        """
        if self.is_done:
            return
        deeds: dict[str, Callable[[Message, float], None]] = {
            "open": self._open,
            "silence": self._silence,
            "play": self._play,
            "start": self._start,
            "tempo": self._set_tempo,
            "panic": self._panic,
            "stop": self._stop,
        }
        try:
            deeds[message["do"]](message, now_seconds)
        except (KeyError, TypeError, ValueError) as error:
            raise WireError(f"the engine sent {message!r}: {error!r}") from error

    def advance(self, now_seconds: float) -> None:
        """Send what is due and tell what happened, both in order."""
        if self._is_stop_asked and not self.is_done:
            self._stop({}, now_seconds)
        if not self.is_done:
            self._play_due(now_seconds)
            self._tell_heard(math.inf)

    def _play_due(self, now_seconds: float) -> None:
        if not self._clock.is_running:
            return
        self._drop_late(now_seconds)
        now_tick = self._clock.whole_tick_at(now_seconds)
        while (tick := self._next_tick()) <= now_tick:
            if tick == self._position_tick:
                self._tell_heard(self._clock.seconds_at(tick))
                self._tell_position(tick)
            self._send(self._score.due(tick))

    def finish(self, now_seconds: float) -> None:
        """End everything that sounds and close the ports. Safe to call more than once."""
        self.is_done = True
        if self._ports is None:
            return
        ports, self._ports = self._ports, None
        try:
            self._quieten(ports, [], now_seconds)
        finally:
            ports.close()

    def _open(self, message: Message, now_seconds: float) -> None:  # noqa: ARG002 (a deed)
        if self._ports is not None:
            raise ValueError("a port is open already")
        self._channels = set(message["channels"])
        names = ("backend", "name", "output", "input")
        slack = SLACK_SECONDS[self._realtime.is_granted]
        request = PortRequest(**{name: message[name] for name in names}, slack_seconds=slack)
        self._ports = ports = self._opener(request, self._inbox.hear)
        self._now = ports.now
        self._tell(
            "open",
            backend=ports.backend,
            output=ports.output,
            input=ports.input,
            latency_ms=round(1000 * ports.latency_seconds, 1),
            realtime=self._realtime.is_granted,
            realtime_note=self._realtime.note,
        )

    def _silence(self, message: Message, now_seconds: float) -> None:
        notes = [(channel, pitch) for channel, pitch in message["notes"]]
        self._quieten(self._opened(), notes, now_seconds)

    def _play(self, message: Message, now_seconds: float) -> None:  # noqa: ARG002 (a deed)
        self._opened()
        self._score.add(Note(*note) for note in message["notes"])

    def _start(self, message: Message, now_seconds: float) -> None:
        self._opened()
        self._send(self._score.release(self._now_tick(now_seconds)))
        tick = message["tick"]
        self._clock.start(tick, now_seconds, message["tempo"])
        self._tell_heard(now_seconds)
        self._tell_position(tick)

    def _set_tempo(self, message: Message, now_seconds: float) -> None:
        self._clock.set_tempo(message["tempo"], now_seconds)

    def _panic(self, message: Message, now_seconds: float) -> None:  # noqa: ARG002 (a deed)
        self._quieten(self._opened(), [], now_seconds)

    def _stop(self, message: Message, now_seconds: float) -> None:  # noqa: ARG002 (a deed)
        self.finish(now_seconds)
        self._tell("closed")

    def _opened(self) -> Ports:
        if self._ports is None:
            raise ValueError("no port is open yet")
        return self._ports

    def _quieten(self, ports: Ports, others: Iterable[tuple[int, int]], now_seconds: float) -> None:
        """Single note-offs first, then what quiets whole channels."""
        held = self._score.held
        offs = self._score.release(self._now_tick(now_seconds))
        strangers = [note for note in others if note not in held]
        channels = self._channels | {channel for channel, _ in [*held, *strangers]}
        singles = [midi.note_off(*note) for note in [*held, *strangers]]
        ports.send([(now_seconds, each) for each in [*singles, *midi.panic(sorted(channels))]])
        for off in offs:
            self._tell("off", tick=off.tick, channel=off.channel, pitch=off.pitch)

    def _send(self, messages: list[NoteOn | NoteOff] | list[NoteOff]) -> None:
        """All at once, and only then tell of it: telling would pull a chord apart."""
        if not messages:
            return
        ports = self._opened()
        ports.send([(self._due_seconds(each.tick), _as_bytes(each)) for each in messages])
        late = {each.tick: ports.late_seconds(self._due_seconds(each.tick)) for each in messages}
        for message in messages:
            if isinstance(message, NoteOn):
                self._channels.add(message.channel)
                self._tell_on("on", message, late[message.tick], velocity=message.velocity)
            else:
                self._tell("off", tick=message.tick, channel=message.channel, pitch=message.pitch)

    def _drop_late(self, now_seconds: float) -> None:
        bound_tick = math.ceil(self._clock.tick_at(now_seconds - TOO_LATE_SECONDS))
        for note in self._score.drop_before(bound_tick):
            on = NoteOn(note.on_tick, note.channel, note.pitch, note.velocity)
            self._tell_on("dropped", on, now_seconds - self._due_seconds(on.tick))

    def _next_tick(self) -> int:
        due_tick = self._score.next_tick()
        return self._position_tick if due_tick is None else min(due_tick, self._position_tick)

    def _now_tick(self, now_seconds: float) -> int:
        return self._clock.whole_tick_at(now_seconds) if self._clock.is_running else 0

    def _due_seconds(self, tick: int) -> float:
        return self._clock.seconds_at(tick) if self._clock.is_running else self._now()

    def _tell_on(self, what: str, on: NoteOn, late_seconds: float, **more: int) -> None:
        late_us = round(late_seconds * 1e6)
        self._tell(what, tick=on.tick, channel=on.channel, pitch=on.pitch, **more, late_us=late_us)

    def _tell_position(self, tick: int) -> None:
        self._tell("position", tick=tick)
        self._told_tick = tick
        self._position_tick = tick - tick % POSITION_TICKS + POSITION_TICKS

    def _tell_heard(self, before_seconds: float) -> None:
        for heard_seconds, message in self._inbox.take_before(before_seconds):
            data = midi.heard(message)
            if data is not None:
                # Stamped just before a position, delivered just after it: the position holds.
                tick = max(self._told_tick, self._now_tick(heard_seconds))
                self._tell("heard", tick=tick, data=data)

    def _tell(self, what: str, **values: Any) -> None:
        self._link.tell({"is": what, **values})


def _as_bytes(message: NoteOn | NoteOff) -> bytes:
    if isinstance(message, NoteOn):
        return midi.note_on(message.channel, message.pitch, message.velocity)
    return midi.note_off(message.channel, message.pitch)
