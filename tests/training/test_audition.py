"""Performances as MIDI files."""

from pathlib import Path

import mido
import pytest

from lofid.errors import CorpusError
from training.audition import midi_file, write
from training.reader import Piece, Sound

PIECE = Piece("C major", "4/4", (
    Sound(0, (48, 52), 12, 60, 0), Sound(0, (72,), 3, 80, 0), Sound(3, (72,), 9, 81, 3),
))  # fmt: skip


def test_each_part_has_a_track_and_a_channel() -> None:
    """Swung: the second sixteenth comes at 58 percent of the eighth. Offs come before ons."""
    _, lead, keys = midi_file(PIECE).tracks
    assert [(m.type, m.note, m.velocity, m.time) for m in lead if not m.is_meta] == [
        ("note_on", 72, 80, 0),
        ("note_off", 72, 0, 139),
        ("note_on", 72, 81, 0),
        ("note_off", 72, 0, 341),
    ]
    assert {m.channel for m in keys if not m.is_meta} == {1}
    assert [m.time for m in keys if not m.is_meta] == [0, 0, 480, 0]


def test_files_are_named_after_song_and_performance(tmp_path: Path) -> None:
    assert write([("sheets/arranged-2/Tune.mid", "", PIECE)], tmp_path / "new") == 1
    assert mido.MidiFile(tmp_path / "new" / "Tune-arranged-2.mid").length == pytest.approx(0.75)


def test_a_folder_that_is_a_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(CorpusError, match="cannot be written"):
        write([], tmp_path / "file")
