"""The horizon: what is composed ahead of the player, and what of it may still be needed.

Called from the engine's thread; it opens nothing and waits for nothing.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator

from lofid.composer import Composer
from lofid.music import BAR_TICKS, GRID_TICKS, TICKS_PER_QUARTER, Event
from lofid.player.wire import Message
from lofid.settings import Settings

WireNote = list[int]
"""[on tick, off tick, channel, pitch, velocity], as the player takes it."""


def wire_notes(events: Iterable[Event], settings: Settings) -> list[WireNote]:
    """Give each event's notes their channel: single notes are the lead, chords the keys."""
    lead, keys = settings.parts.lead_channel - 1, settings.parts.keys_channel - 1
    return [
        [event.onset_ticks, event.onset_ticks + event.length_ticks,
         keys if event.is_chord else lead, pitch, event.velocity]
        for event in events
        for pitch in event.pitches
    ]  # fmt: skip


class Horizon:
    """How far the music is composed, which of its notes are to come, and its last bar.

    Composed silence is music too: until ``silent_from`` there are notes, from there on none.
    """

    def __init__(self, composer: Composer) -> None:
        self.until_tick = 0
        self.silent_from: int | None = None
        self._composer = composer
        self._queued: deque[WireNote] = deque()
        self._bar: deque[WireNote] = deque()

    def compose(self, tick: int, settings: Settings) -> list[Message]:
        """Compose on to a horizon past ``tick``, and say it to the player."""
        until = tick + round(settings.engine.horizon * TICKS_PER_QUARTER)
        if until <= self.until_tick:
            return []
        return [self._play(self._extend(until, settings))]

    def _extend(self, until: int, settings: Settings) -> list[WireNote]:
        """Compose up to a tick, if that is ahead, and remember it."""
        until, end = max(until, self.until_tick), self._end(until)
        notes = self._keep(self._composer.compose(end) if end > self.until_tick else [], settings)
        self.until_tick = until
        while self._bar and self._bar[0][0] < until - BAR_TICKS:
            self._bar.popleft()
        return notes

    def _end(self, until: int) -> int:
        """Up to where there is music, of a time up to ``until``."""
        return until if self.silent_from is None else min(until, self.silent_from)

    def _keep(self, events: Iterable[Event], settings: Settings) -> list[WireNote]:
        notes = wire_notes(events, settings)
        self._queued.extend(notes)
        self._bar.extend(notes)
        return notes

    def replan(
        self, tick: int, settings: Settings, change: Callable[[], None] = lambda: None
    ) -> Iterator[Message]:
        """Compose anew what begins at ``tick`` or later, up to where it was composed.

        What shall change first may need that nothing is composed ahead. The first event is said as
        soon as it is there, for somebody waits for it.
        """
        until, end = self.until_tick, self._end(self.until_tick)
        self.take_back(tick)
        change()
        self._composer.come_in(tick)
        first = self._composer.compose_one(end) if end > self.until_tick else None
        notes = self._keep([] if first is None else [first], settings)
        # The player is not to miss what is still being composed.
        yield {**self._play(notes), "until": until, "from": tick}
        yield self._play(self._extend(until, settings))

    def hush(self, tick: int) -> Message:
        """Begin nothing from ``tick`` on, until :meth:`sound`."""
        until = max(self.until_tick, tick)
        self.take_back(tick)
        self.silent_from = tick if self.silent_from is None else min(tick, self.silent_from)
        self.until_tick = until
        self._bar.clear()
        return {**self._play([]), "from": tick}

    def sound(self, tick: int, end_tick: int | None, settings: Settings) -> Iterator[Message]:
        """After a silence, begin at the first place of the grid from ``tick`` on.

        From ``end_tick`` on there is silence again.
        """
        until = max(self.until_tick, tick + GRID_TICKS)
        self.take_back(tick if self.silent_from is None else min(tick, self.silent_from))
        self._composer.go_on_at(tick)
        self.silent_from, self.until_tick = end_tick, tick
        yield {**self._play(self._extend(until, settings)), "from": tick}

    def take_back(self, tick: int) -> None:
        """Forget what was composed to begin at ``tick`` or later."""
        self._composer.take_back(tick)
        self._queued = deque(note for note in self._queued if note[0] < tick)
        self._bar = deque(note for note in self._bar if note[0] < tick)
        self.until_tick = min(self.until_tick, tick)

    def again(self, tick: int) -> Message:
        """Say to another player what was composed and begins at ``tick`` or after it."""
        return self._play([note for note in self._queued if note[0] >= tick])

    def passed(self, tick: int) -> None:
        """Forget what began before ``tick``: it cannot be taken back any more."""
        self._composer.settle(tick if self.silent_from is None else min(tick, self.silent_from))
        while self._queued and self._queued[0][0] < tick:
            self._queued.popleft()

    def begun(self, tick: int) -> list[tuple[int, int]]:
        """List the (channel, pitch) pairs of what is to have begun by ``tick``."""
        return [(channel, pitch) for on, _, channel, pitch, _ in self._queued if on <= tick]

    def _play(self, notes: list[WireNote]) -> Message:
        """Say what to play, and the last bar for when we should not come in time with more."""
        bar = [_in_first_bar(note) for note in self._bar]
        return {"do": "play", "notes": notes, "until": self.until_tick, "bar": bar}


def _in_first_bar(note: WireNote) -> WireNote:
    """Move a note to the same place in the bar that begins at tick 0."""
    on_tick, off_tick, *rest = note
    place = on_tick % BAR_TICKS
    return [place, place + off_tick - on_tick, *rest]
