"""Whatever dies, and whenever: nothing is left held, nothing is lost, one honest line is said."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import mido
import pytest

from tests.jackserver import JackRecorder, JackServer, sounding, wait_until
from tests.lofidprocess import LofidProcess

FAST = ("--tempo", "240", "--seed", "7")


def _a_note_sounds(recorder: JackRecorder) -> None:
    wait_until(lambda: sounding(list(recorder.events)), "a note that sounds")


def _connections_are_known(recorder: JackRecorder) -> None:
    """The connections are looked at once a second: let two looks pass, in music."""
    first = recorder.frame_now()
    wait_until(lambda: recorder.frame_now() > first + 2.2 * 48_000, "two seconds of music")
    _a_note_sounds(recorder)


def test_leaving_while_the_player_is_being_replaced(
    jack_server: JackServer, tmp_path: Path
) -> None:
    """The player dies and a signal comes at once: a last player ends what the first one held."""
    with (
        LofidProcess(jack_server, tmp_path, *FAST) as lofid,
        JackRecorder(jack_server, "lofid:out") as recorder,
    ):
        _connections_are_known(recorder)
        os.kill(lofid.player_pid(), signal.SIGKILL)
        lofid.process.send_signal(signal.SIGTERM)
        assert lofid.wait() == 0
        recorder.wait_for_quiet()


def test_a_player_that_hangs_when_lofid_leaves(jack_server: JackServer, tmp_path: Path) -> None:
    with (
        LofidProcess(jack_server, tmp_path, *FAST) as lofid,
        JackRecorder(jack_server, "lofid:out") as recorder,
    ):
        _connections_are_known(recorder)
        os.kill(lofid.player_pid(), signal.SIGSTOP)
        lofid.process.send_signal(signal.SIGTERM)
        assert lofid.wait() == 0
        recorder.wait_for_quiet()


def test_players_that_keep_dying(jack_server: JackServer, tmp_path: Path) -> None:
    """One line and a non-zero exit; the take is kept."""
    with (
        LofidProcess(jack_server, tmp_path, *FAST, "--record", "take.mid") as lofid,
        JackRecorder(jack_server, "lofid:out") as recorder,
    ):
        _connections_are_known(recorder)
        seen: set[int] = set()
        while lofid.process.poll() is None:
            for pid in lofid.players() - seen:
                seen.add(pid)
                os.kill(pid, signal.SIGKILL)
        assert lofid.wait() == 1
        assert "lofid: the player process keeps dying: see 'lofid doctor'" in lofid.said
        assert "Traceback" not in lofid.said
    assert len(mido.MidiFile(tmp_path / "take.mid").tracks) >= 3


def test_a_change_while_the_player_is_being_replaced(
    jack_server: JackServer, tmp_path: Path
) -> None:
    """Commands are obeyed meanwhile, and the new player plays by them."""
    with LofidProcess(jack_server, tmp_path, *FAST) as lofid:
        lofid.status()
        os.kill(lofid.player_pid(), signal.SIGKILL)
        assert lofid.ctl("set", "tempo", "120").returncode == 0
        assert lofid.ctl("status").returncode == 0
        lofid.wait_for("the player process died")
        played = lofid.status()["notes"]["played"]
        wait_until(lambda: lofid.status()["notes"]["played"] > played + 4, "more notes")
        assert lofid.status()["tempo"] == 120
        lofid.process.send_signal(signal.SIGTERM)
        assert lofid.wait() == 0
        assert "Traceback" not in lofid.said


@pytest.fixture
def own_server(jack_server: JackServer) -> Iterator[JackServer]:
    """A second server, which a test may stop; asks for the first so that both skip together."""
    with JackServer() as server:
        yield server


def test_the_jack_server_goes(own_server: JackServer, tmp_path: Path) -> None:
    """It is said in one line, the exit is not zero, and the take is kept."""
    with LofidProcess(own_server, tmp_path, *FAST, "--record", "take.mid") as lofid:
        played = lofid.status()["notes"]["played"]
        wait_until(lambda: lofid.status()["notes"]["played"] > played + 8, "some music")
        own_server.stop()
        assert lofid.wait() == 1
        assert "lofid: the JACK server has gone: start it again" in lofid.said
        assert "Traceback" not in lofid.said
    assert mido.MidiFile(tmp_path / "take.mid").length > 0


def test_a_jack_server_that_hangs_at_the_start(own_server: JackServer, tmp_path: Path) -> None:
    """A signal ends the waiting."""
    own_server.freeze()
    try:
        with LofidProcess(own_server, tmp_path, *FAST) as lofid:
            wait_until(lofid.players, "the player process")
            lofid.process.send_signal(signal.SIGINT)
            assert lofid.wait() == 0
            assert "Traceback" not in lofid.said
    finally:
        own_server.thaw()
