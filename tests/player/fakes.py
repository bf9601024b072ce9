"""A clock moved by hand, a port that remembers, and an engine that keeps to a script."""

import socket
from collections.abc import Callable, Sequence
from typing import Any

from lofid.errors import PortError
from lofid.player.inbox import Inbox
from lofid.player.link import Link
from lofid.player.loop import perform
from lofid.player.performer import Performer
from lofid.player.ports import Change, Hear, PortRequest, Timed
from lofid.player.realtime import Realtime
from lofid.player.spin import Spin
from lofid.player.wire import Decoder, encode

Act = Callable[["Stage"], None]


class FakePorts:
    """Remembers what was sent, with the time, and when nothing was. Once broken, refuses to send.

    Each ``send`` takes ``send_seconds``, which ``wait`` makes pass.
    """

    def __init__(self, now: Callable[[], float], wait: Callable[[float], None]) -> None:
        self.backend = "fake"
        self.output = "fake:out"
        self.input: str | None = None
        self.clock: str | None = None
        self.awaits = ""
        self.changes: list[Change] = []
        self.batches: list[tuple[float, list[str]]] = []
        self.rehearsed_seconds = 0.0
        self.is_broken = False
        self.is_closed = False
        self.send_seconds = 0.0
        self.latency_seconds = 0.0
        self.now = now
        self._wait = wait

    def send(self, messages: Sequence[Timed]) -> None:
        assert not self.is_closed
        if self.is_broken:
            raise PortError("the MIDI output fake:out is gone")
        if not messages:
            self.rehearsed_seconds = self.now()
            return
        self.batches.append((round(self.now(), 6), [message.hex(" ") for _, message in messages]))
        self._wait(self.send_seconds)

    def pass_on(self, messages: Sequence[Timed]) -> None:
        self.send(messages)

    def late_seconds(self, due_seconds: float) -> float:
        return max(0.0, self.now() - due_seconds)

    def look(self) -> list[Change]:
        changes, self.changes = self.changes, []
        return changes

    def close(self) -> None:
        self.is_closed = True


class Stage:
    """Everything around the loop. Time passes only in ``select``, and by ``tick_seconds`` a look.

    The script is a list of (seconds, act); when it and all deadlines are through, or at
    ``end_seconds``, the engine closes its end. A sleep that runs out does so ``late_seconds`` late.
    """

    def __init__(
        self, script: list[tuple[float, Act]], end_seconds: float, tick_seconds: float = 0.0
    ) -> None:
        self.seconds = 0.0
        self._tick_seconds = tick_seconds
        self._script = [*sorted(script, key=lambda entry: entry[0]), (end_seconds, _hang_up)]
        self.engine, ours = socket.socketpair()
        self.link = Link(ours)
        self._bell, self._ringer = socket.socketpair()
        self.inbox = Inbox(self._bell, self._ringer)
        self.ports = FakePorts(self.now, self.wait)
        self.timeouts: list[float] = []
        self.late_seconds = 0.0
        self._ours = ours

    def now(self) -> float:
        self.seconds += self._tick_seconds
        return self.seconds

    def wait(self, seconds: float) -> None:
        """Let time pass."""
        self.seconds += seconds

    def perform(self, spin: Spin | None = None) -> int:
        """Run the script to its end and return the exit status."""
        realtime = Realtime(False, "a test")
        performer = Performer(self.link, self.inbox, self._open, realtime, self.now)
        status = perform(
            performer,
            self.link,
            self.inbox,
            select=self._select,
            spin=spin,
        )
        self.link.flush()
        for end in (self._ours, self._bell, self._ringer):
            end.close()
        return status

    def _open(self, request: PortRequest, _hear: Hear, _hear_clock: Hear) -> FakePorts:
        if request.output == "missing":
            raise PortError("no MIDI output has 'missing' in its name; there is: none at all")
        return self.ports

    def _select(
        self, readers: list[Any], writers: list[Any], _errors: list[Any], timeout: float | None
    ) -> tuple[list[Any], list[Any], list[Any]]:
        act_seconds = self._script[0][0]
        if timeout is None or self.seconds + timeout > act_seconds:
            _, act = self._script.pop(0)
            self.seconds = max(self.seconds, act_seconds)
            act(self)
            return readers, writers, []
        self.timeouts.append(timeout)
        self.seconds += timeout + (self.late_seconds if timeout else 0.0)
        return [], writers, []


class Told:
    """Reads what the player said, from the engine's end."""

    def __init__(self, engine: socket.socket) -> None:
        self.messages: list[dict[str, Any]] = []
        decoder = Decoder()
        with engine:
            while data := engine.recv(1 << 16):
                self.messages += decoder.feed(data)

    def of(self, *what: str) -> list[dict[str, Any]]:
        return [message for message in self.messages if message["is"] in what]


def say(do: str, **values: Any) -> Act:
    """The engine sends a message."""
    return lambda stage: stage.engine.sendall(encode({"do": do, **values}))


def strike(*data: int) -> Act:
    """A key of the keyboard is struck."""
    return lambda stage: stage.inbox.hear(bytes(data), stage.seconds)


def stall(seconds: float) -> Act:
    """The machine stands still for a while."""
    return lambda stage: stage.wait(seconds)


def sleep_late(seconds: float) -> Act:
    """From now on each sleep ends so much later than it should."""

    def act(stage: Stage) -> None:
        stage.late_seconds = seconds

    return act


def send_slowly(seconds: float) -> Act:
    """From now on the MIDI system takes its time over each batch."""

    def act(stage: Stage) -> None:
        stage.ports.send_seconds = seconds

    return act


def unplug(stage: Stage) -> None:
    """The MIDI port breaks."""
    stage.ports.is_broken = True


def _hang_up(stage: Stage) -> None:
    stage.engine.shutdown(socket.SHUT_WR)
