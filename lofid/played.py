"""The played: what a person played, and what of it the context is yet to be told. Pure.

How long something was is known when it ends, which is not worth hearing all that came after it
anew. It is due when something else is heard: then that has to be heard anyway.
"""

from lofid.context import Entry
from lofid.music import Event, nearest_place


def placed(event: Event, swing_percent: float) -> tuple[int, int]:
    """Give onset and length on the grid of what was played to the swing that is heard."""
    ends = (event.onset_ticks, event.onset_ticks + event.length_ticks)
    onset, end = (nearest_place(ticks, swing_percent) for ticks in ends)
    return onset, max(1, end - onset)


class Played:
    """The last events of one person, by their numbers. Belongs to one composer."""

    def __init__(self, most: int) -> None:
        """Remember so many events at most."""
        self.events: dict[int, Event] = {}
        self._most = most
        self._late: dict[int, Entry] = {}
        """What is known better than it is in the context."""
        self._due: dict[int, Entry] = {}
        """The same, and something was heard since."""

    def hear(self, number: int, event: Event, entry: Entry) -> bool:
        """Take an event, in place of what had this number before; an ``entry`` is it in a context.

        Tell whether the context is to have it at once: more than its length is new.
        """
        before = self.events.get(number)
        self.events[number] = event
        while len(self.events) > self._most:
            del self.events[next(iter(self.events))]
        if before is not None and before.pitches == event.pitches:
            self._late[number] = entry
            return False
        self._due, self._late = {**self._due, **self._late}, {}
        self._due.pop(number, None)
        return True

    @property
    def newest(self) -> int:
        """The number of the event that began last. ValueError where there is none."""
        return max(self.events, key=lambda number: self.events[number].onset_ticks)

    def take_due(self) -> dict[int, Entry]:
        """Give what the context is to be told now."""
        due, self._due = self._due, {}
        return due

    def take_all(self) -> dict[int, Entry]:
        """Give all that the context does not know."""
        known = {**self.take_due(), **self._late}
        self._late = {}
        return known

    def clear(self) -> None:
        """Nobody played."""
        self.events.clear()
        self.take_all()
