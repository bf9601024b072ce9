"""The partner: how lofid answers what a person plays, mode by mode. No I/O, no clock.

What is heard joins the context at once; what was composed beyond a short committed stretch is
composed anew. In the mode ``answer`` lofid begins nothing while the person plays, and replies; in
``chords``, and below a split, what is held steers the harmony. Called from the engine's thread.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

from lofid.composer import Composer
from lofid.conversation import Conversation
from lofid.feel import feel_of
from lofid.horizon import Horizon
from lofid.keyfinder import KeyFinder, key_of
from lofid.listener import Listener, News
from lofid.memory import Remembered
from lofid.music import TICKS_PER_QUARTER, Event, Key
from lofid.player.wire import Message
from lofid.predictor import Foreteller
from lofid.settings import AUTO, Settings
from lofid.tessitura import Tessitura

COMMITTED_SECONDS = 0.012
"""What begins sooner than this after it was heard stays: so long it takes to compose one event."""


class Partner:
    """The composer, its horizon, and the person it listens to."""

    def __init__(self, predictor: Foreteller, settings: Settings, seed: int) -> None:
        self._settings = settings
        self._composer = Composer(predictor, feel_of(settings), seed)
        self.horizon = Horizon(self._composer)
        self._keyfinder = KeyFinder()
        self._named_key: Key | None = None
        """The key of what the context began with, until a person plays in another one."""
        self._conversation = Conversation()
        self._tessitura = Tessitura()
        self._listener = Listener(self._take, self._learn, settings.keyboard)
        self._ahead_tick = 0
        self._is_other_key = False
        """Whether there is another key that nothing composed follows yet."""

    @property
    def faults(self) -> int:
        """Events that were repeated because the model gave no numbers."""
        return self._composer.faults

    @property
    def key(self) -> Key:
        """The key that is played in."""
        return self._composer.feel.key

    def _take(self, number: int, event: Event, is_phrase: bool) -> tuple[str, float]:
        """What is played joins the context, and says where the lead may answer it."""
        if is_phrase and self._settings.keyboard.mode != "chords":
            self._tessitura.hear(number, event)
        return self._composer.hear(number, event)

    def _learn(self, event: Event) -> None:
        """What was played tells of its key."""
        self._keyfinder.hear(event.pitches, event.length_ticks / TICKS_PER_QUARTER)

    def compose(self, tick: int) -> list[Message]:
        """Compose on to a horizon past ``tick``."""
        self._feel(max(tick, self.horizon.until_tick))
        return self.horizon.compose(tick, self._settings)

    def look_ahead(self, tick: int) -> None:
        """Have :meth:`answer` compose on to a horizon past ``tick``, where the player is."""
        self._ahead_tick = max(tick, self._ahead_tick)
        self.horizon.aim(tick, self._settings)

    def hear(self, message: Message) -> None:
        """Take what the player heard; :meth:`answer` is to follow."""
        data = tuple(message["data"])
        self._ahead_tick = message["ahead"]
        self._listener.hear(message["tick"], message["seconds"], data)

    def release(self, tick: int) -> None:
        """End what is held; :meth:`answer` is to follow."""
        self._ahead_tick = max(tick, self._ahead_tick)
        self._listener.release(tick)

    def seed(self, events: Sequence[Event], named: Key | None, tick: int) -> list[Message]:
        """Replace the context by these events: what begins at ``tick`` or later follows them.

        ``named`` is the key that they are in, if somebody said so and they do not tell themselves.
        """

        def change() -> None:
            self._keyfinder.forget()
            self._named_key = key_of(events, named)
            self._tessitura.forget()
            self._feel(tick)
            self._composer.seed(events)

        return self._anew(tick, change)

    def _anew(self, tick: int, change: Callable[[], None]) -> list[Message]:
        horizon, settings = self.horizon, self._settings
        messages = [*horizon.replan(tick, settings, change), *horizon.finish(settings)]
        self._is_other_key = False
        return messages

    def forget(self, tick: int) -> list[Message]:
        """Empty the context, and steer by no chord any more; as :meth:`seed`."""

        def change() -> None:
            self._keyfinder.forget()
            self._named_key = self.key
            self._listener.harmonist.forget()
            self._tessitura.forget()
            self._feel(tick)
            self._composer.forget()

        return self._anew(tick, change)

    def memory(self) -> Remembered:
        """What another session may go on from."""
        return Remembered(self.key, self._composer.memory())

    def recall(self, remembered: Remembered) -> None:
        """Go on from another session, before anything is composed."""
        self._named_key = remembered.key
        self._feel(0)
        self._composer.recall(remembered.rows)

    def change(self, settings: Settings, tick: int) -> Iterator[Message]:
        """Go by other settings, from what is composed next on.

        Where they end a silence, or have the key followed from there on, that is at ``tick``.
        """
        self._settings, self._listener.keyboard = settings, settings.keyboard
        if settings.keyboard.mode != "chords" and not settings.keyboard.split:
            self._listener.harmonist.forget()
        self._feel(tick)
        if settings.keyboard.mode != "answer":
            self._conversation.end()
        waits = settings.keyboard.mode == "answer" and settings.keyboard.reply == "wait"
        is_other_key, self._is_other_key = self._is_other_key, False
        if not waits and self.horizon.silent_from is not None and not self._conversation.is_persons:
            yield from self.horizon.wake(tick, settings)
        elif is_other_key:
            yield from self.horizon.replan(tick, settings)
        else:
            return
        yield from self.horizon.finish(settings)

    def answer(self, tempo_bpm: float) -> Iterator[Message]:
        """Answer all that was heard since the last time, and compose on.

        It may be left at any message: the next time it goes on, or answers what came meanwhile.
        """
        news, ticks = self._listener.take_news(), COMMITTED_SECONDS * tempo_bpm * TICKS_PER_QUARTER
        tick = self._ahead_tick + 1 + int(ticks / 60)
        self._feel(tick if news.is_heard else max(tick, self.horizon.until_tick))
        is_other_key, self._is_other_key = self._is_other_key, False
        if self._settings.keyboard.mode == "answer":
            yield from self._converse(news, tick)
        elif news.is_heard or is_other_key:
            yield from self.horizon.replan(tick, self._settings)
        yield from self.horizon.finish(self._settings)

    def _converse(self, news: News, tick: int) -> Iterator[Message]:
        """Yield to the person, or reply. Whose turn it is stands before the first message."""
        keyboard, conversation = self._settings.keyboard, self._conversation
        if is_struck := news.struck_tick is not None:
            conversation.strike(news.struck_tick)
        is_below_split = news.is_heard and not conversation.is_persons
        if news.rest_tick is not None:
            swing, waits = self._settings.music.swing, keyboard.reply == "wait"
            conversation.rest(news.rest_tick, keyboard.rest, swing, waits)
        if is_struck:
            yield self.horizon.hush(self._ahead_tick + 1)
        elif is_below_split:
            yield from self.horizon.replan(tick, self._settings)
        if (reply := conversation.take_reply()) is not None:
            late_ticks = max(0, tick - reply.begin_tick)
            end_tick = None if reply.end_tick is None else reply.end_tick + late_ticks
            begin_tick = reply.begin_tick + late_ticks
            yield from self.horizon.sound(begin_tick, end_tick, self._settings)

    def _feel(self, tick: int) -> None:
        """Have what begins at ``tick`` follow the settings and the person."""
        before, tessitura = self.key, self._tessitura
        feel = feel_of(self._settings, self._keyfinder.key or self._named_key)
        self._composer.feel = replace(
            feel,
            chord=self._listener.harmonist.chord,
            register=tessitura.range(),
            register_strength=tessitura.strength(tick, self._listener.is_held),
        )
        self._is_other_key |= self._settings.music.key == AUTO and self.key != before

    def status(self) -> dict[str, Any]:
        """What it makes of the person, in plain values."""
        listener, composer = self._listener, self._composer
        return {
            "key": str(self.key),
            "follows_key": self._settings.music.key == AUTO,
            "context": {"events": len(composer.context), "yours": composer.heard},
            "heard": listener.count,
            "heard_as": listener.heard_as,
            "likeness": round(listener.likeness, 2),
            "chord": sorted(listener.harmonist.chord),
            "turn": self._turn(),
        }

    def _turn(self) -> str:
        if self._conversation.is_persons:
            return "yours"
        return "lofid's" if self.horizon.silent_from is None else "waits"
