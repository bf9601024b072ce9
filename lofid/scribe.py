"""The scribe: writes what happens into a journal, piece by piece.

Rules:

* What is told is only kept in memory. The disk is touched by :meth:`Scribe.flush`,
  :meth:`Scribe.sync` and :meth:`Scribe.close`, which may take as long as a disk can: call the first
  two in a thread, so that nothing that plays waits for them.
* What was flushed survives the process (``kill -9``). What was synced survives the machine.
* Every piece begins with a header of what held at its beginning, so it can be read alone.
* A disk that does not take it never raises: it is said in :attr:`Scribe.fault`, what was told
  waits, and a new piece is tried every few seconds. That one says in a record ``gap`` why, and how
  much was lost: nothing, unless it took so long that too much waited.
* What is wrong with other pieces than the one that is written is said in :attr:`Scribe.warning`.
"""

import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lofid import __version__
from lofid.entries import FORMAT, parse
from lofid.errors import RecordingError, told
from lofid.holding import Holding
from lofid.pieces import Bounds, OpenPiece, new_session, prune, sync
from lofid.records import FRAME_BYTES, encode

RETRY_SECONDS = 5.0
MOST_WAITING_BYTES = 2**20
"""So much waits for a disk that takes nothing: about a quarter of an hour of music."""
_MICROSECONDS = 6


@dataclass(slots=True)
class _Batch:
    """What was told between two cuts, and a header of what held before it."""

    seconds: float
    header: bytes
    records: list[bytes]

    @property
    def size(self) -> int:
        return len(self.header) + sum(map(len, self.records))


@dataclass(slots=True)
class _Gap:
    """Why nothing could be written, and what was lost by it."""

    why: str
    records: int = 0
    from_seconds: float | None = None


class Scribe:
    """Writes one session's journal. Does not raise for what a disk can do.

    :meth:`write`, :meth:`cut` and :meth:`close` are for one thread, the engine's; :meth:`flush` and
    :meth:`sync` for any.
    """

    def __init__(
        self,
        folder: Path,
        header: Callable[[], dict[str, Any]],
        bounds: Bounds | None = None,
        now: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
    ) -> None:
        """Begin a session; its first piece is made when there is something to write.

        ``header`` gives what holds now, as plain values: called here and at each cut, in the
        engine's thread. ``now`` is monotonic, ``wall`` the time of day, both in seconds.
        ValueError when ``header`` does not give what :class:`lofid.entries.Header` has.
        """
        self._wall_began = wall()
        self.session = new_session(self._wall_began)
        self.fault: RecordingError | None = None
        self.warning: RecordingError | None = None
        self._folder, self._header = folder, header
        self._bounds = bounds or Bounds()
        self._now, self._wall = now, wall
        self._began = now()
        self._holding = Holding()
        self._told: list[bytes] = []
        self._before = self._held()
        parse(self._before[1][FRAME_BYTES:])
        self._cut: deque[_Batch] = deque()
        """What :meth:`flush` has not seen yet: all else below is its own, behind the lock."""
        self._batches: deque[_Batch] = deque()
        self._lock = threading.Lock()
        self._piece: OpenPiece | None = None
        self._piece_began = 0.0
        self._number = 0
        self._gap: _Gap | None = None
        self._retry_at = self._began
        self._is_unsynced = False

    @property
    def seconds(self) -> float:
        """How long the session has lasted."""
        return self._now() - self._began

    def seconds_at(self, moment: float) -> float:
        """Turn a time of the monotonic clock into the session's."""
        return moment - self._began

    def write(self, what: str, **values: Any) -> None:
        """Keep a record; it happens now, unless it says its ``seconds``. Does not touch the disk.

        TypeError or ValueError for what JSON cannot say.
        """
        values["seconds"] = round(values.get("seconds", self.seconds), _MICROSECONDS)
        self._told.append(encode(what, values))
        self._holding.follow(what, values)

    def cut(self) -> None:
        """Hand over to :meth:`flush` what was told until now. Does not touch the disk."""
        if self._told:
            batch, self._told = self._told, []
            self._cut.append(_Batch(*self._before, batch))
        self._before = self._held()

    def _held(self) -> tuple[float, bytes]:
        """Give the time, and the header that a piece has which begins now."""
        seconds = round(self.seconds, _MICROSECONDS)
        whose = {"format": FORMAT, "lofid": __version__, "session": self.session}
        times = {"seconds": seconds, "wall_seconds": round(self._wall(), _MICROSECONDS)}
        held = {**self._header(), **self._holding.values()}
        return seconds, encode("header", {**whose, **times, **held})

    def flush(self) -> None:
        """Write what was cut off. Blocks as long as the disk does; any thread, in turn."""
        with self._lock:
            self._take_in()
            if self._now() >= self._retry_at:
                self._write_batches()
            self._forget_what_is_too_much()

    def sync(self) -> None:
        """Bring what was flushed to the disk itself. Blocks long; any thread, beside a flush."""
        with self._lock:
            piece = self._piece
            if piece is None or not self._is_unsynced:
                return
            self._is_unsynced = False
            try:
                descriptor = piece.duplicate()
            except OSError as error:
                self._fail(error)
                return
        try:
            sync(descriptor, self._folder)
        except OSError as error:
            with self._lock:
                if self._piece is piece:
                    self._fail(error)
                else:
                    self.warning = _unsure(piece.path, error)

    def close(self) -> None:
        """Write all, whenever the next try would be, and give the piece back."""
        self.cut()
        with self._lock:
            self._take_in()
            self._write_batches()
            self.warning = self._close_piece() or self.warning

    def _take_in(self) -> None:
        while self._cut:
            self._batches.append(self._cut.popleft())

    def _write_batches(self) -> None:
        try:
            while self._batches:
                self._write_batch(self._batches[0])
                self._batches.popleft()
        except OSError as error:
            self._fail(error)

    def _write_batch(self, batch: _Batch) -> None:
        if self._piece is None or self._is_full(self._piece, batch):
            self._turn(batch)
        else:
            self._piece.append(batch.records)
        self._is_unsynced = True

    def _is_full(self, piece: OpenPiece, batch: _Batch) -> bool:
        is_old = batch.seconds - self._piece_began >= self._bounds.piece_seconds
        return is_old or piece.size + batch.size > self._bounds.piece_bytes

    def _turn(self, batch: _Batch) -> None:
        """Begin a new piece with what held before the batch, and with the batch."""
        self.warning = self._close_piece() or self._prune()
        piece = OpenPiece.after(self._folder, self.session, self._number)
        try:
            piece.append([batch.header, *self._told_gap(batch), *batch.records])
        except OSError:
            piece.discard()
            raise
        self._piece, self._piece_began = piece, batch.seconds
        self._number = piece.number
        self._gap = None
        self.fault = None

    def _told_gap(self, batch: _Batch) -> list[bytes]:
        if (gap := self._gap) is None:
            return []
        begin = batch.seconds if gap.from_seconds is None else gap.from_seconds
        values = {"seconds": batch.seconds, "from_seconds": begin, "records": gap.records}
        return [encode("gap", {**values, "why": gap.why})]

    def _prune(self) -> RecordingError | None:
        """Make room for a whole piece. That the clock on the wall is set ahead ages nothing."""
        bounds = self._bounds
        now = min(self._wall(), self._wall_began + self.seconds)
        most_bytes = bounds.total_bytes - bounds.piece_bytes
        try:
            prune(self._folder, self.session, most_bytes, now - bounds.age_seconds)
        except RecordingError as error:
            return error
        return None

    def _close_piece(self) -> RecordingError | None:
        piece, self._piece = self._piece, None
        if piece is None:
            return None
        try:
            piece.close()
        except OSError as error:
            return _unsure(piece.path, error)
        return None

    def _fail(self, error: OSError) -> None:
        """Leave the piece as it is, say why, and try again in a while."""
        self.fault = _said(self._folder if self._piece is None else self._piece.path, error)
        self._gap = self._gap or _Gap(error.strerror or str(error))
        self._retry_at = self._now() + RETRY_SECONDS
        self._close_piece()  # if that fails too, why is said already

    def _forget_what_is_too_much(self) -> None:
        size = sum(batch.size for batch in self._batches)
        while self._gap is not None and size > MOST_WAITING_BYTES:
            batch = self._batches.popleft()
            size -= batch.size
            self._gap.records += len(batch.records)
            if self._gap.from_seconds is None:
                self._gap.from_seconds = batch.seconds


def _unsure(path: Path, error: OSError) -> RecordingError:
    why = error.strerror or str(error)
    return RecordingError(f"{told(path)}: may not be whole on the disk: {why}")


def _said(path: Path, error: OSError) -> RecordingError:
    advice = "what was recorded until now is kept, and lofid goes on trying"
    why = error.strerror or str(error)
    return RecordingError(f"{told(path)}: cannot be written: {why}; {advice}")
