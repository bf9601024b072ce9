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

    Composed silence is music too: until ``silent_from`` there are notes, from there on none. Up to
    ``until_tick`` the player need not fill in: it was told that there will be music.
    """

    def __init__(self, composer: Composer) -> None:
        self.until_tick = 0
        self.silent_from: int | None = None
        self._composed_tick = 0
        """Up to where it is composed, which is less while it is being composed anew."""
        self._goal_tick = 0
        """Up to where it is to be composed next."""
        self._composer = composer
        self._queued: deque[WireNote] = deque()
        self._bar: deque[WireNote] = deque()

    def compose(self, tick: int, settings: Settings) -> list[Message]:
        """Compose on to a horizon past ``tick``, and say it to the player."""
        until = tick + round(settings.engine.horizon * TICKS_PER_QUARTER)
        if until <= self._composed_tick:
            return []
        self.until_tick = max(until, self.until_tick)
        return [self._play(self._extend(until, settings))]

    def aim(self, tick: int, settings: Settings) -> None:
        """Have :meth:`finish` compose on to a horizon past ``tick``."""
        self._goal_tick = tick + round(settings.engine.horizon * TICKS_PER_QUARTER)

    def replan(
        self, tick: int, settings: Settings, change: Callable[[], None] = lambda: None
    ) -> Iterator[Message]:
        """Compose anew what begins at ``tick`` or later, up to where it was composed.

        What shall change first may need that nothing is composed ahead. Only the first event is
        composed here, for somebody waits for it; :meth:`finish` is to follow.
        """
        self._take_back_silence(tick)
        change()
        self._composer.come_in(tick)
        yield {**self._play(self._compose_one(self.until_tick, settings)), "from": tick}

    def finish(self, settings: Settings) -> Iterator[Message]:
        """Compose what there is to be composed, event by event: it may be left at any."""
        while self._composed_tick < (until := max(self._goal_tick, self.until_tick)):
            yield self._play(self._compose_one(until, settings))

    def hush(self, tick: int) -> Message:
        """Begin nothing from ``tick`` on, until :meth:`sound`."""
        self._take_back(tick)
        self.silent_from = tick if self.silent_from is None else min(tick, self.silent_from)
        self.until_tick = self._composed_tick = max(self.until_tick, tick)
        self._bar.clear()
        return {**self._play([]), "from": tick}

    def sound(self, tick: int, end_tick: int | None, settings: Settings) -> Iterator[Message]:
        """After a silence, begin at the first place of the grid from ``tick`` on.

        From ``end_tick`` on there is silence again. :meth:`finish` is to follow.
        """
        self._take_back_silence(tick)
        self._composer.go_on_at(tick)
        self.silent_from, self._composed_tick = end_tick, tick
        self.until_tick = max(self.until_tick, tick + GRID_TICKS)
        yield {**self._play(self._compose_one(self.until_tick, settings)), "from": tick}

    def wake(self, tick: int, settings: Settings) -> Iterator[Message]:
        """End a silence: from ``tick`` on, or before it begins. :meth:`finish` is to follow."""
        assert self.silent_from is not None, "whoever wakes somebody knows that they sleep"
        if self.silent_from <= tick:
            yield from self.sound(tick, None, settings)
        else:
            self._composed_tick = min(self.silent_from, self._composed_tick)
            self.silent_from = None

    def _end(self, until: int) -> int:
        """Up to where there is music, of a time up to ``until``."""
        return until if self.silent_from is None else min(until, self.silent_from)

    def _extend(self, until: int, settings: Settings) -> list[WireNote]:
        """Compose up to a tick that is ahead."""
        end = self._end(until)
        events = self._composer.compose(end) if end > self._composed_tick else []
        self._composed_tick = until
        return self._keep(events, settings)

    def _compose_one(self, until: int, settings: Settings) -> list[WireNote]:
        """Compose the next event, if it begins before a tick."""
        end = self._end(until)
        event = self._composer.compose_one(end) if end > self._composed_tick else None
        self._composed_tick = until if event is None else event.onset_ticks
        self.until_tick = max(self.until_tick, self._composed_tick)
        return self._keep([] if event is None else [event], settings)

    def _keep(self, events: Iterable[Event], settings: Settings) -> list[WireNote]:
        notes = wire_notes(events, settings)
        self._queued.extend(notes)
        self._bar.extend(notes)
        while self._bar and self._bar[0][0] < self._composed_tick - BAR_TICKS:
            self._bar.popleft()
        return notes

    def _take_back_silence(self, tick: int) -> None:
        """Forget also what was composed beyond the beginning of a silence."""
        self._take_back(tick if self.silent_from is None else min(tick, self.silent_from))

    def _take_back(self, tick: int) -> None:
        """Forget what was composed to begin at ``tick`` or later."""
        self._composer.take_back(tick)
        self._queued = deque(note for note in self._queued if note[0] < tick)
        self._bar = deque(note for note in self._bar if note[0] < tick)
        self._composed_tick = min(self._composed_tick, tick)

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
