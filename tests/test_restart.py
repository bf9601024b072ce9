"""The JACK server goes under a session and comes back: the same lofid plays on."""

import os
import signal
from collections.abc import Callable
from pathlib import Path

import mido
import pytest

from tests.jackserver import JackRecorder, JackServer, pair_notes, sounding, wait_until
from tests.lofidprocess import LofidProcess

FAST = ("--tempo", "240", "--seed", "7")
GONE = "the JACK server does not answer: lofid waits for it\n"
BACK = "the JACK server is back: the music goes on\n"


def _freeze_and_kill(server: JackServer) -> None:
    server.freeze()
    server.kill()


def _leave(lofid: LofidProcess, recorder: JackRecorder) -> None:
    """End the session by a signal: with nothing held and nothing but honest lines said."""
    lofid.process.send_signal(signal.SIGTERM)
    assert lofid.wait() == 0
    assert not sounding(recorder.events)
    assert lofid.said.count(GONE) == lofid.said.count(BACK) == 1
    assert not {"died", "Traceback", "rror"} & set(lofid.said.split())
    kept = {"lofid", "no", "the", "recorded", "C", "what"}
    assert {line.split()[0] for line in lofid.said.splitlines()} <= kept, lofid.said


def _lose_server(lofid: LofidProcess, server: JackServer, end: Callable[[JackServer], None]) -> int:
    """End the server in the middle of a note; give the tick at which the music waits."""
    with JackRecorder(server, "lofid:out", "ears") as recorder:
        lofid.wait_for("seed")
        wait_until(lambda: len(pair_notes(recorder.events)) > 12, "some music")
        recorder.wait_for_cycles(450)  # connections are looked at once a second: two looks
        wait_until(lambda: sounding(list(recorder.events)), "a note that sounds")
        end(server)
        lofid.wait_for(GONE)
    return _waits_tick(lofid)


def _waits_tick(lofid: LofidProcess) -> int:
    """Give the tick at which the music waits: that of what was composed when nobody played."""
    ticks = [-1]

    def stands() -> bool:
        ticks.append(lofid.status()["tick"])
        return ticks[-1] == ticks[-2]

    wait_until(stands, "the music to stand")
    return ticks[-1]


def _onset_ticks(path: Path) -> list[int]:
    ticks = []
    for track in mido.MidiFile(path).tracks:
        tick = 0
        for message in track:
            tick += message.time
            if message.type == "note_on":
                ticks.append(tick)
    return sorted(ticks)


@pytest.mark.parametrize(
    ("end", "backend"),
    [
        (JackServer.end, "jack"),
        (JackServer.kill, "auto"),
        (_freeze_and_kill, "jack"),
        (JackServer.end, "jack-rtmidi"),
        (_freeze_and_kill, "jack-rtmidi"),
    ],
    ids=["ended", "killed, auto", "hung", "ended, rtmidi", "hung, rtmidi"],
)
def test_the_server_restarts(
    own_server: JackServer, tmp_path: Path, end: Callable[[JackServer], None], backend: str
) -> None:
    """Whoever listened hears the next music by the same names, though nobody connects anything.

    The take has the music from both sides of the gap, and no bar of silence between them.
    """
    arguments = (*FAST, "--backend", backend, "--record", "take.mid")
    with LofidProcess(own_server, tmp_path, *arguments) as lofid:
        waits_tick = _lose_server(lofid, own_server, end)
        status = lofid.status()
        assert (status["waits_for"], status["output"]) == ("the JACK server", None)
        assert not lofid.players(), "it is not by starting players that lofid looks for a server"
        own_server.start()
        with JackRecorder(own_server, name="ears") as recorder:
            lofid.wait_for(BACK)
            wait_until(lambda: len(pair_notes(recorder.events)) > 12, "music from before's names")
            status = lofid.status()
            assert (status["waits_for"], status["output"]) == ("", "lofid:out")
            _leave(lofid, recorder)
    ticks = _onset_ticks(tmp_path / "take.mid")
    before = [tick for tick in ticks if tick < waits_tick]
    after = [tick for tick in ticks if tick >= waits_tick]
    assert len(before) > 12
    assert len(after) > 12
    assert after[0] - before[-1] <= 1920


def test_a_listener_that_comes_later(own_server: JackServer, tmp_path: Path) -> None:
    """It is connected when it is there, and told to end what it may hold since it was lost."""
    with LofidProcess(own_server, tmp_path, *FAST) as lofid:
        _lose_server(lofid, own_server, JackServer.end)
        own_server.start()
        lofid.wait_for(BACK)
        played = lofid.status()["notes"]["played"]
        wait_until(lambda: lofid.status()["notes"]["played"] > played, "music that nobody hears")
        with JackRecorder(own_server, name="ears") as recorder:
            wait_until(lambda: len(pair_notes(recorder.events)) > 12, "music")
            data = [event.data for event in recorder.events]
            assert {bytes([0xB0, 123, 0]), bytes([0xB1, 123, 0])} <= set(data)
            _leave(lofid, recorder)


def test_a_named_output_that_comes_later(own_server: JackServer, tmp_path: Path) -> None:
    """``--output`` asks for a port that has to be there at the start, and only then."""
    with JackRecorder(own_server, name="ears") as recorder:
        lofid = LofidProcess(own_server, tmp_path, *FAST, "--output", "ears")
        wait_until(lambda: sounding(list(recorder.events)), "a note that sounds")
        own_server.end()
        lofid.wait_for(GONE)
    with lofid:
        own_server.start()
        lofid.wait_for(BACK)
        with JackRecorder(own_server, name="ears") as recorder:
            wait_until(lambda: len(pair_notes(recorder.events)) > 12, "music")
            _leave(lofid, recorder)


def test_a_restart_without_jack_client(
    own_server: JackServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Connections are lost then, and players look for the server, but the music goes on.

    RtMidi notices nothing until its buffer is full, minutes later: here its player dies before.
    """

    def end(server: JackServer) -> None:
        server.end()
        os.kill(lofid.player_pid(), signal.SIGKILL)

    (tmp_path / "jack.py").write_text("raise ImportError('no JACK-Client')\n")
    paths = [str(tmp_path), *filter(None, [os.environ.get("PYTHONPATH")])]
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(paths))
    with LofidProcess(own_server, tmp_path, *FAST, "--backend", "jack-rtmidi") as lofid:
        lofid.wait_for("JACK-Client cannot be loaded")
        _lose_server(lofid, own_server, end)
        own_server.start()
        with JackRecorder(own_server, "lofid:out") as recorder:
            wait_until(lambda: len(pair_notes(recorder.events)) > 12, "music")
            lofid.process.send_signal(signal.SIGTERM)
            assert lofid.wait() == 0
            assert not sounding(recorder.events)
        assert lofid.said.count(BACK) == 1


def test_the_player_dies_while_the_server_hangs(own_server: JackServer, tmp_path: Path) -> None:
    """There is nowhere to play until the server answers; then what the player held is ended."""
    with (
        LofidProcess(own_server, tmp_path, *FAST) as lofid,
        JackRecorder(own_server, "lofid:out", "ears") as recorder,
    ):
        lofid.wait_for("seed")
        recorder.wait_for_cycles(450)
        wait_until(lambda: sounding(list(recorder.events)), "a note that sounds")
        own_server.freeze()
        try:
            os.kill(lofid.player_pid(), signal.SIGKILL)
            lofid.wait_for(GONE)
            assert lofid.status()["waits_for"] == "the JACK server"
            held = sounding(list(recorder.events))
            before = len(recorder.events)
        finally:
            own_server.thaw()
        lofid.wait_for(BACK)
        wait_until(lambda: len(recorder.events) > before + 20, "music from the new player")
        ended = {(e.data[0] & 15, e.data[1]) for e in recorder.events[before:] if e.data[0] < 0x90}
        assert held <= ended
        _leave(lofid, recorder)


def test_two_restarts_and_changes_meanwhile(own_server: JackServer, tmp_path: Path) -> None:
    """Commands are obeyed while lofid waits, and a server that went is no player that died."""
    with LofidProcess(own_server, tmp_path, *FAST) as lofid:
        _lose_server(lofid, own_server, JackServer.end)
        assert lofid.ctl("set", "tempo", "300").stdout == "tempo = 300\n"
        assert lofid.ctl("record", "start", str(tmp_path / "a.mid")).returncode == 0
        assert lofid.ctl("panic").returncode == 0
        own_server.start()
        lofid.wait_for(BACK)
        waits_tick = _lose_again(lofid, own_server)
        assert lofid.status()["tempo"] == 300
        assert lofid.ctl("record", "stop").stdout == f"recorded {tmp_path / 'a.mid'}\n"
        assert 0 < mido.MidiFile(tmp_path / "a.mid").length <= waits_tick / 480 * 60 / 300
        assert _onset_ticks(tmp_path / "a.mid")
        assert lofid.ctl("quit").stdout == "leaving\n"
        assert lofid.wait() == 0
        assert (lofid.said.count(GONE), lofid.said.count(BACK)) == (2, 1)
        assert "died" not in lofid.said


def _lose_again(lofid: LofidProcess, server: JackServer) -> int:
    with JackRecorder(server, name="ears") as recorder:
        wait_until(lambda: len(pair_notes(recorder.events)) > 12, "music")
        server.kill()
        wait_until(lambda: lofid.said.count(GONE) == 2, "the second line")
    tick = _waits_tick(lofid)
    server.start()
    server.end()
    return tick


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_waiting(own_server: JackServer, tmp_path: Path, number: int) -> None:
    """With exit status 0, and the take kept."""
    with LofidProcess(own_server, tmp_path, *FAST, "--record", "take.mid") as lofid:
        _lose_server(lofid, own_server, JackServer.end)
        lofid.process.send_signal(number)
        assert lofid.wait() == 0
        assert "Traceback" not in lofid.said
        assert "could not be ended" not in lofid.said
    assert _onset_ticks(tmp_path / "take.mid")


def test_its_time_ends_the_waiting(own_server: JackServer, tmp_path: Path) -> None:
    """``--seconds`` are seconds, with and without a server."""
    with LofidProcess(own_server, tmp_path, *FAST, "--seconds", "15") as lofid:
        _lose_server(lofid, own_server, JackServer.end)
        assert lofid.wait() == 0
        assert "Traceback" not in lofid.said
