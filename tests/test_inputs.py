"""An engine's inputs as plain values: short, exact, and refused where they are none."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lofid.entries import Input, parse
from lofid.inputs import (
    Given,
    events_of,
    from_player,
    outcome_of,
    plain_events,
    read,
    to_engine,
    written,
)
from lofid.music import Event
from lofid.records import FRAME_BYTES, encode

POSITION = {"is": "position", "tick": 480, "tempo": 80.0}
HEARD = {"is": "heard", "tick": 1, "ahead": 2, "seconds": 3.5, "data": [144, 60, 90]}
LOST = {"is": "lost", "count": 3}


def test_a_batch_tells_its_number_its_time_and_what_is_not_empty() -> None:
    inputs = [
        Given(5_000_000, "position", [480, 80.0]),
        Given(5_000_213, "answer", [2], 99),
        Given(5_400_000, "forget", [], 7),
        Given(5_400_000, "halt", []),
        Given(5_400_001, "set", ["tempo", "9"], "ConfigError"),
    ]
    data = [
        12,
        5_000_000,
        [
            [0, "position", [480, 80.0]],
            [213, "answer", [2], 99],
            [399_787, "forget", [], 7],
            [0, "halt"],
            [1, "set", ["tempo", "9"], "ConfigError"],
        ],
    ]
    assert written(12, inputs) == data
    number, found = read(data)
    assert number == 12
    assert [(g.microseconds, g.name, list(g.arguments), g.outcome) for g in found] == [
        tuple(g) for g in inputs
    ]


@pytest.mark.parametrize("message", [POSITION, HEARD, LOST, {"is": "alive", "tempo": 80.0}])
def test_a_players_message_is_the_same_again(message: dict[str, Any]) -> None:
    assert to_engine(Given(0, *from_player(message))) == message


def test_what_comes_often_is_short() -> None:
    assert from_player(POSITION) == ("position", [480, 80.0])
    assert from_player(HEARD) == ("heard", [1, 2, 3.5, [144, 60, 90]])
    assert from_player(LOST) == ("receive", [LOST])


def test_a_message_with_more_than_is_known_is_kept_whole() -> None:
    """Another lofid's player may say more than this table knows."""
    more = {**POSITION, "beat": 3}
    assert from_player(more) == ("receive", [more])


@given(
    st.lists(
        st.tuples(st.integers(0, 10**13), st.floats(allow_nan=False, allow_infinity=False)),
        min_size=1,
    )
)
def test_numbers_survive_a_record_to_the_bit(values: list[tuple[int, float]]) -> None:
    inputs = [Given(m, "heard", [1, 2, seconds, [144, 60, 90]]) for m, seconds in sorted(values)]
    record = encode("input", {"seconds": 0.0, "data": written(0, inputs)})
    entry = parse(record[FRAME_BYTES:])
    assert isinstance(entry, Input)
    assert [(g.microseconds, g.arguments[2].hex()) for g in read(entry.data)[1]] == [
        (m, seconds.hex()) for m, seconds in sorted(values)
    ]


@pytest.mark.parametrize(
    "data",
    [None, [], [1, 2], [0, 0, []], [0, 0, [[]]], [0, 0, [[1]]], [0, 0, [["x", "halt"]]],
     [0, 0, [[0, 5]]], [0, 0, [[0, "halt", 5]]], [0, 0, [[0, "halt", [], 5, 6]]],
     ["x", 0, [[0, "halt"]]], [0, None, [[0, "halt"]]], {"a": 1, "b": 2, "c": 3}],
)  # fmt: skip
def test_what_is_no_batch_is_refused(data: object) -> None:
    with pytest.raises(ValueError, match=r"is (no|an empty) batch of inputs"):
        read(data)


def test_an_outcome_tells_all_but_silence_apart() -> None:
    one = {"do": "play", "notes": [[0, 240, 0, 60, 90]], "until": 960, "bar": []}
    other = {"do": "play", "notes": [[0, 241, 0, 60, 90]], "until": 960, "bar": []}
    silence = {"do": "silence", "notes": [[0, 60]]}
    assert outcome_of([]) is None
    assert outcome_of([silence]) is None
    assert (
        outcome_of([one]) == outcome_of([silence, one]) == outcome_of([dict(reversed(one.items()))])
    )
    assert len({outcome_of(each) for each in ([one], [other], [one, other], [other, one])}) == 4


def test_events_are_the_same_again() -> None:
    events = [Event((60,), 0, 240, 80), Event((48, 52, 55), 240, 480, 127, by_person=True)]
    assert plain_events(events) == [[[60], 0, 240, 80, False], [[48, 52, 55], 240, 480, 127, True]]
    assert events_of(plain_events(events)) == events
