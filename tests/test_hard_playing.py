"""What hands and bad keyboards do to the whole of lofid: it goes on, and neither holds nor loses.

Everything is played over real ports, while a take runs, in every mode.
"""

from collections.abc import Iterator
from pathlib import Path

import mido
import pytest

from tests.jackserver import JackKeyboard, JackRecorder, JackServer, wait_until
from tests.lofidprocess import LofidProcess

FAST = ("--tempo", "240", "--seed", "7", "--input", "Keystation")
Messages = list[list[int]]


def _rolled_chord() -> Iterator[Messages]:
    """Five keys, each a period or two after the last, let go together."""
    keys = (48, 55, 60, 64, 71)
    for key in keys:
        yield [[0x90, key, 80]]
    yield [[0x80, key, 64] for key in keys]


def _pedal() -> Iterator[Messages]:
    """Keys under the pedal, the same key again and again, half-pedalling."""
    yield [[0xB0, 64, 127]]
    for _ in range(6):
        yield [[0x90, 60, 90]]
        yield [[0x80, 60, 64]]
    yield from ([[0xB0, 64, value]] for value in (100, 63, 64, 1, 0))


def _fast_repeats() -> Iterator[Messages]:
    """One key forty times, ended by note-ons with velocity 0."""
    for _ in range(40):
        yield [[0x90, 62, 100], [0x90, 62, 0]]


def _cluster() -> Iterator[Messages]:
    """Two flat hands: twenty keys in one period."""
    yield [[0x90, key, 100] for key in range(50, 70)]
    yield [[0x80, key, 64] for key in range(50, 70)]


def _flood() -> Iterator[Messages]:
    """Four messages a period, which are over seven hundred a second, for a second and a half."""
    for i in range(280):
        key = 40 + i % 50
        yield [[0x90, key, 70], [0xB0, 1, i % 128], [0xE0, 0, 64], [0x80, key, 64]]


EVERYTHING = [_rolled_chord, _pedal, _fast_repeats, _cluster, _flood]
NOISE: Messages = [[0xF8], [0xFE]]
"""Clock and active sensing, which some keyboards send all the time."""


@pytest.mark.parametrize("mode", ["listen", "answer", "chords", "off"])
def test_whatever_is_played(jack_server: JackServer, tmp_path: Path, mode: str) -> None:
    """At last the keyboard is unplugged with three keys and the pedal down."""
    (tmp_path / "config.toml").write_text(f'[keyboard]\nmode = "{mode}"\nthru = 3\n')
    struck = 0
    with (
        LofidProcess(jack_server, tmp_path, *FAST, "--record", "take.mid") as lofid,
        JackRecorder(jack_server, "lofid:out") as recorder,
    ):
        lofid.status()
        with JackKeyboard(jack_server, "Keystation") as keyboard:
            wait_until(lambda: lofid.status()["keyboard"] == "there", "the keyboard")
            for play in EVERYTHING:
                for messages in play():
                    keyboard.play(*NOISE, *messages, *NOISE)
                    struck += sum(m[0] == 0x90 and m[2] > 0 for m in messages)
            keyboard.play([0xB0, 64, 127], [0x90, 60, 90], [0x90, 64, 90], [0x90, 67, 90])
            struck += 3
            wait_until(lambda: lofid.status()["notes"]["heard"] == struck, "all of it")
        wait_until(lambda: lofid.status()["keyboard"] == "waited for", "the news")
        status = lofid.status()
        assert status["notes"]["restarts"] == 0
        before = status["notes"]["played"]
        wait_until(lambda: lofid.status()["notes"]["played"] > before, "music")
        assert lofid.ctl("quit").returncode == 0
        assert lofid.wait() == 0
        recorder.wait_for_quiet()
    assert "Traceback" not in lofid.said
    _assert_recorded(tmp_path / "take.mid", struck)


PEDALLED = [127, 100, 63, 64, 1, 0, 127, 0]
"""The sustain pedal as it was moved, and let go of by who was unplugged."""


def _assert_recorded(path: Path, struck: int) -> None:
    """Each key that was struck is in the person's track, with an end; and all that was moved."""
    played = [track for track in mido.MidiFile(path).tracks if track.name == "played"]
    assert len(played) == 1
    ons = [m for m in played[0] if m.type == "note_on" and m.velocity > 0]
    offs = [
        m for m in played[0] if m.type == "note_off" or (m.type == "note_on" and not m.velocity)
    ]
    assert len(ons) == len(offs) == struck
    moved = [m for m in played[0] if m.type == "control_change"]
    assert [m.value for m in moved if m.control == 64] == PEDALLED
    assert [m.value for m in moved if m.control == 1] == [i % 128 for i in range(280)]
    assert sum(m.type == "pitchwheel" for m in played[0]) == 280
