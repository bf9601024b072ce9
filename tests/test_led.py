"""The whole of lofid under another's MIDI clock, over real ports."""

import random
import signal
from pathlib import Path

import pytest

from tests.jackserver import (
    RATE,
    JackKeyboard,
    JackRecorder,
    JackServer,
    pair_notes,
    sounding,
    wait_until,
)
from tests.lofidprocess import LofidProcess

PULSE_FRAMES = RATE * 60 // (120 * 24)
"""1,000 frames: 120 bpm."""
CLOCK, START, STOP = b"\xf8", b"\xfa", b"\xfc"
LED = ("--sync", "midi-clock", "--seed", "7")


def _pulses(begin: int, count: int, jitter_frames: int = 0) -> list[tuple[int, bytes]]:
    rng = random.Random(7)
    places = [begin + PULSE_FRAMES * i for i in range(count)]
    return [(at + rng.randint(-jitter_frames, jitter_frames), CLOCK) for at in places]


@pytest.mark.parametrize(("jitter_frames", "off_frames"), [(0, 24), (144, 96)])
def test_notes_fall_on_the_masters_pulses(
    jack_server: JackServer, tmp_path: Path, jitter_frames: int, off_frames: int
) -> None:
    """A bar of clock, Start, three bars, Stop: onsets are on their pulses, as those were meant.

    Straight swing; the grid is two pulses. The jitter of the second clock is 3 ms. Half of the
    onsets is asked for, since a busy machine's server may skip periods.
    """
    with (
        LofidProcess(jack_server, tmp_path, *LED, "--swing", "50") as lofid,
        JackKeyboard(jack_server, "drummer") as master,
        JackRecorder(jack_server, "lofid:out") as recorder,
    ):
        lofid.wait_for("seed")
        master.connect("lofid:clock")
        assert lofid.status()["sync"] == "midi-clock, waiting"
        begin = master.frame_now() + RATE // 2
        downbeat = begin + 96 * PULSE_FRAMES
        before = _pulses(begin, 96, jitter_frames)
        bars = _pulses(downbeat, 3 * 96, jitter_frames)
        half = PULSE_FRAMES // 2
        stop = (downbeat + 3 * 96 * PULSE_FRAMES - half, STOP)
        master.play_at([*before, (downbeat - half, START), *bars, stop])
        wait_until(lambda: master.frame_now() > downbeat + 2 * 96 * PULSE_FRAMES, "two bars")
        status = lofid.status()
        wait_until(lambda: master.frame_now() > stop[0] + RATE // 2, "the end")
        assert not sounding(recorder.events)
        assert lofid.status()["transport"] == "stopped"
        lofid.process.send_signal(signal.SIGTERM)
        assert lofid.wait() == 0
        onsets = [note.on_frame - downbeat for note in pair_notes(recorder.events)]
    assert status["sync"] == "midi-clock, locked"
    assert abs(status["tempo"] - 120) < 1
    assert len(onsets) > 8
    off = [(onset + PULSE_FRAMES) % (2 * PULSE_FRAMES) - PULSE_FRAMES for onset in onsets]
    assert sorted(map(abs, off))[len(off) // 2] <= off_frames
    assert -off_frames <= min(onsets) < 2 * 96 * PULSE_FRAMES


def test_what_is_the_masters_business(jack_server: JackServer, tmp_path: Path) -> None:
    """Start, stop and tempo are refused in one line each; a missing clock is waited for."""
    with LofidProcess(jack_server, tmp_path, *LED) as lofid:
        lofid.status()
        for command in (["start"], ["stop"], ["continue"], ["set", "tempo", "90"]):
            refused = lofid.ctl(*command)
            assert refused.returncode == 1
            assert "MIDI clock" in refused.stderr
            assert refused.stderr.count("\n") == 1
        lofid.process.send_signal(signal.SIGTERM)
        assert lofid.wait() == 0
    assert "lofid waits for a MIDI clock and its Start" in lofid.said
