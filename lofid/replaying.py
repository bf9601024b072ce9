"""What ``lofid replay`` does: finds a session's journal, makes the session anew, and compares.

Blocks: composing takes as long as it did, without the waiting.
"""

import errno
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

from lofid import __version__
from lofid.comparison import Comparison, Findings
from lofid.entries import Entry, Header, parse
from lofid.errors import RecordingError, told
from lofid.pieces import Piece, is_being_written, sessions_in
from lofid.predictor import Predictor, default_model_path
from lofid.reading import entries_in
from lofid.records import MOST_BYTES, Record, decode
from lofid.replay import Made, Replay

Progress = Callable[[float], None]
"""Is told how many seconds of the session are compared."""


def find_session(journal: str, folder: Path) -> list[Piece]:
    """Give the pieces of one session: of a piece's file, or by a name, or how a name begins.

    A piece stands for its whole session, as far as its folder has that; one that is called
    otherwise for itself. RecordingError where there is none, or several may be meant.
    """
    path = Path(journal)
    if _is_file(path):
        return _of_file(path)
    found = {n: pieces for n, pieces in sessions_in(folder).items() if n.startswith(journal)}
    if len(found) == 1 and journal:
        return next(iter(found.values()))
    if found and journal:
        raise RecordingError(f"{journal!r} may be {', '.join(found)}: give more of the name")
    what = f"{journal!r} is neither a file nor a session in {told(folder)}"
    raise RecordingError(f"{what}: 'lofid takes --sessions' lists those")


def _is_file(path: Path) -> bool:
    """Whether there is such a file. A name that is too long for one may be a session's."""
    try:
        return path.is_file()
    except OSError as error:
        if error.errno == errno.ENAMETOOLONG:
            return False
        raise RecordingError(f"{told(path)}: cannot be read: {error.strerror}") from error


def _of_file(path: Path) -> list[Piece]:
    for pieces in sessions_in(path.absolute().parent).values():
        if any(piece.path.name == path.name for piece in pieces):
            return pieces
    try:
        with path.open("rb") as file:
            first = next(decode(file.read(MOST_BYTES)), None)
    except OSError as error:
        raise RecordingError(f"{told(path)}: cannot be read: {error.strerror}") from error
    try:
        header = parse(first.payload) if isinstance(first, Record) else None
    except ValueError as error:
        raise RecordingError(f"{told(path)}: {error}") from None
    if not isinstance(header, Header):
        raise RecordingError(f"{told(path)}: is no journal of lofid's; give a session's name")
    return [Piece(header.session, 1, path)]


def replay(
    pieces: Sequence[Piece], model: Path | None, progress: Progress, device: str | None = None
) -> Findings:
    """Make a session anew and compare. RecordingError where it cannot be.

    ``model`` is the file of the model that played, where it is not where it was, and ``device``
    what is to run it, where that is to be another: ModelError or DeviceError by these.
    """
    faults: list[str] = []
    if pieces[0].number != 1:
        first = f"{told(pieces[0].path)} is its piece {pieces[0].number}"
        raise RecordingError(f"the session cannot be made anew: its beginning is gone, {first}")

    def make(made: Made) -> Replay:
        settings = made.settings.engine
        path = model or (Path(settings.model) if settings.model else default_model_path())
        return Replay(Predictor(path, device or made.device), made)

    entries = _followed(entries_in(pieces, faults.append), progress)
    findings = Comparison(make).run(entries, faults)
    with suppress(OSError):
        findings.is_going_on = not findings.is_ended and is_being_written(pieces[-1].path)
    return findings


def _followed(entries: Iterator[Entry], progress: Progress) -> Iterator[Entry]:
    for entry in entries:
        progress(entry.seconds)
        yield entry


def told_findings(findings: Findings) -> str:
    """Say in one line what was found."""
    until = timedelta(seconds=round(findings.seconds))
    counts = (
        f"{findings.inputs} inputs, {findings.composed} notes composed, "
        f"{findings.sounded} sounded, {until}"
    )
    if findings.difference is not None:
        another = f"; lofid {findings.version} played" if findings.version != __version__ else ""
        return f"differs: {findings.difference.line} (identical before: {counts}{another})"
    if findings.stopped:
        return f"identical as far as it can be known: {counts}; then {findings.stopped}"
    if findings.is_ended:
        return f"identical: {counts}"
    return f"identical until {'now' if findings.is_going_on else 'it was cut off'}: {counts}"
