"""The player's end of the socket to the engine: never blocks, and holds a bounded backlog."""

import select
import socket
import time

from lofid.player.wire import Decoder, Message, encode

BACKLOG_BYTES = 1 << 20
"""Some fifteen thousand reports: ten minutes of a full score while the engine stands still."""


class Link:
    """Messages over a stream socket. To be called from the loop's thread."""

    def __init__(self, engine: socket.socket, backlog_bytes: int = BACKLOG_BYTES) -> None:
        engine.setblocking(False)
        self._engine = engine
        self._decoder = Decoder()
        self._backlog = bytearray()
        self._backlog_bytes = backlog_bytes
        self._lost = 0
        self.is_gone = False
        """The engine has closed its end or died."""

    def fileno(self) -> int:
        """For ``select``."""
        return self._engine.fileno()

    @property
    def has_backlog(self) -> bool:
        """Whether to wait for room in the socket."""
        return bool(self._backlog)

    def tell(self, message: Message) -> None:
        """Queue a report; :meth:`flush` sends it. Over the bound it is counted as lost."""
        line = encode(message)
        if len(self._backlog) + len(line) > self._backlog_bytes:
            self._lost += 1
        else:
            self._backlog += line

    def receive(self) -> list[Message]:
        """Take what the engine said, an empty list for nothing. WireError if it is not JSON."""
        try:
            data = self._engine.recv(1 << 16)
        except BlockingIOError:
            return []
        except OSError:
            data = b""
        self.is_gone = self.is_gone or not data
        return self._decoder.feed(data)

    def flush(self) -> None:
        """Send as much of the backlog as the socket takes now, without waiting."""
        if self.is_gone or not self._backlog:
            return
        try:
            del self._backlog[: self._engine.send(self._backlog)]
        except BlockingIOError:
            return
        except OSError:
            self.is_gone = True
        if self._lost and not self._backlog:
            self._lost, count = 0, self._lost
            self.tell({"is": "lost", "count": count})

    def drain(self, timeout_seconds: float) -> None:
        """Flush before leaving: wait for the engine to read, no longer than the timeout."""
        until = time.monotonic() + timeout_seconds
        self.flush()
        while self.has_backlog and not self.is_gone and (left := until - time.monotonic()) > 0:
            select.select([], [self], [], left)
            self.flush()
