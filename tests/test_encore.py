"""What sounded is sent to a port again: the same notes, at their ticks, at the tempos that held."""

import asyncio
import signal
import subprocess
from pathlib import Path
from typing import Any

import pytest

from lofid.encore import LOOK_SECONDS, until_one_is_done
from lofid.errors import PortError
from lofid.pieces import sessions_in
from lofid.runs import Run, runs_of
from lofid.transcript import Note
from tests.again import SESSION, Again, journal, moves, off, on
from tests.jackserver import (
    PERIOD_FRAMES,
    RATE,
    JackRecorder,
    JackServer,
    pair_notes,
    sounding,
    wait_until,
)
from tests.lofidprocess import LOFID, own_environment


def test_a_session_is_played_as_it_was(tmp_path: Path) -> None:
    """Each note at its second, also across another tempo and where the music stood."""
    again = Again(runs_of(journal(tmp_path, *SESSION), pytest.fail))
    again.run(60.0)
    assert again.progress.is_done
    expected = [(0.0, 60), (0.0, 48), (0.5, 62), (0.88, 64), (1.62, 50)]
    for (at, pitch), (seconds, wanted) in zip(again.notes(), expected, strict=True):
        assert pitch == wanted
        assert abs(at - seconds) < 0.011


@pytest.mark.parametrize("latency_seconds", [0.0, 0.03])
def test_a_tempo_holds_from_its_tick_on_whenever_that_is(
    tmp_path: Path, latency_seconds: float
) -> None:
    """The player was stopped for ten seconds before it came there; nobody stops the next one."""
    records = (
        ("transport", {"tick": 0, "seconds": 0.5, "moving": False}),
        ("tempo", {"tick": 0, "seconds": 0.5, "bpm": 120.0}),
        moves(0, 1.0),
        on(0, 1.0, 0, 60),
        off(240, 1.25, 0, 60),
        on(480, 11.5, 0, 62),
        off(720, 11.75, 0, 62),
        ("tempo", {"tick": 960, "seconds": 12.0, "bpm": 60.0}),
        on(960, 12.0, 0, 64),
        off(1200, 12.5, 0, 64),
        on(1440, 13.0, 0, 65),
        off(1500, 13.1, 0, 65),
    )
    again = Again(runs_of(journal(tmp_path, *records), pytest.fail), latency_seconds)
    again.run(60.0)
    expected = [(0.0, 60), (0.5, 62), (1.0, 64), (2.0, 65)]
    for (at, pitch), (seconds, wanted) in zip(again.notes(), expected, strict=True):
        assert pitch == wanted
        assert abs(at - seconds) < 0.011 + latency_seconds


def test_a_player_that_stands_still_is_waited_for(tmp_path: Path) -> None:
    """With the tempo, and with the next run."""
    again = Again(runs_of(journal(tmp_path, *SESSION), pytest.fail))
    again.run(2.3)
    again.seconds += 10.0
    again.run(60.0)
    assert [pitch for _, pitch in again.notes()] == [60, 48, 62, 64, 50]
    _, _, first, second, last = (at for at, _ in again.notes())
    assert first > 10.0
    assert abs(second - first - 0.375) < 0.011
    assert abs(last - second - 0.125) < LOOK_SECONDS + 0.011


@pytest.mark.parametrize(
    ("notes", "count"),
    [
        (((1000, 1000), (1000, 1240)), 1),
        (((998, 1240), (1480, 1500)), 2),
        (((998, 999), (1000, 1240)), 1),
    ],
)
def test_it_comes_to_its_end_whatever_the_player_merges_or_drops(
    notes: tuple[tuple[int, int], ...], count: int
) -> None:
    """A voice twice at one tick, and notes from before the run begins."""
    whole = [Note(begin, 5.0, end, 5.5, 0, 60, 90) for begin, end in notes]
    again = Again(
        [
            Run(1000, 5.0, 120.0, whole),
            Run(3000, 7.0, 120.0, [Note(3000, 7.0, 3001, 7.1, 0, 60, 90)]),
        ]
    )
    again.run(60.0)
    assert again.progress.is_done
    assert len(again.notes()) == count + 1


async def _raise(error: Exception) -> None:
    raise error


def test_what_goes_wrong_while_it_plays_is_said() -> None:
    with pytest.raises(PortError, match="died"):
        asyncio.run(until_one_is_done(_raise(PortError("it died")), asyncio.sleep(60)))


def test_it_is_heard_again_in_time(jack_server: JackServer, tmp_path: Path) -> None:
    """By an independent JACK client: onsets and ends, within what a busy machine needs."""
    (pieces,) = [journal(tmp_path / "j", *SESSION)]
    assert list(sessions_in(tmp_path / "j").values()) == [pieces]
    command = [*LOFID, "replay", str(pieces[0].path), "--play", "--backend", "jack"]
    how: dict[str, Any] = {"env": own_environment(tmp_path, jack_server), "cwd": tmp_path}
    with (
        subprocess.Popen(command, **how, stderr=subprocess.PIPE, text=True) as again,
        JackRecorder(jack_server, "lofid-replay:out") as recorder,
    ):
        _, said = again.communicate(timeout=60)
    assert again.returncode == 0, said
    assert said == "lofid plays 5 notes again on jack port lofid-replay:out\n"
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
        JackRecorder(jack_server, "lofid-replay:out") as recorder,
    ):
        wait_until(lambda: len(sounding(list(recorder.events))) == 2, "two notes")
        again.send_signal(signal.SIGINT)
        again.communicate(timeout=30)
        wait_until(lambda: not sounding(list(recorder.events)), "their ends")
    assert again.returncode == 0


def test_a_signal_is_heeded_while_no_port_opens(own_server: JackServer, tmp_path: Path) -> None:
    pieces = journal(tmp_path / "j", *SESSION)
    command = [*LOFID, "replay", str(pieces[0].path), "--play", "--backend", "jack"]
    how: dict[str, Any] = {"env": own_environment(tmp_path, own_server), "cwd": tmp_path}
    own_server.freeze()
    try:
        with subprocess.Popen(command, **how, stderr=subprocess.PIPE, text=True) as again:
            children = Path(f"/proc/{again.pid}/task/{again.pid}/children")
            wait_until(children.read_text, "a player")
            again.send_signal(signal.SIGINT)
            _, said = again.communicate(timeout=60)
    finally:
        own_server.thaw()
    assert (again.returncode, said) == (0, "")
