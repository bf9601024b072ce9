"""A session of the whole daemon, made anew by ``lofid replay`` from its journal."""

import os
import signal
import time
from pathlib import Path

import pytest

from lofid.entries import End, Input
from lofid.pieces import sessions_in
from lofid.reading import entries_in
from tests.jackserver import JackKeyboard, JackServer
from tests.lofidprocess import LofidProcess, run

PLAYED = ("--tempo", "200", "--key", "auto", "--input", "virtual", "--seed-midi", "seed.mid")


def _sessions(tmp_path: Path) -> list[str]:
    (journals,) = tmp_path.rglob("journals")
    return list(sessions_in(journals / "lofid"))


def _session(tmp_path: Path) -> str:
    (session,) = _sessions(tmp_path)
    return session


def _play(server: JackServer, lofid: LofidProcess) -> None:
    """A phrase, another key and tempo, a player that is killed."""
    lofid.wait_for("seed")
    with JackKeyboard(server) as keyboard:
        keyboard.connect("lofid:in")
        for pitch in (60, 63, 67, 70, 62, 65):
            keyboard.play((0x90, pitch, 90))
            time.sleep(0.1)
            keyboard.play((0x80, pitch, 64))
        lofid.ctl("set", "key", "F minor")
        lofid.ctl("set", "tempo", "150")
        os.kill(lofid.player_pid(), signal.SIGKILL)
        lofid.wait_for("a new one ends what it held")
        time.sleep(2.0)


def _seed(tmp_path: Path) -> None:
    assert run(tmp_path, "render", "seed.mid", "--bars", "4", "--seed", "3").returncode == 0


def test_a_session_is_identical(jack_server: JackServer, tmp_path: Path) -> None:
    _seed(tmp_path)
    with LofidProcess(jack_server, tmp_path, *PLAYED) as lofid:
        _play(jack_server, lofid)
        lofid.process.send_signal(signal.SIGTERM)
        assert lofid.wait() == 0
    told = run(tmp_path, "replay", _session(tmp_path))
    assert told.stderr.startswith("identical: ")
    assert told.returncode == 0
    (journals,) = tmp_path.rglob("journals")
    (pieces,) = sessions_in(journals / "lofid").values()
    *_, inputs, end = entries_in(pieces, pytest.fail)
    assert isinstance(inputs, Input), "the last are told at the end"
    assert isinstance(end, End)


def test_so_is_one_that_was_killed_as_far_as_it_was_kept(
    jack_server: JackServer, tmp_path: Path
) -> None:
    _seed(tmp_path)
    with LofidProcess(jack_server, tmp_path, *PLAYED) as lofid:
        _play(jack_server, lofid)
        lofid.process.kill()
        lofid.wait()
    told = run(tmp_path, "replay", _session(tmp_path))
    assert told.stderr.startswith("identical until it was cut off: ")
    assert told.returncode == 0


def test_so_is_one_that_goes_on_from_the_last(jack_server: JackServer, tmp_path: Path) -> None:
    """What was remembered is kept with it: the file may be another one by then."""
    for _ in range(2):
        with LofidProcess(jack_server, tmp_path, "--seconds", "4") as lofid:
            assert lofid.wait() == 0
    assert "goes on from the last session" in lofid.said
    for session in _sessions(tmp_path):
        told = run(tmp_path, "replay", session)
        assert told.stderr.startswith("identical: ")


def test_without_a_journal_nothing_is_kept(jack_server: JackServer, tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text("[record]\njournal = false\n")
    with LofidProcess(jack_server, tmp_path, "--seconds", "2") as lofid:
        assert lofid.wait() == 0
    told = run(tmp_path, "replay", "2")
    assert told.returncode == 1
    assert told.stderr.startswith("lofid: '2' is neither a file nor a session in ")
