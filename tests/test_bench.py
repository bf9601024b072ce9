"""``lofid bench``: all that it measures is told, the rival is fair, nothing is left behind."""

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import psutil
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lofid.bench.contest import AT_FRAME, AT_SEND, DELTAS, LOFID, PLAIN, Lateness
from lofid.bench.findings import Findings, Machine, spread
from lofid.bench.grid import TEMPO_BPM, Grid
from lofid.bench.loads import BUSY, CONDITIONS, INFERENCE, processes
from lofid.bench.rival import by_deltas, by_the_clock
from lofid.bench.session import Session
from lofid.player.clock import TempoClock
from tests.jackserver import JackServer, wait_until, why_no_jack
from tests.lofidprocess import LOFID as COMMAND
from tests.lofidprocess import own_environment, own_folders

QUICK_NOTES = 20
PLAYERS = [(LOFID, "jack", AT_FRAME), (LOFID, "jack-rtmidi", AT_SEND)]
PLAYERS += [(PLAIN, "jack", AT_SEND), (DELTAS, "jack", AT_SEND)]


# The grid, and the two loops that play it


@given(st.integers(1, 500))
def test_lofid_and_the_rival_play_the_same_grid(notes: int) -> None:
    """lofid's ticks, by its own clock, are the rival's seconds; each note ends with the next."""
    grid, clock = Grid(notes), TempoClock()
    clock.start(0, 0.0, TEMPO_BPM)
    wire, due = grid.wire_notes(), grid.due_seconds()
    assert [clock.seconds_at(on) for on, *_ in wire] == pytest.approx(due[:-1])
    assert [clock.seconds_at(off) for _, off, *_ in wire] == pytest.approx(due[1:])
    assert grid.seconds == pytest.approx(due[-1])


class SlowSleep:
    """A clock whose sleep takes 100 µs more than it was asked for; it keeps what was sent."""

    def __init__(self) -> None:
        self.seconds = 1000.0
        self.sent: list[str] = []

    def now(self) -> float:
        return self.seconds

    def sleep(self, seconds: float) -> None:
        self.seconds += seconds + 100e-6

    def send(self, message: Any) -> None:
        self.sent.append(f"{message.type} {message.note}")


def test_the_plain_loop_is_late_by_one_sleep() -> None:
    """It sleeps to places on the grid, so what one sleep took too long, the next makes good."""
    clock = SlowSleep()
    late = by_the_clock(clock, 4, clock.now, clock.sleep)
    assert late == [100, 100, 100, 100]
    assert clock.sent == [
        *("note_on 48", "note_off 48", "note_on 49", "note_off 49"),
        *("note_on 50", "note_off 50", "note_on 51", "note_off 51"),
    ]


def test_the_loop_of_deltas_drifts() -> None:
    """It sleeps from note to note, so that all lateness adds up."""
    clock = SlowSleep()
    assert by_deltas(clock, 4, clock.now, clock.sleep) == [100, 200, 300, 400]
    assert len(clock.sent) == 8


# The loads


def test_the_loads_of_two_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    """A spinning interpreter for each core, and one that thinks."""
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    assert processes((), without_own=False) == []
    assert processes((INFERENCE,), without_own=False) == [INFERENCE]
    assert processes((BUSY,), without_own=False) == [BUSY, BUSY]
    assert processes((INFERENCE, BUSY), without_own=True) == [BUSY]


@pytest.mark.parametrize("kinds", CONDITIONS.values(), ids=CONDITIONS)
def test_the_machine_has_as_much_to_do_for_either(kinds: tuple[str, ...]) -> None:
    """The rival has one of each kind in a thread; that one is no process."""
    for_lofid = processes(kinds, without_own=False)
    for_the_rival = [*processes(kinds, without_own=True), *kinds]
    assert sorted(for_lofid) == sorted(for_the_rival)


# What is made of it


def _findings(*lateness: Lateness) -> Findings:
    machine = Machine("0", "3", "here", 2, False, "no rights")
    session = Session("jack", 80.0, 2.0, 0.5, 150.0, 1.5)
    return Findings(machine, Grid(3), lateness, "a.onnx", (), "", session)


def test_ratios_are_of_like_and_like() -> None:
    """Both p99 at the send call: what is told of a frame is not compared with what is not."""
    findings = _findings(
        Lateness("idle", LOFID, "jack", AT_FRAME, (0, 0, 0)),
        Lateness("idle", LOFID, "jack-rtmidi", AT_SEND, (50, 50, 50)),
        Lateness("idle", PLAIN, "jack", AT_SEND, (1000, 1000, 1000)),
        Lateness("idle", DELTAS, "jack", AT_SEND, (5000, 6000, 7000)),
        Lateness("both", LOFID, "jack", AT_FRAME, (0, 0, 0)),
        Lateness("both", PLAIN, "jack", AT_SEND, (1000, 1000, 1000)),
    )
    assert findings.times_earlier("idle") == 20
    assert findings.times_earlier("both") is None


def test_drift_is_of_a_minute() -> None:
    """1 ms a note, at 3,600 notes a minute; of the loop that counts from note to note alone."""
    late = (5000, 6000, 7000)
    findings = _findings()
    drift = findings.drift_ms_a_minute(Lateness("idle", DELTAS, "jack", AT_SEND, late))
    assert drift == pytest.approx(3600)
    assert findings.drift_ms_a_minute(Lateness("idle", PLAIN, "jack", AT_SEND, late)) is None
    assert findings.drift_ms_a_minute(Lateness("idle", DELTAS, "jack", AT_SEND, (9,))) is None


def test_the_spread() -> None:
    assert spread(range(101)) == {"p50": 50, "p99": 99, "max": 100}
    assert spread([]) == {}


# The command


def _bench(
    env: dict[str, str], tmp_path: Path, *arguments: str, code: str = ""
) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-P", "-c", f"{code}\n{COMMAND[-1]}", "bench", *arguments],
        env=env, cwd=tmp_path, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip


def _left_behind(tmp_path: Path) -> list[str]:
    """What runs in this test's own folders."""
    left = []
    for process in psutil.process_iter(["environ", "cmdline", "status"]):
        info = SimpleNamespace(**process.info)
        if (info.environ or {}).get("XDG_RUNTIME_DIR") == str(tmp_path / "run"):
            left.append(" ".join(info.cmdline or []))
    return left


def test_a_quick_look(jack_server: JackServer, tmp_path: Path) -> None:
    """Both ways on JACK and both plain loops, under each load; the model, the session, the files.

    Counts are asserted here, never speeds.
    """
    files = ["--json", "found.json", "--png", "late.png"]
    answer = _bench(own_environment(tmp_path, jack_server), tmp_path, "--quick", *files)
    assert answer.returncode == 0, answer.stderr
    found = json.loads((tmp_path / "found.json").read_text())
    assert list(found) == ["machine", "grid", "lateness", "times_earlier", "model", "session"]
    assert found["grid"] == {"notes": QUICK_NOTES, "step_ms": 16.667}
    rows = [
        (one["condition"], one["player"], one["backend"], one["at"]) for one in found["lateness"]
    ]
    assert rows == [(condition, *player) for condition in CONDITIONS for player in PLAYERS]
    for one in found["lateness"]:
        assert len(one["late_us"]) + one["dropped"] == QUICK_NOTES
        assert (one["drift_ms_a_minute"] is None) == (one["player"] != DELTAS)
        if one["late_us"]:
            assert one["p50_us"] <= one["p99_us"] <= one["max_us"] == max(one["late_us"])
    assert list(found["times_earlier"]) == list(CONDITIONS)
    assert found["model"]["devices"][0]["device"] == "cpu"
    assert min(found["model"]["devices"][0]["step_ms"]) > 0
    session = found["session"]
    assert (session["backend"], session["tempo"]) == ("jack", 80)
    assert session["start_seconds"] > 0
    assert 10 < session["memory_mb"] < 4096
    assert session["cpu_percent"] > 0
    assert (tmp_path / "late.png").read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"
    for text in ("busy interpreter", "lofid on jack-rtmidi", "real-time priority", "at 80 bpm"):
        assert text in answer.stdout
    assert _left_behind(tmp_path) == []
    assert [port for port in jack_server.ports() if port.startswith("lofid")] == []


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGKILL, -9)]
)
def test_nothing_is_left_behind(
    jack_server: JackServer, tmp_path: Path, number: signal.Signals, code: int
) -> None:
    """However it is ended, while its loads run: they end too, and so does what plays."""
    env = own_environment(tmp_path, jack_server)
    with subprocess.Popen(
        [*COMMAND, "bench", "--notes", "2"],
        env=env,
        cwd=tmp_path,
        stderr=subprocess.PIPE,
        text=True,
    ) as bench:
        wait_until(
            lambda: any("lofid.bench.loads" in line for line in _left_behind(tmp_path)),
            "a load",
            60,
        )
        bench.send_signal(number)
        assert bench.wait(30) == code
        assert bench.stderr is not None
        assert "Traceback" not in bench.stderr.read()
    wait_until(lambda: not _left_behind(tmp_path), "all to end", 30)


def _refused(answer: "subprocess.CompletedProcess[str]", code: int, pattern: str) -> None:
    """One line, the right code, no traceback."""
    assert answer.returncode == code, answer.stderr
    assert answer.stderr.count("\n") == 1, answer.stderr
    assert re.search(pattern, answer.stderr), answer.stderr


@pytest.mark.skipif(Path("/dev/snd/seq").exists(), reason="this machine has ALSA MIDI")
@pytest.mark.skipif(sys.platform != "linux", reason="macOS always has CoreMIDI")
def test_no_midi_at_all(tmp_path: Path) -> None:
    """The same line and the same exit status as 'lofid play'."""
    env = {**own_folders(tmp_path), "JACK_DEFAULT_SERVER": "nobody-is-called-this"}
    _refused(_bench(env, tmp_path), 2, r"^lofid: no MIDI system: .*lofid render")
    assert _left_behind(tmp_path) == []


@pytest.mark.parametrize("flag", ["--json", "--png"])
def test_a_file_that_cannot_be_written_is_refused_at_once(tmp_path: Path, flag: str) -> None:
    answer = _bench(own_folders(tmp_path), tmp_path, flag, "nowhere/found")
    _refused(answer, 1, r"^lofid: nowhere/found: cannot be written there")


def test_a_picture_needs_matplotlib(tmp_path: Path) -> None:
    """It is no part of what plays; the line says what to install."""
    code = "import sys; sys.modules['matplotlib'] = None"
    answer = _bench(own_folders(tmp_path), tmp_path, "--png", "late.png", code=code)
    _refused(answer, 1, r"^lofid: --png needs matplotlib: pip install 'lofid\[bench\]'$")


@pytest.mark.skipif(bool(why_no_jack()), reason="no JACK here")
def test_a_model_that_cannot_be_read(jack_server: JackServer, tmp_path: Path) -> None:
    answer = _bench(own_environment(tmp_path, jack_server), tmp_path, "--model", "none.onnx")
    assert answer.returncode == 1
    assert answer.stderr.splitlines()[-1].startswith("lofid: cannot read the model none.onnx")
