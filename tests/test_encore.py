"""What sounded is sent to a port again: the same notes, at their ticks, at the tempos that held."""

import signal
import subprocess
from pathlib import Path
from typing import Any

import pytest

from lofid.encore import runs_of
from lofid.errors import RecordingError
from lofid.pieces import Piece, sessions_in
from tests.jackserver import (
    PERIOD_FRAMES,
    RATE,
    JackRecorder,
    JackServer,
    pair_notes,
    sounding,
    wait_until,
)
from tests.journals import Desk
from tests.lofidprocess import LOFID, own_environment


def journal(folder: Path, *records: tuple[str, dict[str, Any]]) -> list[Piece]:
    desk = Desk(folder)
    for what, values in records:
        desk.scribe.write(what, **values)
    desk.scribe.close()
    return desk.pieces()


def on(tick: int, seconds: float, channel: int, pitch: int, **more: Any) -> tuple[str, Any]:
    values = {"tick": tick, "seconds": seconds, "channel": channel, "pitch": pitch}
    return "on", {**values, "velocity": 90, **more}


def off(tick: int, seconds: float, channel: int, pitch: int, **more: Any) -> tuple[str, Any]:
    return "off", {"tick": tick, "seconds": seconds, "channel": channel, "pitch": pitch, **more}


def moves(tick: int, seconds: float, moving: bool = True) -> tuple[str, Any]:
    return "transport", {"tick": tick, "seconds": seconds, "moving": moving}


SESSION = (
    ("transport", {"tick": 0, "seconds": 1.0, "moving": False}),
    ("tempo", {"tick": 0, "seconds": 1.0, "bpm": 120.0}),
    moves(0, 5.0),
    on(0, 5.0, 0, 60),
    on(0, 5.0, 1, 48),
    on(100, 5.1, 0, 72, by_person=True),
    off(120, 5.12, 0, 72, by_person=True),
    off(240, 5.25, 0, 60),
    on(480, 5.5, 0, 62),
    off(480, 5.5, 1, 48),
    ("tempo", {"tick": 720, "seconds": 5.75, "bpm": 240.0}),
    off(960, 5.875, 0, 62),
    on(960, 5.875, 0, 64),
    off(1200, 6.0, 0, 64),
    moves(1200, 6.0, moving=False),
    moves(1200, 6.5),
    on(1440, 6.625, 1, 50),
    off(1680, 6.75, 1, 50),
    ("end", {"tick": 1680, "seconds": 6.8}),
)
"""Five notes of lofid's, one of a person's, another tempo, and half a second in which it stood."""


def test_runs_have_their_notes_and_tempos(tmp_path: Path) -> None:
    first, second = runs_of(journal(tmp_path, *SESSION), pytest.fail)
    assert (first.tick, first.seconds, first.tempo) == (0, 5.0, 120.0)
    assert (second.tick, second.seconds, second.tempo) == (1200, 6.5, 240.0)
    assert [(tempo.seconds, tempo.bpm) for tempo in first.tempos] == [(5.75, 240.0)]
    assert second.tempos == []
    assert first.plays() == [
        {
            "do": "play",
            "notes": [
                [0, 240, 0, 60, 90],
                [0, 480, 1, 48, 90],
                [480, 960, 0, 62, 90],
                [960, 1200, 0, 64, 90],
            ],
        },
        {"do": "start", "tick": 0, "tempo": 120.0},
    ]
    assert second.plays() == [
        {"do": "play", "notes": [[1440, 1680, 1, 50, 90]]},
        {"do": "start", "tick": 1200, "tempo": 240.0},
    ]


def test_what_is_said_again_while_it_moves_begins_no_run(tmp_path: Path) -> None:
    """As when a master's clock is found; but one that is a bar farther on does."""
    records = (
        moves(0, 5.0),
        on(0, 5.0, 0, 60),
        moves(320, 5.5),
        off(640, 6.0, 0, 60),
        moves(1920, 6.5),
        on(1920, 6.5, 0, 62),
        off(2560, 7.5, 0, 62),
    )
    runs = runs_of(journal(tmp_path, *records), pytest.fail)
    assert [(run.tick, run.seconds, len(run.notes)) for run in runs] == [
        (0, 5.0, 1),
        (1920, 6.5, 1),
    ]


def test_a_session_in_which_nothing_sounded_is_refused(tmp_path: Path) -> None:
    person = (on(100, 5.1, 0, 72, by_person=True), off(120, 5.12, 0, 72, by_person=True))
    with pytest.raises(RecordingError, match="nothing of lofid's sounded in this session"):
        runs_of(journal(tmp_path, *person), pytest.fail)


def test_it_is_heard_again_in_time(jack_server: JackServer, tmp_path: Path) -> None:
    """By an independent JACK client: onsets and ends, within what a busy machine needs."""
    (pieces,) = [journal(tmp_path / "j", *SESSION)]
    assert list(sessions_in(tmp_path / "j").values()) == [pieces]
    command = [*LOFID, "replay", str(pieces[0].path), "--play", "--backend", "jack"]
    how: dict[str, Any] = {"env": own_environment(tmp_path, jack_server), "cwd": tmp_path}
    with (
        subprocess.Popen(command, **how, stderr=subprocess.PIPE, text=True) as again,
        JackRecorder(jack_server, "lofid:out") as recorder,
    ):
        _, said = again.communicate(timeout=60)
    assert again.returncode == 0, said
    assert said == "lofid plays 5 notes again on jack port lofid:out\n"
    notes = sorted(pair_notes(recorder.events), key=lambda note: (note.on_frame, note.channel))
    assert [(n.channel, n.pitch, n.velocity) for n in notes] == [
        (0, 60, 90), (1, 48, 90), (0, 62, 90), (0, 64, 90), (1, 50, 90),
    ]  # fmt: skip
    expected = [0.0, 0.0, 0.5, 0.875, 1.625]
    slack = 0.05 + PERIOD_FRAMES / RATE
    for note, seconds in zip(notes, expected, strict=True):
        assert abs((note.on_frame - notes[0].on_frame) / RATE - seconds) < slack


def test_a_signal_ends_what_sounds(jack_server: JackServer, tmp_path: Path) -> None:
    """And that is no error."""
    long = (moves(0, 5.0), on(0, 5.0, 0, 60), on(0, 5.0, 1, 48), off(9600, 20.0, 0, 60))
    pieces = journal(tmp_path / "j", *long)
    command = [*LOFID, "replay", str(pieces[0].path), "--play", "--backend", "jack"]
    how: dict[str, Any] = {"env": own_environment(tmp_path, jack_server), "cwd": tmp_path}
    with (
        subprocess.Popen(command, **how, stderr=subprocess.PIPE, text=True) as again,
        JackRecorder(jack_server, "lofid:out") as recorder,
    ):
        wait_until(lambda: len(sounding(list(recorder.events))) == 2, "two notes")
        again.send_signal(signal.SIGINT)
        again.communicate(timeout=30)
        wait_until(lambda: not sounding(list(recorder.events)), "their ends")
    assert again.returncode == 0
