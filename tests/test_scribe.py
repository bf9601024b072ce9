"""The scribe: what is told is in the pieces, once, whatever the disk does."""

import os
import resource
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lofid import __version__
from lofid.entries import Control, Gap, Header, Mark, On
from lofid.pieces import is_being_written
from lofid.records import MOST_BYTES
from lofid.scribe import RETRY_SECONDS, Scribe
from lofid.transcript import read_transcript
from lofid.waiting import MOST_WAITING_BYTES
from tests.journals import WALL, Desk, held

FULL = "No space left on device"


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path / "studio")


def test_nothing_touches_the_disk_before_a_flush(desk: Desk) -> None:
    desk.mark("one")
    desk.scribe.cut()
    assert not desk.folder.exists()
    desk.flush()
    assert desk.told() == ["|", "one"]


def test_a_session_in_which_nothing_happens_leaves_no_piece(desk: Desk) -> None:
    desk.flush()
    desk.scribe.sync()
    desk.scribe.close()
    assert not desk.folder.exists()


def test_a_piece_begins_with_what_holds(desk: Desk) -> None:
    desk.clock.seconds += 2.5
    desk.scribe.write("on", tick=5, seconds=2.4999999, channel=0, pitch=60, velocity=90)
    desk.scribe.write("control", tick=6, data=[0xB0, 64, 127])
    desk.flush()
    header, on, control = desk.read()[0]
    assert isinstance(header, Header)
    assert asdict(header) == {
        "what": "header",
        "format": 2,
        "lofid": __version__,
        "session": desk.scribe.session,
        "seconds": 0.0,
        "wall_seconds": WALL,
        **held(),
        "sounding": (),
        "controls": (),
    }
    assert on == On(tick=5, seconds=2.5, channel=0, pitch=60, velocity=90)
    assert control == Control(tick=6, seconds=2.5, data=(0xB0, 64, 127))


def test_a_header_says_what_sounds_and_where_controllers_stand(tmp_path: Path) -> None:
    """As the records before it have it: whoever ended before is not in it."""
    desk = Desk(tmp_path, piece_bytes=600)
    for pitch in (60, 62, 64):
        desk.scribe.write("on", tick=pitch, channel=0, pitch=pitch, velocity=90, by_person=True)
    desk.scribe.write("off", tick=70, channel=0, pitch=62, by_person=True)
    desk.scribe.write("off", tick=70, channel=0, pitch=64)  # lofid's own of that pitch
    for value in (10, 127):
        desk.scribe.write("control", tick=72, data=[0xB0, 64, value])
    desk.scribe.write("control", tick=72, data=[0xB0, 1, 5])
    desk.flush()
    desk.mark("x" * 600)
    desk.flush()
    last = [entry for entry in desk.read()[0] if isinstance(entry, Header)][-1]
    assert [(on.tick, on.pitch, on.by_person) for on in last.sounding] == [
        (60, 60, True),
        (64, 64, True),
    ]
    assert [control.data for control in last.controls] == [(0xB0, 64, 127), (0xB0, 1, 5)]


def test_a_new_piece_begins_with_what_held_before_its_first_record(tmp_path: Path) -> None:
    """Not with what holds when the disk has come to it."""
    desk = Desk(tmp_path, piece_bytes=700)
    desk.mark("one")
    desk.holds["tick"] = 480
    desk.flush()
    desk.mark("x" * 700)
    desk.holds["tick"] = 960
    desk.flush()
    headers = [entry for entry in desk.read()[0] if isinstance(entry, Header)]
    assert [(header.tick, header.seconds) for header in headers] == [(0, 0.0), (480, 1.0)]
    assert headers[1].wall_seconds == WALL + 1.0


def test_a_piece_is_full_before_it_is_too_large(tmp_path: Path) -> None:
    desk = Desk(tmp_path, piece_bytes=2000)
    for number in range(100):
        desk.mark(f"{number}")
        desk.flush()
    sizes = [piece.path.stat().st_size for piece in desk.pieces()]
    assert len(sizes) == 5
    assert max(sizes) <= 2000
    assert [text for text in desk.told() if text != "|"] == [f"{n}" for n in range(100)]


def test_a_piece_is_an_hour_long_at_most(desk: Desk) -> None:
    for text in ("0:00:00", "0:59:59"):
        desk.mark(text)
        desk.flush(3599.0)
    desk.mark("1:59:58")
    desk.flush()
    assert desk.told() == ["|", "0:00:00", "0:59:59", "|", "1:59:58"]


def test_the_oldest_pieces_go_and_all_together_keep_the_bound(tmp_path: Path) -> None:
    desk = Desk(tmp_path, total_bytes=5000, piece_bytes=1000)
    for number in range(60):
        desk.mark(f"{number}")
        desk.flush()
        assert sum(piece.path.stat().st_size for piece in desk.pieces()) <= 5000
    texts = [text for text in desk.told() if text != "|"]
    assert 10 < len(texts) < 60
    assert texts == [f"{n}" for n in range(60)][-len(texts) :]


def test_pieces_go_when_they_are_too_old(tmp_path: Path) -> None:
    old, young = (tmp_path / f"2026080{n}T090000Z-00000001-000001.journal" for n in (1, 2))
    for path, days in ((old, 91), (young, 89)):
        path.touch()
        os.utime(path, (WALL - days * 86400, WALL - days * 86400))
    desk = Desk(tmp_path)
    desk.mark("one")
    desk.flush()
    assert (old.exists(), young.exists()) == (False, True)


def test_a_clock_that_is_set_ahead_makes_nothing_old(tmp_path: Path) -> None:
    young = tmp_path / "20261120T090000Z-00000001-000001.journal"
    young.touch()
    os.utime(young, (WALL - 86400, WALL - 86400))
    desk = Desk(tmp_path, piece_bytes=1000)
    for number in range(3):
        desk.mark(f"{number}" + "x" * 900)
        desk.flush()
        desk.clock.ahead_seconds = 100 * 86400.0
    assert young.exists()
    assert len(desk.pieces()) == 3


def test_two_scribes_in_one_folder_never_share_a_piece(tmp_path: Path) -> None:
    desks = [Desk(tmp_path), Desk(tmp_path)]
    for number in range(10):
        for desk, name in zip(desks, "ab", strict=True):
            desk.mark(f"{name}{number}")
            desk.flush()
    assert [desk.told() for desk in desks] == [
        ["|", *(f"{name}{number}" for number in range(10))] for name in "ab"
    ]


def test_a_scribe_never_removes_what_another_is_writing(tmp_path: Path) -> None:
    first = Desk(tmp_path)
    first.mark("kept")
    first.flush()
    second = Desk(tmp_path, total_bytes=2, piece_bytes=1)
    second.mark("one")
    second.flush()
    assert first.told() == ["|", "kept"]


def test_a_piece_is_given_back_at_the_close(desk: Desk) -> None:
    desk.mark("one")
    desk.flush()
    (piece,) = desk.pieces()
    assert is_being_written(piece.path)
    desk.mark("told last")
    desk.scribe.close()
    assert not is_being_written(piece.path)
    assert desk.told() == ["|", "one", "told last"]


class Disk:
    """``os.write`` and ``os.open``, which fail when told to."""

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


def test_a_disk_that_fills_up_within_a_batch_changes_no_note(desk: Desk, disk: Disk) -> None:
    """One begins, one ends, and the pedal and the tempo change in what there is still room for."""
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
    assert [(n.pitch, n.tick, n.end_tick) for n in found.notes] == [(60, 0, 640), (62, 640, 1280)]
    assert [control.data for control in found.controls] == [(0xB0, 64, 127)]
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


def test_a_file_in_the_folders_place_is_said_until_it_is_gone(desk: Desk) -> None:
    desk.folder.touch()
    desk.mark("one")
    desk.flush()
    assert str(desk.scribe.fault) == (
        f"{desk.folder}: cannot be written: File exists; what was recorded until now is kept, "
        "and lofid goes on trying"
    )
    desk.folder.unlink()
    desk.flush(RETRY_SECONDS)
    assert (desk.scribe.fault, desk.told()) == (None, ["|", "gap", "one"])


def test_a_journal_that_somebody_removes_goes_on_in_a_new_piece(desk: Desk) -> None:
    """Also its folder. What is told after that is not written to nowhere."""
    desk.mark("one")
    desk.flush()
    (piece,) = desk.pieces()
    piece.path.unlink()
    desk.folder.rmdir()
    desk.mark("two")
    desk.flush()
    assert str(desk.scribe.fault).startswith(
        f"{piece.path}: cannot be written: somebody has removed or moved it; "
    )
    desk.flush(RETRY_SECONDS)
    assert (desk.scribe.fault, desk.told()) == (None, ["|", "gap", "two"])


@pytest.mark.parametrize("is_moved", [True, False])
def test_a_journal_that_is_elsewhere_now_goes_on_in_a_new_piece(
    desk: Desk, tmp_path: Path, is_moved: bool
) -> None:
    """Its folder was moved; or it was removed, and a take has it still, by a link."""
    desk.mark("one")
    desk.flush()
    (piece,) = desk.pieces()
    if is_moved:
        desk.folder.rename(tmp_path / "old")
    else:
        os.link(piece.path, tmp_path / "take")
        piece.path.unlink()
    desk.mark("two")
    desk.flush()
    assert str(desk.scribe.fault).startswith(
        f"{piece.path}: cannot be written: somebody has removed or moved it; "
    )
    desk.flush(RETRY_SECONDS)
    assert (desk.scribe.fault, desk.told()) == (None, ["|", "gap", "two"])


def test_a_piece_that_cannot_be_removed_again_stops_nothing(
    desk: Desk, disk: Disk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its name is not wanted a second time, and that it is there is no damage."""
    desk.mark("one")
    disk.room = 10
    with monkeypatch.context() as patched:
        patched.setattr(Path, "unlink", refused)
        desk.flush()
    disk.room = None
    desk.flush(RETRY_SECONDS)
    assert (desk.scribe.fault, desk.told()) == (None, ["|", "gap", "one"])
    assert [(p.number, p.path.stat().st_size > 0) for p in desk.pieces()] == [(1, False), (2, True)]


def refused(_path: Path, missing_ok: bool = False) -> None:
    raise OSError(30, "Read-only file system")


def test_what_cannot_be_synced_is_said_and_goes_on_elsewhere(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_descriptor: int, _folder: Path) -> None:
        raise OSError(5, "Input/output error")

    desk.mark("one")
    desk.flush()
    with monkeypatch.context() as patched:
        patched.setattr("lofid.scribe.sync", broken)
        desk.scribe.sync()
    assert "cannot be written: Input/output error" in str(desk.scribe.fault)
    desk.mark("two")
    desk.flush(RETRY_SECONDS)
    assert (desk.scribe.fault, desk.told()) == (None, ["|", "one", "|", "gap", "two"])


def test_a_late_sync_that_fails_says_nothing_of_a_later_piece(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The piece was closed meanwhile, and the next one is well."""
    desk = Desk(tmp_path, piece_bytes=700)

    def broken(_descriptor: int, _folder: Path) -> None:
        desk.mark("two" + "x" * 600)
        desk.flush()
        raise OSError(5, "Input/output error")

    desk.mark("one")
    desk.flush()
    with monkeypatch.context() as patched:
        patched.setattr("lofid.scribe.sync", broken)
        desk.scribe.sync()
    first, _ = desk.pieces()
    assert desk.scribe.fault is None
    assert str(desk.scribe.warning) == (
        f"{first.path}: may not be whole on the disk: Input/output error"
    )
    desk.mark("three")
    desk.flush()
    assert [text[:5] for text in desk.told()] == ["|", "one", "|", "twoxx", "|", "three"]


def test_pieces_that_cannot_be_removed_do_not_stop_the_writing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stuck = tmp_path / "20200101T000000Z-00000001-000001.journal"
    stuck.touch()
    os.utime(stuck, (0, 0))
    monkeypatch.setattr(Path, "unlink", refused)
    desk = Desk(tmp_path)
    desk.mark("one")
    desk.flush()
    assert desk.scribe.fault is None
    assert str(desk.scribe.warning).startswith(f"{stuck}: cannot be removed: ")
    assert desk.told() == ["|", "one"]


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


def test_flushes_and_syncs_in_other_threads_lose_nothing(tmp_path: Path) -> None:
    """While the engine goes on telling and cutting."""
    desk = Desk(tmp_path, piece_bytes=20_000)
    is_over = threading.Event()

    def work() -> None:
        while not is_over.is_set():
            desk.scribe.flush()
            desk.scribe.sync()

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for number in range(2000):
        desk.mark(f"{number}")
        if number % 7 == 0:
            desk.scribe.cut()
    is_over.set()
    for thread in threads:
        thread.join()
    desk.scribe.close()
    assert desk.scribe.fault is None
    assert [text for text in desk.told() if text != "|"] == [f"{n}" for n in range(2000)]
    assert len(desk.pieces()) > 5


def test_what_json_cannot_say_is_its_tellers_fault(desk: Desk) -> None:
    with pytest.raises(ValueError, match="longer than"):
        desk.mark("x" * MOST_BYTES)
    with pytest.raises(TypeError):
        desk.scribe.write("mark", tick=0, text=b"bytes")
    with pytest.raises(TypeError):
        Scribe(desk.folder, lambda: {"model": object()})


def test_a_header_that_nobody_could_read_is_refused_before_anything_plays(desk: Desk) -> None:
    with pytest.raises(ValueError, match=r"header\.moving Field required"):
        Scribe(desk.folder, lambda: {k: v for k, v in held().items() if k != "moving"})


def test_a_piece_that_cannot_be_closed_well_is_said_and_the_next_one_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_descriptor: int) -> None:
        raise OSError(5, "Input/output error")

    desk = Desk(tmp_path, piece_bytes=700)
    desk.mark("one" + "x" * 300)
    desk.flush()
    with monkeypatch.context() as patched:
        patched.setattr("lofid.pieces._sync", broken)
        desk.mark("two" + "x" * 300)
        desk.flush()
    assert desk.scribe.fault is None
    assert str(desk.scribe.warning) == (
        f"{desk.pieces()[0].path}: may not be whole on the disk: Input/output error"
    )
    assert [text[:3] for text in desk.told()] == ["|", "one", "|", "two"]


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
