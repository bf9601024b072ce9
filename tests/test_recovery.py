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
    recordings,
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


@pytest.mark.parametrize("data", [b"", b"nothing of it"])
def test_a_session_that_cannot_be_read(tmp_path: Path, data: bytes) -> None:
    """It is told once: killed before the first write, or damaged."""
    desk = played(tmp_path, is_ended=False)
    desk.pieces()[0].path.write_bytes(data)
    (pieces,) = cut_off(Library(tmp_path))
    with pytest.raises(RecordingError, match=r"nothing of the session .* can be read"):
        recover(Library(tmp_path), pieces)
    assert cut_off(Library(tmp_path)) == []


def test_a_session_that_cannot_be_kept_is_found_again(tmp_path: Path) -> None:
    """When there is room once more: here a file is where the takes should be."""
    library = Library(tmp_path)
    played(tmp_path, is_ended=False)
    library.takes_folder.touch()
    (pieces,) = cut_off(library)
    with pytest.raises(RecordingError, match="cannot be written"):
        recover(library, pieces)
    library.takes_folder.unlink()
    assert cut_off(library) == [pieces]


def test_how_long_it_was_though_the_last_piece_is_empty(tmp_path: Path) -> None:
    library = Library(tmp_path)
    desk = played(tmp_path, is_ended=False)
    (tmp_path / f"{desk.scribe.session}-000002.journal").touch()
    take, line = recover(library, cut_off(library)[0])
    assert line.startswith("the last session was cut off after 9 s: ")
    assert take.wall_seconds == WALL + 9


def test_a_session_that_ended_is_read_once(tmp_path: Path) -> None:
    """Not at every start."""
    library = Library(tmp_path)
    desk = played(tmp_path, is_ended=True)
    assert cut_off(library) == []
    desk.pieces()[0].path.write_bytes(b"it would be one that was cut off")
    assert cut_off(library) == []


def noted(library: Library, session: str, file: Path) -> None:
    note_running(library, Running.of("take", session, 0.5, file))


@pytest.mark.parametrize("name", ["take.mid", "of 100%.mid", "caf\udce9.mid"])
def test_the_recording_that_ran(tmp_path: Path, name: str) -> None:
    """From where it began to the end, for the file that was wanted; and only once."""
    library = Library(tmp_path)
    assert recordings(library) == []
    desk = played(tmp_path, is_ended=False)
    noted(library, desk.scribe.session, tmp_path / name)
    assert recordings(library) == [desk.scribe.session]
    found = recover_recording(library, desk.scribe.session)
    assert found is not None
    assert (found[0].name, found[0].begin, found[0].end, found[0].made) == (
        "take", 0.5, None, "record",
    )  # fmt: skip
    assert found[1] == tmp_path / name
    assert recordings(library) == []


def test_a_recording_that_runs_in_another_process_is_left_to_it(tmp_path: Path) -> None:
    """Each session has a note of its own."""
    library = Library(tmp_path)
    living = OpenPiece(tmp_path, "20990101T000000Z-00000000", 1)
    noted(library, "20990101T000000Z-00000000", tmp_path / "a.mid")
    cut = played(tmp_path, is_ended=False).scribe.session
    noted(library, cut, tmp_path / "b.mid")
    assert recordings(library) == [cut]
    living.close()
    assert recordings(library) == [cut, "20990101T000000Z-00000000"]


@pytest.mark.parametrize("data", [b"", b"nothing of it"])
def test_a_recording_of_which_nothing_can_be_read(tmp_path: Path, data: bytes) -> None:
    """It is told once."""
    library = Library(tmp_path)
    desk = played(tmp_path, is_ended=False)
    noted(library, desk.scribe.session, tmp_path / "take.mid")
    desk.pieces()[0].path.write_bytes(data)
    with pytest.raises(RecordingError, match=r"nothing of the session .* can be read"):
        recover_recording(library, desk.scribe.session)
    assert recordings(library) == []


def test_a_file_that_came_meanwhile_is_not_replaced(tmp_path: Path) -> None:
    library = Library(tmp_path)
    desk = played(tmp_path, is_ended=False)
    noted(library, desk.scribe.session, tmp_path / "take.mid")
    (tmp_path / "take.mid").touch()
    found = recover_recording(library, desk.scribe.session)
    assert found is not None
    assert found[1] == tmp_path / "take-2.mid"


def test_a_recording_that_came_to_its_end(tmp_path: Path) -> None:
    """Or of which nothing was written, or whose note is damaged."""
    library = Library(tmp_path)
    session = played(tmp_path, is_ended=False).scribe.session
    noted(library, "gone", tmp_path / "take.mid")
    assert recordings(library) == ["gone"]
    assert recover_recording(library, "gone") is None
    noted(library, session, tmp_path / "take.mid")
    forget_running(library, session)
    assert recordings(library) == []
    (tmp_path / f"{session}.recording").write_text("{")
    assert recover_recording(library, session) is None
    assert recordings(library) == []
