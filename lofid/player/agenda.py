"""The agenda: notes in, note-ons and note-offs out, in lawful order. No clock, no I/O.

The laws, which hold after any sequence of calls:

* each note-on has exactly one note-off, at least a tick later;
* at equal ticks note-offs come before note-ons, and ties keep the order they were added in;
* a note-on for a pitch that sounds on its channel is preceded by that pitch's note-off, and the
  older note's own note-off is forgotten;
* a note that begins no later than the same pitch which already sounds (most often: at the very
  same tick) is not struck again. It only lengthens what sounds: the longer one wins;
* a note that was dropped or replaced before it began gets neither message; where notes have begun
  already, none of those that replace them begins.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from heapq import heapify, heappop, heappush
from itertools import count

from lofid.player.ledger import Debt, Ledger


@dataclass(frozen=True, slots=True)
class Note:
    """A note to be played. ``channel`` is 0 to 15; ValueError for what MIDI cannot say."""

    on_tick: int
    off_tick: int
    channel: int
    pitch: int
    velocity: int

    def __post_init__(self) -> None:
        if self.off_tick <= self.on_tick:
            raise ValueError(f"{self} ends no later than it begins")
        if not (0 <= self.channel < 16 and 0 <= self.pitch < 128 and 0 < self.velocity < 128):
            raise ValueError(f"{self} is outside channel 0-15, pitch 0-127 or velocity 1-127")


@dataclass(frozen=True, slots=True)
class NoteOn:
    """A note-on to be sent, with its nominal tick."""

    tick: int
    channel: int
    pitch: int
    velocity: int


@dataclass(frozen=True, slots=True)
class NoteOff:
    """A note-off to be sent, with its nominal tick."""

    tick: int
    channel: int
    pitch: int


class Score:
    """What is still to begin and what still has to end. To be called from one thread.

    The caller owns time: it asks :meth:`next_tick` when to come back, and sends all that
    :meth:`due` hands out.
    """

    def __init__(self) -> None:
        self._ledger = Ledger()
        self._ons: list[tuple[int, int, Note]] = []
        self._offs: list[tuple[int, int, tuple[int, int]]] = []
        self._orders = count()
        self._begun_tick = -1
        """The latest tick at which a note has begun."""

    @property
    def held(self) -> list[tuple[int, int]]:
        """The (channel, pitch) pairs that sound."""
        return self._ledger.held

    def add(self, notes: Iterable[Note]) -> None:
        """Queue notes; their ticks may also lie in the past, which makes them due at once."""
        for note in notes:
            heappush(self._ons, (note.on_tick, next(self._orders), note))

    def replace(self, tick: int, notes: Iterable[Note]) -> list[Note]:
        """Queue notes in place of all that should begin at ``tick`` or later and has not.

        Gives those that come too late: others have begun at or after their tick, and nothing shall
        sound twice.
        """
        self._ons = [each for each in self._ons if each[0] < tick]
        heapify(self._ons)
        first_tick = max(tick, self._begun_tick + 1)
        given = list(notes)
        self.add(note for note in given if note.on_tick >= first_tick)
        return [note for note in given if note.on_tick < first_tick]

    def next_tick(self) -> int | None:
        """When the next message is due, None if nothing is queued and nothing sounds."""
        while self._offs and not self._ledger.is_owed(self._offs[0][2], self._offs[0][1]):
            heappop(self._offs)
        return min((queue[0][0] for queue in (self._ons, self._offs) if queue), default=None)

    def due(self, tick: int) -> list[NoteOn | NoteOff]:
        """Take out everything due at or before ``tick``, in lawful order."""
        messages: list[NoteOn | NoteOff] = []
        while (at_tick := self.next_tick()) is not None and at_tick <= tick:
            messages += self._leave(at_tick)
        return messages

    def drop_before(self, tick: int) -> list[Note]:
        """Take out the notes that should have begun before ``tick`` and have not: too late."""
        dropped = []
        while self._ons and self._ons[0][0] < tick:
            dropped.append(heappop(self._ons)[2])
        return dropped

    def release(self, tick: int) -> list[NoteOff]:
        """End everything that sounds, now; what is queued stays queued.

        A note that began at ``tick`` itself ends a tick later on paper, so that its length stays
        above zero.
        """
        return [self._end(key, tick) for key in self._ledger.held]

    def _leave(self, tick: int) -> list[NoteOn | NoteOff]:
        """Take out what is due at the earliest tick: all offs, then all ons."""
        offs: list[NoteOn | NoteOff] = []
        ons: list[NoteOn | NoteOff] = []
        while self.next_tick() == tick:
            if self._offs and self._offs[0][0] == tick:
                offs.append(self._end(self._offs[0][2], tick))
            else:
                self._begin(heappop(self._ons)[2], offs, ons)
        return offs + ons

    def _begin(self, note: Note, offs: list[NoteOn | NoteOff], ons: list[NoteOn | NoteOff]) -> None:
        key = (note.channel, note.pitch)
        sounding = self._ledger[key]
        if sounding is not None and note.on_tick <= sounding.on_tick:
            self._owe(key, sounding.on_tick, max(sounding.off_tick, note.off_tick))
            return
        if sounding is not None:
            offs.append(self._end(key, note.on_tick))
        self._owe(key, note.on_tick, note.off_tick)
        self._begun_tick = max(self._begun_tick, note.on_tick)
        ons.append(NoteOn(note.on_tick, *key, note.velocity))

    def _owe(self, key: tuple[int, int], on_tick: int, off_tick: int) -> None:
        debt = Debt(on_tick, off_tick, next(self._orders))
        self._ledger.owe(key, debt)
        heappush(self._offs, (off_tick, debt.order, key))

    def _end(self, key: tuple[int, int], tick: int) -> NoteOff:
        """Settle one debt. Its queued note-off turns stale; :meth:`next_tick` sweeps it out."""
        debt = self._ledger.settle(key)
        return NoteOff(max(tick, debt.on_tick + 1), *key)
