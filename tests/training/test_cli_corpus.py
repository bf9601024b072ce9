"""``lofid-train corpus`` as a person runs it."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.training.music import C_MAJOR, write_midi
from training.corpus import Corpus

RUN = [sys.executable, "-c", "from training.cli import main; main()", "corpus"]


@pytest.fixture
def songs(tmp_path: Path) -> Path:
    """A folder of one piece and a note about it."""
    folder = tmp_path / "songs"
    folder.mkdir()
    write_midi(folder / "a.mid", C_MAJOR)
    (folder / "README.md").write_text("one piece")
    return folder


def run(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [*RUN, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_a_folder_becomes_a_corpus(songs: Path, tmp_path: Path) -> None:
    """The table names what was read and what was not; the last line counts."""
    done = run(songs, "--out", tmp_path / "c.npz", "--cache", tmp_path / "cache")
    assert (done.returncode, done.stderr) == (0, "")
    assert "songs/README.md" in done.stdout
    assert done.stdout.splitlines()[-1] == "1 files, 7 notes, 0 chords"
    assert Corpus.load(tmp_path / "c.npz").names == ("songs/a.mid",)
    assert (tmp_path / "cache").is_dir()


def test_nothing_that_can_be_read(tmp_path: Path) -> None:
    """Exit 1, one line on stderr, the table says why, and no file is written."""
    (tmp_path / "text.mid").write_text("hello")
    done = run(tmp_path, tmp_path / "nowhere", "--out", tmp_path / "c.npz", "--no-cache")
    assert done.returncode == 1
    assert done.stderr == (
        "lofid-train: none of these files can be trained on; the table says why\n"
    )
    assert "no such folder" in done.stdout
    assert done.stdout.splitlines()[-1] == "0 files, 0 notes, 0 chords"
    assert not (tmp_path / "c.npz").exists()


def test_a_place_that_cannot_be_written_is_said_first(songs: Path, tmp_path: Path) -> None:
    """Not after an hour of reading."""
    out = tmp_path / "nowhere" / "c.npz"
    done = run(songs, "--out", out, "--no-cache")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        f"lofid-train: {out}: cannot be written there; give a file in a folder of yours\n"
    )


def test_many_skipped_files_do_not_clutter(songs: Path, tmp_path: Path) -> None:
    """Three are named, the rest are counted; --verbose names them all."""
    for i in range(5):
        (songs / f"text{i}.txt").write_text("text")
    out = ("--out", tmp_path / "c.npz", "--no-cache")
    assert "and 3 more (see --verbose)" in run(songs, *out).stdout
    told = run(songs, *out, "--verbose").stdout
    assert "more" not in told
    assert "songs/text4.txt" in told
