"""Pieces: the files that a journal consists of, and their folder.

A piece is called ``20261201T142801Z-5f3a09c1-000002.journal``: the session, which is when it began
(UTC) and a number drawn by lot, and which of its pieces this is. So names sort by time.

Rules:

* A piece belongs to whoever made it, who holds a lock on it while writing; the system gives that
  back with the process. Nobody opens another's piece to write.
* Only their owner may read pieces: 0600, in a folder of 0700.
* The oldest pieces go when there are too many; never one that is being written.
"""

import errno
import os
import re
import secrets
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from platformdirs import user_state_path

from lofid.errors import RecordingError, told

_SESSION = re.compile(r"\d{8}T\d{6}Z-[0-9a-f]{8}", re.ASCII)
_NAME = re.compile(rf"({_SESSION.pattern})-(\d{{6,}})\.journal", re.ASCII)
_sync = getattr(os, "fdatasync", os.fsync)  # macOS has no fdatasync


@dataclass(frozen=True, slots=True)
class Bounds:
    """How much is kept: of all pieces together, and of one piece."""

    total_bytes: int = 2**30
    age_seconds: float = 90 * 86400.0
    piece_bytes: int = 4 * 2**20
    piece_seconds: float = 3600.0

    def __post_init__(self) -> None:
        if self.total_bytes < 2 * self.piece_bytes:
            raise ValueError(f"{self.total_bytes} bytes are not even two pieces")


@dataclass(frozen=True, slots=True, order=True)
class Piece:
    """One file of a session's journal. They sort by session, then as they were written."""

    session: str
    number: int
    path: Path = field(compare=False)


def journal_folder(name: str) -> Path:
    """Where the lofid of this name keeps its journal."""
    return Path(user_state_path("lofid", appauthor=False)) / "journals" / name


def new_session(wall_seconds: float) -> str:
    """Name a session that begins now, unlike any other."""
    began = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(wall_seconds))
    return f"{began}-{secrets.token_hex(4)}"


def is_session(name: str) -> bool:
    """Whether sessions are called so."""
    return _SESSION.fullmatch(name) is not None


def pieces_in(folder: Path) -> list[Piece]:
    """Give all pieces of a folder, in order; none where it is missing. RecordingError else.

    Only files are: a pipe that is called as a piece, or leads there, would keep its reader waiting.
    """
    try:
        with os.scandir(folder) as entries:
            names = [entry.name for entry in entries if entry.is_file(follow_symlinks=False)]
    except FileNotFoundError:
        return []
    except OSError as error:
        raise RecordingError(f"{told(folder)}: cannot be read: {error.strerror}") from error
    matches = [match for match in map(_NAME.fullmatch, names) if match is not None]
    return sorted(Piece(match[1], int(match[2]), folder / match[0]) for match in matches)


def sessions_in(folder: Path) -> dict[str, list[Piece]]:
    """Give each session's pieces, in order, the oldest session first. RecordingError as above."""
    sessions: dict[str, list[Piece]] = {}
    for piece in pieces_in(folder):
        sessions.setdefault(piece.session, []).append(piece)
    return sessions


def is_being_written(path: Path) -> bool:
    """Whether a living process holds this piece. OSError when it cannot be opened."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        _lock(descriptor, is_shared=True)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def prune(folder: Path, session: str, total_bytes: int, before_seconds: float) -> list[Path]:
    """Remove the oldest pieces until the others are ``total_bytes`` at most.

    Also all that were last written before ``before_seconds`` (of the wall clock), but for those of
    ``session``, which goes on: they are the last to go, and never for their age. One that is being
    written stays. Gives what was removed. RecordingError, when all the rest is done, for one that
    could not be.
    """
    found = sorted(_measured(pieces_in(folder)), key=lambda each: each[0].session == session)
    total = sum(status.st_size for _, status in found)
    removed, stuck = [], []
    for piece, status in found:
        is_old = piece.session != session and status.st_mtime < before_seconds
        if total <= total_bytes and not is_old:
            continue
        try:
            if is_being_written(piece.path):
                continue
            piece.path.unlink()
        except FileNotFoundError:
            pass
        except OSError as error:
            stuck.append(f"{told(piece.path)}: cannot be removed: {error.strerror}")
            continue
        total -= status.st_size
        removed.append(piece.path)
    if stuck:
        raise RecordingError(f"{stuck[0]}; the journal grows beyond its bounds")
    return removed


def _measured(pieces: list[Piece]) -> Iterator[tuple[Piece, os.stat_result]]:
    for piece in pieces:
        with suppress(FileNotFoundError):
            yield piece, piece.path.stat()


class OpenPiece:
    """A piece that is being written, locked. One thread at a time; all calls block on the disk."""

    def __init__(self, folder: Path, session: str, number: int) -> None:
        """Make it. OSError when it cannot be, or is there."""
        self.number = number
        self.path = folder / f"{session}-{number:06}.journal"
        self.size = 0
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC
        self._descriptor = os.open(self.path, flags, 0o600)
        try:
            _lock(self._descriptor)
        except OSError:
            self.discard()
            raise

    @classmethod
    def after(cls, folder: Path, session: str, number: int) -> "OpenPiece":
        """Make the next one, and the folder. OSError when it cannot be.

        A number is passed over where a piece is that could not be removed again.
        """
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        while True:
            number += 1
            with suppress(FileExistsError):
                return cls(folder, session, number)

    def append(self, records: list[bytes]) -> None:
        """Write all of these, in one call where the system takes them so, or none of them.

        OSError when it is none, as for a file that is no longer where it was. A disk that takes a
        part and then does not give it up either has that part, and gets it once more elsewhere.
        """
        if not self._is_in_its_place():
            raise FileNotFoundError(errno.ENOENT, "somebody has removed or moved it")
        data = memoryview(b"".join(records))
        written = 0
        try:
            while written < len(data):
                written += os.write(self._descriptor, data[written:])
        except OSError:
            with suppress(OSError):
                os.ftruncate(self._descriptor, self.size)
            raise
        self.size += written

    def _is_in_its_place(self) -> bool:
        try:
            return os.path.samestat(self.path.stat(), os.fstat(self._descriptor))
        except (FileNotFoundError, NotADirectoryError):
            return False

    def duplicate(self) -> int:
        """Give another descriptor of this file, the caller's to close."""
        return os.dup(self._descriptor)

    def close(self) -> None:
        """Bring it to the disk and give the lock back. OSError when it may not be there."""
        try:
            _sync(self._descriptor)
        finally:
            os.close(self._descriptor)

    def discard(self) -> None:
        """Remove it: there is nothing in it."""
        os.close(self._descriptor)
        with suppress(OSError):
            self.path.unlink()


def sync(descriptor: int, folder: Path) -> None:
    """Bring a piece to the disk, and its name, and close it. OSError when it may not be there."""
    try:
        _sync(descriptor)
    finally:
        os.close(descriptor)
    folder_descriptor = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(folder_descriptor)
    finally:
        os.close(folder_descriptor)


def _lock(descriptor: int, is_shared: bool = False) -> None:
    """Take the lock. BlockingIOError when the other way to hold it is in use.

    Its owner waits: others have it only for as long as it takes to ask.
    """
    import fcntl  # noqa: PLC0415  # not there on Windows, where a file can be rendered

    fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB if is_shared else fcntl.LOCK_EX)
