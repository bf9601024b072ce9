"""A keyboard that appears, goes and comes back while lofid plays, over real ports."""

import os
import signal
import time
from pathlib import Path

import pytest

from tests.jackserver import JackKeyboard, JackRecorder, JackServer, sounding, wait_until
from tests.lofidprocess import LofidProcess
from tests.player.driver import PlayerProcess

FAST = ("--tempo", "240", "--seed", "7")
BOTH = pytest.mark.parametrize("backend", ["jack", "jack-rtmidi"])
WIRE = {"thru": 2, "transpose": 0, "channel": None}


@BOTH
def test_it_comes_goes_in_mid_chord_and_comes_back(jack_server: JackServer, backend: str) -> None:
    """What it held is let go, for the engine as for thru; it is heard each time it is there."""
    with PlayerProcess(jack_server.env) as player:
        with JackKeyboard(jack_server, "Other"):
            opened = player.open(backend=backend, input="KEYS", keyboard=WIRE)
        assert opened["awaits"] == "no MIDI input has 'KEYS' in its name; there is: Other:out"
        with JackRecorder(jack_server, "lofid:out") as recorder:
            player.say("start", tick=0, tempo=120.0)
            for _ in range(2):
                with JackKeyboard(jack_server, "Keystation") as keyboard:
                    came = player.hear_until("plugged")
                    assert (came["there"], came["port"]) == (True, "Keystation:out")
                    keyboard.play([0x90, 60, 90], [0x90, 64, 90], [0xB0, 64, 127])
                    player.hear_until("heard", count=3)
                assert not player.hear_until("plugged")["there"]
                recorder.wait_for_quiet()
            heard = [message["data"] for message in player.said_of("heard")]
            let_go = [[0x80, 60, 64], [0x80, 64, 64], [0xB0, 64, 0]]
            assert heard == 2 * [[0x90, 60, 90], [0x90, 64, 90], [0xB0, 64, 127], *let_go]
            player.say("stop")
            player.hear_until("closed")


@BOTH
def test_it_goes_and_is_back_at_once(jack_server: JackServer, backend: str) -> None:
    """Between two looks, and under the same name: its keys are let go of, and it is heard."""
    with PlayerProcess(jack_server.env) as player, JackRecorder(jack_server) as recorder:
        with JackKeyboard(jack_server, "Keystation") as keyboard:
            player.open(backend=backend, input="KEYS", keyboard=WIRE)
            recorder.listen_to("lofid:out")
            keyboard.play([0x90, 60, 90], [0xB0, 64, 127])
            player.hear_until("heard", count=2)
            recorder.wait_for(2)
        with JackKeyboard(jack_server, "Keystation") as keyboard:
            back_seconds = time.monotonic()
            gone, come = player.hear_until("plugged"), player.hear_until("plugged")
            assert time.monotonic() - back_seconds < 2
            assert (gone["there"], come["there"], come["port"]) == (False, True, "Keystation:out")
            keyboard.play([0x90, 62, 90])
            assert player.hear_until("heard")["data"] == [0x90, 62, 90]
            recorder.wait_for(5)
            assert sounding(recorder.events) == {(2, 62)}
        heard = [message["data"] for message in player.said_of("heard")]
        assert heard[2:4] == [[0x80, 60, 64], [0xB0, 64, 0]]


@BOTH
@pytest.mark.parametrize("wanted", ["KEYS", "virtual"])
@pytest.mark.parametrize("how", ["by hand", "unplugged"])
def test_a_connection_that_ends_lets_go(
    jack_server: JackServer, backend: str, wanted: str, how: str
) -> None:
    """Whoever ended it. One that a person ended is not made anew; a virtual port has no news."""
    ears = "lofid:in" if backend == "jack" else "lofid-in:in"
    with PlayerProcess(jack_server.env) as player, JackRecorder(jack_server) as recorder:
        with JackKeyboard(jack_server, "Keystation") as keyboard:
            player.open(backend=backend, input=wanted, keyboard=WIRE)
            recorder.listen_to("lofid:out")
            if wanted == "virtual":
                keyboard.connect(ears)
            keyboard.play([0x90, 60, 90], [0xB0, 64, 127])
            player.hear_until("heard", count=2)
            if how == "by hand":
                keyboard.disconnect(ears)
                assert player.hear_until("heard", count=2)["data"] == [0xB0, 64, 0]
                keyboard.play([0x90, 62, 90])
                player.hear_until("alive", count=3)
                keyboard.connect(ears)
                keyboard.play([0x90, 64, 90])
                assert player.hear_until("heard")["data"] == [0x90, 64, 90]
                assert not player.said_of("plugged")
        recorder.wait_for_quiet()
        player.hear_until("alive", count=2)
        ends = {tuple(message["data"]) for message in player.said_of("heard")}
        assert ends >= {(0x80, 60, 64), (0xB0, 64, 0)}
        assert len(player.said_of("plugged")) == (wanted != "virtual")


@BOTH
def test_lofid_plays_without_it_and_says_where_it_is(
    jack_server: JackServer, tmp_path: Path, backend: str
) -> None:
    """One line at the start, one for each coming and going; ``status`` shows it, and the port.

    A player that is killed while there is no keyboard has a successor that waits for it too.
    """
    arguments = (*FAST, "--input", "KEYS", "--backend", backend)
    with LofidProcess(jack_server, tmp_path, *arguments) as lofid:
        lofid.wait_for("lofid waits for your keyboard: no MIDI input has 'KEYS' in its name")
        assert lofid.status()["keyboard"] == "waited for"
        os.kill(lofid.player_pid(), signal.SIGKILL)
        wait_until(lambda: lofid.status()["notes"]["restarts"] == 1, "the next player")
        assert lofid.status()["keyboard"] == "waited for"
        for times in (1, 2):
            with JackKeyboard(jack_server, "Keystation") as keyboard:
                wait_until(lambda: lofid.status()["keyboard"] == "there", "the keyboard")
                assert lofid.status()["input"] == "Keystation:out"
                keyboard.play([0x90, 60, 90])
                _wait_for_keys(lofid, times)
            wait_until(lambda: lofid.status()["keyboard"] == "waited for", "its going")
            assert lofid.said.count("your keyboard is there: Keystation:out") == times
            assert lofid.said.count("your keyboard has gone") == times
        lofid.process.send_signal(signal.SIGTERM)
        assert lofid.wait() == 0
        assert "Traceback" not in lofid.said


def _wait_for_keys(lofid: LofidProcess, count: int) -> None:
    wait_until(lambda: lofid.status()["notes"]["heard"] == count, "a key")


@pytest.mark.parametrize(
    ("arguments", "keyboard"), [((), "none"), (("--input", "virtual"), "virtual")]
)
def test_no_keyboard_and_a_virtual_one(
    jack_server: JackServer, tmp_path: Path, arguments: tuple[str, ...], keyboard: str
) -> None:
    with LofidProcess(jack_server, tmp_path, *FAST, *arguments) as lofid:
        assert lofid.status()["keyboard"] == keyboard


@BOTH
def test_a_name_of_several_is_refused_at_the_start(jack_server: JackServer, backend: str) -> None:
    """Waiting would not help."""
    with (
        JackKeyboard(jack_server, "Keystation"),
        JackKeyboard(jack_server, "Keystation 2"),
        PlayerProcess(jack_server.env) as player,
    ):
        assert player.open(backend=backend, input="KEYS")["error"] == (
            "'KEYS' fits several MIDI inputs, give more of one name: "
            "Keystation:out, Keystation 2:out"
        )


@BOTH
def test_a_name_of_several_that_come_is_said_once(
    jack_server: JackServer, tmp_path: Path, backend: str
) -> None:
    """A keyboard with two ports: lofid does not guess, and says so once each time."""
    arguments = (*FAST, "--input", "KEYS", "--backend", backend)
    several = (
        "lofid waits for your keyboard: 'KEYS' fits several MIDI inputs, give more of one name: "
        "Keystation:out, Keystation:out 2"
    )
    with LofidProcess(jack_server, tmp_path, *arguments) as lofid:
        lofid.wait_for("lofid waits for your keyboard: no MIDI input has 'KEYS' in its name")
        with JackKeyboard(jack_server, "Keystation", ("out 2",)):
            lofid.wait_for(several)
            for _ in range(3):
                assert lofid.status()["keyboard"] == "waited for"
        with JackKeyboard(jack_server, "Keystation") as keyboard:
            lofid.wait_for("your keyboard is there: Keystation:out\n")
            keyboard.play([0x90, 60, 90])
            _wait_for_keys(lofid, 1)
        lofid.wait_for("your keyboard has gone")
        assert lofid.said.count("several") == 1
        with JackKeyboard(jack_server, "Keystation", ("out 2",)):
            wait_until(lambda: lofid.said.count(several) == 2, "the same again")


@BOTH
def test_two_that_are_there_are_told_of_when_it_opens(
    jack_server: JackServer, backend: str
) -> None:
    """A patient one waits, and need not say it again."""
    with (
        JackKeyboard(jack_server, "Keystation", ("out 2",)),
        PlayerProcess(jack_server.env) as player,
    ):
        opened = player.open(backend=backend, input="KEYS", patient=True)
        assert opened["awaits"].endswith("of one name: Keystation:out, Keystation:out 2")
        player.hear_until("alive", count=3)
        assert not player.said_of("plugged")


@BOTH
def test_an_output_that_is_not_there_is_refused(jack_server: JackServer, backend: str) -> None:
    """Waiting for the keyboard is one thing; but music should be heard."""
    with PlayerProcess(jack_server.env) as player:
        assert player.open(backend=backend, output="Synth", input="KEYS")["error"] == (
            "no MIDI output has 'Synth' in its name; there is: none at all"
        )


@BOTH
def test_another_keyboard_of_the_name_changes_nothing(
    jack_server: JackServer, backend: str
) -> None:
    """The one that is connected stays so, and what it holds is held."""
    with PlayerProcess(jack_server.env) as player:
        with JackKeyboard(jack_server, "Keystation") as keyboard:
            player.open(backend=backend, input="KEYS")
            keyboard.play([0x90, 60, 90])
            player.hear_until("heard")
            with JackKeyboard(jack_server, "Keystation 2"):
                player.hear_until("alive", count=4)
            keyboard.play([0x80, 60, 20])
            assert player.hear_until("heard")["data"] == [0x80, 60, 20]
        assert not player.hear_until("plugged")["there"]
        assert len(player.said_of("plugged")) == 1


def test_nothing_is_held_while_lofid_leaves(jack_server: JackServer, tmp_path: Path) -> None:
    """A key is down on a keyboard that came late when lofid is asked to leave."""
    (tmp_path / "config.toml").write_text("[keyboard]\nthru = 3\n")
    with (
        LofidProcess(jack_server, tmp_path, *FAST, "--input", "KEYS") as lofid,
        JackRecorder(jack_server, "lofid:out") as recorder,
        JackKeyboard(jack_server, "Keystation") as keyboard,
    ):
        lofid.wait_for("your keyboard is there")
        keyboard.play([0x90, 60, 90])
        wait_until(lambda: (2, 60) in sounding(list(recorder.events)), "the key")
        lofid.process.send_signal(signal.SIGTERM)
        assert lofid.wait() == 0
        assert not sounding(recorder.events)
