"""Passing on what a person plays: what leaves for what came in, and that nothing is ever held."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lofid.player.ports import Change
from lofid.player.thru import Thru
from tests.player.fakes import Act, FakePorts, Stage, Told, say, strike

PANIC_3 = ["b3 40 00", "b3 7b 00", "b3 78 00", "b3 79 00", "e3 00 40"]


def passed(*messages: str, **how: Any) -> list[str]:
    """What leaves for some messages, by thru to channel 4, which is 3 on the wire."""
    ports = FakePorts(lambda: 0.0, lambda _: None)
    thru = Thru(ports, 3, **how)
    for message in messages:
        if message == "release":
            thru.release(0.0)
        else:
            thru.take(bytes.fromhex(message), 0.0)
    return [message for _, batch in ports.batches for message in batch]


@pytest.mark.parametrize(
    ("message", "leaves"),
    [
        ("90 3c 64", ["93 3c 64"]),
        ("b0 40 7f", ["b3 40 7f"]),
        ("bf 07 10", ["b3 07 10"]),
        ("c0 05", ["c3 05"]),
        ("d0 33", ["d3 33"]),
        ("e0 01 41", ["e3 01 41"]),
        ("80 3c 40", []),
        ("a0 3c 11", []),
        ("f8", []),
        ("fe", []),
        ("f0 7e f7", []),
        ("90 3c", []),
        ("90 80 64", []),
        ("93 3c 64", []),
    ],
)
def test_one_message(message: str, leaves: list[str]) -> None:
    """All of a channel but its ends and pressure of nothing; no system's, torn or own message."""
    assert passed(message) == leaves


@pytest.mark.parametrize(
    ("messages", "leaves"),
    [
        (["90 3c 64", "a0 3c 11", "80 3c 0a"], ["93 3c 64", "a3 3c 11", "83 3c 0a"]),
        (["90 3c 64", "90 3c 00"], ["93 3c 64", "83 3c 40"]),
        (["90 3c 64", "80 3c 40", "80 3c 40"], ["93 3c 64", "83 3c 40"]),
        (["90 3c 64", "90 3c 50", "80 3c 40"], ["93 3c 64", "83 3c 40", "93 3c 50", "83 3c 40"]),
        (
            ["90 3c 64", "91 3c 50", "80 3c 40", "81 3c 40"],
            ["93 3c 64", "83 3c 40", "93 3c 50", "83 3c 40"],
        ),
        (["90 3c 64", "91 3c 00", "80 3c 40"], ["93 3c 64", "83 3c 40"]),
    ],
    ids=[
        "as played",
        "velocity 0",
        "let go twice",
        "struck twice",
        "by two channels",
        "a stranger",
    ],
)
def test_notes(messages: list[str], leaves: list[str]) -> None:
    """A note-off leaves once for each note, and before its key sounds again."""
    assert passed(*messages) == leaves


def test_transposition_and_the_channel_filter() -> None:
    """Keys move, and their ends and pressure with them; what leaves MIDI's range does not sound."""
    assert passed("90 3c 64", "a0 3c 11", "80 3c 40", "b0 01 05", transpose=-12) == [
        "93 30 64",
        "a3 30 11",
        "83 30 40",
        "b3 01 05",
    ]
    assert passed("90 05 64", "80 05 40", transpose=-12) == []
    assert passed("90 7f 64", "80 7f 40", transpose=12) == []
    assert passed("90 3c 64", "91 3e 64", "b0 40 7f", only=1) == ["93 3e 64"]


@pytest.mark.parametrize("number", ["78", "7b", "7c", "7d", "7e", "7f"])
def test_all_notes_off_ends_a_channels_keys(number: str) -> None:
    """All Sound Off, All Notes Off and the four modes end them, one by one, and are passed on."""
    down = ["90 3c 64", "91 3e 64", "90 40 64", "91 40 50"]
    ended = passed(*down, f"b0 {number} 00", "80 3c 40", "81 40 40", "81 3e 40")[5:]
    assert ended == ["83 3c 40", f"b3 {number} 00", "83 40 40", "83 3e 40"]


def test_letting_go() -> None:
    """Keys end, and what was turned goes back; what rests, and what has ended, is left alone."""
    turned = ["b0 40 7f", "b0 01 20", "b0 42 00", "b0 07 30", "e0 00 50", "d0 20", "d0 00"]
    sent = passed("90 3c 64", "90 40 64", "80 40 40", *turned, "release", "release", "80 3c 40")
    assert sent[-4:] == ["83 3c 40", "b3 40 00", "b3 01 00", "e3 00 40"]


keys = st.tuples(
    st.sampled_from([0x80, 0x90, 0x91, 0x93, 0xA0, 0xB0, 0xE0, 0xF8]),
    st.one_of(st.integers(0, 127), st.integers(60, 63), st.integers(119, 127)),
    st.integers(0, 127),
).map(lambda data: bytes(data).hex(" "))


@given(st.lists(st.one_of(keys, st.just("release")), max_size=60), st.integers(-48, 48))
def test_the_laws(messages: list[str], transpose: int) -> None:
    """Whatever comes in: one end for each note, none for none; nothing sounds after letting go."""
    sounding: set[str] = set()
    for message in passed(*messages, "release", transpose=transpose):
        status, pitch, velocity = message.split()
        assert status[1] == "3"
        if status == "93":
            assert pitch not in sounding
            assert velocity != "00"
            sounding.add(pitch)
        elif status == "83":
            sounding.remove(pitch)
    assert not sounding


OPEN = say(
    "open",
    backend="auto",
    name="lofid",
    output=None,
    input=None,
    channels=[0],
    keyboard={"thru": 3, "transpose": 0, "channel": None},
)
START = (1.0, say("start", tick=0, tempo=60.0))


def perform(*script: tuple[float, Act]) -> tuple[list[tuple[float, list[str]]], Told]:
    """What leaves on thru's channel, for a key and the pedal that are down from 1.5 s on."""
    down = [(1.5, strike(0x90, 60, 100)), (1.5, strike(0xB0, 64, 127))]
    stage = Stage([(0.0, OPEN), START, *down, *script], 4.0)
    assert stage.perform() == 0
    batches = [
        (at, [each for each in batch if each[1] == "3"]) for at, batch in stage.ports.batches
    ]
    return [(at, batch) for at, batch in batches if batch], Told(stage.engine)


DOWN = [(1.5, ["93 3c 64"]), (1.5, ["b3 40 7f"])]
LET_GO = ["83 3c 40", "b3 40 00"]


def test_it_leaves_at_once_and_ends_with_the_player() -> None:
    """When the engine closes its end, and on stop: single ends, then the whole channel."""
    batches, told = perform()
    assert batches == [*DOWN, (4.0, LET_GO), (4.0, PANIC_3)]
    assert [message["data"] for message in told.of("heard")] == [[0x90, 60, 100], [0xB0, 64, 127]]
    batches, _ = perform((2.0, say("stop")))
    assert batches == [*DOWN, (2.0, LET_GO), (2.0, PANIC_3)]


@pytest.mark.parametrize(
    ("message", "ends"),
    [
        ((0xB0, 123, 0), [[0x80, 60, 64]]),
        ((0xB0, 120, 0), [[0x80, 60, 64], [0xB0, 64, 0]]),
        ((0xB0, 121, 0), [[0xB0, 64, 0]]),
        ((0xB0, 126, 1), [[0x80, 60, 64]]),
        ((0xB1, 123, 0), []),
        ((0xB0, 122, 0), []),
    ],
    ids=["notes off", "sound off", "reset", "a mode", "another channel", "local control"],
)
def test_the_keyboards_own_panic(message: tuple[int, ...], ends: list[list[int]]) -> None:
    """Mode messages end a channel's keys, and its pedal where they mean it; all of it is told."""
    _, told = perform((2.0, strike(*message)))
    assert [m["data"] for m in told.of("heard")[2:]] == [*ends, list(message)]


def test_panic_lets_go_of_the_keyboard() -> None:
    """Its keys and its pedal end for the engine too, once; their own ends come after that."""
    later = [(2.5, say("panic")), (3.0, strike(0x80, 60, 30))]
    _, told = perform((2.0, say("panic")), *later)
    ends = [[0x80, 60, 64], [0xB0, 64, 0], [0x80, 60, 30]]
    assert [m["data"] for m in told.of("heard")[2:]] == ends


def test_silence_leaves_the_keys_with_the_engine() -> None:
    """A successor ends what another player held; who plays on is heard to."""
    _, told = perform((2.0, say("silence", notes=[])))
    assert len(told.of("heard")) == 2


@pytest.mark.parametrize("what", [say("panic"), say("silence", notes=[])])
def test_panic_ends_it_and_the_next_key_sounds(what: Act) -> None:
    """The key that was held is let go later, which is nothing."""
    later = [(2.5, strike(0x80, 60, 64)), (3.0, strike(0x90, 62, 100))]
    batches, _ = perform((2.0, what), *later)
    quiet = [(2.0, LET_GO), (2.0, PANIC_3)]
    assert batches == [*DOWN, *quiet, (3.0, ["93 3e 64"]), (4.0, ["83 3e 40"]), (4.0, PANIC_3)]


def test_a_predecessors_notes_on_thrus_channel_are_ended() -> None:
    """Also a key that the new player has never heard of."""
    batches, _ = perform((2.0, say("silence", notes=[[3, 72]])))
    assert batches[2][1][0] == "83 48 40"


def test_stopping_the_music_leaves_it_alone() -> None:
    """Who plays along while the music is stopped goes on playing."""
    batches, _ = perform((2.0, say("halt")), (3.0, strike(0x80, 60, 64)))
    assert batches[:3] == [*DOWN, (3.0, ["83 3c 40"])]


def test_an_unplugged_keyboard_holds_nothing() -> None:
    """Its key ends and its pedal comes up, for the engine as for the output."""

    def pull(stage: Stage) -> None:
        stage.ports.changes = [Change("input", "went")]

    batches, told = perform((1.6, pull))
    assert batches[2][1] == LET_GO
    assert [m["data"] for m in told.of("heard")[2:]] == [[0x80, 60, 64], [0xB0, 64, 0]]


def test_an_output_that_comes_back_holds_nothing_from_before() -> None:
    def come(stage: Stage) -> None:
        stage.ports.changes = [Change("output", "came", "fake:out")]

    batches, _ = perform((1.6, come), (3.9, strike(0x80, 60, 64)))
    assert [batch for _, batch in batches[2:4]] == [LET_GO, PANIC_3]
    assert [batch for _, batch in batches[4:]] == [PANIC_3]


def test_what_comes_in_where_thru_goes_out_is_ignored() -> None:
    """It may be what thru sent, so it is neither passed on nor heard; it is said once."""
    batches, told = perform((2.0, strike(0x93, 72, 100)), (2.1, strike(0xB3, 1, 5)))
    assert [batch for _, batch in batches[2:]] == [LET_GO, PANIC_3]
    assert len(told.of("heard")) == 2
    assert told.of("own_channel") == [{"is": "own_channel", "channel": 3}]
