"""A full disk: it is said, and what is told is in the pieces, once, when there is room again."""

import os
import resource
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lofid.entries import Gap, Header, Mark
from lofid.scribe import RETRY_SECONDS
from lofid.transcript import read_transcript
from lofid.waiting import MOST_WAITING_BYTES
from tests.journals import FULL, Desk, Disk


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path / "studio")


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Disk:
    return Disk(monkeypatch)


def test_a_full_disk_is_said_and_when_there_is_room_it_goes_on_in_a_new_piece(
    desk: Desk, disk: Disk
) -> None:
    desk.mark("before")
    desk.flush()
    disk.room = 40
    for number in range(4):
        desk.mark(f"during {number}")
        desk.flush()
        assert str(desk.scribe.fault) == (
            f"{desk.pieces()[0].path}: cannot be written: {FULL}; "
            "what was recorded until now is kept, and lofid goes on trying"
        )
    assert desk.read()[0][-1] == Mark(0, 0.0, "before")
    disk.room = None
    desk.flush(RETRY_SECONDS)
    desk.mark("after")
    desk.flush()
    assert desk.scribe.fault is None
    assert desk.told() == ["|", "before", "|", "gap", *(f"during {n}" for n in range(4)), "after"]
    gap = next(entry for entry in desk.read()[0] if isinstance(entry, Gap))
    assert gap == Gap(seconds=1.0, from_seconds=1.0, records=0, why=FULL)
    desk.flush(3600.0)
    desk.mark("an hour later")
    desk.flush()
    assert desk.told()[-2:] == ["|", "an hour later"], "a gap is told once"


def test_it_is_tried_again_every_few_seconds_only(desk: Desk, disk: Disk) -> None:
    disk.room = 0
    desk.mark("one")
    desk.flush()
    disk.room = None
    desk.flush(RETRY_SECONDS - 0.1)
    assert (desk.scribe.fault is None, desk.pieces()) == (False, [])
    desk.flush(0.2)
    assert desk.told() == ["|", "gap", "one"]


def test_tries_on_a_full_disk_leave_nothing_behind(desk: Desk, disk: Disk) -> None:
    for room in (0, 10, 400):
        disk.room = room
        desk.mark("one")
        desk.flush(RETRY_SECONDS)
        assert list(desk.folder.iterdir()) == []


def test_what_waits_is_bounded_and_what_was_lost_is_said(desk: Desk, disk: Disk) -> None:
    """The oldest goes, and the new piece begins with what held after it."""
    desk.mark("before")
    desk.flush()
    disk.room = 0
    long = "x" * (MOST_WAITING_BYTES // 4)
    for number in range(10):
        desk.holds["tick"] = number
        desk.scribe.write("mark", tick=number, text=f"{number}")
        desk.scribe.write("mark", tick=number, text=f"{number}{long}")
        desk.flush()
    disk.room = None
    desk.flush(RETRY_SECONDS)
    entries, _ = desk.read()
    header, gap, *marks = entries[2:]
    assert isinstance(header, Header)
    assert (header.tick, header.seconds) == (6, 8.0)
    assert gap == Gap(seconds=8.0, from_seconds=1.0, records=14, why=FULL)
    assert [mark.text[0] for mark in marks if isinstance(mark, Mark)] == list("778899")


@pytest.mark.parametrize("gives_up", [True, False])
def test_a_disk_that_fills_up_within_a_batch_changes_no_note(
    desk: Desk, disk: Disk, monkeypatch: pytest.MonkeyPatch, gives_up: bool
) -> None:
    """One begins, one ends, and the pedal and the tempo change in what there is still room for.

    A disk that does not give that up again has it twice, and notes without a length tell of it.
    """

    def refused(_descriptor: int, _size: int) -> None:
        raise OSError(5, "Input/output error")

    if not gives_up:
        monkeypatch.setattr(os, "ftruncate", refused)
    desk.play(60, tick=0)
    desk.flush()
    desk.play(62, tick=640)
    desk.end(60, tick=640)
    desk.scribe.write("control", tick=640, data=[0xB0, 64, 127])
    desk.scribe.write("tempo", tick=640, bpm=100.0)
    desk.holds["tempo"] = 100.0
    disk.room = sum(map(len, desk.scribe._told)) + 10
    desk.mark("no room for this")
    desk.flush()
    assert FULL in str(desk.scribe.fault)
    disk.room = None
    desk.flush(RETRY_SECONDS)
    desk.end(62, tick=1280)
    desk.flush()
    found = read_transcript(desk.pieces())
    notes = [(note.pitch, note.tick, note.end_tick) for note in found.notes]
    without = [] if gives_up else [(60, 0, 0), (62, 640, 640)]
    assert sorted(notes) == sorted([(60, 0, 640), (62, 640, 1280), *without])
    assert {control.data for control in found.controls} == {(0xB0, 64, 127)}
    assert [tempo.bpm for tempo in found.tempos] == [80.0, 100.0]
    assert found.faults == ()


DEEDS = st.one_of(
    st.tuples(st.sampled_from(["play", "end"]), st.integers(60, 62)),
    st.tuples(st.sampled_from(["pedal", "tempo"]), st.integers(80, 83)),
)


@given(steps=st.lists(st.tuples(st.lists(DEEDS, max_size=5), st.none() | st.integers(0, 1500))))
def test_whatever_room_there_is_the_transcript_is_as_on_a_disk_with_room(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[list[tuple[str, int]], int | None]]
) -> None:
    found = []
    for is_small in (True, False):
        with pytest.MonkeyPatch.context() as monkeypatch:
            disk = Disk(monkeypatch)
            desk = Desk(tmp_path_factory.mktemp("pieces"), piece_bytes=2000)
            desk.mark("begins")
            for deeds, room in steps:
                for what, number in deeds:
                    desk.holds["tick"] += 10
                    desk.clock.seconds += 0.01
                    desk.do(what, number)
                disk.room = room if is_small else None
                desk.flush(3.0)
            disk.room = None
            desk.scribe.close()
            t = read_transcript(desk.pieces())
            found.append((t.notes, t.controls, t.tempos, t.marks, t.begin, t.end, t.faults))
    assert found[0] == found[1]


@given(steps=st.lists(st.tuples(st.integers(0, 4), st.none() | st.integers(0, 1500)), max_size=25))
def test_whatever_room_there_is_all_is_written_once_and_in_order(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[int, int | None]]
) -> None:
    """Each step tells some marks, and gives the disk room for so many bytes; at last for all."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        disk = Disk(monkeypatch)
        desk = Desk(tmp_path_factory.mktemp("pieces"), piece_bytes=2000)
        count = 0
        for marks, room in steps:
            for _ in range(marks):
                desk.mark(f"{count}")
                count += 1
            disk.room = room
            desk.flush(3.0)
        disk.room = None
        desk.scribe.close()
        texts = [text for text in desk.told() if text not in ("|", "gap")]
        assert texts == [f"{number}" for number in range(count)]
        assert desk.scribe.fault is None


def test_a_close_writes_at_once_what_waits(desk: Desk, disk: Disk) -> None:
    disk.room = 0
    desk.mark("one")
    desk.flush()
    disk.room = None
    desk.scribe.close()
    assert (desk.scribe.fault, desk.told()) == (None, ["|", "gap", "one"])


def test_a_close_on_a_full_disk_says_so(desk: Desk, disk: Disk) -> None:
    disk.room = 0
    desk.mark("one")
    desk.scribe.close()
    assert FULL in str(desk.scribe.fault)


@contextmanager
def mounted(*arguments: str) -> Iterator[None]:
    """Mount something for a time. Skips where that is not allowed."""
    done = subprocess.run(["mount", *arguments], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        pytest.skip(f"cannot mount here: {done.stderr.strip()}")
    try:
        yield
    finally:
        subprocess.run(["umount", arguments[-1]], check=True)


def test_a_small_disk_that_fills_up_and_is_cleared(desk: Desk) -> None:
    """A real one: all that was flushed before is there, and nothing is lost of what waits."""
    desk.folder.mkdir()
    with mounted("-t", "tmpfs", "-o", "size=64k", "tmpfs", str(desk.folder)):
        ballast = desk.folder / "ballast"
        ballast.write_bytes(bytes(40_000))
        count = 0
        while desk.scribe.fault is None:
            desk.mark(f"{count}")
            count += 1
            desk.flush()
            assert count < 1000, "the disk is never full"
        assert FULL in str(desk.scribe.fault)
        flushed = [text for text in desk.told() if text not in ("|", "gap")]
        assert flushed == [f"{n}" for n in range(len(flushed))]
        assert len(flushed) > 50
        for _ in range(50):
            desk.mark(f"{count}")
            count += 1
            desk.flush()
        assert desk.scribe.fault is not None
        ballast.unlink()
        desk.flush(RETRY_SECONDS)
        assert desk.scribe.fault is None
        assert [text for text in desk.told() if text not in ("|", "gap")] == [
            f"{n}" for n in range(count)
        ]
        desk.scribe.close()


def test_a_disk_that_becomes_read_only_and_writable_again(desk: Desk) -> None:
    desk.folder.mkdir()
    with mounted("-t", "tmpfs", "-o", "size=1m", "tmpfs", str(desk.folder)):
        desk.mark("before")
        desk.scribe.close()  # a disk with a file that is open to write stays writable
        remount = ["mount", "-o", "remount,ro", str(desk.folder)]
        subprocess.run(remount, check=True)
        second = Desk(desk.folder)
        second.mark("one")
        second.flush()
        assert "cannot be written: Read-only file system" in str(second.scribe.fault)
        subprocess.run([*remount[:2], "remount,rw", remount[3]], check=True)
        second.flush(RETRY_SECONDS)
        assert (second.scribe.fault, second.told()) == (None, ["|", "gap", "one"])
        assert desk.told() == ["|", "before"]
        second.scribe.close()


def test_a_limit_on_the_size_of_files_is_said_too(desk: Desk) -> None:
    """For systems where nothing can be mounted: the system itself refuses to write on."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    desk.mark("one")
    desk.flush()
    size = desk.pieces()[0].path.stat().st_size
    resource.setrlimit(resource.RLIMIT_FSIZE, (size + 10, before[1]))
    try:
        desk.mark("two")
        desk.flush()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert "cannot be written: File too large" in str(desk.scribe.fault)
    assert desk.told() == ["|", "one"]
    desk.flush(RETRY_SECONDS)
    assert (desk.scribe.fault, desk.told()) == (None, ["|", "one", "|", "gap", "two"])
