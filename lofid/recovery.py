"""The recovery: what the last lofid of a name left behind when it did not come to its end.

A session was cut off when it does not say that it ends and nobody writes it. It is looked at once:
then a file beside its pieces, ``SESSION.seen``, says so. What it was recording is in
``SESSION.recording``, which is there as long as the recording runs.

Everything here blocks as long as the disk takes. Where its file system has no links, what is kept
is copied.
"""

import os
from contextlib import suppress
from pathlib import Path
from urllib.parse import quote, unquote_to_bytes

from pydantic import BaseModel, ConfigDict, ValidationError

from lofid.errors import RecordingError, told
from lofid.library import Kept, Library, export_hint
from lofid.pieces import Piece, is_being_written
from lofid.reading import first_header, is_ended, last_moment
from lofid.wholefile import unused

_SEEN = ".seen"
_RECORDING = ".recording"


class Running(BaseModel):
    """A recording that runs: which take it will be, from when on, and the file to be made of it.

    ``file`` is as in a URL: JSON knows only text, and a file may be called by any bytes.
    """

    model_config = ConfigDict(frozen=True)

    name: str
    session: str
    begin: float
    file: str

    @classmethod
    def of(cls, name: str, session: str, begin: float, path: Path) -> "Running":
        """Make one for a file."""
        return cls(name=name, session=session, begin=begin, file=quote(os.fsencode(path)))

    @property
    def path(self) -> Path:
        """The file to be made."""
        return Path(os.fsdecode(unquote_to_bytes(self.file)))


def note_running(library: Library, running: Running) -> None:
    """Say on the disk that a recording runs. RecordingError when that cannot be."""
    path = _note_path(library, running.session)
    try:
        path.touch(mode=0o600)
        with path.open("wb") as file:
            file.write(running.model_dump_json().encode())
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise RecordingError(f"{told(path)}: cannot be written: {error.strerror}") from error


def forget_running(library: Library, session: str) -> None:
    """Say that this session records nothing any more."""
    with suppress(OSError):
        _note_path(library, session).unlink(missing_ok=True)


def cut_off(library: Library) -> list[list[Piece]]:
    """Give the pieces of each session that was cut off and not looked at yet, the oldest first."""
    sessions = library.sessions()
    for path in library.folder.glob(f"*{_SEEN}"):
        if path.stem not in sessions:
            with suppress(OSError):
                path.unlink()
    return [pieces for pieces in sessions.values() if _is_cut_off(library, pieces)]


def _is_cut_off(library: Library, pieces: list[Piece]) -> bool:
    if _seen_path(library, pieces[0].session).exists() or _is_going_on(pieces):
        return False
    if is_ended(pieces):
        _see(library, pieces)
        return False
    return True


def _is_going_on(pieces: list[Piece]) -> bool:
    """Whether somebody writes it; so too, for us, when nobody may know."""
    try:
        return is_being_written(pieces[-1].path)
    except OSError:
        return True


def recover(library: Library, pieces: list[Piece]) -> tuple[Kept, str]:
    """Keep a session that was cut off as a take; give it, and a line for people.

    RecordingError when it cannot be kept: then it is found once more, unless there is nothing in
    it to be kept.
    """
    session = pieces[0].session
    if (extent := _extent(pieces)) is None:
        _see(library, pieces)
        raise _nothing_of(session)
    begin, wall_seconds, length = extent
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
    _see(library, pieces)
    how = f"the last session was cut off after {length:.0f} s: it is kept as the take {take.name!r}"
    return take, f"{how}; {export_hint(take.name)} makes a file of it"


def recordings(library: Library) -> list[str]:
    """Give the sessions that say that they record, and that nobody writes; the oldest first."""
    sessions = library.sessions()
    noted = sorted(path.stem for path in library.folder.glob(f"*{_RECORDING}"))
    return [each for each in noted if each not in sessions or not _is_going_on(sessions[each])]


def recover_recording(library: Library, session: str) -> tuple[Kept, Path] | None:
    """Keep what a session was recording when it was cut off as a take; with the file to be made.

    None where there is nothing to be kept. RecordingError when it cannot be kept.
    """
    try:
        running = Running.model_validate_json(_note_path(library, session).read_bytes())
    except (OSError, ValidationError):
        running = None
    pieces = library.sessions().get(session, [])
    if running is None or not pieces:
        forget_running(library, session)
        return None
    if (extent := _extent(pieces)) is None:
        forget_running(library, session)
        raise _nothing_of(session)
    take = library.keep(
        Kept(
            name=running.name,
            session=session,
            unit="seconds",
            begin=running.begin,
            end=None,
            wall_seconds=extent[1],
            made="record",
        )
    )
    forget_running(library, session)
    path = running.path
    with suppress(RecordingError):  # who makes the file says why it cannot be made
        path = unused(path)
    return take, path


def _extent(pieces: list[Piece]) -> tuple[float, float, float] | None:
    """Give where a session's pieces begin, when they end by the clock on the wall, and how long.

    None when nothing of them can be read.
    """
    header = next((found for piece in pieces if (found := first_header(piece)) is not None), None)
    last = last_moment(pieces)
    if header is None or last is None:
        return None
    length = max(last[1] - header.seconds, 0.0)
    return header.seconds, header.wall_seconds + length, length


def _nothing_of(session: str) -> RecordingError:
    return RecordingError(f"nothing of the session {session} can be read")


def _see(library: Library, pieces: list[Piece]) -> None:
    """Say that a session was looked at; where that fails, it is looked at once more."""
    with suppress(OSError):
        _seen_path(library, pieces[0].session).touch(mode=0o600)


def _seen_path(library: Library, session: str) -> Path:
    return library.folder / f"{session}{_SEEN}"


def _note_path(library: Library, session: str) -> Path:
    return library.folder / f"{session}{_RECORDING}"
