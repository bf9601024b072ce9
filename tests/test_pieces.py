"""The pieces of a journal: their names, who may read them, and which of them go."""

import os
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lofid.errors import RecordingError
from lofid.pieces import (
    Bounds,
    OpenPiece,
    is_being_written,
    new_session,
    pieces_in,
    prune,
    sessions_in,
)

FIRST, SECOND = "20261126T090000Z-00000001", "20261127T090000Z-00000002"
OTHER = "20261128T090000Z-00000003"


def made(folder: Path, session: str, number: int, size: int = 10, seconds: float = 0.0) -> Path:
    """Make a piece that was last written at ``seconds`` of the wall clock."""
    path = folder / f"{session}-{number:06}.journal"
    path.write_bytes(bytes(size))
    os.utime(path, (seconds, seconds))
    return path


def names(folder: Path) -> list[str]:
    return [f"{piece.session[-1]}.{piece.number}" for piece in pieces_in(folder)]


def test_a_piece_is_called_by_its_session_and_its_number(tmp_path: Path) -> None:
    piece = OpenPiece(tmp_path, FIRST, 3)
    piece.close()
    assert os.listdir(tmp_path) == ["20261126T090000Z-00000001-000003.journal"]
    assert [(p.session, p.number, p.path) for p in pieces_in(tmp_path)] == [(FIRST, 3, piece.path)]


def test_a_session_is_called_by_its_beginning_and_by_lot() -> None:
    """So two that begin in one second differ, and names sort by time."""
    one, other = new_session(1795683600.9), new_session(1795683600.9)
    assert one[:17] == other[:17] == "20261126T090000Z-"
    assert one != other


def test_pieces_sort_by_session_and_then_as_written(tmp_path: Path) -> None:
    for session, number in ((SECOND, 1), (FIRST, 1_000_000), (FIRST, 2), (FIRST, 999_999)):
        made(tmp_path, session, number)
    for other in ("notes.txt", f"{FIRST}-1.journal", f"{FIRST}-000001.journal.part", "a.journal"):
        (tmp_path / other).touch()
    assert names(tmp_path) == ["1.2", "1.999999", "1.1000000", "2.1"]
    assert {session: len(pieces) for session, pieces in sessions_in(tmp_path).items()} == {
        FIRST: 3,
        SECOND: 1,
    }


def test_a_missing_folder_has_no_pieces(tmp_path: Path) -> None:
    assert pieces_in(tmp_path / "none") == []


def test_a_file_in_the_folders_place_is_said(tmp_path: Path) -> None:
    (tmp_path / "studio").touch()
    with pytest.raises(RecordingError, match="studio: cannot be read: Not a directory"):
        pieces_in(tmp_path / "studio")


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077])
def test_only_the_owner_may_read(tmp_path: Path, umask: int) -> None:
    before = os.umask(umask)
    try:
        piece = OpenPiece.after(tmp_path / "studio", FIRST, 0)
    finally:
        os.umask(before)
    piece.close()
    modes = [stat.S_IMODE(path.stat().st_mode) for path in (piece.path, piece.path.parent)]
    assert modes == [0o600, 0o700]


def test_a_piece_has_one_writer_in_its_life(tmp_path: Path) -> None:
    piece = OpenPiece(tmp_path, FIRST, 1)
    for is_open in (True, False):
        if not is_open:
            piece.close()
        with pytest.raises(FileExistsError):
            OpenPiece(tmp_path, FIRST, 1)


def test_nobody_is_led_elsewhere_by_a_link(tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.write_text("kept")
    (tmp_path / f"{FIRST}-000001.journal").symlink_to(precious)
    with pytest.raises(FileExistsError):
        OpenPiece(tmp_path, FIRST, 1)
    assert precious.read_text() == "kept"


def test_a_piece_is_known_to_be_written_as_long_as_its_process_lives(tmp_path: Path) -> None:
    """By a lock, which goes with the process: here one that is killed."""
    code = (
        "import sys, time\nfrom pathlib import Path\nfrom lofid.pieces import OpenPiece\n"
        f"piece = OpenPiece(Path(sys.argv[1]), {FIRST!r}, 1)\nprint(flush=True)\ntime.sleep(600)"
    )
    arguments = [sys.executable, "-c", code, str(tmp_path)]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        (piece,) = pieces_in(tmp_path)
        assert is_being_written(piece.path)
        process.kill()
        process.wait()
    assert not is_being_written(piece.path)


def test_asking_does_not_take_the_lock_away(tmp_path: Path) -> None:
    piece = OpenPiece(tmp_path, FIRST, 1)
    assert [is_being_written(piece.path) for _ in range(3)] == [True, True, True]
    piece.close()
    assert not is_being_written(piece.path)


@pytest.mark.parametrize(
    ("total", "before", "left"),
    [
        pytest.param(40, 0.0, ["1.1", "1.2", "2.1", "2.2"], id="all within"),
        pytest.param(39, 0.0, ["1.2", "2.1", "2.2"], id="a byte too much"),
        pytest.param(20, 0.0, ["2.1", "2.2"], id="half"),
        pytest.param(0, 0.0, [], id="nothing may stay"),
        pytest.param(40, 150.0, ["1.2", "2.1", "2.2"], id="one too old"),
        pytest.param(40, 200.0, ["1.2", "2.1", "2.2"], id="one just not too old"),
        pytest.param(20, 150.0, ["2.1", "2.2"], id="both"),
    ],
)
def test_the_oldest_go_first(tmp_path: Path, total: int, before: float, left: list[str]) -> None:
    places = [(FIRST, 1), (FIRST, 2), (SECOND, 1), (SECOND, 2)]
    for index, (session, number) in enumerate(places):
        made(tmp_path, session, number, seconds=100.0 * (index + 1))
    other = tmp_path / "take.mid"
    other.write_bytes(bytes(1000))
    removed = prune(tmp_path, OTHER, total, before)
    assert names(tmp_path) == left
    assert len(removed) == 4 - len(left)
    assert other.exists()


@given(
    sizes=st.lists(st.integers(0, 50), max_size=8),
    total=st.integers(0, 200),
    old=st.integers(0, 8),
)
def test_what_is_left_keeps_the_bounds(
    tmp_path_factory: pytest.TempPathFactory, sizes: list[int], total: int, old: int
) -> None:
    """And nothing goes that need not."""
    folder = tmp_path_factory.mktemp("pieces")
    paths = [made(folder, FIRST, n, size, 100.0 * n) for n, size in enumerate(sizes)]
    removed = prune(folder, OTHER, total, 100.0 * old)
    left = [piece.path for piece in pieces_in(folder)]
    assert removed + left == paths
    assert all(path.stat().st_mtime >= 100.0 * old for path in left)
    size = sum(path.stat().st_size for path in left)
    assert size <= total
    if removed and removed[-1].name >= f"{FIRST}-{old:06}.journal":  # it went for its size
        assert size + sizes[paths.index(removed[-1])] > total


def test_what_is_being_written_stays(tmp_path: Path) -> None:
    made(tmp_path, FIRST, 1)
    piece = OpenPiece(tmp_path, FIRST, 2)
    piece.append([b"12345"])
    made(tmp_path, SECOND, 1)
    prune(tmp_path, OTHER, 0, 2.0**40)
    assert names(tmp_path) == ["1.2"]
    piece.close()


def test_a_session_that_goes_on_is_the_last_to_go_and_never_old(tmp_path: Path) -> None:
    """Also when it seems to be the first, by a clock that was wrong."""
    for number in (1, 2):
        made(tmp_path, FIRST, number)
    made(tmp_path, SECOND, 1, seconds=1000.0)
    for total, left in ((30, ["1.1", "1.2", "2.1"]), (20, ["1.1", "1.2"]), (10, ["1.2"])):
        prune(tmp_path, FIRST, total, 500.0)
        assert names(tmp_path) == left


def test_what_is_no_file_is_no_piece(tmp_path: Path) -> None:
    """A pipe would keep its reader waiting."""
    os.mkfifo(tmp_path / f"{FIRST}-000001.journal")
    for number, where in ((2, 1), (5, 5)):
        link = tmp_path / f"{FIRST}-{number:06}.journal"
        link.symlink_to(tmp_path / f"{FIRST}-{where:06}.journal")
    (tmp_path / f"{FIRST}-000003.journal").mkdir()
    made(tmp_path, FIRST, 4)
    assert names(tmp_path) == ["1.4"]


def test_a_piece_that_cannot_be_removed_is_said_after_the_others_went(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    unlink = Path.unlink

    def refused(path: Path, missing_ok: bool = False) -> None:
        if path == stuck:
            raise OSError(1, "Operation not permitted")
        unlink(path, missing_ok)

    monkeypatch.setattr(Path, "unlink", refused)
    stuck = made(tmp_path, FIRST, 1)
    made(tmp_path, FIRST, 2)
    with pytest.raises(RecordingError) as caught:
        prune(tmp_path, OTHER, 0, 0.0)
    assert str(caught.value).startswith(f"{stuck}: cannot be removed: ")
    assert str(caught.value).endswith("; the journal grows beyond its bounds")
    assert names(tmp_path) == ["1.1"]


@pytest.mark.parametrize("room", [0, 2, 3, 5, 8, 9])
def test_a_disk_that_has_no_room_for_all_gets_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, room: int
) -> None:
    """The disk takes so many bytes of three records, of three bytes each, and then no more."""
    piece = OpenPiece(tmp_path, FIRST, 1)
    piece.append([b"before"])
    monkeypatch.setattr(os, "write", full_after(room))
    records = [b"abc", b"def", b"ghi"]
    if room < 9:
        with pytest.raises(OSError, match="No space"):
            piece.append(records)
    else:
        piece.append(records)
    there = b"beforeabcdefghi" if room == 9 else b"before"
    assert (piece.path.read_bytes(), piece.size) == (there, len(there))
    piece.close()


def full_after(room: int) -> Callable[[int, memoryview], int]:
    write = os.write

    def limited(descriptor: int, data: memoryview) -> int:
        nonlocal room
        if room == 0:
            raise OSError(28, "No space left on device")
        written = write(descriptor, data[:room])
        room -= written
        return written

    return limited


def test_bounds_hold_two_pieces_at_least() -> None:
    with pytest.raises(ValueError, match="10 bytes are not even two pieces"):
        Bounds(total_bytes=10, piece_bytes=6)
