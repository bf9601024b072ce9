"""What the tests of the journal share: a session's header, and a clock that is set by hand."""

import os
from pathlib import Path
from typing import Any

import pytest

from lofid.entries import Entry
from lofid.pieces import Bounds, Piece, sessions_in
from lofid.reading import entries_in
from lofid.scribe import Scribe

FULL = "No space left on device"
WALL = 1795683600.0
"""2026-11-26, 09:00 UTC."""


def held(**values: Any) -> dict[str, Any]:
    """What an engine says that holds."""
    engine = {
        "seed": 7,
        "model": {"recipe": "tiny"},
        "settings": {"music": {"tempo": 80.0}},
        "channels": {"lead": 0, "keys": 1},
    }
    return {"tick": 0, "tempo": 80.0, "moving": True, "key": "A minor", **engine, **values}


class Clock:
    """Monotonic seconds and the time of day, which go only when told."""

    def __init__(self, seconds: float = 1000.0) -> None:
        self.seconds = seconds
        self.ahead_seconds = 0.0

    def now(self) -> float:
        return self.seconds

    def wall(self) -> float:
        return WALL + self.ahead_seconds + self.seconds - 1000.0


class Desk:
    """A scribe at work: what holds is what was said last."""

    def __init__(self, folder: Path, **bounds: Any) -> None:
        self.folder = folder
        self.clock = Clock()
        self.holds = held()
        self.scribe = Scribe(
            folder, lambda: dict(self.holds), Bounds(**bounds), self.clock.now, self.clock.wall
        )

    def mark(self, text: str) -> None:
        self.scribe.write("mark", tick=self.holds["tick"], text=text)

    def play(self, pitch: int, **values: Any) -> None:
        values = {"tick": self.holds["tick"], "channel": 0, "velocity": 80, **values}
        self.scribe.write("on", pitch=pitch, **values)

    def end(self, pitch: int, **values: Any) -> None:
        values = {"tick": self.holds["tick"], "channel": 0, **values}
        self.scribe.write("off", pitch=pitch, **values)

    def do(self, what: str, number: int) -> None:
        """Play or end a pitch, or change the pedal or the tempo, where the music is."""
        if what == "tempo":
            self.holds["tempo"] = float(number)
            self.scribe.write("tempo", tick=self.holds["tick"], bpm=float(number))
        elif what == "pedal":
            self.scribe.write("control", tick=self.holds["tick"], data=[0xB0, 64, number])
        else:
            (self.play if what == "play" else self.end)(number)

    def flush(self, seconds: float = 1.0) -> None:
        """Let time go by, and flush."""
        self.clock.seconds += seconds
        self.scribe.cut()
        self.scribe.flush()

    def pieces(self) -> list[Piece]:
        return sessions_in(self.folder).get(self.scribe.session, [])

    def read(self) -> tuple[list[Entry], list[str]]:
        """Give all entries, and what is wrong with them."""
        faults: list[str] = []
        return list(entries_in(self.pieces(), faults.append)), faults

    def told(self) -> list[str]:
        """Give all entries in short, a piece's header as ``|``; nothing may be wrong with them."""
        entries, faults = self.read()
        assert faults == []
        return ["|" if e.what == "header" else getattr(e, "text", e.what) for e in entries]


class Disk:
    """``os.write``, which takes ``room`` bytes more and then no more; None is all."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.room: int | None = None
        self._write = os.write
        monkeypatch.setattr(os, "write", self.write)

    def write(self, descriptor: int, data: memoryview) -> int:
        if self.room == 0:
            raise OSError(28, FULL)
        written = self._write(descriptor, data[: self.room])
        if self.room is not None:
            self.room -= written
        return written
