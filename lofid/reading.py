"""Reading a journal: the entries in its pieces, in the order in which they were written.

Rules:

* What cannot be read is told, a line for each place, and what follows it is read.
* A record torn off at the end is what a crash leaves, and no fault. In a piece that others follow
  it is one, unless the next says by a gap what happened.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from lofid.entries import End, Entry, Gap, Header, Timed, parse
from lofid.errors import RecordingError, told
from lofid.music import BAR_TICKS
from lofid.pieces import Piece
from lofid.records import MOST_BYTES, Damage, decode

LARGEST_PIECE_BYTES = 2**26
"""A piece is some megabytes. What is called so and is larger is none."""
TAIL_BYTES = 2**16
SLACK_SECONDS = 2.0
"""What happens is told within less, so where a piece begins is not known more exactly."""

Tell = Callable[[str], None]


def entries_in(pieces: Sequence[Piece], tell: Tell) -> Iterator[Entry]:
    """Give the entries of one session's pieces; ``tell`` gets a line for each fault.

    The first is always a header. Blocks only as long as the disk takes.
    """
    is_begun = False
    torn: list[str] = []
    for piece, before in zip(pieces, [None, *pieces], strict=False):
        if before is not None and piece.number != before.number + 1:
            tell(
                f"{told(piece.path)}: is the session's piece {piece.number}, after {before.number}"
            )
        torn_before, torn = torn, []
        for entry in _entries(piece, tell, torn.append):
            is_begun |= isinstance(entry, Header)
            if isinstance(entry, Gap):
                torn_before.clear()
            elif not isinstance(entry, Header):
                _tell_all(torn_before, tell)
            if is_begun:
                yield entry


def _tell_all(lines: list[str], tell: Tell) -> None:
    for line in lines:
        tell(line)
    lines.clear()


def reaching_back(pieces: Sequence[Piece], seconds: float) -> list[Piece]:
    """Give the pieces of one session that hold what happened from ``seconds`` on."""
    return _reaching(pieces, lambda header: header.seconds < seconds - SLACK_SECONDS)


def reaching_tick(pieces: Sequence[Piece], tick: int) -> list[Piece]:
    """Give the pieces of one session that hold what happened from ``tick`` on."""
    return _reaching(pieces, lambda header: header.tick < tick - BAR_TICKS)


def _reaching(pieces: Sequence[Piece], is_before: Callable[[Header], bool]) -> list[Piece]:
    for index in range(len(pieces) - 1, 0, -1):
        header = first_header(pieces[index])
        if header is not None and is_before(header):
            return list(pieces[index:])
    return list(pieces)


def first_header(piece: Piece) -> Header | None:
    """Read what held where a piece begins; None where that cannot be read."""
    try:
        data = _read(piece.path, MOST_BYTES)
    except RecordingError:
        return None
    entry = next(_parsed(piece, data, _unheard, _unheard), None)
    return entry if isinstance(entry, Header) else None


def last_entry(piece: Piece) -> Entry | None:
    """Read the last whole record of a piece; None where there is none in its last 64 KiB."""
    try:
        with piece.path.open("rb") as file:
            file.seek(max(0, piece.path.stat().st_size - TAIL_BYTES))
            data = file.read(TAIL_BYTES)
    except OSError:
        return None
    payloads = [found.payload for found in decode(data) if not isinstance(found, Damage)]
    try:
        return parse(payloads[-1]) if payloads else None
    except ValueError:
        return None


def last_moment(pieces: Sequence[Piece]) -> tuple[int, float] | None:
    """Give the tick and the second where a session's pieces end; None where none can be read.

    As a transcript has it: not the last record counts, which may have no tick, nor the last piece,
    which may be empty or torn off, but the last of both that can be read.
    """
    last: tuple[int, float] | None = None
    for entry in _backwards(pieces):
        if last is None:
            last = entry.tick, entry.seconds
        elif entry.seconds < last[1] - SLACK_SECONDS:
            break
        last = max(last[0], entry.tick), max(last[1], entry.seconds)
    return last


def _backwards(pieces: Sequence[Piece]) -> Iterator[Header | Timed]:
    for piece in reversed(pieces):
        if first_header(piece) is None:
            continue
        try:
            data = _read(piece.path, LARGEST_PIECE_BYTES)
        except RecordingError:
            continue
        for found in reversed(list(decode(data))):
            with suppress(ValueError):
                entry = None if isinstance(found, Damage) else parse(found.payload)
                if isinstance(entry, Header | Timed):
                    yield entry


def is_ended(pieces: Sequence[Piece]) -> bool:
    """Whether a session said that it ends; else it goes on, or was cut off."""
    return isinstance(last_entry(pieces[-1]), End)


def _unheard(_line: str) -> None:
    """Whoever reads on is told."""


def _entries(piece: Piece, tell: Tell, tell_torn: Tell) -> Iterator[Entry]:
    """Give one piece's entries; none of a piece that cannot be one of this session's."""
    try:
        data = _read(piece.path, LARGEST_PIECE_BYTES + 1)
    except RecordingError as error:
        tell(str(error))
        return
    if len(data) > LARGEST_PIECE_BYTES:
        tell(f"{told(piece.path)}: is too large for a piece of a journal; it is left out")
        return
    yield from _parsed(piece, data, tell, tell_torn)


def _parsed(piece: Piece, data: bytes, tell: Tell, tell_torn: Tell) -> Iterator[Entry]:
    for found in decode(data):
        if isinstance(found, Damage):
            line = f"{found.length} bytes are damaged or torn off; they are left out"
            (tell_torn if found.is_last else tell)(f"{_place(piece, found.offset)}: {line}")
            continue
        try:
            entry = parse(found.payload)
        except ValueError as error:
            what = "the piece" if found.offset == 0 else "it"
            tell(f"{_place(piece, found.offset)}: {error}; {what} is left out")
            if found.offset == 0:
                return
            continue
        if isinstance(entry, Header) and entry.session != piece.session:
            whose = f"is of session {entry.session!r}"
            tell(f"{_place(piece, found.offset)}: {whose}; the piece is left out")
            return
        yield entry


def _place(piece: Piece, offset: int) -> str:
    return f"{told(piece.path)}, byte {offset}"


def _read(path: Path, most_bytes: int) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(most_bytes)
    except OSError as error:
        raise RecordingError(f"{told(path)}: cannot be read: {error.strerror}") from error
