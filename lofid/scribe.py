"""The scribe: writes what happens into a journal, piece by piece.

Rules:

* What is told is only kept in memory. The disk is touched by :meth:`Scribe.flush`,
  :meth:`Scribe.sync` and :meth:`Scribe.close`, which may take as long as a disk can: call the first
  two in a thread, so that nothing that plays waits for them.
* What was flushed survives the process (``kill -9``). What was synced survives the machine.
* Every piece begins with a header of what held at its beginning, so it can be read alone.
* A disk that does not take it never raises, and one that does not answer keeps only its own
  thread waiting. Both are said in :attr:`Scribe.fault`, what was told waits, and a new piece is
  tried every few seconds. That one says in a record ``gap`` why, and how much was lost: nothing,
  unless it took so long that too much waited.
* What is wrong with other pieces than the one that is written is said in :attr:`Scribe.warning`.
"""

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from lofid import __version__
from lofid.entries import FORMAT, parse
from lofid.errors import RecordingError, told
from lofid.holding import Holding
from lofid.pieces import Bounds, OpenPiece, new_session, prune, sync
from lofid.records import FRAME_BYTES, encode
from lofid.waiting import Batch, Waiting

RETRY_SECONDS = 5.0
HANGING_SECONDS = 5.0
"""A disk that takes so long for what is written in half a second has stopped the recording."""
HANGING = "the disk does not answer"
_MICROSECONDS = 6


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
        self.warning: RecordingError | None = None
        self._folder, self._header = folder, header
        self._bounds = bounds or Bounds()
        self._now, self._wall = now, wall
        self._began = now()
        self._holding = Holding()
        self._told: list[bytes] = []
        self._before = self._held()
        parse(self._before[1][FRAME_BYTES:])
        self._waiting = Waiting()
        self._lock = threading.Lock()
        """Whoever has it writes: all below belongs to that one."""
        self._busy_from: float | None = None
        self._fault: RecordingError | None = None
        self._piece: OpenPiece | None = None
        self._piece_began = 0.0
        self._number = 0
        self._why = ""
        """Why nothing could be written, as the next piece is to say."""
        self._retry_at = self._began
        self._is_unsynced = False

    @property
    def fault(self) -> RecordingError | None:
        """Why what is told cannot be written now; any thread."""
        busy_from = self._busy_from
        if busy_from is not None and self._now() - busy_from > HANGING_SECONDS:
            return _said(self._folder, HANGING)
        return self._fault

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
            self._waiting.add(Batch(*self._before, batch))
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
            if self._now() >= self._retry_at:
                self._write_batches()

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
        """Write all, whenever the next try would be, and give the piece back.

        Where the disk hangs, this is left to the flush that waits for it, after a while.
        """
        self.cut()
        if not self._lock.acquire(timeout=HANGING_SECONDS):
            return
        try:
            self._write_batches()
            self.warning = self._close_piece() or self.warning
        finally:
            self._lock.release()

    def _write_batches(self) -> None:
        self._busy_from = self._now()
        try:
            while (batch := self._waiting.take()) is not None:
                self._write_batch(batch)
                self._waiting.put_back(is_written=True)
        except OSError as error:
            self._waiting.put_back(is_written=False)
            self._fail(error)
        finally:
            self._busy_from = None

    def _write_batch(self, batch: Batch) -> None:
        if self._piece is None or batch.lost or self._is_full(self._piece, batch):
            self._turn(batch)
        else:
            self._piece.append(batch.records)
        self._is_unsynced = True

    def _is_full(self, piece: OpenPiece, batch: Batch) -> bool:
        is_old = batch.seconds - self._piece_began >= self._bounds.piece_seconds
        return is_old or piece.size + batch.size > self._bounds.piece_bytes

    def _turn(self, batch: Batch) -> None:
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
        self._why = ""
        self._fault = None

    def _told_gap(self, batch: Batch) -> list[bytes]:
        if not self._why and not batch.lost:
            return []
        begin = batch.lost_from if batch.lost else batch.seconds
        values = {"seconds": batch.seconds, "from_seconds": begin, "records": batch.lost}
        return [encode("gap", {**values, "why": self._why or HANGING})]

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
        why = error.strerror or str(error)
        self._fault = _said(self._folder if self._piece is None else self._piece.path, why)
        self._why = self._why or why
        self._retry_at = self._now() + RETRY_SECONDS
        self._close_piece()  # if that fails too, why is said already


def _unsure(path: Path, error: OSError) -> RecordingError:
    why = error.strerror or str(error)
    return RecordingError(f"{told(path)}: may not be whole on the disk: {why}")


def _said(path: Path, why: str) -> RecordingError:
    advice = "what was recorded until now is kept, and lofid goes on trying"
    return RecordingError(f"{told(path)}: cannot be written: {why}; {advice}")
