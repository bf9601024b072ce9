"""The recovery: what the last lofid of a name left behind when it did not come to its end.

A session was cut off when it does not say that it ends and nobody writes it. It is looked at once:
then a file beside its pieces says so. What was being recorded is in ``recording.json``, which is
there as long as a recording runs.

Everything here blocks on the disk, for milliseconds.
"""

from contextlib import suppress
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from lofid.errors import RecordingError
from lofid.library import Kept, Library
from lofid.pieces import Piece, is_being_written
from lofid.reading import first_header, is_ended, last_entry
from lofid.wholefile import whole_file

_SEEN = ".seen"


class Running(BaseModel):
    """A recording that runs: which take it will be, from when on, and the file to be made of it."""

    model_config = ConfigDict(frozen=True)

    name: str
    session: str
    begin: float
    file: str


def note_running(library: Library, running: Running) -> None:
    """Say on the disk that a recording runs. RecordingError when that cannot be."""
    with whole_file(_running_path(library)) as unfinished:
        unfinished.touch(mode=0o600)
        unfinished.write_bytes(running.model_dump_json().encode())


def forget_running(library: Library) -> None:
    """Say that none runs any more."""
    with suppress(OSError):
        _running_path(library).unlink(missing_ok=True)


def cut_off(library: Library) -> list[list[Piece]]:
    """Give the pieces of each session that was cut off and not looked at yet, the oldest first."""
    sessions = library.sessions()
    for path in library.folder.glob(f"*{_SEEN}"):
        if path.stem not in sessions:
            with suppress(OSError):
                path.unlink()
    return [pieces for session, pieces in sessions.items() if _is_cut_off(library, session, pieces)]


def _is_cut_off(library: Library, session: str, pieces: list[Piece]) -> bool:
    if _seen_path(library, session).exists():
        return False
    try:
        return not is_ended(pieces) and not is_being_written(pieces[-1].path)
    except OSError:
        return False


def recover(library: Library, pieces: list[Piece]) -> tuple[Kept, str]:
    """Keep a session that was cut off as a take; give it, and a line for people.

    RecordingError when it cannot be kept.
    """
    session = pieces[0].session
    begin, wall_seconds, length = _extent(pieces)
    take = library.keep(
        Kept(
            name=f"cut-off-{session[:15]}",
            session=session,
            unit="seconds",
            begin=begin,
            end=None,
            wall_seconds=wall_seconds,
            made="crash",
        )
    )
    with suppress(OSError):  # then it is found, and kept, once more
        _seen_path(library, session).touch(mode=0o600)
    how = f"the last session was cut off after {length:.0f} s: it is kept as the take {take.name!r}"
    return take, f"{how}; 'lofid export {take.name} OUT.mid' makes a file of it"


def recover_recording(library: Library) -> tuple[Kept, Path] | None:
    """Keep what was being recorded when lofid was cut off as a take; with the file to be made.

    None where nothing was. RecordingError when it cannot be kept.
    """
    try:
        running = Running.model_validate_json(_running_path(library).read_bytes())
    except (OSError, ValidationError):
        return None
    pieces = library.sessions().get(running.session, [])
    if not pieces:
        forget_running(library)
        return None
    _, wall_seconds, _ = _extent(pieces)
    values = {**running.model_dump(exclude={"file"}), "wall_seconds": wall_seconds}
    take = library.keep(Kept(**values, unit="seconds", end=None, made="crash"))
    forget_running(library)
    return take, Path(running.file)


def _extent(pieces: list[Piece]) -> tuple[float, float, float]:
    """Give where a session's pieces begin, when they end by the clock on the wall, and how long."""
    header = next((found for piece in pieces if (found := first_header(piece)) is not None), None)
    if header is None:
        raise RecordingError(f"nothing of the session {pieces[0].session} can be read")
    end = max(getattr(last_entry(pieces[-1]), "seconds", header.seconds), header.seconds)
    return header.seconds, header.wall_seconds + end - header.seconds, end - header.seconds


def _running_path(library: Library) -> Path:
    return library.folder / "recording.json"


def _seen_path(library: Library, session: str) -> Path:
    return library.folder / f"{session}{_SEEN}"
