"""The horizon: what is composed ahead of the player, and what of it may still be needed.

Called from the engine's thread; it opens nothing and waits for nothing.
"""

from collections import deque
from collections.abc import Iterable

from lofid.composer import Composer, Feel
from lofid.music import BAR_TICKS, TICKS_PER_QUARTER, Event, Key
from lofid.player.wire import Message
from lofid.settings import AUTO, Settings

FIRST_KEY = Key.parse("C minor")
"""What is played in before the key that is to be followed is known."""
WireNote = list[int]
"""[on tick, off tick, channel, pitch, velocity], as the player takes it."""


def feel_of(settings: Settings, followed: Key = FIRST_KEY) -> Feel:
    """What the composer has to know of the settings, and of the key that is followed."""
    music, parts = settings.music, settings.parts
    return Feel(
        key=followed if music.key == AUTO else Key.parse(music.key),
        swing_percent=music.swing,
        temperature=music.temperature,
        top_p=music.top_p,
        key_lock=music.key_lock,
        loop_guard=music.loop_guard,
        lead_velocity_percent=parts.lead_velocity,
        keys_velocity_percent=parts.keys_velocity,
    )


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
    """How far the music is composed, which of its notes are to come, and its last bar."""

    def __init__(self, composer: Composer) -> None:
        self.until_tick = 0
        self._composer = composer
        self._queued: deque[WireNote] = deque()
        self._bar: deque[WireNote] = deque()

    def compose(self, tick: int, settings: Settings) -> list[Message]:
        """Compose on to a horizon past ``tick``, and say it to the player."""
        until = tick + round(settings.engine.horizon * TICKS_PER_QUARTER)
        if until <= self.until_tick:
            return []
        self.until_tick = until
        notes = wire_notes(self._composer.compose(until), settings)
        self._queued.extend(notes)
        self._bar.extend(notes)
        while self._bar and self._bar[0][0] < until - BAR_TICKS:
            self._bar.popleft()
        return [self._play(notes)]

    def again(self, tick: int) -> Message:
        """Say to another player what was composed and begins at ``tick`` or after it."""
        return self._play([note for note in self._queued if note[0] >= tick])

    def passed(self, tick: int) -> None:
        """Forget what began before ``tick``."""
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
