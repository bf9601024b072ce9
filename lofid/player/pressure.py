"""The pressure: aftertouch, as the hand moves and not as fast as a keyboard can tell. Pure; no I/O.

Some keyboards tell hundreds of times a second how hard a key is held, and some do so for each key.
Where they tell more than can be of use, the newest of each key and channel waits for its turn, and
takes the place of those before; what it comes to in the end is always told.
"""

from lofid.player.midi import KEY_PRESSURE

LEAST_SECONDS = 0.01
"""One in so long, of all keys together."""

Heard = tuple[float, list[int]]
"""When, and the message, as :func:`lofid.player.midi.heard` gives it."""


class Pressure:
    """Thins out. To be called from one thread, in the order of time."""

    def __init__(self) -> None:
        self._waiting: dict[tuple[int, ...], Heard] = {}
        self._free_seconds = 0.0
        """From when on there is room for the next."""

    def hear(self, seconds: float, data: list[int]) -> None:
        """Take one: of a key, or of a channel."""
        is_of_key = data[0] & 0xF0 == KEY_PRESSURE
        whose = tuple(data[:2] if is_of_key else data[:1])
        self._waiting.pop(whose, None)
        self._waiting[whose] = seconds, data

    def take(self, now_seconds: float) -> list[Heard]:
        """Take out what is to be told by now, oldest first; all of it, or none of it yet."""
        if not self._waiting or now_seconds < self._free_seconds:
            return []
        taken, self._waiting = list(self._waiting.values()), {}
        newest_seconds, _ = taken[-1]
        self._free_seconds = max(self._free_seconds, newest_seconds) + LEAST_SECONDS * len(taken)
        return taken
