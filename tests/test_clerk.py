"""The clerk: what it keeps, and what it says, while lofid plays."""

import asyncio
import os
import threading
import time
from pathlib import Path

import pytest

from lofid.clerk import Clerk
from lofid.config import load
from lofid.transcript import read_transcript
from lofid.witness import LONGEST_BATCH, Witness
from tests.fakes import PureModel


@pytest.fixture(autouse=True)
def _home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("lofid.clerk.journal_folder", lambda name: tmp_path / name)


def playing(**settings: object) -> tuple[Witness, Clerk, list[str]]:
    """An engine whose session has begun, its clerk, and what the clerk says."""
    values = load(None, settings)
    engine = Witness(PureModel(), values, 7, time.monotonic)
    said: list[str] = []
    clerk = Clerk(engine, values, said.append)
    engine.begin()
    engine.receive({"is": "transport", "moving": True, "tick": 0, "sync": "internal"})
    return engine, clerk, said


def test_without_a_journal_no_inputs_are_kept() -> None:
    engine, clerk, _ = playing(**{"record.journal": False})
    for number in range(1000):
        engine.receive({"is": "position", "tick": number, "tempo": 80.0})
    assert len(engine._inputs) <= LONGEST_BATCH
    assert clerk._inputs == []


def test_an_old_piece_that_cannot_be_removed_is_said_once_and_stops_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refused(_path: Path, missing_ok: bool = False) -> None:
        raise OSError(30, "Read-only file system")

    engine, clerk, said = playing()
    stuck = clerk.library.folder / "20200101T000000Z-00000001-000001.journal"
    stuck.parent.mkdir()
    stuck.touch()
    os.utime(stuck, (0, 0))
    monkeypatch.setattr(Path, "unlink", refused)
    for number in range(3):
        engine.chronicle.mark(f"{number}")
        asyncio.run(clerk.flush())
    assert said == [
        f"{stuck}: cannot be removed: Read-only file system; the journal grows beyond its bounds"
    ]
    assert clerk.status()["recording_fault"] is None
    clerk.close()
    assert len(said) == 1


def test_a_disk_that_hangs_is_said_and_keeps_nobody_waiting(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Neither the loop nor the end. When it answers, all is written, and the end too."""
    answers = threading.Event()
    real_write = os.write

    def write(descriptor: int, data: memoryview) -> int:
        if len(data) > 1:  # no event loop's wake-up
            answers.wait()
        return real_write(descriptor, data)

    monkeypatch.setattr("lofid.scribe.HANGING_SECONDS", 0.1)
    monkeypatch.setattr("lofid.clerk.WAIT_SECONDS", 0.2)
    engine, clerk, said = playing()
    scribe = clerk.scribe
    assert scribe is not None
    monkeypatch.setattr(os, "write", write)
    try:
        for number in range(3):
            engine.chronicle.mark(f"{number}")
            asyncio.run(clerk.flush())
        fault = clerk.status()["recording_fault"]
        clerk.close()
    finally:
        answers.set()
    clerk._threads.shutdown()
    assert fault == (
        f"{clerk.library.folder}: cannot be written: the disk does not answer; what was recorded "
        "until now is kept, and lofid goes on trying"
    )
    assert said == [f"recording stopped: {fault}"]
    assert scribe.fault is None
    (pieces,) = clerk.library.sessions().values()
    found = read_transcript(pieces)
    assert [mark.text for mark in found.marks] == ["0", "1", "2"]
    assert (found.is_ended, found.faults) == (True, ())


def test_a_flush_that_ends_as_lofid_does_keeps_nobody_waiting() -> None:
    """Its end is no reason to go on: whoever is asked to leave at that moment leaves."""
    _, clerk, _ = playing()

    async def leave() -> bool:
        flushed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        clerk._in_thread = lambda _do: flushed  # type: ignore[method-assign,assignment]
        flushing = asyncio.create_task(clerk.flush())
        await asyncio.sleep(0)
        flushed.set_result(None)
        flushing.cancel()
        await asyncio.wait([flushing])
        return flushing.cancelled()

    assert asyncio.run(leave())


def test_what_is_wrong_with_a_flush_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    _, clerk, _ = playing()
    assert clerk.scribe is not None
    monkeypatch.setattr(clerk.scribe, "flush", lambda: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        asyncio.run(clerk.flush())
