"""What ends something is said once more after an xrun."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lofid.player.repeats import CALM_SECONDS, WINDOW_SECONDS, Repeats
from tests.jackserver import JackRecorder, JackServer
from tests.player.driver import PlayerProcess

RATE = 48_000
CALM, WINDOW = round(CALM_SECONDS * RATE), round(WINDOW_SECONDS * RATE)
ON, OFF, DOWN, UP = b"\x90\x3c\x50", b"\x80\x3c\x40", b"\xb0\x40\x7f", b"\xb0\x40\x00"


def after(messages: list[tuple[int, bytes]], xrun_frame: int) -> list[bytes]:
    """Write these at their frames, have an xrun, give what is said again."""
    repeats = Repeats(RATE)
    for frame, message in messages:
        repeats.wrote(frame, message)
    assert repeats.due(xrun_frame) == []
    repeats.xrun(0.0)
    assert repeats.due(xrun_frame) == []
    again = repeats.due(xrun_frame + CALM)
    assert repeats.due(xrun_frame + 2 * CALM) == []
    return again


@pytest.mark.parametrize(
    ("written", "again"),
    [
        ([(0, ON), (100, OFF)], [OFF]),
        ([(0, ON), (100, OFF), (200, ON)], []),
        ([(0, DOWN), (50, OFF), (100, UP)], [OFF, UP]),
        ([(0, UP), (50, OFF), (100, DOWN)], [OFF, DOWN]),
        ([(0, b"\xc0\x05"), (1, b"\xe0\x01\x40"), (2, b"\xd0\x07")],
         [b"\xc0\x05", b"\xe0\x01\x40", b"\xd0\x07"]),
        ([(0, b"\xf8"), (1, b"\xfa"), (2, b"\xb0\x7b\x00"), (3, b"\xb0\x78\x00")], []),
    ],
    ids=["a note's end", "struck again", "a pedal", "a pedal down", "wheels", "no mode"],
)  # fmt: skip
def test_what_set_a_state_is_said_again(
    written: list[tuple[int, bytes]], again: list[bytes]
) -> None:
    assert after(written, 1000) == again


def test_what_is_older_had_come_through() -> None:
    """The first was written 0.5 s and a frame before the xrun."""
    assert after([(1000, OFF), (1001, UP)], 1001 + WINDOW) == [UP]


def test_while_there_is_no_end_of_xruns_all_since_the_first_is_said_now_and_then() -> None:
    """A listener may sleep for seconds. The times between are 0.05, 0.1, 0.2, 0.4, 0.8, 0.8 s."""
    repeats = Repeats(RATE)
    repeats.wrote(100, UP)
    said = []
    for frame in range(100, 100 + 3 * RATE, 240):
        repeats.xrun(0.0)
        if repeats.due(frame) == [UP]:
            said.append(frame)
    steps = [round((after - before) / RATE, 2) for before, after in pairwise([100, *said])]
    assert steps[:1] == [0.05]
    assert [round(step, 1) for step in steps[1:]] == [0.1, 0.2, 0.4, 0.8, 0.8]
    assert repeats.due(100 + 4 * RATE) == [UP]
    assert repeats.due(100 + 5 * RATE) == []
    repeats.wrote(100 + 5 * RATE, OFF)
    repeats.xrun(0.0)
    assert repeats.due(100 + 7 * RATE) == []
    assert repeats.due(100 + 8 * RATE) == []
    repeats.xrun(0.0)
    repeats.due(100 + 20 * RATE)
    assert repeats.due(100 + 21 * RATE) == []


messages = st.one_of(
    st.tuples(st.sampled_from([0x90, 0x80]), st.integers(60, 62), st.integers(1, 127)),
    st.tuples(st.just(0xB0), st.sampled_from([1, 64]), st.integers(0, 127)),
    st.tuples(st.just(0xE0), st.integers(0, 127), st.integers(0, 127)),
).map(bytes)


@given(st.lists(messages, max_size=30), st.data())
def test_whatever_was_lost_a_synthesizer_stands_as_it_should(
    sent: list[bytes], data: st.DataObject
) -> None:
    """It holds no note that is not meant to sound, and its pedal and wheels are where they were."""
    come = [each for each in sent if not data.draw(st.booleans(), "lost")]
    again = after(list(enumerate(sent)), len(sent))
    meant, heard = Synthesizer(sent), Synthesizer([*come, *again])
    assert heard.sounding <= meant.sounding
    assert heard.moved == meant.moved


class Synthesizer:
    """What sounds, and where the controllers are, after some messages."""

    def __init__(self, messages: list[bytes]) -> None:
        self.sounding: set[int] = set()
        self.moved: dict[bytes, bytes] = {}
        for status, first, second in messages:
            if status == 0x90:
                self.sounding.add(first)
            elif status == 0x80:
                self.sounding.discard(first)
            else:
                what = bytes([status, first]) if status == 0xB0 else bytes([status])
                self.moved[what] = bytes([first, second])


@pytest.mark.parametrize("is_patient", [True, False], ids=["waits", "never waits"])
def test_a_listener_that_sleeps_through_a_note_off_holds_nothing(is_patient: bool) -> None:
    """A server that waits 0.1 s a period for it, and one that goes on: what was in those is gone.

    While the one waits, its frames stand nearly still; the other's go on.
    """
    with (
        JackServer(is_patient=is_patient) as server,
        PlayerProcess(server.env) as player,
        JackRecorder(server) as sleeper,
    ):
        player.open()
        sleeper.listen_to("lofid:out")
        sleeper.wait_for_cycles()
        player.say("play", notes=[[0, 960, 0, 60, 90]])
        player.say("start", tick=0, tempo=240.0)
        (on,) = (event.frame for event in sleeper.wait_for(1))
        sleeper.sleep_at(on + server.rate // 2 - 3 * server.period_frames, 1.0)
        player.hear_until("off")
        assert sleeper.wait_for_quiet()
        assert sleeper.xruns
