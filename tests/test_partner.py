"""What a person plays, and what becomes of it long after: an engine told by hand."""

from typing import Any

import pytest

from lofid.config import load
from lofid.engine import Engine
from lofid.player.wire import Message
from tests.fakes import PureModel

BAR = 1920
BEAT_SECONDS = 60 / 80


class Evening:
    """An engine whose player says each half beat where it is."""

    def __init__(self, **options: Any) -> None:
        self._tick = 0
        settings = load(None, {name.replace("__", "."): value for name, value in options.items()})
        self.engine = Engine(PureModel(), settings, 1, lambda: self._tick / 480 * BEAT_SECONDS)
        self.engine.begin()
        self.engine.receive({"is": "transport", "tick": 0, "moving": True, "sync": "internal"})

    def until(self, tick: int) -> list[Message]:
        """Play on; give what was said meanwhile."""
        said: list[Message] = []
        while self._tick < tick:
            self._tick = min(self._tick + 240, tick)
            self.engine.receive({"is": "position", "tick": self._tick, "tempo": 80.0})
            said += self.engine.answer()
        return said

    def key(self, *data: int) -> None:
        """Have one heard where the player is; nobody answers yet."""
        seconds = self._tick / 480 * BEAT_SECONDS
        where = {"tick": self._tick, "ahead": self._tick, "seconds": seconds}
        self.engine.receive({"is": "heard", **where, "data": list(data)})

    def phrase(self, *pitches: int) -> None:
        """Play half beats, each answered."""
        for pitch in pitches:
            self.key(0x90, pitch, 80)
            list(self.engine.answer())
            self.until(self._tick + 200)
            self.key(0x80, pitch, 64)
            list(self.engine.answer())
            self.until(self._tick + 40)


F_SHARP_MAJOR = (66, 70, 73, 68, 71, 75, 66, 70, 73, 77)


def test_the_register_of_a_phrase_fades() -> None:
    """Wholly for two bars, and then less and less until the sixth: by what is composed."""
    evening = Evening()
    evening.until(BAR)
    evening.phrase(96)
    strengths = []
    for bar in range(2, 12):
        evening.until(bar * BAR)
        strengths.append(evening.engine._partner._composer.feel.register_strength)
    assert strengths[0] == 1.0
    assert strengths == sorted(strengths, reverse=True)
    assert 0.0 < strengths[3] < 1.0
    assert strengths[-4:] == [0.0] * 4


def test_what_is_held_is_no_phrase_of_long_ago() -> None:
    """A bass note under the pedal, seven bars on: the lead still keeps to it."""
    evening = Evening()
    evening.key(0x90, 84, 80)
    evening.until(7 * BAR)
    assert evening.engine._partner._composer.feel.register_strength == 1.0


def test_a_key_that_was_played_long_ago_is_followed_from_now() -> None:
    """Nothing is composed anew where the music has been already."""
    evening = Evening(music__key="C minor")
    evening.phrase(*F_SHARP_MAJOR)
    evening.until(60 * BAR)
    said = [*evening.engine.set("key", "auto"), *evening.until(60 * BAR + 240)]
    assert evening.engine.status()["key"] == "F# major"
    assert [message["from"] > 60 * BAR for message in said if "from" in message] == [True]
    assert min(note[0] for message in said for note in message.get("notes", [])) > 60 * BAR


def test_a_seed_in_another_key_is_planned_once() -> None:
    """What is due until it begins stays."""
    evening = Evening(music__key="auto")
    evening.until(4 * BAR)
    events = evening.engine._partner._composer.compose(6 * BAR)
    said = [*evening.engine.seed_with(events, None), *evening.until(4 * BAR + 240)]
    assert len([message for message in said if "from" in message]) == 1


@pytest.mark.parametrize("left_at", range(1, 6))
def test_an_answer_that_is_left_is_no_reply_that_is_lost(left_at: int) -> None:
    """A key that comes up in one go with its strike; somebody says something before the reply."""
    evening = Evening(keyboard__mode="answer")
    evening.until(BAR)
    evening.key(0x90, 60, 80)
    evening.key(0x80, 60, 64)
    answer = evening.engine.answer()
    for _ in range(left_at):
        next(answer, None)
    del answer
    said = evening.until(4 * BAR)
    assert sum(len(message.get("notes", [])) for message in said) > 0
    assert evening.engine.status()["turn"] == "waits"


@pytest.mark.parametrize(("setting", "value"), [("reply", "go-on"), ("mode", "listen")])
def test_a_reply_to_come_is_not_hurried(setting: str, value: str) -> None:
    """It begins when it was to begin, and then goes on."""
    evening = Evening(keyboard__mode="answer", keyboard__rest=4.0)
    evening.until(BAR)
    evening.phrase(60)
    evening.until(BAR + 480)
    said = [*evening.engine.set(setting, value), *evening.until(6 * BAR)]
    first = BAR + 200 + 4 * 480
    onsets = [note[0] for message in said for note in message.get("notes", [])]
    assert min(onsets) >= first - 80
    assert max(onsets) > 6 * BAR
    assert evening.engine.status()["turn"] == "lofid's"
