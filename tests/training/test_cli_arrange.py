"""``lofid-train arrange`` as a person runs it: lead sheets in, MIDI files to listen to out."""

import subprocess
import sys
from pathlib import Path

import mido

from tests.training.music import C_MAJOR, Played, write_midi

RUN = [sys.executable, "-c", "from training.cli import main; main()", "arrange"]
BAR = 4 * 480
CHORDS: tuple[Played, ...] = tuple(
    (pitch, BAR * i, BAR) for i, root in enumerate((60, 65, 67, 60)) for pitch in
    (root, root + 4, root + 7)
)  # fmt: skip


def run(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [*RUN, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_a_lead_sheet_is_played_twice(tmp_path: Path) -> None:
    """A melody alone is told of. Each performance has a lead and chords of three notes and more."""
    sheets = tmp_path / "sheets"
    sheets.mkdir()
    write_midi(sheets / "song.mid", C_MAJOR, CHORDS)
    write_midi(sheets / "tune.mid", C_MAJOR)
    done = run(sheets, "--out", tmp_path / "heard", "--versions", "2")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines() == [
        "1 songs arranged 2 times; 1 left out: fewer than two chords",
        f"{tmp_path / 'heard'}: 2 MIDI files",
    ]
    files = sorted((tmp_path / "heard").iterdir())
    assert [file.name for file in files] == ["song-arranged-1.mid", "song-arranged-2.mid"]
    played = [[m for m in mido.MidiFile(file) if m.type == "note_on"] for file in files]
    assert played[0] != played[1]
    assert all(sum(m.channel == 1 for m in notes) >= 12 for notes in played)


def test_a_folder_without_lead_sheets(tmp_path: Path) -> None:
    write_midi(tmp_path / "tune.mid", C_MAJOR)
    done = run(tmp_path, "--out", tmp_path / "heard")
    assert done.returncode == 1
    assert done.stderr == (
        "lofid-train: no lead sheet among these files; 'lofid-train corpus' tells what they are\n"
    )


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    """One line, no traceback."""
    done = run(tmp_path / "nowhere", "--out", tmp_path / "heard")
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
