"""The listener: what a person plays, for the composer. No I/O, no clock.

What the music hears of it is filtered and transposed, and a note whose key was let go sounds on
while the pedal is down. What the fingers played is known without waiting for the foot. Called from
the engine's thread.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from itertools import count

from lofid.harmonist import Harmonist
from lofid.hearing import Heard, Hearing
from lofid.music import Event
from lofid.settings import Keyboard

NOTE_OFF, NOTE_ON, CONTROL_CHANGE = 0x80, 0x90, 0xB0
SUSTAIN, DOWN = 64, 64
"""The sustain pedal, and from which value on it is down."""

Take = Callable[[int, Event, bool], tuple[str, float]]
"""Takes an event under its number, and whether it is of a phrase or below a split.

Gives as what it was understood, and how near that is."""


@dataclass(slots=True)
class News:
    """What there is to answer.

    ``is_heard``: there is something new in the context, or to steer by. ``struck_tick``: the first
    key of a phrase. From ``rest_tick`` on, if that is known, nothing of a phrase is held any more.
    """

    is_heard: bool = False
    struck_tick: int | None = None
    rest_tick: int | None = None


class Listener:
    """Hears one person: ``count`` note-ons until now; ``heard_as`` is the last event's token."""

    def __init__(self, take: Take, played: Callable[[Event], None], keyboard: Keyboard) -> None:
        """``take`` gets what is heard as soon as it is known.

        ``played`` gets each event once, when its keys were let go, as long as they were held.
        """
        self.count = 0
        self.heard_as = ""
        self.likeness = 1.0
        self.keyboard = keyboard
        """The settings, which may change."""
        self.harmonist = Harmonist()
        self.news = News()
        self._take = take
        self._played = played
        numbers, window_seconds = count(1), keyboard.chord_window / 1000
        self._hearings = {
            is_phrase: Hearing(window_seconds, numbers) for is_phrase in (True, False)
        }
        self._fingers = {is_phrase: Hearing(window_seconds, count()) for is_phrase in (True, False)}
        """The same without the pedal."""
        self._struck: dict[tuple[int, int], None] = {}
        """The keys that are down, by channel and pitch, whether the music hears them or not."""
        self._sounding: dict[tuple[int, int], tuple[int, bool]] = {}
        """What the music hears and has not ended: its pitch there, and whether it is of a phrase.

        The settings may be others when it ends."""
        self._pedals: set[int] = set()

    @property
    def is_held(self) -> bool:
        """Whether a note of a phrase has not ended, by its key or by the pedal."""
        return any(is_phrase for _, is_phrase in self._sounding.values())

    def take_news(self) -> News:
        """Give what there is to answer since the last time."""
        news, self.news = self.news, News()
        return news

    def hear(self, tick: int, seconds: float, data: tuple[int, int, int]) -> None:
        """Take one message: status, and two bytes of data."""
        status, first, second = data
        kind, channel = status & 0xF0, status & 0x0F
        if kind == NOTE_ON:
            self._strike(tick, seconds, (channel, first), second)
        elif kind == NOTE_OFF:
            self._lift(tick, seconds, (channel, first))
        elif kind == CONTROL_CHANGE and first == SUSTAIN:
            self._press(tick, channel, second >= DOWN)

    def release(self, tick: int) -> None:
        """End what is held: a player that died takes the ends with it."""
        for channel in sorted(self._pedals):
            self._press(tick, channel, is_down=False)
        for channel, pitch in list(self._struck):
            # Nobody knows when: too late, at any rate, to tell which chord it was of.
            self.hear(tick, math.inf, (NOTE_OFF | channel, pitch, 64))

    def _strike(self, tick: int, seconds: float, key: tuple[int, int], velocity: int) -> None:
        self.count += 1
        self._let_go(tick, key)
        self._end(tick, key)
        self._struck[key] = None
        pitch = key[1] + self.keyboard.transpose
        if not self._is_for_music(key) or not 0 <= pitch <= 127:
            return
        is_phrase = self._is_phrase(key)
        self._sounding[key] = pitch, is_phrase
        self.news.is_heard = True
        if is_phrase:
            first = self.news.struck_tick
            self.news.struck_tick, self.news.rest_tick = tick if first is None else first, None
        self._fingers[is_phrase].note_on(tick, seconds, pitch, velocity)
        heard = self._hearings[is_phrase].note_on(tick, seconds, pitch, velocity)
        self._take_in(heard, is_phrase)
        if self._steers(key[1]):
            self.harmonist.strike(pitch, seconds)

    def _lift(self, tick: int, seconds: float, key: tuple[int, int]) -> None:
        self._let_go(tick, key)
        if key in self._sounding:
            self.news.is_heard |= self.harmonist.lift(self._sounding[key][0], seconds)
        if key[0] not in self._pedals:
            self._end(tick, key)

    def _press(self, tick: int, channel: int, is_down: bool) -> None:
        if is_down:
            self._pedals.add(channel)
            return
        self._pedals.discard(channel)
        for key in [key for key in self._sounding if key[0] == channel and key not in self._struck]:
            self._end(tick, key)

    def _let_go(self, tick: int, key: tuple[int, int]) -> None:
        """No finger holds this key any more."""
        if key not in self._struck:
            return
        del self._struck[key]
        if key not in self._sounding:
            return
        pitch, is_phrase = self._sounding[key]
        if (played := self._fingers[is_phrase].note_off(tick, pitch)) is not None:
            self._played(played[1])

    def _end(self, tick: int, key: tuple[int, int]) -> None:
        """A note has ended, by its key or by the pedal."""
        if key not in self._sounding:
            return
        pitch, is_phrase = self._sounding.pop(key)
        if (heard := self._hearings[is_phrase].note_off(tick, pitch)) is not None:
            self._take_in(heard, is_phrase)
        if is_phrase and not self.is_held:
            self.news.rest_tick = tick

    def _take_in(self, heard: Heard, is_phrase: bool) -> None:
        self.heard_as, self.likeness = self._take(*heard, is_phrase)

    def _is_phrase(self, key: tuple[int, int]) -> bool:
        return key[1] >= self.keyboard.split

    def _is_for_music(self, key: tuple[int, int]) -> bool:
        keyboard, (channel, pitch) = self.keyboard, key
        is_wanted = keyboard.channel in (0, channel + 1)
        is_in_range = keyboard.lowest <= pitch <= keyboard.highest
        return is_wanted and is_in_range and (keyboard.mode != "off" or pitch < keyboard.split)

    def _steers(self, pitch: int) -> bool:
        return self.keyboard.mode == "chords" or pitch < self.keyboard.split
