"""What ends something is said once more after an xrun."""

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
    """The first is 0.5 s and a frame before it is said again."""
    assert after([(999 + CALM - WINDOW, OFF), (1000 + CALM - WINDOW, UP)], 1000) == [UP]


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


def test_a_listener_that_sleeps_through_a_note_off_holds_nothing(jack_server: JackServer) -> None:
    """The server waits 0.1 s for it in each period, then goes on: what was in that is gone."""
    with (
        PlayerProcess(jack_server.env) as player,
        JackRecorder(jack_server) as sleeper,
        JackRecorder(jack_server, name="awake") as awake,
    ):
        player.open()
        sleeper.listen_to("lofid:out")
        awake.listen_to("lofid:out")
        player.say("play", notes=[[0, 960, 0, 60, 90]])
        player.say("start", tick=0, tempo=240.0)
        (on,) = (event.frame for event in awake.wait_for(1))
        off = on + jack_server.rate // 2
        sleeper.sleep_at(off - 3 * jack_server.period_frames, 0.8)
        player.hear_until("off")
        awake.wait_for_quiet()
        assert sleeper.wait_for_quiet()
        assert sleeper.xruns
