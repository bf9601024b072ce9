"""The commands, as a person runs them: lines, exit codes, never a traceback."""

import os
import pkgutil
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import mido
import onnx
import pytest

import lofid
from lofid import __version__
from lofid.card import METADATA_KEY
from lofid.predictor import default_model_path
from tests.jackserver import JackServer, why_no_jack
from tests.lofidprocess import LOFID, own_environment, own_folders, run

ROOT = Path(__file__).parents[1]


def _refused(answer: "subprocess.CompletedProcess[str]", code: int, pattern: str) -> None:
    """One line, the right code, no traceback."""
    assert answer.returncode == code, answer.stderr
    assert answer.stderr.count("\n") == 1, answer.stderr
    assert re.search(pattern, answer.stderr), answer.stderr


def test_the_version(tmp_path: Path) -> None:
    assert run(tmp_path, "version").stdout == f"lofid {__version__}\n"


def test_a_file_of_bars(tmp_path: Path) -> None:
    """Sixteen bars of 4/4 at 480 ticks, with lead and keys on their channels, tempo and key."""
    answer = run(
        tmp_path, "render", "a.mid", "--bars", "16", "--seed", "3", "--tempo", "72", "--key", "Am"
    )
    assert answer.stderr == "a.mid: 16 bars, seed 3, A minor, 72 bpm\n"
    file = mido.MidiFile(tmp_path / "a.mid")
    assert (file.type, file.ticks_per_beat) == (1, 480)
    assert [sum(m.time for m in track) for track in file.tracks] == [16 * 1920] * 3
    metas = {m.type: m for m in file.tracks[0] if m.is_meta}
    assert metas["set_tempo"].tempo == round(60_000_000 / 72)
    assert metas["key_signature"].key == "Am"
    channels = [{m.channel for m in t if m.type == "note_on"} for t in file.tracks]
    assert channels == [set(), {0}, {1}]
    assert [track.name for track in file.tracks[1:]] == ["lead", "keys"]


def test_the_settings_file_is_found_and_flags_win(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text('[music]\ntempo = 100\nkey = "F major"\nseed = 5\n')
    answer = run(tmp_path, "render", "a.mid", "--bars", "1", "--tempo", "90")
    assert answer.stderr == "a.mid: 1 bars, seed 5, F major, 90 bpm\n"


def test_a_bad_settings_file_gets_all_its_errors(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text('[music]\ntmpo = 80\nswing = 20\n[mid]\nname = "x"\n')
    answer = run(tmp_path, "play")
    assert answer.returncode == 1
    lines = answer.stderr.splitlines()
    assert len(lines) == 3
    assert "music.tmpo" in answer.stderr
    assert "did you mean 'tempo'?" in answer.stderr
    assert "music.swing is 20; must be a number from 50" in answer.stderr
    assert "mid is not a section; did you mean 'midi'?" in answer.stderr


def test_a_model_that_cannot_be_read(tmp_path: Path) -> None:
    answer = run(tmp_path, "render", "a.mid", "--model", "none.onnx")
    _refused(answer, 1, r"^lofid: cannot read the model none\.onnx: No such file")


def test_a_model_of_another_format_names_both(tmp_path: Path) -> None:
    model = onnx.load(default_model_path())
    for entry in model.metadata_props:
        if entry.key == METADATA_KEY:
            entry.value = re.sub(r'"format":\s*1\b', '"format":2', entry.value, count=1)
    onnx.save(model, tmp_path / "new.onnx")
    answer = run(tmp_path, "render", "a.mid", "--model", "new.onnx")
    _refused(answer, 1, r"new\.onnx has model format 2, this lofid reads format 1")


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    answer = run(tmp_path, "render", "nowhere/a.mid", "--bars", "1")
    _refused(answer, 1, r"nowhere/a\.mid: cannot be written")


def _without_midi(tmp_path: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    """Run where no JACK server answers."""
    return subprocess.run(
        [*LOFID, *arguments],
        env={**own_folders(tmp_path), "JACK_DEFAULT_SERVER": "nobody-is-called-this"},
        cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip


@pytest.mark.skipif(Path("/dev/snd/seq").exists(), reason="this machine has ALSA MIDI")
@pytest.mark.skipif(sys.platform != "linux", reason="macOS always has CoreMIDI")
def test_no_midi_at_all_names_both_ways_out(tmp_path: Path) -> None:
    answer = _without_midi(tmp_path, "play")
    _refused(answer, 2, r"^lofid: no MIDI system: .*start one .*lofid render")
    ports = _without_midi(tmp_path, "ports")
    assert ports.returncode == 0
    assert ports.stderr == "no MIDI system here: see 'lofid doctor'\n"
    doctor = _without_midi(tmp_path, "doctor")
    assert doctor.returncode == 0
    assert "no MIDI system at all" in doctor.stdout
    assert "lofid render" in doctor.stdout


def test_a_port_that_is_not_there(jack_server: JackServer, tmp_path: Path) -> None:
    answer = subprocess.run(
        [*LOFID, "play", "--backend", "jack", "--output", "no such synth"],
        env=own_environment(tmp_path, jack_server),
        cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    _refused(answer, 1, r"^lofid: .*'no such synth'")


@pytest.mark.skipif(bool(why_no_jack()), reason="no JACK here")
def test_the_doctor_looks_at_everything(jack_server: JackServer, tmp_path: Path) -> None:
    doctor = subprocess.run(
        [*LOFID, "doctor"],
        env=own_environment(tmp_path, jack_server),
        cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert doctor.returncode == 0
    for subject in ("lofid", "settings", "MIDI: jack", "model", "device", "real-time", "Fluid"):
        assert re.search(rf"^{subject}", doctor.stdout, re.MULTILINE), doctor.stdout


def test_nothing_of_lofid_imports_tensorflow() -> None:
    """Every module of lofid, imported in one process: no training package comes with them."""
    code = (
        "import importlib, pkgutil, sys, lofid\n"
        "for m in pkgutil.walk_packages(lofid.__path__, 'lofid.'):\n"
        "    if not m.name.endswith('__main__'): importlib.import_module(m.name)\n"
        "print(sorted({'tensorflow', 'keras', 'onnx', 'tf2onnx', 'training'} & set(sys.modules)))"
    )
    answer = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=False
    )
    assert answer.stdout == "[]\n", answer.stderr


def test_every_module_is_held_to_the_layers() -> None:
    """A new module joins both contracts of import-linter; only the predictor has onnxruntime."""
    linter = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
    contracts = {contract["name"]: contract for contract in linter["contracts"]}
    modules = {f"lofid.{module.name}" for module in pkgutil.iter_modules(lofid.__path__)}
    assert set(contracts["lofid's modules import only downwards"]["layers"]) == modules
    held = set(contracts["only the predictor knows onnxruntime"]["source_modules"])
    assert held == modules - {"lofid.predictor"}


@pytest.mark.parametrize(
    ("name", "pattern"),
    [
        (".", "is a folder; give another name"),
        ("/", "is a folder; give another name"),
        ("", "is a folder; give another name"),
        ("x" * 300, "File name too long; give another name"),
        ("pipe", "is no regular file; give another name"),
    ],
    ids=["here", "root", "empty", "long", "pipe"],
)
def test_what_can_be_no_midi_file_is_refused(tmp_path: Path, name: str, pattern: str) -> None:
    os.mkfifo(tmp_path / "pipe")
    _refused(run(tmp_path, "render", name), 1, pattern)


def test_the_doctor_names_the_settings_it_used(tmp_path: Path) -> None:
    """The one that it was told, not the one that it would have found."""
    for name in ("config.toml", "mine.toml"):
        (tmp_path / name).touch()
    doctor = run(tmp_path, "doctor", "--config", "mine.toml")
    assert re.search(r"^settings +mine\.toml *$", doctor.stdout, re.MULTILINE), doctor.stdout
    assert re.search(r"^lofid .*, onnxruntime(-gpu)? \d", doctor.stdout, re.MULTILINE)


@pytest.mark.skipif(bool(why_no_jack()), reason="no JACK here")
def test_the_doctor_tells_what_cannot_be_reconnected(
    jack_server: JackServer, tmp_path: Path
) -> None:
    """JACK answers, but JACK-Client is not there."""
    code = "import sys; sys.modules['jack'] = None; from lofid.cli import main; main()"
    doctor = subprocess.run(
        [sys.executable, "-P", "-c", code, "doctor"],
        env=own_environment(tmp_path, jack_server),
        cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert doctor.returncode == 0, doctor.stderr
    line = r"^JACK-Client +cannot be loaded: it is not installed +lofid plays by jack-rtmidi: on"
    assert re.search(line, doctor.stdout, re.MULTILINE), doctor.stdout


# Ctrl-C: a signal that comes as a module is about to be imported, or as Python leaves

INTERRUPTED = """
import atexit, signal, sys

class Interrupt:
    def find_spec(self, name, path=None, target=None):
        if name == WHEN:
            signal.raise_signal(signal.SIGINT)
        elif f"{name}, an extension" == WHEN:
            raise ImportError("initialization failed") from KeyboardInterrupt()

sys.meta_path.insert(0, Interrupt())
if WHEN == "the end":
    atexit.register(signal.raise_signal, signal.SIGINT)
from lofid.cli import main
main()
"""


def _interrupted(tmp_path: Path, when: str, *arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-P", "-c", INTERRUPTED.replace("WHEN", repr(when)), *arguments],
        env=own_folders(tmp_path),
        cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("when", "arguments"),
    [
        ("typer", ["--help"]),
        ("pydantic", ["--help"]),
        ("lofid.control", ["--help"]),
        ("lofid.daemon", ["play"]),
        ("lofid.predictor", ["render", "a.mid"]),
        ("onnxruntime", ["render", "a.mid"]),
        ("lofid.render, an extension", ["render", "a.mid"]),
        ("lofid.doctor", ["doctor"]),
    ],
)
def test_an_early_interrupt_is_no_traceback(
    tmp_path: Path, when: str, arguments: list[str]
) -> None:
    answer = _interrupted(tmp_path, when, *arguments)
    assert (answer.returncode, answer.stdout, answer.stderr) == (130, "", "")


def test_an_interrupt_at_the_very_end_is_not_heard(tmp_path: Path) -> None:
    answer = _interrupted(tmp_path, "the end", "version")
    assert (answer.returncode, answer.stdout, answer.stderr) == (0, f"lofid {__version__}\n", "")
    answer = _interrupted(tmp_path, "the end", "render", "a.mid", "--model", "none.onnx")
    _refused(answer, 1, r"^lofid: cannot read the model none\.onnx")
