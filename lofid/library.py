"""The library: the takes and the sessions of one lofid, in the folder of its journal.

A take is a folder in ``takes``, called by its name, with ``take.json``, which says from when to
when it goes, and with the pieces of the session's journal that hold it. Where the file system can,
these are links: they cost nothing while the journal has them too, and stay when it lets them go.

Everything here blocks as long as the disk takes: for milliseconds where pieces are linked, for
longer where they are copied, or read as a transcript.
"""

import os
import shlex
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from datetime import datetime
from itertools import chain, count
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from lofid.errors import RecordingError, told
from lofid.excerpt import between_seconds, between_ticks
from lofid.music import BAR_TICKS
from lofid.pieces import Piece, is_session, pieces_in, sessions_in
from lofid.reading import first_header, reaching_back, reaching_tick
from lofid.span import Span
from lofid.transcript import Transcript, read_transcript

LONGEST_NAME_BYTES = 120
STALE_SECONDS = 3600.0
"""What was left unfinished for so long is nobody's work any more."""
_TAKE = "take.json"


class Kept(BaseModel):
    """One take: from where to where in its session, by seconds or by ticks; None is the end.

    ``end_seconds`` is the second of an end in ticks: while the music stands, what is played is all
    at one tick. ``wall_seconds`` is when it ended, by the clock on the wall; ``made`` is why it is
    there.
    """

    model_config = ConfigDict(frozen=True, allow_inf_nan=False)

    name: str
    session: str
    unit: Literal["seconds", "ticks"]
    begin: float
    end: float | None
    end_seconds: float | None = None
    wall_seconds: float
    made: Literal["record", "keep", "crash"]

    @property
    def length(self) -> Span | None:
        """How long it is; None for one that goes on to its session's end."""
        if self.end is None:
            return None
        if self.unit == "ticks":
            return Span(bars=round((self.end - self.begin) / BAR_TICKS, 2))
        return Span(seconds=self.end - self.begin)


class Library:
    """One lofid's. ``folder`` is its journal's; it need not be there yet."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.takes_folder = folder / "takes"

    def takes(self, tell: Callable[[str], None] = lambda _line: None) -> list[Kept]:
        """Give all takes that can be read, the oldest first; ``tell`` gets a line for each other.

        RecordingError when there is no looking.
        """
        try:
            names = sorted(path.name for path in self.takes_folder.iterdir())
        except FileNotFoundError:
            return []
        except OSError as error:
            what = f"cannot be read: {error.strerror}"
            raise RecordingError(f"{told(self.takes_folder)}: {what}") from error
        takes = []
        for name in names:
            if name.startswith("."):  # not finished, or not deleted to the end
                continue
            try:
                takes.append(self.take(name))
            except RecordingError as error:
                tell(str(error))
        return sorted(takes, key=lambda take: take.wall_seconds)

    def sessions(self) -> dict[str, list[Piece]]:
        """Give the sessions that the journal holds, the oldest first."""
        return sessions_in(self.folder)

    def take(self, name: str) -> Kept:
        """Give one take. RecordingError when there is none of the name."""
        if is_session(name):
            raise RecordingError(_no_take(name))
        check_take_name(name)
        path = self.takes_folder / name / _TAKE
        try:
            return Kept.model_validate_json(path.read_bytes())
        except FileNotFoundError:
            if path.parent.is_dir():
                raise RecordingError(f"{told(path)}: is missing; 'lofid takes --delete'") from None
            raise RecordingError(_no_take(name)) from None
        except OSError as error:
            raise RecordingError(f"{told(path)}: cannot be read: {error.strerror}") from error
        except ValidationError:
            raise RecordingError(f"{told(path)}: is damaged; 'lofid takes --delete'") from None

    def keep(self, take: Kept) -> Kept:
        """Keep a take: under its name, or ``NAME-2`` and so on where there is one; gives it so.

        What was not flushed yet is not in it. RecordingError when it cannot be kept.
        """
        check_take_name(take.name)
        pieces = self._pieces_of(take)
        if not pieces:
            raise RecordingError(f"nothing of the session {take.session} was written to be kept")
        try:
            return self._put(take, pieces)
        except OSError as error:
            why = f"cannot be written: {error.strerror or error}"
            raise RecordingError(f"{told(self.takes_folder)}: {why}") from error

    def _pieces_of(self, take: Kept) -> list[Piece]:
        pieces = self.sessions().get(take.session, [])
        if take.unit == "ticks":
            pieces = reaching_tick(pieces, int(take.begin)) if pieces else []
        else:
            pieces = reaching_back(pieces, take.begin) if pieces else []
        return [piece for piece in pieces if _begins_before(piece, take)]

    def _put(self, take: Kept, pieces: Sequence[Piece]) -> Kept:
        self.takes_folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        unfinished = Path(tempfile.mkdtemp(prefix=".", dir=self.takes_folder))
        try:
            for piece in pieces:
                _link(piece.path, unfinished / piece.path.name)
            for name in self._names(take.name):
                named = take.model_copy(update={"name": name})
                (unfinished / _TAKE).touch(mode=0o600)
                with (unfinished / _TAKE).open("w") as file:
                    file.write(named.model_dump_json(indent=1))
                    file.flush()
                    os.fsync(file.fileno())
                try:
                    unfinished.rename(self.takes_folder / name)
                except OSError:
                    if not (self.takes_folder / name).exists():
                        raise
                    continue  # another one of this name has come meanwhile
                return named
        finally:
            shutil.rmtree(unfinished, ignore_errors=True)
        raise AssertionError("names never end")

    def _names(self, name: str) -> Iterator[str]:
        for each in chain([name], (f"{name}-{n}" for n in count(2))):
            if not (self.takes_folder / each).exists():
                yield each

    def delete(self, name: str) -> None:
        """Delete a take; what the journal has of it stays there. RecordingError if it cannot be.

        It is gone at once: what a crash leaves of it is under no take's name.
        """
        check_take_name(name)
        folder = self.takes_folder / name
        if not folder.is_dir():
            raise RecordingError(_no_take(name))
        try:
            doomed = Path(tempfile.mkdtemp(prefix=".", dir=self.takes_folder))
            folder.rename(doomed / name)  # a link goes, and not what it leads to
            shutil.rmtree(doomed)
        except OSError as error:
            raise RecordingError(f"{told(folder)}: cannot be removed: {error.strerror}") from error

    def transcript(self, name: str) -> Transcript:
        """Read a take, or a whole session. RecordingError when there is neither. Takes long."""
        if (pieces := self.sessions().get(name)) is not None:
            return read_transcript(pieces)
        take = self.take(name)
        whole = read_transcript(pieces_in(self.takes_folder / name))
        return _cut(whole, take)

    def tidy(self) -> None:
        """Remove what a crash left unfinished; not what another process may be working on."""
        before_seconds = time.time() - STALE_SECONDS
        for path in self.takes_folder.glob(".*"):
            with suppress(OSError):
                if path.stat().st_mtime < before_seconds:
                    shutil.rmtree(path, ignore_errors=True)

    def forget_crashes(self, before_seconds: float) -> None:
        """Delete the takes that a crash made before this time of the wall clock, and no others."""
        for take in self.takes():
            path = self.takes_folder / take.name / _TAKE
            with suppress(OSError, RecordingError):
                if take.made == "crash" and path.stat().st_mtime < before_seconds:
                    self.delete(take.name)


def span_take(
    span: Span, session: str, tick: int, seconds: float, wall_seconds: float, name: str
) -> Kept:
    """Give the take of a span that ends at a tick, and at a second, of a session.

    RecordingError for a name that no take can have.
    """
    stamp = datetime.fromtimestamp(wall_seconds).astimezone().strftime("%Y-%m-%d-%H%M%S")
    name = name or f"kept-{stamp}"
    check_take_name(name)
    what: dict[str, Any] = {"name": name, "session": session, "made": "keep"}
    what |= {"wall_seconds": wall_seconds}
    if span.bars is not None:
        begin_tick = max(0, tick - round(span.bars * BAR_TICKS))
        return Kept(**what, unit="ticks", begin=begin_tick, end=tick, end_seconds=seconds)
    begin = max(0.0, seconds - (span.seconds or 0.0))
    return Kept(**what, unit="seconds", begin=begin, end=seconds)


def export_hint(name: str) -> str:
    """Say how a file is made of a take, or of a session, as it is typed into a shell."""
    command = f"lofid export {shlex.quote(name)} OUT.mid"
    return command if "'" in command else f"'{command}'"


def kept_line(take: Kept, whose: str = "") -> str:
    """Say what was kept: a session may be shorter than what was wanted."""
    how = f"{export_hint(take.name)} makes a file of it"
    return f"kept the last {take.length}{whose} as the take {take.name!r}; {how}"


def _no_take(name: str) -> str:
    if is_session(name):
        return f"no session is called {name!r}: see 'lofid takes --sessions'"
    return f"no take is called {name!r}: see 'lofid takes', and 'lofid takes --sessions'"


def check_take_name(name: str) -> None:
    """RecordingError for a text that no take can be called by."""
    if is_session(name):
        raise RecordingError(f"a take cannot be called {name!r}: sessions are called so")
    is_short = 0 < len(name.encode(errors="replace")) <= LONGEST_NAME_BYTES
    if not is_short or not name.isprintable() or "/" in name or name[0] in ".-":
        raise RecordingError(
            f"a take cannot be called {name!r}: give up to {LONGEST_NAME_BYTES} letters "
            "without '/', the first no dot and no dash"
        )


def _begins_before(piece: Piece, take: Kept) -> bool:
    """Whether a piece may hold some of a take that ends somewhere."""
    header = None if take.end is None else first_header(piece)
    if header is None or take.end is None:
        return True
    return (header.tick if take.unit == "ticks" else header.seconds) <= take.end


def _cut(whole: Transcript, take: Kept) -> Transcript:
    if take.unit == "ticks":
        end_tick = whole.end.tick if take.end is None else int(take.end)
        if take.end_seconds is None:
            return between_ticks(whole, int(take.begin), max(end_tick, int(take.begin) + 1))
        return between_ticks(whole, int(take.begin), end_tick, take.end_seconds)
    end = whole.end.seconds if take.end is None else take.end
    return between_seconds(whole, take.begin, max(end, take.begin + 1e-6))


def _link(source: Path, target: Path) -> None:
    """Give a file another name; where a file system has no links, copy it."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)
        target.chmod(0o600)
