"""Thru from end to end: what a person plays leaves on a channel of its own, and never hangs."""

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lofid.config import load
from tests.fakes import ScriptedModel
from tests.jackserver import (
    JackKeyboard,
    JackRecorder,
    JackServer,
    Recorded,
    sounding,
    wait_until,
    without_repeats,
)
from tests.lofidprocess import LofidProcess
from tests.player.driver import PlayerProcess
from tests.test_laws import ACTS, Act, some
from tests.world import World

BOTH = pytest.mark.parametrize("backend", ["jack", "jack-rtmidi"])
FAST = ("--tempo", "240", "--seed", "7")
WIRE = {"thru": 2, "transpose": 0, "channel": None}
CHORD = [0x90, 60, 90], [0x90, 64, 90], [0x90, 67, 90], [0xB0, 64, 127]


def _ears(backend: str) -> str:
    return "lofid:in" if backend == "jack" else "lofid-in:in"


def _on_channel(recorder: JackRecorder, channel: int) -> list[Recorded]:
    voices = {kind | channel for kind in range(0x80, 0xF0, 0x10)}
    return [event for event in list(recorder.events) if event.data[0] in voices]


@BOTH
def test_all_that_is_played_is_passed_on_in_order(jack_server: JackServer, backend: str) -> None:
    """Notes, pedal, wheel, bend, both pressures and a program; no clock, sensing or sysex.

    On JACK each is a period behind its own frame. Where the server has skipped a period, whatever
    came to nothing says nothing of lofid: again.
    """
    played = [
        *([0x90, 60, 90], [0xF8], [0xA0, 60, 20], [0xB0, 64, 127], [0xFE], [0xB0, 1, 5]),
        *([0xE0, 1, 65], [0xF0, 0x7D, 1, 0xF7], [0xD0, 44], [0xC0, 5], [0x80, 60, 30]),
        *([0xB0, 64, 0],),
    ]
    wanted = [bytes([m[0] & 0xF0 | 2, *m[1:]]) for m in played if m[0] < 0xF0]
    for _ in tries():
        came, left, xruns = _twenty_times(jack_server, backend, played)
        if [event.data for event in left] == 20 * wanted or not xruns:
            break
    assert [event.data for event in left] == 20 * wanted
    ways = [one.frame - other.frame for one, other in zip(left, came, strict=True)]
    if backend == "jack":
        assert sum(way == jack_server.period_frames for way in ways) > 0.9 * len(ways)


def tries() -> Iterator[None]:
    """Try again, after ever longer pauses: a machine that stands still does so for some seconds."""
    for number in range(8):
        time.sleep(number)
        yield


def _twenty_times(
    server: JackServer, backend: str, played: list[list[int]]
) -> tuple[list[Recorded], list[Recorded], int]:
    """Play it; give what came in, what was passed on, and the server's xruns."""
    with PlayerProcess(server.env) as player, JackKeyboard(server) as keyboard:
        player.open(backend=backend, input="virtual", keyboard=WIRE)
        keyboard.connect(_ears(backend))
        with JackRecorder(server, "lofid:out") as recorder:
            recorder.listen_to(keyboard.port_name)
            recorder.wait_for_cycles()
            xruns = recorder.xruns
            for _ in range(20):
                recorder.wait_for_cycles(2)
                keyboard.play(*played)
            recorder.wait_for_cycles(100)
            return _on_channel(recorder, 0), _on_channel(recorder, 2), recorder.xruns - xruns


@BOTH
@pytest.mark.parametrize("how", ["stop", "SIGTERM", "the engine dies", "panic", "unplugged"])
def test_it_ends_what_it_passed_on(jack_server: JackServer, backend: str, how: str) -> None:
    """Three keys and the pedal are down: each key gets its note-off, and the pedal comes up."""
    with PlayerProcess(jack_server.env) as player, JackRecorder(jack_server) as recorder:
        with JackKeyboard(jack_server, "Keystation") as keyboard:
            player.open(backend=backend, input="KEYS", keyboard=WIRE)
            recorder.listen_to("lofid:out")
            keyboard.play(*CHORD)
            recorder.wait_for(4)
            assert len(sounding(recorder.events)) == 3
            if how == "SIGTERM":
                player.process.send_signal(signal.SIGTERM)
            elif how == "the engine dies":
                player.die()
            elif how != "unplugged":
                player.say(how)
            if how in ("stop", "SIGTERM", "the engine dies"):
                assert player.end() == (0, "")
        recorder.wait_for_quiet()
        wait_until(lambda: bytes([0xB2, 64, 0]) in [e.data for e in recorder.events], "the pedal")


@BOTH
def test_an_output_in_its_own_input_makes_no_loop(jack_server: JackServer, backend: str) -> None:
    """What is composed and what is played goes round once at most, controllers too.

    A busy machine's server may skip a period, and what belonged into it; controllers are said again
    then. So no exact counts: what goes round comes every period.
    """
    notes = [[120 * i, 120 * i + 100, 0, 48 + i % 24, 90] for i in range(40)]
    with PlayerProcess(jack_server.env) as player, JackKeyboard(jack_server) as keyboard:
        player.open(backend=backend, input="virtual", keyboard=WIRE)
        keyboard.connect(_ears(backend))
        with JackRecorder(jack_server, "lofid:out") as recorder:
            recorder.connect("lofid:out", _ears(backend))
            keyboard.play([0x90, 72, 90], [0xB0, 1, 5], [0xE0, 1, 65], [0xB0, 64, 127])
            player.hear_until("own_channel")
            recorder.wait_for_cycles(100)
            passed = [event.data for event in _on_channel(recorder, 2)]
            assert passed.count(b"\x92\x48\x5a") <= 1 <= len(passed) < 50
            assert len(set(passed)) <= 4
            player.say("play", notes=notes)
            player.say("start", tick=0, tempo=240.0)
            player.hear_until("off", count=40)
            assert player.said_of("echo")
            player.say("stop")
            player.hear_until("closed")
            assert player.end() == (0, "")
            assert not sounding(recorder.events)
            again = [e for e in _on_channel(recorder, 2) if e.data[0] == 0x92]
    assert len(again) <= 1 + len(notes)


def test_a_player_that_is_killed_leaves_nothing(jack_server: JackServer, tmp_path: Path) -> None:
    """Its successor ends the keys that it had passed on; keys that are struck then sound again."""
    (tmp_path / "config.toml").write_text("[keyboard]\nthru = 3\ntranspose = 12\nchannel = 1\n")
    with (
        JackKeyboard(jack_server, "Keystation") as keyboard,
        LofidProcess(jack_server, tmp_path, *FAST, "--input", "KEYS") as lofid,
        JackRecorder(jack_server, "lofid:out") as recorder,
    ):
        lofid.wait_for("seed")
        keyboard.play([0x90, 60, 90], [0x91, 62, 90])
        wait_until(lambda: (2, 72) in sounding(list(recorder.events)), "the key")
        wait_until(lambda: lofid.status()["notes"]["heard"] == 2, "what was heard")
        recorder.wait_for_cycles(450)  # the patchbay looks what is connected once a second
        os.kill(lofid.player_pid(), signal.SIGKILL)
        ended = lambda: bytes([0x82, 72, 64]) in [e.data for e in recorder.events]  # noqa: E731
        wait_until(ended, "the key's end")
        lofid.wait_for("died")
        wait_until(lambda: lofid.status()["notes"]["restarts"] == 1, "the next player")
        keyboard.play([0x80, 60, 64], [0x90, 65, 90])
        wait_until(lambda: (2, 77) in sounding(list(recorder.events)), "the next key")
        lofid.process.send_signal(signal.SIGTERM)
        assert lofid.wait() == 0
        assert not sounding(recorder.events)
        assert {e.data[1] for e in _on_channel(recorder, 2) if e.data[0] == 0x92} == {72, 77}


def test_a_pad_that_is_a_command_is_ended_too(jack_server: JackServer, tmp_path: Path) -> None:
    """Thru passes on a mapped pad: if the player is killed while it is down, its note ends."""
    (tmp_path / "config.toml").write_text(
        '[keyboard]\nthru = 3\n[controllers]\n"mode listen" = "note 36 on 10"\n'
    )
    with (
        JackKeyboard(jack_server, "Keystation") as keyboard,
        LofidProcess(jack_server, tmp_path, *FAST, "--input", "KEYS") as lofid,
        JackRecorder(jack_server, "lofid:out") as recorder,
    ):
        lofid.wait_for("seed")
        keyboard.play([0x99, 36, 90])
        wait_until(lambda: (2, 36) in sounding(list(recorder.events)), "the pad")
        recorder.wait_for_cycles(450)  # the patchbay looks what is connected once a second
        os.kill(lofid.player_pid(), signal.SIGKILL)
        wait_until(lambda: (2, 36) not in sounding(list(recorder.events)), "the pad's end")
        assert lofid.status()["notes"]["heard"] == 0


keys = st.tuples(st.sampled_from([0x90, 0x91, 0x80]), st.integers(55, 60)).map(
    lambda key: lambda world: world.strike(*key, 90)
)


@settings(max_examples=100)
@given(
    some({**ACTS, "keys": keys, "more keys": keys}, "keys"),
    st.sampled_from([0.0, 0.026]),
    st.integers(-3, 3),
)
def test_whatever_happens_thru_holds_nothing(
    acts: list[Act], latency_seconds: float, transpose: int
) -> None:
    """Also after crashes: on thru's channel each note has its end, before it sounds again."""
    values: dict[str, Any] = {"keyboard.thru": 5, "keyboard.transpose": transpose}
    chosen = load(None, {"music.tempo": 120.0, "music.key": "C major", **values})
    world = World(ScriptedModel([(1, 1, 5), (4, 1, 5)]), chosen, latency_seconds)
    for act in acts:
        act(world)
        world.run(0.3)
    world.run(max(0.0, world.stalled_until - world.seconds))
    world.leave()
    held: set[int] = set()
    for _, _, message in world.sent:
        if message[0] == 0x94:
            assert message[1] not in held
            held.add(message[1])
        elif message[0] == 0x84:
            held.discard(message[1])
    assert held == set()


def test_a_thousand_messages_a_second_are_passed_on(jack_server: JackServer) -> None:
    """Two seconds of one key as fast as MIDI goes, with clock and sensing: all of it, in order.

    Where the server has skipped a period, whatever came to nothing says nothing of lofid: again.
    """
    keys = [bytes([0x90, 60, 1 + i % 127]) if i % 2 else bytes([0x80, 60, i % 128])
            for i in range(1, 2001)]  # fmt: skip
    wanted = keys, [bytes([key[0] | 2, *key[1:]]) for key in keys]
    for _ in tries():
        heard, passed, xruns = _rushed(jack_server, keys)
        if (heard, passed) == wanted or not xruns:
            break
    assert heard == wanted[0]
    assert passed == wanted[1]


def _rushed(server: JackServer, keys: list[bytes]) -> tuple[list[bytes], list[bytes], int]:
    """Play one a millisecond; give what was heard, what was passed on, and the server's xruns."""
    step = server.rate // 1000
    with PlayerProcess(server.env) as player, JackKeyboard(server) as keyboard:
        player.open(input="virtual", keyboard=WIRE)
        keyboard.connect("lofid:in")
        with JackRecorder(server, "lofid:out") as recorder:
            recorder.wait_for_cycles()
            xruns, begin = recorder.xruns, recorder.frame_now() + server.rate // 4
            for i, key in enumerate(keys):
                at = begin + i * step
                keyboard.play_at([(at, key), (at + 1, b"\xf8"), (at + 2, b"\xfe")])
            wait_until(lambda: recorder.frame_now() > begin + (len(keys) + 500) * step, "its end")
            passed = [e.data for e in without_repeats(_on_channel(recorder, 2))]
            xruns = recorder.xruns - xruns
        player.say("stop")
        player.hear_until("closed")
        heard = [bytes(message["data"]) for message in player.said_of("heard")]
    return heard, passed, xruns
