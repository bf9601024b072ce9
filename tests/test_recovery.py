"""What a crash left behind is found once, said in one line, and kept."""

from pathlib import Path

import pytest

from lofid.errors import RecordingError
from lofid.library import Library
from lofid.pieces import OpenPiece
from lofid.recovery import (
    Running,
    cut_off,
    forget_running,
    note_running,
    recover,
    recover_recording,
)
from tests.journals import WALL, Desk


def played(folder: Path, *, is_ended: bool, seconds: float = 9.0) -> Desk:
    """A session of one note, whose process is gone."""
    desk = Desk(folder)
    desk.scribe.write("on", tick=0, seconds=1.0, channel=0, pitch=60, velocity=80)
    desk.flush()
    if is_ended:
        desk.scribe.write("end", tick=640, seconds=seconds)
    else:
        desk.scribe.write("off", tick=640, seconds=seconds, channel=0, pitch=60)
    desk.flush()
    desk.scribe.close()
    return desk


def test_only_a_session_that_was_cut_off_is_found_and_only_once(tmp_path: Path) -> None:
    """One that came to its end is none, nor one that somebody writes."""
    library = Library(tmp_path)
    played(tmp_path, is_ended=True)
    cut = played(tmp_path, is_ended=False)
    living = OpenPiece(tmp_path, "20990101T000000Z-00000000", 1)
    (pieces,) = cut_off(library)
    assert pieces == cut.pieces()
    take, line = recover(library, pieces)
    name = f"cut-off-{cut.scribe.session[:15]}"
    assert line == (
        f"the last session was cut off after 9 s: it is kept as the take '{name}'; "
        f"'lofid export {name} OUT.mid' makes a file of it"
    )
    assert (take.name, take.made, take.wall_seconds) == (name, "crash", WALL + 9)
    assert [note.pitch for note in library.transcript(name).notes] == [60]
    assert cut_off(library) == []
    living.discard()


def test_a_torn_record_at_the_end(tmp_path: Path) -> None:
    """As kill -9 leaves it: what comes before it counts."""
    desk = played(tmp_path, is_ended=False)
    with desk.pieces()[0].path.open("ab") as file:
        file.write(b"\x50\0\0\0torn")
    (pieces,) = cut_off(Library(tmp_path))
    assert "cut off after 9 s" in recover(Library(tmp_path), pieces)[1]


def test_what_says_that_it_was_seen_goes_with_its_session(tmp_path: Path) -> None:
    library = Library(tmp_path)
    desk = played(tmp_path, is_ended=False)
    recover(library, cut_off(library)[0])
    assert len(list(tmp_path.glob("*.seen"))) == 1
    desk.pieces()[0].path.unlink()
    assert cut_off(library) == []
    assert list(tmp_path.glob("*.seen")) == []


def test_a_session_that_cannot_be_read(tmp_path: Path) -> None:
    desk = played(tmp_path, is_ended=False)
    desk.pieces()[0].path.write_bytes(b"nothing of it")
    (pieces,) = cut_off(Library(tmp_path))
    with pytest.raises(RecordingError, match=r"nothing of the session .* can be read"):
        recover(Library(tmp_path), pieces)


def test_the_recording_that_ran(tmp_path: Path) -> None:
    """From where it began to the end, for the file that was wanted; and only once."""
    library = Library(tmp_path)
    assert recover_recording(library) is None
    desk = played(tmp_path, is_ended=False)
    file = str(tmp_path / "take.mid")
    note_running(library, Running(name="take", session=desk.scribe.session, begin=0.5, file=file))
    found = recover_recording(library)
    assert found is not None
    assert (found[0].name, found[0].begin, found[0].end, str(found[1])) == ("take", 0.5, None, file)
    assert recover_recording(library) is None


def test_a_recording_that_came_to_its_end(tmp_path: Path) -> None:
    """Or of which nothing was written, or whose note is damaged."""
    library = Library(tmp_path)
    running = Running(name="take", session="gone", begin=0.5, file="take.mid")
    note_running(library, running)
    assert recover_recording(library) is None
    note_running(library, running)
    forget_running(library)
    assert recover_recording(library) is None
    (tmp_path / "recording.json").write_text("{")
    assert recover_recording(library) is None
