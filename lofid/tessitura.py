"""The tessitura: how high a person's phrase lay, for as long as the lead should answer there. Pure.

Of the last bars that a person played the melody counts: single notes, or where there are none the
top notes of chords.
"""

from lofid.music import BAR_TICKS, HIGHEST_PITCH, LOWEST_PITCH, Event

REMEMBERED_BARS, REMEMBERED_EVENTS = 2, 64
"""What was played so long before the newest event is another phrase; more of them are no phrase."""

FULL_BARS, FADED_BARS = 2, 6
"""So long after the phrase's end the lead keeps to it wholly, and then less and less until then."""


class Tessitura:
    """One person's. Called from the engine's thread."""

    def __init__(self) -> None:
        self._events: dict[int, Event] = {}
        self._newest = -1
        """The highest number until now, which the newest event has."""

    def hear(self, number: int, event: Event) -> None:
        """Take an event, in place of what had this number before; what was left out stays out."""
        if number not in self._events and number <= self._newest:
            return
        self._newest = max(number, self._newest)
        self._events[number] = event
        first_tick = event.onset_ticks - REMEMBERED_BARS * BAR_TICKS
        while len(self._events) > REMEMBERED_EVENTS or self._oldest.onset_ticks < first_tick:
            del self._events[next(iter(self._events))]

    @property
    def _oldest(self) -> Event:
        return next(iter(self._events.values()))

    def forget(self) -> None:
        """There was no phrase."""
        self._events.clear()

    def range(self) -> tuple[int, int]:
        """Give the lowest and the highest pitch; all there are without a phrase."""
        events = self._events.values()
        notes = [e.pitches[0] for e in events if not e.is_chord] or [e.pitches[-1] for e in events]
        return (min(notes), max(notes)) if notes else (LOWEST_PITCH, HIGHEST_PITCH)

    def strength(self, tick: int, is_held: bool) -> float:
        """Give how much it counts for what begins at ``tick``: 1 while it is held, 0 in the end."""
        if not self._events:
            return 0.0
        if is_held:
            return 1.0
        ended_tick = max(e.onset_ticks + e.length_ticks for e in self._events.values())
        bars = (tick - ended_tick) / BAR_TICKS
        return min(max((FADED_BARS - bars) / (FADED_BARS - FULL_BARS), 0.0), 1.0)
