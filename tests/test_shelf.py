"""The shelf when nobody plays: what is told of takes and sessions, whatever state they are in."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from lofid.library import Library, span_take
from lofid.span import Span
from tests.journals import Desk
from tests.lofidprocess import run


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "lofid" / "journals" / "lofid"


def played(folder: Path, pitch: int = 60) -> Desk:
    """A session of one note, nine seconds long, that was cut off."""
    desk = Desk(folder)
    note = {"channel": 0, "pitch": pitch}
    desk.scribe.write("on", tick=0, seconds=1.0, velocity=80, **note)
    desk.flush(0.0)
    desk.scribe.write("off", tick=640, seconds=9.0, **note)
    desk.flush(0.0)
    return desk


def with_input(desk: Desk) -> None:
    desk.scribe.write("input", seconds=9.5, data=[0, 1, [[0, "begin"]]])
    desk.flush(0.0)


def with_gap(desk: Desk) -> None:
    desk.scribe.write("gap", seconds=9.5, from_seconds=9.1, records=0, why="no space")
    desk.flush(0.0)


def with_empty_piece(desk: Desk) -> None:
    (desk.folder / f"{desk.scribe.session}-000002.journal").touch()


def with_torn_record(desk: Desk) -> None:
    with desk.pieces()[0].path.open("ab") as file:
        file.write(b"\x50\0\0\0torn")


def with_empty_session(desk: Desk) -> None:
    (desk.folder / "20990101T000000Z-00000000-000001.journal").touch()


ENDS = [with_input, with_gap, with_empty_piece, with_torn_record, with_empty_session]


@pytest.mark.parametrize("end", ENDS)
def test_keep_whatever_a_crash_left_at_the_end(
    tmp_path: Path, folder: Path, end: Callable[[Desk], None]
) -> None:
    """It goes back to what sounded last, and says whose it is."""
    desk = played(folder)
    end(desk)
    desk.scribe.close()
    kept = run(tmp_path, "keep", "--last", "5m", "evening")
    assert kept.stdout == (
        f"kept the last 9 s of session {desk.scribe.session} as the take 'evening'; "
        "'lofid export evening OUT.mid' makes a file of it\n"
    ), kept.stderr
    (note,) = Library(folder).transcript("evening").notes
    assert (note.seconds, note.end_seconds) == (1.0, 9.0)


def test_keep_means_the_session_that_was_written_last(tmp_path: Path, folder: Path) -> None:
    """By its file: the clock that it is named by may have been set back since."""
    first, second = played(folder, 60), played(folder, 61)
    for desk, seconds in zip(
        sorted([first, second], key=lambda desk: desk.scribe.session), (2e9, 1e9), strict=True
    ):
        desk.scribe.close()
        os.utime(desk.pieces()[0].path, (seconds, seconds))
    newest = min(first.scribe.session, second.scribe.session)
    assert f"of session {newest} as" in run(tmp_path, "keep", "--last", "5m").stdout


def test_keep_where_nothing_can_be_read(tmp_path: Path, folder: Path) -> None:
    folder.mkdir(parents=True)
    (folder / "20990101T000000Z-00000000-000001.journal").touch()
    assert run(tmp_path, "keep", "--last", "5m").stderr == (
        "lofid: nothing of what was played can be read: see 'lofid takes --sessions'\n"
    )


def test_takes_are_listed_beside_what_is_none(tmp_path: Path, folder: Path) -> None:
    """Whatever stands in a take: one line for each, and no traceback."""
    desk = played(folder)
    library = Library(folder)
    for name in ("good", "strange"):
        library.keep(span_take(Span(seconds=300), desk.scribe.session, 640, 9.0, 5.0, name))
    desk.scribe.close()
    path = library.takes_folder / "strange" / "take.json"
    path.write_text(path.read_text().replace('"wall_seconds": 5.0', '"wall_seconds": 1e18'))
    (library.takes_folder / "half").mkdir()
    listed = run(tmp_path, "takes")
    assert [line.split()[0] for line in listed.stdout.splitlines()] == ["good", "strange"]
    assert "at no known time" in listed.stdout
    assert listed.stderr == (
        f"{library.takes_folder}/half/take.json: is missing; 'lofid takes --delete'\n"
    )
    assert run(tmp_path, "takes", "--delete", "half").stdout == "deleted half\n"
    assert run(tmp_path, "takes", "--sessions").stdout.startswith(f"{desk.scribe.session}  2026-")


def test_what_is_said_can_be_typed(tmp_path: Path, folder: Path) -> None:
    """A take's name may have spaces; what is to be typed then has quotes."""
    played(folder).scribe.close()
    kept = run(tmp_path, "keep", "--last", "5m", "a late evening")
    assert kept.stdout.endswith("; lofid export 'a late evening' OUT.mid makes a file of it\n")
    assert run(tmp_path, "export", "a late evening", "out.mid").returncode == 0


def test_one_take_is_deleted_at_a_time(tmp_path: Path, folder: Path) -> None:
    """Nothing that was asked for is passed over in silence."""
    played(folder).scribe.close()
    for name in ("one", "two"):
        assert run(tmp_path, "keep", "--last", "5m", name).returncode == 0
    both = run(tmp_path, "takes", "--delete", "one", "two")
    assert (both.returncode, both.stderr) == (
        1,
        "lofid: delete one take at a time: 'one' or 'two'\n",
    )
    empty = run(tmp_path, "takes", "--delete", "")
    assert (empty.returncode, empty.stderr.count("\n")) == (1, 1)
    assert len(Library(folder).takes()) == 2


def test_no_take_is_called_as_a_session(tmp_path: Path, folder: Path) -> None:
    """One would hide the other."""
    desk = played(folder)
    desk.scribe.close()
    refused = run(tmp_path, "keep", "--last", "5m", desk.scribe.session)
    assert refused.returncode == 1
    assert refused.stderr == (
        f"lofid: a take cannot be called {desk.scribe.session!r}: sessions are called so\n"
    )
    missing = run(tmp_path, "export", "20200101T000000Z-00000000", "out.mid")
    assert missing.stderr == (
        "lofid: no session is called '20200101T000000Z-00000000': see 'lofid takes --sessions'\n"
    )
