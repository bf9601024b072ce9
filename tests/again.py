"""A session's journal by hand, and a player in simulated time that plays it again."""

from pathlib import Path
from typing import Any

from lofid.config import load
from lofid.encore import Progress
from lofid.pieces import Piece
from lofid.player.inbox import Inbox
from lofid.player.link import Link
from lofid.player.performer import Performer
from lofid.player.realtime import Realtime
from lofid.player.wire import Message
from lofid.runs import Run
from lofid.stage import open_request
from tests.journals import Desk
from tests.player.fakes import FakePorts


def journal(folder: Path, *records: tuple[str, dict[str, Any]]) -> list[Piece]:
    desk = Desk(folder)
    for what, values in records:
        desk.scribe.write(what, **values)
    desk.scribe.close()
    return desk.pieces()


def on(tick: int, seconds: float, channel: int, pitch: int, **more: Any) -> tuple[str, Any]:
    values = {"tick": tick, "seconds": seconds, "channel": channel, "pitch": pitch}
    return "on", {**values, "velocity": 90, **more}


def off(tick: int, seconds: float, channel: int, pitch: int, **more: Any) -> tuple[str, Any]:
    return "off", {"tick": tick, "seconds": seconds, "channel": channel, "pitch": pitch, **more}


def moves(tick: int, seconds: float, moving: bool = True) -> tuple[str, Any]:
    return "transport", {"tick": tick, "seconds": seconds, "moving": moving}


SESSION = (
    ("transport", {"tick": 0, "seconds": 1.0, "moving": False}),
    ("tempo", {"tick": 0, "seconds": 1.0, "bpm": 120.0}),
    moves(0, 5.0),
    on(0, 5.0, 0, 60),
    on(0, 5.0, 1, 48),
    on(100, 5.1, 0, 72, by_person=True),
    off(120, 5.12, 0, 72, by_person=True),
    off(240, 5.25, 0, 60),
    on(480, 5.5, 0, 62),
    off(480, 5.5, 1, 48),
    ("tempo", {"tick": 720, "seconds": 5.75, "bpm": 240.0}),
    off(960, 5.875, 0, 62),
    on(960, 5.875, 0, 64),
    off(1200, 6.0, 0, 64),
    moves(1200, 6.0, moving=False),
    moves(1200, 6.5),
    on(1440, 6.625, 1, 50),
    off(1680, 6.75, 1, 50),
    ("end", {"tick": 1680, "seconds": 6.8}),
)
"""Five notes of lofid's, one of a person's, another tempo, and half a second in which it stood."""


class Again:
    """A player in simulated time that is told by a progress what to do."""

    def __init__(self, runs: list[Run], latency_seconds: float = 0.0) -> None:
        self.seconds = 100.0
        self.told: list[Message] = []
        self.progress = Progress(runs, self.seconds + 2.0)
        self.ports = FakePorts(lambda: self.seconds, lambda _seconds: None)
        self.ports.latency_seconds = latency_seconds
        wire, inbox = _Wire(self.told), Inbox(_Bell(), _Bell())  # type: ignore[arg-type]
        self.player = Performer(
            wire, inbox, lambda *_: self.ports, Realtime(False, "simulated"), lambda: self.seconds
        )
        self.player.obey(open_request(load(None, {})), self.seconds)

    def run(self, seconds: float) -> None:
        """Let time pass, or be done: the player by its deadlines, the progress by its looks."""
        until, look = self.seconds + seconds, self.seconds
        while self.seconds < until and not self.progress.is_done:
            due = self.player.next_seconds()
            self.seconds = max(self.seconds, min(look, until, look if due is None else due))
            self.player.advance(self.seconds)
            for message in self.told:
                self.progress.hear(message, self.seconds)
            self.told.clear()
            if self.seconds >= look:
                for message in self.progress.take(self.seconds):
                    self.player.obey(message, self.seconds)
                look = self.seconds + max(self.progress.wait_seconds(self.seconds), 0.001)

    def notes(self) -> list[tuple[float, int]]:
        """When each note began, since the first run was to begin, and its pitch."""
        sent = [(at, bytes.fromhex(each)) for at, batch in self.ports.batches for each in batch]
        return [(round(at - 102, 2), data[1]) for at, data in sent if data[0] >> 4 == 9]


class _Wire(Link):
    def __init__(self, told: list[Message]) -> None:
        self._told = told

    def tell(self, message: Message) -> None:
        self._told.append(message)


class _Bell:
    def setblocking(self, _flag: bool) -> None:
        pass

    def send(self, _data: bytes) -> None:
        pass
