"""Takes as the daemon has them made, without ports: one after the other, and off the event loop."""

import asyncio
import os
import sys
import tempfile
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import mido
import pytest

from lofid import takes as takes_module
from lofid.clerk import Clerk
from lofid.config import load
from lofid.errors import RecordingError
from lofid.recovery import Running, note_running, recordings
from lofid.takes import Takes
from lofid.witness import Witness
from tests.fakes import PureModel
from tests.journals import Desk

HANGING_SECONDS = 30.0


class Session:
    """A session that plays for itself. ``said`` is every line for a person."""

    def __init__(self) -> None:
        settings = load(None, {})
        self.said: list[str] = []
        self.engine = Witness(PureModel(), settings, 7, time.monotonic)
        self.clerk = Clerk(self.engine, settings, self.said.append)
        self.takes = Takes(self.engine, self.clerk, self.said.append)
        self.library = self.clerk.library
        self.engine.begin()
        self.engine.receive({"is": "transport", "moving": True, "tick": 0, "sync": "internal"})

    @contextmanager
    def slow_disk(self) -> Iterator[None]:
        """Have every flush wait until this is over."""
        scribe = self.clerk.scribe
        assert scribe is not None
        over, flush = threading.Event(), scribe.flush

        def wait() -> None:
            over.wait(HANGING_SECONDS)
            flush()

        scribe.flush = wait  # type: ignore[method-assign]
        try:
            yield
        finally:
            over.set()


def perform(what: Callable[[Session], Awaitable[None]]) -> Session:
    """Do something in a session, and end it."""
    session = Session()

    async def do() -> None:
        async with asyncio.timeout(HANGING_SECONDS):
            try:
                await what(session)
            finally:
                await session.takes.end()

    asyncio.run(do())
    return session


@pytest.fixture(autouse=True)
def _own_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("XDG_STATE_HOME", "XDG_MUSIC_DIR", "HOME"):
        monkeypatch.setenv(name, str(tmp_path))


async def turns() -> None:
    """Let what was begun come to where it waits for a thread."""
    for _ in range(10):
        await asyncio.sleep(0)


def played(folder: Path) -> Desk:
    """A session of one note that was cut off."""
    desk = Desk(folder)
    desk.scribe.write("on", tick=0, seconds=1.0, channel=0, pitch=60, velocity=80)
    desk.flush()
    desk.scribe.write("off", tick=640, seconds=9.0, channel=0, pitch=60)
    desk.flush()
    desk.scribe.close()
    return desk


def test_one_session_that_cannot_be_read_costs_no_other(tmp_path: Path) -> None:
    """Killed before its first write, it is told once; what ran later is kept, and its file made."""

    async def recover(session: Session) -> None:
        folder = session.library.folder
        cut = played(folder)
        (folder / "20200101T000000Z-00000000-000001.journal").touch()
        running = Running.of("take", cut.scribe.session, 0.5, tmp_path / "take.mid")
        note_running(session.library, running)
        await session.takes.recover()

    session = perform(recover)
    unread, cut, recording, file = session.said
    assert unread == (
        "what the last session left behind cannot be kept: "
        "nothing of the session 20200101T000000Z-00000000 can be read"
    )
    assert cut.startswith("the last session was cut off after 9 s")
    assert recording == (
        f"it was recording: that is the take 'take', and becomes {tmp_path}/take.mid"
    )
    assert file == f"recorded {tmp_path}/take.mid"
    again = perform(lambda session: session.takes.recover())
    assert again.said == []
    assert [take.made for take in again.library.takes()] == ["crash", "record"]


def test_a_recording_that_cannot_be_kept_costs_no_other(tmp_path: Path) -> None:
    async def recover(session: Session) -> None:
        damaged, good = played(session.library.folder), played(session.library.folder)
        for desk in (damaged, good):
            name = desk.scribe.session
            note_running(session.library, Running.of("take", name, 0.5, tmp_path / f"{name}.mid"))
        damaged.pieces()[0].path.write_bytes(b"")
        await session.takes.recover()

    session = perform(recover)
    assert sum("cannot be kept: nothing of the session" in line for line in session.said) == 2
    assert len(list(tmp_path.glob("*.mid"))) == 1
    assert recordings(session.library) == []


def test_what_a_crash_left_goes_with_the_journals_age() -> None:
    async def recover(session: Session) -> None:
        played(session.library.folder)
        await session.takes.recover()
        (take,) = session.library.takes()
        path = session.library.takes_folder / take.name / "take.json"
        for days, left in ((89, 1), (91, 0)):
            os.utime(path, (0.0, time.time() - days * 86400))
            await session.takes.recover()
            assert len(session.library.takes()) == left

    perform(recover)


def test_files_that_are_made_keep_nothing_from_the_journal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many: none of them takes a thread that the journal is written by."""
    gate = tmp_path / "gate"
    wait = f"import time, pathlib\nwhile not pathlib.Path({str(gate)!r}).exists(): time.sleep(0.01)"
    monkeypatch.setattr(takes_module, "export_command", lambda *_: [sys.executable, "-c", wait])

    async def record(session: Session) -> None:
        with ThreadPoolExecutor(1) as pool:
            asyncio.get_running_loop().set_default_executor(pool)
            stopping = []
            for number in range(2):
                await session.takes.obey("start", str(tmp_path / f"{number}.mid"))
                stopping.append(asyncio.create_task(session.takes.obey("stop")))
                await asyncio.wait(stopping, timeout=0.1)
            try:
                await session.clerk.flush()
                assert session.takes.status()["recording"] is None
                assert not any(task.done() for task in stopping)
            finally:
                gate.touch()
            await asyncio.gather(*stopping)

    perform(record)


def test_the_event_loop_waits_for_no_file_where_a_take_begins(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may be on a disk that sleeps, or behind a network."""
    threads: set[int] = set()
    make, look = tempfile.TemporaryFile, Path.stat

    def temporary(**values: Any) -> Any:
        threads.add(threading.get_ident())
        return make(**values)

    def status(path: Path, **values: Any) -> os.stat_result:
        threads.add(threading.get_ident())
        return look(path, **values)

    monkeypatch.setattr(tempfile, "TemporaryFile", temporary)
    monkeypatch.setattr(Path, "stat", status)

    async def record(session: Session) -> None:
        await session.takes.obey("start")
        assert threads
        assert threading.get_ident() not in threads

    perform(record)


def test_a_take_that_is_ended_while_it_begins(tmp_path: Path) -> None:
    """It begins, then it ends: no note of it is left to be found at the next start."""

    async def record(session: Session) -> None:
        with session.slow_disk():
            starting = asyncio.create_task(session.takes.obey("start", str(tmp_path / "a.mid")))
            await turns()
            stopping = asyncio.create_task(session.takes.obey("stop"))
            await turns()
        assert await starting == f"recording to {tmp_path}/a.mid"
        assert await stopping == f"recorded {tmp_path}/a.mid"
        assert session.takes.status()["recording"] is None

    session = perform(record)
    assert recordings(session.library) == []
    assert [take.name for take in session.library.takes()] == ["a"]


@pytest.mark.parametrize("what", ["keep", "stop"])
def test_what_was_asked_for_is_done_before_the_end(tmp_path: Path, what: str) -> None:
    """Though the disk is slow, and lofid is asked to leave meanwhile."""

    async def leave(session: Session) -> None:
        takes = session.takes
        if what == "stop":
            await takes.obey("start", str(tmp_path / "a.mid"))
        with session.slow_disk():
            doing = asyncio.create_task(
                takes.keep("5m", "a") if what == "keep" else takes.obey("stop")
            )
            await turns()
            ending = asyncio.create_task(takes.end())
            await turns()
        await ending
        assert [take.name for take in session.library.takes()] == ["a"]
        assert recordings(session.library) == []
        assert (tmp_path / "a.mid").exists() == (what == "stop")
        await doing

    perform(leave)


def test_a_second_lofid_leaves_the_firsts_recording_alone(tmp_path: Path) -> None:
    """Two of one name that do not see each other."""

    async def record(session: Session) -> None:
        await session.takes.obey("start", str(tmp_path / "a.mid"))
        other = Session()
        await other.takes.recover()
        assert other.said == []
        await other.takes.end()
        assert len(list(session.library.folder.glob("*.recording"))) == 1
        assert await session.takes.obey("stop") == f"recorded {tmp_path}/a.mid"

    perform(record)


@pytest.mark.parametrize(
    ("name", "take"),
    [("-x.mid", "x"), ("caf\udce9.mid", "caf"), ("\udce9/a.mid", "a"), ("--.mid", "take")],
)
def test_whatever_a_file_is_called(tmp_path: Path, name: str, take: str) -> None:
    """Its take has a name that can be told and typed; what is said is one line of text."""
    path = tmp_path / name
    path.parent.mkdir(exist_ok=True)

    async def record(session: Session) -> None:
        lines = [await session.takes.obey("start", str(path)), await session.takes.obey("stop")]
        assert all(line.encode().isascii() and line.isprintable() for line in lines)

    session = perform(record)
    assert [take.name for take in session.library.takes()] == [take]
    assert mido.MidiFile(path).ticks_per_beat == 480


def test_a_take_that_cannot_begin_is_none(tmp_path: Path) -> None:
    """The next one can."""

    async def record(session: Session) -> None:
        for path in (tmp_path, tmp_path / "nowhere" / "a.mid"):
            with pytest.raises(RecordingError):
                await session.takes.obey("start", str(path))
            assert session.takes.status()["recording"] is None
        await session.takes.obey("start", str(tmp_path / "a.mid"))

    session = perform(record)
    assert [take.name for take in session.library.takes()] == ["a"]


def test_what_is_held_is_kept_to_the_moment_that_was_asked_for() -> None:
    """A chord is held, nothing else happens: it is as long as it was held, and stays so."""

    async def keep(session: Session) -> None:
        engine, takes = session.engine, session.takes
        note = {"tick": 0, "channel": 0, "pitch": 60, "late_us": 0}
        engine.receive({**note, "is": "on", "velocity": 99})
        await session.clerk.flush()
        assert (await takes.keep("5m", "held")).startswith("kept the last ")
        (held,) = session.library.transcript("held").notes
        assert held.end_seconds == session.library.take("held").end
        engine.receive({**note, "is": "off", "tick": 9600})
        await session.clerk.flush()
        assert session.library.transcript("held").notes == (held,)

    perform(keep)


def test_a_name_that_no_take_can_have_leaves_the_journal_as_it_is() -> None:
    async def keep(session: Session) -> None:
        with pytest.raises(RecordingError, match="a take cannot be called"):
            await session.takes.keep("5m", "caf\udce9")
        await session.takes.keep("5m", "good")
        assert session.library.transcript("good").faults == ()

    perform(keep)
