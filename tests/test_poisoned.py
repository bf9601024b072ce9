"""Real models that give NaN, under the real commands: one honest line, and music or none."""

import re
import signal
from pathlib import Path

import mido
import pytest

from lofid.config import load
from lofid.feel import feel_of
from tests.jackserver import JackRecorder, JackServer, pair_notes, sounding, wait_until
from tests.lofidprocess import LofidProcess, run
from tests.poison import EVENTS, dead_model, poisoned_model

SEED = 7
LINE = "the model gave no numbers: lofid repeats its last bar until it does\n"


@pytest.fixture(scope="module")
def poisoned(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """It gives NaN from some bar after the second on, for as long as one token is in its window."""
    path = tmp_path_factory.mktemp("models") / "poisoned.onnx"
    return poisoned_model(path, feel_of(load(None, {})), SEED)


def test_the_music_goes_on_without_numbers_and_the_model_when_it_can(
    jack_server: JackServer, tmp_path: Path, poisoned: Path
) -> None:
    """The line is said once; the notes go on; two bars are composed by the model again."""
    flags = ("--tempo", "240", "--seed", str(SEED), "--model", str(poisoned))
    with (
        LofidProcess(jack_server, tmp_path, *flags) as lofid,
        JackRecorder(jack_server, "lofid:out") as recorder,
    ):
        lofid.wait_for(LINE)
        faulty = lofid.status()
        assert 0 < faulty["notes"]["faults"] <= EVENTS
        played = faulty["notes"]["played"]
        wait_until(lambda: lofid.status()["notes"]["played"] > played + EVENTS, "more notes")
        wait_until(lambda: _two_bars_without_a_fault(lofid), "the model's own music")
        wait_until(lambda: sounding(list(recorder.events)), "a note that sounds")
        lofid.process.send_signal(signal.SIGTERM)
        assert lofid.wait() == 0
        assert not sounding(recorder.events)
        assert len(pair_notes(recorder.events)) > played
        assert lofid.said.count("numbers") == 1
        assert "Traceback" not in lofid.said


def _two_bars_without_a_fault(lofid: LofidProcess) -> bool:
    before = lofid.status()
    wait_until(lambda: lofid.status()["tick"] > before["tick"] + 2 * 1920, "two bars")
    return bool(lofid.status()["notes"]["faults"] == before["notes"]["faults"])


def test_a_file_is_written_to_its_end_and_the_repeats_are_told(
    tmp_path: Path, poisoned: Path
) -> None:
    """Nearly all of its bars have notes, and the same seed writes the same file."""
    answers = [
        run(tmp_path, "render", name, "--seed", str(SEED), "--model", str(poisoned))
        for name in ("a.mid", "b.mid")
    ]
    for answer in answers:
        assert answer.returncode == 0, answer.stderr
        assert re.search(r"numbers \d+ times: the bar before was", answer.stderr), answer.stderr
        assert answer.stderr.count("\n") == 2
    files = [(tmp_path / name).read_bytes() for name in ("a.mid", "b.mid")]
    assert files[0] == files[1]
    bars = set()
    for track in mido.MidiFile(tmp_path / "a.mid").tracks:
        tick = 0
        for message in track:
            tick += message.time
            bars |= {tick // 1920} if message.type == "note_on" else set()
    assert len(bars) > 28


REFUSED = r"dead\.onnx gives token_logits that are no numbers: train the model again"


@pytest.fixture(scope="module")
def dead(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """It gives NaN always."""
    return dead_model(tmp_path_factory.mktemp("models") / "dead.onnx")


def test_a_model_that_never_gives_numbers_does_not_play(
    jack_server: JackServer, tmp_path: Path, dead: Path
) -> None:
    with LofidProcess(jack_server, tmp_path, "--model", str(dead)) as lofid:
        assert lofid.wait() == 1
        assert re.fullmatch(rf"lofid: \S*{REFUSED}\n", lofid.said), lofid.said


def test_nor_does_it_render(tmp_path: Path, dead: Path) -> None:
    answer = run(tmp_path, "render", "a.mid", "--model", str(dead))
    assert answer.returncode == 1
    assert re.fullmatch(rf"lofid: \S*{REFUSED}\n", answer.stderr), answer.stderr
    assert not (tmp_path / "a.mid").exists()


def test_the_doctor_says_so(tmp_path: Path, dead: Path) -> None:
    (tmp_path / "config.toml").write_text(f'[engine]\nmodel = "{dead}"\n')
    answer = run(tmp_path, "doctor")
    assert answer.returncode == 0
    told = " ".join(answer.stdout.split())
    assert "model cannot be used" in told
    assert "gives token_logits that are no" in told
    assert answer.stderr == ""
