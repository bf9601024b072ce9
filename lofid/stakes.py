"""The stakes: which notes may sound should the player die without a word. Pure.

A player tells of a message when it hands it over, and on some systems it leaves a little later. So
a note whose note-off was told of may still sound if the player died in between; a note-off too many
does no harm. Called from the engine's thread; ``now`` is a monotonic clock in seconds.
"""

from collections import deque
from collections.abc import Callable, Iterable, Sequence

Key = tuple[int, int]
"""Channel, 0 to 15, and pitch."""

NOTE_OFF, NOTE_ON = 0x80, 0x90

DOUBT_SECONDS = 6.0
"""Longer than any latency, and than a player may take to leave before it is killed."""


class Stakes:
    """What is owed a note-off, by what the player told."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._owed: dict[Key, None] = {}
        self._ended: deque[tuple[float, Key]] = deque()

    @property
    def owed(self) -> list[Key]:
        """The notes that sound, by what was told."""
        return list(self._owed)

    def on(self, key: Key) -> None:
        """Take a note-on that was handed over."""
        self._owed[key] = None

    def off(self, key: Key) -> None:
        """Take a note-off that was handed over, and may not have left."""
        self._owed.pop(key, None)
        self._ended.append((self._now(), key))
        self._forget()

    def at_stake(self, untold: Iterable[Key]) -> list[Key]:
        """List what may sound: also what was due, and died with the player ``untold``."""
        self._forget()
        ended = {key: None for _, key in self._ended}
        return list(self._owed | dict.fromkeys(untold) | ended)

    def clear(self) -> None:
        """Forget all: somebody ends it."""
        self._owed.clear()
        self._ended.clear()

    def _forget(self) -> None:
        while self._ended and self._ended[0][0] < self._now() - DOUBT_SECONDS:
            self._ended.popleft()


class ThruStakes:
    """What thru may hold, by what the player heard. ``channel`` is thru's, 0 to 15; None for none.

    A key that thru did not pass on counts too: its note-off does no harm.
    """

    def __init__(self, now: Callable[[], float], channel: int | None, transpose: int) -> None:
        self._stakes = Stakes(now)
        self._channel = channel
        self._transpose = transpose

    def hear(self, data: Sequence[int]) -> None:
        """Take a message [status, data 1, data 2] that was heard."""
        kind, pitch = data[0] & 0xF0, data[1] + self._transpose
        if self._channel is None or not 0 <= pitch < 128:
            return
        if kind == NOTE_ON:
            self._stakes.on((self._channel, pitch))
        elif kind == NOTE_OFF:
            self._stakes.off((self._channel, pitch))

    def at_stake(self) -> list[Key]:
        """List what may sound."""
        return self._stakes.at_stake(())

    def clear(self) -> None:
        """Forget all: somebody ends it."""
        self._stakes.clear()
