"""Engine and player in one simulated time: what each says reaches the other at once.

Only the sockets, the processes and the MIDI system are left out; everything else is the real thing.
"""

from collections import deque
from collections.abc import Callable
from typing import Any

from lofid.engine import Engine
from lofid.player.inbox import Inbox
from lofid.player.link import Link
from lofid.player.performer import Performer
from lofid.player.ports import Change
from lofid.player.realtime import Realtime
from lofid.player.wire import Message
from lofid.predictor import Foreteller
from lofid.settings import Settings
from lofid.stage import open_request
from tests.player.fakes import FakePorts


class _Wire(Link):
    """Keeps what is told instead of sending it."""

    def __init__(self) -> None:
        self.told: deque[Message] = deque()

    def tell(self, message: Message) -> None:
        self.told.append(message)


class _Bell:
    """A socket that nobody waits at."""

    def setblocking(self, _flag: bool) -> None:
        pass

    def send(self, _data: bytes) -> None:
        pass


class World:
    """A session. ``sent`` is every message that left: (seconds, due seconds, bytes)."""

    def __init__(
        self,
        predictor: Foreteller,
        settings: Settings,
        latency_seconds: float = 0.0,
        make: Callable[..., Engine] = Engine,
    ) -> None:
        self.seconds = 0.0
        self.latency_seconds = latency_seconds
        self.sent: list[tuple[float, float, bytes]] = []
        self.told: list[Message] = []
        self.keep_told = True
        self.stalled_until = 0.0
        self.engine = make(predictor, settings, 7, lambda: self.seconds)
        self._backlog: deque[Message] = deque()
        self._enter()
        self._to_player(self.engine.begin())
        self._settle()

    def _enter(self) -> None:
        """A new player comes and opens its ports."""
        self.wire = _Wire()
        self.inbox = Inbox(_Bell(), _Bell())  # type: ignore[arg-type]
        self.ports = _Recording(self)
        realtime = Realtime(False, "simulated")
        opener = lambda _request, _hear, _hear_clock: self.ports  # noqa: E731
        self.player = Performer(self.wire, self.inbox, opener, realtime, lambda: self.seconds)
        self._to_player([open_request(self.engine.settings)])

    def run(self, seconds: float) -> None:
        """Let time pass."""
        until = self.seconds + seconds
        while (due := self._next()) is not None and due <= until:
            self.seconds = max(self.seconds, due)
            self.player.advance(self.seconds)
            self._settle()
        self.seconds = until
        self.player.advance(self.seconds)
        self._settle()

    def _next(self) -> float | None:
        due = self.player.next_seconds()
        if self._backlog and (due is None or self.stalled_until < due):
            return self.stalled_until
        return due

    def ask(self, command: Callable[[], list[Message]]) -> None:
        """Have the engine do something, as ``lofid ctl`` does, once it listens."""
        self.run(max(0.0, self.stalled_until - self.seconds))
        self._to_player(command())
        self._settle()

    def stall(self, seconds: float) -> None:
        """The engine stands still for a while; the player does not."""
        self.stalled_until = self.seconds + seconds

    def stand_still(self, seconds: float) -> None:
        """The whole machine stands still."""
        self.seconds += seconds

    def strike(self, *data: int) -> None:
        """A key."""
        self.inbox.hear(bytes(data), self.seconds)
        self.player.advance(self.seconds)
        self._settle()

    def master(self, message: bytes) -> None:
        """The master whose clock we follow says something."""
        self.inbox.hear_clock(message, self.seconds)
        self.player.advance(self.seconds)
        self._settle()

    def pulses(self, count: int, tempo: float) -> None:
        """The master's clock runs for so many pulses."""
        for _ in range(count):
            self.run(60 / tempo / 24)
            self.master(b"\xf8")

    def unplug(self) -> None:
        """The keyboard goes."""
        self.ports.changes = [Change("input", "went")]

    def crash(self) -> None:
        """The player is killed, and another takes its place."""
        self._backlog.extend(self._heard_from_player())
        self._enter()
        self.wire.told.clear()
        self._backlog += [{"is": "gone"}, {"is": "replaced"}]
        self._settle()

    def leave(self) -> None:
        """Stop, as on exit: an engine that stalls cannot leave before it goes on."""
        self.stalled_until = self.seconds
        self._settle()
        self._to_player([{"do": "stop"}])

    def _settle(self) -> None:
        """Bring what was told to the engine, unless it stalls, and its answers back."""
        self._backlog.extend(self._heard_from_player())
        while self._backlog and self.seconds >= self.stalled_until:
            self._to_player(self.engine.receive(self._backlog.popleft()))
            self._backlog.extend(self._heard_from_player())
            if not self._backlog:
                for message in self.engine.answer():
                    self._to_player([message])
                    self._backlog.extend(self._heard_from_player())

    def _heard_from_player(self) -> list[Message]:
        told = [self.wire.told.popleft() for _ in range(len(self.wire.told))]
        if self.keep_told:
            self.told += told
        return told

    def _to_player(self, messages: list[Message]) -> None:
        for message in messages:
            self.player.obey(message, self.seconds)
        self.player.advance(self.seconds)

    def told_of(self, *what: str) -> list[Message]:
        """What players told, of some kinds."""
        return [message for message in self.told if message["is"] in what]


class _Recording(FakePorts):
    """Ports that write into the world's own record."""

    def __init__(self, world: World) -> None:
        super().__init__(lambda: world.seconds, lambda _seconds: None)
        self.latency_seconds = world.latency_seconds
        self._world = world

    def send(self, messages: Any) -> None:
        assert not self.is_closed
        seconds = self._world.seconds
        self._world.sent += [(seconds, due, message) for due, message in messages]
