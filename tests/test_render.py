"""A rendered file is made as any other: its name says what it is."""

from pathlib import Path

import mido

from tests.lofidprocess import run

FEW = ("--bars", "2", "--seed", "7")


def test_the_name_says_what_it_is(tmp_path: Path) -> None:
    """Notation, or a MIDI file; also where the name does not say, or a file is there."""
    for name in ("a.musicxml", "a", "a"):
        assert run(tmp_path, "render", name, *FEW).returncode == 0
    assert (tmp_path / "a.musicxml").read_bytes().startswith(b"<?xml")
    assert mido.MidiFile(tmp_path / "a").type == 1


def test_the_seed_is_marked(tmp_path: Path) -> None:
    assert run(tmp_path, "render", "a.mid", *FEW).returncode == 0
    marks = [m for m in mido.MidiFile(tmp_path / "a.mid").tracks[0] if m.type == "marker"]
    assert [m.text for m in marks] == ["seed 7"]
