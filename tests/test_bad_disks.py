"""Disks that fail, and files that somebody takes away: it is said, and the journal goes on."""

import os
from pathlib import Path

import pytest

from lofid.scribe import RETRY_SECONDS
from tests.journals import Desk, Disk


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path / "studio")


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Disk:
    return Disk(monkeypatch)


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


@pytest.mark.parametrize("what", ["its folder too", "a take has it", "moved"])
def test_a_journal_that_is_elsewhere_now_goes_on_in_a_new_piece(
    desk: Desk, tmp_path: Path, what: str
) -> None:
    """It was removed or moved. What is told after that is not written to nowhere."""
    desk.mark("one")
    desk.flush()
    (piece,) = desk.pieces()
    if what == "moved":
        desk.folder.rename(tmp_path / "old")
    elif what == "a take has it":
        os.link(piece.path, tmp_path / "take")
        piece.path.unlink()
    else:
        piece.path.unlink()
        desk.folder.rmdir()
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
