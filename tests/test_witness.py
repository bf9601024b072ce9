"""An engine that keeps what goes into it: what, when, and how much of an answer was taken."""

from typing import Any

import pytest

from lofid.config import load
from lofid.engine import Engine
from lofid.errors import ConfigError
from lofid.inputs import read
from lofid.memory import Remembered
from lofid.music import Event, Key
from lofid.records import encode
from lofid.witness import Witness
from tests.fakes import PureModel

POSITION = {"is": "position", "tick": 240, "tempo": 120.0}


class Clock:
    def __init__(self) -> None:
        self.seconds = 100.0

    def now(self) -> float:
        self.seconds += 0.001
        return self.seconds


def witness() -> tuple[Witness, list[Any]]:
    told: list[Any] = []
    engine = Witness(PureModel(), load(None, {"music.tempo": 120.0}), 7, Clock().now)
    engine.tell = told.append
    return engine, told


def names(told: list[Any]) -> list[tuple[Any, ...]]:
    given = [each for data in told for each in read(data)[1]]
    return [(each.name, *each.arguments) for each in given[1:]]


def test_the_first_input_is_what_the_engine_is_made_of() -> None:
    engine, told = witness()
    engine.flush()
    (number, inputs) = read(told[0])
    name, arguments = inputs[0].name, list(inputs[0].arguments)
    settings = load(None, {"music.tempo": 120.0}).model_dump(mode="json")
    assert (number, name, arguments[:4]) == (0, "made", [7, settings, "pure", "cpu"])


def test_inputs_are_kept_as_they_come() -> None:
    """What an input itself asks for, as a successor's cue, is none; nor is what sounds."""
    engine, told = witness()
    engine.recall(Remembered(Key.parse("F minor"), [[-12, 12, 1, 4]]))
    engine.begin()
    engine.receive({"is": "on", "tick": 0, "channel": 0, "pitch": 60, "velocity": 9, "late_us": 0})
    engine.receive({"is": "transport", "moving": True, "tick": 0, "sync": "internal"})
    engine.receive({"is": "gone"})
    engine.receive({"is": "replaced"})
    engine.set("key", "E major")
    engine.seed_with([Event((60,), 0, 240, 80)], Key.parse("C major"))
    engine.halt()
    engine.flush()
    assert names(told) == [
        ("recall", "F minor", [[-12, 12, 1, 4]]),
        ("begin",),
        ("receive", {"is": "transport", "moving": True, "tick": 0, "sync": "internal"}),
        ("receive", {"is": "gone"}),
        ("receive", {"is": "replaced"}),
        ("set", "key", "E major"),
        ("seed_with", [[[60], 0, 240, 80, False]], "C major"),
        ("halt",),
    ]


def test_what_is_refused_is_an_input_too() -> None:
    engine, told = witness()
    with pytest.raises(ConfigError):
        engine.set("tempo", "5000")
    engine.flush()
    assert read(told[0])[1][-1].outcome == "ConfigError"


def begun() -> tuple[Witness, list[Any]]:
    """One that has several messages to answer."""
    engine, told = witness()
    engine.begin()
    engine.receive({"is": "transport", "moving": True, "tick": 0, "sync": "internal"})
    engine.receive({**POSITION, "tick": 1920})
    return engine, told


def test_an_answer_that_is_heard_out_says_how_much_it_was() -> None:
    engine, told = begun()
    count = len(list(engine.answer()))
    engine.flush()
    assert count > 2
    assert names(told)[-1] == ("answer", count)


def test_an_answer_that_was_left_says_so() -> None:
    engine, told = begun()
    answer = engine.answer()
    next(answer)
    next(answer)
    del answer
    engine.receive({**POSITION, "tick": 2160})
    assert list(engine.answer())
    engine.flush()
    assert names(told)[-3:-1] == [("answer-begun", 2), ("position", 2160, 120.0)]
    assert names(told)[-1][0] == "answer"


def test_what_comes_in_between_cuts_an_answer() -> None:
    engine, told = begun()
    answer = engine.answer()
    next(answer)
    engine.set("swing", "60")
    next(answer)
    engine.set("swing", "62")
    rest = len(list(answer))
    engine.flush()
    assert names(told)[3:] == [
        ("answer-begun", 1),
        ("set", "swing", "60"),
        ("answer-on", 1),
        ("set", "swing", "62"),
        ("answer-ended", rest),
    ]


def test_the_clock_stands_still_during_an_input_and_goes_on_after() -> None:
    engine, told = witness()
    engine.begin()
    seen = []
    engine._partner.release = lambda *_: seen.append([engine._reckoning._now() for _ in range(3)])  # type: ignore[method-assign]
    engine.receive({"is": "lost", "count": 1})
    engine.flush()
    microseconds = read(told[0])[1][-1].microseconds
    assert seen == [[microseconds / 1_000_000] * 3]
    assert engine._reckoning._now() > microseconds / 1_000_000


def test_batches_are_told_once_a_second_and_numbered() -> None:
    """When all is answered: what a player says is not kept waiting."""
    told: list[Any] = []
    clock = Clock()
    engine = Witness(PureModel(), load(None, {}), 7, clock.now)
    engine.tell = told.append
    for _ in range(4):
        clock.seconds += 0.4
        before = len(told)
        engine.receive({"is": "alive", "tempo": 80.0})
        assert len(told) == before
        list(engine.answer())
    assert [(number, len(inputs)) for number, inputs in map(read, told)] == [(0, 7)]
    engine.flush()
    engine.flush()
    assert [(number, len(inputs)) for number, inputs in map(read, told)] == [(0, 7), (7, 2)]


def test_a_batch_is_never_too_long_for_a_record() -> None:
    """Not of inputs that are refused, either."""
    engine, told = witness()
    for _ in range(100):
        with pytest.raises(ConfigError):
            engine.set("tempo", "\U0001f600" * 16_000)
    engine.flush()
    assert len(names(told)) == 100
    for batch in told:
        encode("input", {"data": batch})


def test_whatever_goes_into_an_engine_is_witnessed() -> None:
    """Another method of an engine is an input, to be kept here; or no music depends on it."""
    public = {name for name, what in vars(Engine).items() if callable(what) and name[0] != "_"}
    witnessed = {name for name in vars(Witness) if name in public}
    assert public - witnessed == {"tick_now", "at_stake", "memory", "status", "pass_over"}
