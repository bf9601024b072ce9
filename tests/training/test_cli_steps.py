"""``lofid-train all``, ``fit``, ``export`` and ``evaluate`` as a person runs them."""

import shutil
import subprocess
import sys
from pathlib import Path

import mido
import pytest
from typer.testing import CliRunner

from lofid.errors import ConfigError
from lofid.predictor import Predictor
from tests.training.music import Played, write_midi
from training.cli import app
from training.run import Run

TRAIN = [sys.executable, "-c", "from training.cli import main; main()"]
LOFID = [sys.executable, "-c", "from lofid.cli import main; main()"]
CHORDS = ((48, 52, 55, 59), (45, 48, 52, 55), (50, 53, 57, 60), (43, 47, 50, 53))


def run(program: list[str], *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [*program, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def song(first: int) -> list[Played]:
    """Eight bars: a chord on each, and a scale over it that begins elsewhere in each song."""
    notes: list[Played] = []
    for bar in range(8):
        notes += [(pitch, 1920 * bar, 1900) for pitch in CHORDS[bar % 4]]
        scale = (60, 62, 64, 67, 69, 72, 74)
        notes += [(scale[(first + bar + i) % 7], 1920 * bar + 240 * i, 230) for i in range(1, 8)]
    return notes


@pytest.fixture(scope="module")
def songs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of five songs."""
    folder = tmp_path_factory.mktemp("music") / "songs"
    folder.mkdir()
    for i in range(5):
        write_midi(folder / f"song{i}.mid", song(i))
    return folder


def test_from_midi_files_to_new_music(songs: Path, tiny_recipe: Path, tmp_path: Path) -> None:
    """One command makes the model, another one plays it. Nothing is said on stderr."""
    model, work, credits_file = tmp_path / "my.onnx", tmp_path / "work", tmp_path / "credits.txt"
    credits_file.write_text("Five scales, by the tests")
    done = run(
        TRAIN, "all", songs, "--out", model, "--work", work, "--recipe", tiny_recipe,
        "--credits", credits_file,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    assert "5 files, " in done.stdout
    assert "agrees with Keras to " in done.stdout
    assert done.stdout.splitlines()[-1].startswith(f"{model}: ")
    assert Predictor(model, "cpu").card.credits == "Five scales, by the tests"

    rendered = tmp_path / "out.mid"
    played = run(LOFID, "render", rendered, "--bars", "4", "--model", model, "--seed", "1",
                 "--device", "cpu")  # fmt: skip
    assert played.returncode == 0, played.stderr
    messages = [message for track in mido.MidiFile(rendered).tracks for message in track]
    assert any(message.type == "note_on" and message.velocity for message in messages)


def test_other_music_needs_another_folder(
    songs: Path, fitted_run: Run, tiny_recipe: Path, tmp_path: Path
) -> None:
    """It is refused, and what the run in the folder was made from stays."""
    work = tmp_path / "work"
    shutil.copytree(fitted_run.folder, work)
    arguments = ["--out", str(tmp_path / "m.onnx"), "--work", str(work), "--recipe"]
    done = CliRunner().invoke(app, ["all", str(songs), *arguments, str(tiny_recipe), "--quiet"])
    assert isinstance(done.exception, ConfigError)
    assert str(done.exception) == (
        f"{work} holds a run of another recipe or corpus: give another folder"
    )
    assert Run(work).corpus_path.read_bytes() == fitted_run.corpus_path.read_bytes()


def test_the_steps_one_by_one(fitted_run: Run, tiny_recipe: Path, tmp_path: Path) -> None:
    """A finished run: ``fit`` has nothing to do, ``export`` writes it."""
    folder, model = tmp_path / "run", tmp_path / "m.onnx"
    shutil.copytree(fitted_run.folder, folder)
    for arguments, last in (
        (["fit", "--corpus", folder / "corpus.npz", "--out", folder, "--recipe", tiny_recipe],
         " nats per event"),
        (["export", folder, "--out", model], " MB"),
    ):  # fmt: skip
        done = CliRunner().invoke(app, [str(each) for each in arguments])
        assert (done.exit_code, done.stderr) == (0, "")
        assert done.stdout.splitlines()[-1].endswith(last)
    assert Predictor(model, "cpu").card.recipe == "two-epochs"


def test_what_is_wrong_is_said_before_the_work(songs: Path, tmp_path: Path) -> None:
    """One line on stderr, exit 1, nothing on stdout: no file was read yet."""
    (tmp_path / "taken").write_text("")
    (tmp_path / "latin1.txt").write_bytes(b"\xe9")
    out = ("--out", tmp_path / "m.onnx")
    for arguments, fault in (
        (("--recipe", "defualt"), "no recipe 'defualt': give one of classic, default, tiny, or a"),
        (("--credits", tmp_path / "no.txt"), f"cannot read the credits {tmp_path / 'no.txt'}: No"),
        (("--credits", tmp_path / "latin1.txt"), f"the credits {tmp_path / 'latin1.txt'} are not"),
        (("--work", tmp_path / "taken"), f"{tmp_path / 'taken'}: no folder can be made there: Fil"),
    ):
        done = run(TRAIN, "all", songs, *out, *arguments)
        assert (done.returncode, done.stdout) == (1, "")
        assert done.stderr.startswith(f"lofid-train: {fault}")
        assert len(done.stderr.splitlines()) == 1


def test_a_folder_without_a_run(tmp_path: Path) -> None:
    """Said at once: TensorFlow need not be imported for it."""
    done = run(TRAIN, "export", tmp_path, "--out", tmp_path / "m.onnx")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        f"lofid-train: {tmp_path} holds no trained run: make one by 'lofid-train fit'\n"
    )


def test_an_import_that_fails_is_not_hushed_up() -> None:
    """What was held back while TensorFlow starts is shown when it does not."""
    code = (
        "import os\n"
        "from training.quiet import quiet_start\n"
        "with quiet_start():\n"
        "    os.write(2, b'library missing\\n')\n"
        "os.write(2, b'heard\\n')\n"
        "with quiet_start():\n"
        "    os.write(2, b'cause of death\\n')\n"
        "    raise SystemExit(3)\n"
    )
    done = run([sys.executable, "-c", code])
    assert (done.returncode, done.stderr) == (3, "heard\ncause of death\n")
