"""What was told and is not on the disk yet: bounded, and what is lost by that is counted. No I/O.

Any thread may call, and none waits for the disk here.
"""

import threading
from collections import deque
from dataclasses import dataclass

MOST_WAITING_BYTES = 3 * 2**20
"""So much waits for a disk that takes nothing: about a quarter of an hour of music."""


@dataclass(slots=True)
class Batch:
    """What was told between two cuts, and a header of what held before it."""

    seconds: float
    header: bytes
    records: list[bytes]
    lost: int = 0
    """How many records just before it were lost."""
    lost_from: float = 0.0

    @property
    def size(self) -> int:
        """In bytes."""
        return len(self.header) + sum(map(len, self.records))


class Waiting:
    """Batches in the order in which they were told."""

    def __init__(self) -> None:
        self._batches: deque[Batch] = deque()
        self._size = 0
        self._is_first_in_hand = False
        self._lock = threading.Lock()

    def add(self, batch: Batch) -> None:
        """Have one more wait. Where that is too much the oldest are lost, but for one in hand."""
        with self._lock:
            self._batches.append(batch)
            self._size += batch.size
            oldest = int(self._is_first_in_hand)
            while self._size > MOST_WAITING_BYTES and len(self._batches) > oldest + 1:
                self._lose(oldest)

    def _lose(self, place: int) -> None:
        batch, following = self._batches[place], self._batches[place + 1]
        following.lost_from = batch.lost_from if batch.lost else batch.seconds
        following.lost += batch.lost + len(batch.records)
        del self._batches[place]
        self._size -= batch.size

    def take(self) -> Batch | None:
        """Take the oldest in hand, to write it; None where there is none."""
        with self._lock:
            self._is_first_in_hand = bool(self._batches)
            return self._batches[0] if self._batches else None

    def put_back(self, is_written: bool) -> None:
        """Give what was taken out of the hand again: it is written, or goes on waiting."""
        with self._lock:
            self._is_first_in_hand = False
            if is_written:
                self._size -= self._batches.popleft().size
