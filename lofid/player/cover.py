"""The cover: what is played where the engine has not come in time. Pure; no clock, no I/O.

The engine sends its last bar ahead with what it composes, and says up to which tick it has
composed. Should that tick come before more music does, the bar is repeated from there, a beat at a
time; what the engine sends late for a beat that was covered is left out. So a slow model is neither
silence nor a burst.
"""

from collections.abc import Iterable

from lofid.player.agenda import Note
from lofid.player.clock import TICKS_PER_QUARTER
from lofid.player.transport import BAR_TICKS

STRETCH_TICKS = TICKS_PER_QUARTER
"""So much is covered at once: enough not to hurry, little enough to end soon."""


class Cover:
    """How far there is music, and a bar for what lies beyond. To be called from one thread."""

    def __init__(self) -> None:
        self._bar: list[Note] = []
        self._gone_tick = 0
        """Up to where the bar was repeated, or the music has gone, or it is too late."""
        self.until_tick: int | None = None
        """Where music is missing from; None while the engine has not said."""

    def take(self, notes: Iterable[Note], until_tick: int, bar: Iterable[Note]) -> list[Note]:
        """Take what the engine composed, up to a tick, and its last bar, which begins at tick 0.

        Gives the notes without those that begin where the bar was repeated meanwhile.
        """
        self.until_tick = max(until_tick, self._gone_tick)
        self._bar = list(bar)
        return [note for note in notes if note.on_tick >= self._gone_tick]

    def first_after(self, tick: int) -> int:
        """Give the first tick from ``tick`` on that is the engine's to fill."""
        return max(tick, self._gone_tick)

    def skip_to(self, tick: int) -> None:
        """Leave out what lies before a tick: the music has gone there, or it is too late for it."""
        if self.until_tick is not None:
            self._gone_tick = max(self._gone_tick, tick)
            self.until_tick = max(self.until_tick, tick)

    def repeat(self) -> list[Note]:
        """Give the notes of the next stretch, which is composed now as far as anyone waits."""
        assert self.until_tick is not None, "nobody repeats what was never composed"
        begin = self.until_tick
        self.until_tick = begin + STRETCH_TICKS
        if self._bar:  # where nothing is repeated, what comes late is still welcome
            self._gone_tick = self.until_tick
        return sorted(
            (moved for note in self._bar if (moved := _at(note, begin)).on_tick < self.until_tick),
            key=lambda note: note.on_tick,
        )


def _at(note: Note, begin: int) -> Note:
    """Move a note to its place in the bar, at or after ``begin``."""
    on_tick = begin + (note.on_tick - begin) % BAR_TICKS
    length = note.off_tick - note.on_tick
    return Note(on_tick, on_tick + length, note.channel, note.pitch, note.velocity)
