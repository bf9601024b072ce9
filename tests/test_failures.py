"""What musicians and machines do to a running lofid: each ends with nothing held and a line."""

import ctypes
import json
import os
import signal
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pytest

from lofid.player.jackports import open_jack
from lofid.player.ports import PortRequest, Ports
from lofid.player.rtmidiports import open_rtmidi
from tests.jackserver import (
    RATE,
    JackKeyboard,
    JackRecorder,
    JackServer,
    pair_notes,
    sounding,
    wait_until,
)
from tests.lofidprocess import LOFID, LofidProcess, own_environment, run
from tests.player.driver import PlayerProcess

FAST = ("--tempo", "240", "--seed", "7")


def _leave(lofid: LofidProcess, recorder: JackRecorder) -> None:
    """End it, and see that nothing is held and nothing went wrong."""
    lofid.process.send_signal(signal.SIGTERM)
    assert lofid.wait() == 0
    assert not sounding(recorder.events)
    assert "Traceback" not in lofid.said


def test_an_engine_that_stalls_for_five_seconds(jack_server: JackServer, tmp_path: Path) -> None:
    """The last bar is repeated: never two seconds of silence, no burst after it, one line."""
    with (
        LofidProcess(jack_server, tmp_path, *FAST) as lofid,
        JackRecorder(jack_server, "lofid:out") as recorder,
    ):
        before = lofid.status()["notes"]
        wait_until(lambda: lofid.status()["notes"]["played"] > before["played"] + 20, "music")
        begin = recorder.frame_now()
        lofid.process.send_signal(signal.SIGSTOP)
        wait_until(lambda: recorder.frame_now() > begin + 5 * RATE, "five seconds of a stall")
        lofid.process.send_signal(signal.SIGCONT)
        end = recorder.frame_now()
        lofid.wait_for("lofid repeats its last bar")
        wait_until(lambda: lofid.status()["notes"]["played"] > before["played"] + 60, "music")
        notes = lofid.status()["notes"]
        _leave(lofid, recorder)
        onsets = [note.on_frame for note in pair_notes(recorder.events)]
    assert notes["underruns"] > 0
    assert notes["restarts"] == 0
    during = [begin, *(frame for frame in onsets if begin < frame < end), end]
    assert max(b - a for a, b in pairwise(during)) < 2 * RATE
    after = [frame for frame in onsets if end <= frame < end + RATE // 2]
    assert len(after) < 40


def test_it_hears_only_others(jack_server: JackServer, tmp_path: Path) -> None:
    """Its output is connected to its input: it says so once, and plays on."""
    with (
        LofidProcess(jack_server, tmp_path, *FAST, "--input", "virtual") as lofid,
        JackRecorder(jack_server, "lofid:out") as recorder,
    ):
        lofid.status()
        recorder.connect("lofid:out", "lofid:in")
        lofid.wait_for("lofid hears itself")
        heard = lofid.status()["notes"]["heard"]
        played = lofid.status()["notes"]["played"]
        wait_until(lambda: lofid.status()["notes"]["played"] > played + 20, "music")
        assert lofid.status()["notes"]["heard"] == heard
        _leave(lofid, recorder)
    assert lofid.said.count("hears itself") == 1


def test_a_thousand_messages_a_second(jack_server: JackServer) -> None:
    """Two seconds of them, with sysex, clock and active sensing between: all notes are told."""
    with PlayerProcess(jack_server.env) as player, JackKeyboard(jack_server) as keyboard:
        player.open(input="virtual")
        keyboard.connect("lofid:in")
        player.say("start", tick=0, tempo=120.0)
        noise = [[0xF8], [0xFE], [0xF0, 0x7D, *range(32), 0xF7]]
        for i in range(250):
            pitch = 30 + i % 60
            keyboard.play(
                [0x90, pitch, 90], *noise, [0xB0, 1, i % 128], [0xE0, 0, 64], [0x80, pitch, 0]
            )
        player.hear_until("heard", count=1000)
        heard = [tuple(m["data"]) for m in player.said_of("heard")]
        assert [h[1] for h in heard if h[0] == 0x90] == [30 + i % 60 for i in range(250)]
        assert sum(h[0] == 0x80 for h in heard) == 250
        player.say("stop")
        player.hear_until("closed")


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has these rights")
def test_real_time_rights_refused(jack_server: JackServer) -> None:
    """It plays all the same, and says what is missing and how to get it."""

    def without_rights() -> None:
        cap_sys_nice, pr_capbset_drop = 23, 24
        ctypes.CDLL(None).prctl(pr_capbset_drop, cap_sys_nice, 0, 0, 0)

    with PlayerProcess(jack_server.env, prepare=without_rights) as player:
        opened = player.open()
        assert not opened["realtime"]
        assert "rtprio" in opened["realtime_note"]
        with JackRecorder(jack_server, "lofid:out") as recorder:
            player.say("play", notes=[[0, 240, 0, 60, 90]])
            player.say("start", tick=0, tempo=120.0)
            assert len(pair_notes(recorder.wait_for(2))) == 1


@pytest.mark.parametrize("opener", [open_jack, open_rtmidi])
def test_ten_thousand_looks_leave_nothing_behind(jack_server: JackServer, opener: object) -> None:
    """Neither clients nor descriptors grow."""

    def ignore(_message: bytes, _seconds: float) -> None:
        return

    with JackKeyboard(jack_server, "Keystation"):
        request = PortRequest(backend="jack-rtmidi", name="looker", input="KEYS")
        ports: Ports = opener(request, ignore, ignore)  # type: ignore[operator]
        assert not ports.look()
        clients, files = jack_server.ports(), len(os.listdir("/proc/self/fd"))
        for _ in range(10_000):
            assert not ports.look()
        assert jack_server.ports() == clients
        assert len(os.listdir("/proc/self/fd")) == files
        ports.close()


def test_a_keyboard_comes_and_goes(jack_server: JackServer) -> None:
    """It is unplugged with a key held: the key is let go; it comes back by its name."""
    with PlayerProcess(jack_server.env) as player:
        with JackKeyboard(jack_server, "Keystation") as keyboard:
            assert player.open(input="KEYS")["input"] == "Keystation:out"
            keyboard.play([0x90, 60, 90])
            player.hear_until("heard")
        assert player.hear_until("heard")["data"] == [0x80, 60, 64]
        gone = {"is": "plugged", "side": "input", "there": False, "port": "lofid:in", "why": ""}
        assert player.hear_until("plugged") == gone
        with JackKeyboard(jack_server, "Keystation") as keyboard:
            assert player.hear_until("plugged")["there"]
            keyboard.play([0x90, 62, 90])
            assert player.hear_until("heard")["data"] == [0x90, 62, 90]


@pytest.mark.parametrize("where", ["a closed pipe", "a full disk"])
def test_the_music_goes_on_where_nobody_reads_what_is_said(
    jack_server: JackServer, tmp_path: Path, where: str
) -> None:
    """``lofid play 2>&1 | head -1``: what it would say later goes nowhere."""
    read, write = os.pipe()
    os.close(read)
    if where == "a full disk":
        os.close(write)
        write = os.open("/dev/full", os.O_WRONLY)
    command = [*LOFID, "play", "--backend", "jack", *FAST]
    environment = own_environment(tmp_path, jack_server)
    process = subprocess.Popen(command, env=environment, cwd=tmp_path, stderr=write)
    os.close(write)

    def played() -> int:
        answer = run(tmp_path, "ctl", "status", "--json")
        return json.loads(answer.stdout)["notes"]["played"] if answer.returncode == 0 else 0

    try:
        wait_until(lambda: played() > 0 or process.poll() is not None, "music")
        before = played()
        wait_until(lambda: played() > before + 10 or process.poll() is not None, "more music")
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0
    finally:
        process.kill()
        process.wait()
