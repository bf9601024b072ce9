"""What sounded is sent to a port again: the same notes, at their ticks, at the tempos that held."""

import asyncio
import signal
import subprocess
from pathlib import Path
from typing import Any

import pytest

from lofid.config import load
from lofid.encore import LOOK_SECONDS, Progress, until_one_is_done
from lofid.errors import PortError, RecordingError
from lofid.pieces import Piece, sessions_in
from lofid.player.inbox import Inbox
from lofid.player.link import Link
from lofid.player.performer import Performer
from lofid.player.realtime import Realtime
from lofid.player.wire import Message
from lofid.runs import Run, runs_of
from lofid.stage import open_request
from lofid.transcript import Note
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
from tests.player.fakes import FakePorts


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


class Again:
    """A player in simulated time that is told by a progress what to do."""

    def __init__(self, runs: list[Run], latency_seconds: float = 0.0) -> None:
        self.seconds = 100.0
        self.told: list[Message] = []
        self.progress = Progress(runs, self.seconds + 2.0)
        self.ports = FakePorts(lambda: self.seconds, lambda _seconds: None)
        self.ports.latency_seconds = latency_seconds
        wire, inbox = _Wire(self.told), Inbox(_Bell(), _Bell())  # type: ignore[arg-type]
        self.player = Performer(
            wire, inbox, lambda *_: self.ports, Realtime(False, "simulated"), lambda: self.seconds
        )
        self.player.obey(open_request(load(None, {})), self.seconds)

    def run(self, seconds: float) -> None:
        """Let time pass, or be done: the player by its deadlines, the progress by its looks."""
        until, look = self.seconds + seconds, self.seconds
        while self.seconds < until and not self.progress.is_done:
            due = self.player.next_seconds()
            self.seconds = max(self.seconds, min(look, until, look if due is None else due))
            self.player.advance(self.seconds)
            for message in self.told:
                self.progress.hear(message, self.seconds)
            self.told.clear()
            if self.seconds >= look:
                for message in self.progress.take(self.seconds):
                    self.player.obey(message, self.seconds)
                look = self.seconds + max(self.progress.wait_seconds(self.seconds), 0.001)

    def notes(self) -> list[tuple[float, int]]:
        """When each note began, since the first run was to begin, and its pitch."""
        sent = [(at, bytes.fromhex(each)) for at, batch in self.ports.batches for each in batch]
        return [(round(at - 102, 2), data[1]) for at, data in sent if data[0] >> 4 == 9]


class _Wire(Link):
    def __init__(self, told: list[Message]) -> None:
        self._told = told

    def tell(self, message: Message) -> None:
        self._told.append(message)


class _Bell:
    def setblocking(self, _flag: bool) -> None:
        pass

    def send(self, _data: bytes) -> None:
        pass


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
