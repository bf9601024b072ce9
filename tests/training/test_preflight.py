"""What is said of a MIDI file before music21 gets it."""

import struct
from pathlib import Path

import mido
import pytest

from tests.training.music import C_MAJOR, track_of_channels, write_midi
from training.preflight import check_midi
from training.unreadable import UnreadableFile


def reason(path: Path) -> str:
    with pytest.raises(UnreadableFile) as caught:
        check_midi(path)
    return caught.value.reason


def header(kind: int, division: int) -> bytes:
    return b"MThd" + struct.pack(">LHHH", 6, kind, 0, division)


HEADER_OF_ONE_TRACK = b"MThd" + struct.pack(">LHHH", 6, 1, 1, 480)


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", "empty"),
        (b"hello, world, this is text", "not a MIDI file"),
        (b"RIFF....RMIDdata", "MIDI in a RIFF file; save it as a standard MIDI file"),
        (b"MThd\x00\x00", "a MIDI file that was cut off"),
        (header(2, 480), "MIDI of format 2, whose tracks share no time; save it as format 1"),
        (header(1, 0xE728), "counts in film frames (SMPTE); save it with a count of quarter notes"),
        (header(9, 480), "a damaged MIDI file"),
        (header(1, 0), "a damaged MIDI file"),
        (header(1, 480), "no notes"),
        (HEADER_OF_ONE_TRACK + b"MTrk\0\0\0\3\0\x40\x40", "a damaged MIDI file"),
        (HEADER_OF_ONE_TRACK + b"MTrk\0\0\0\6\0\xff\x59\2\x50\0", "a damaged MIDI file"),
    ],
)
def test_what_the_bytes_say(tmp_path: Path, content: bytes, expected: str) -> None:
    """Each fault has a reason of its own."""
    path = tmp_path / "x.mid"
    path.write_bytes(content)
    assert reason(path) == expected


def test_a_sound_file_passes_as_it_is(tmp_path: Path) -> None:
    """Nothing is rewritten without need."""
    assert check_midi(write_midi(tmp_path / "x.mid", C_MAJOR)) is None


@pytest.mark.parametrize("missing", [1, 4, 20])
def test_a_truncated_track(tmp_path: Path, missing: int) -> None:
    """music21 would read it without a word."""
    path = write_midi(tmp_path / "x.mid", C_MAJOR)
    path.write_bytes(path.read_bytes()[:-missing])
    assert reason(path) == "a MIDI file that was cut off"


def test_a_huge_delta(tmp_path: Path) -> None:
    """Few bytes can last for days."""
    path = write_midi(tmp_path / "x.mid", [*C_MAJOR, (60, 480 * 30_000, 480)])
    assert path.stat().st_size < 150
    assert reason(path) == "absurdly long"


def test_too_many_notes(tmp_path: Path) -> None:
    """So many notes would keep music21 for minutes."""
    path = write_midi(tmp_path / "x.mid", [(60, 40 * i, 40) for i in range(50_001)])
    assert reason(path) == "absurdly long"


def test_drums_only(tmp_path: Path) -> None:
    """Channel 10 has no pitches."""
    assert reason(write_midi(tmp_path / "x.mid", C_MAJOR, channel=9)) == "drums only"


def test_a_file_that_is_gone(tmp_path: Path) -> None:
    """It may be deleted between the search and the reading."""
    assert reason(tmp_path / "x.mid") == "cannot be opened"


def test_mixed_channels_are_taken_apart(tmp_path: Path) -> None:
    """One channel a track, no drums, the same times, the metre kept."""
    path = tmp_path / "x.mid"
    track = track_of_channels({0: [(60, 480, 240)], 1: [(64, 0, 960)], 9: [(36, 480, 240)]})
    track.insert(0, mido.MetaMessage("time_signature", numerator=3, denominator=4))
    mido.MidiFile(type=0, tracks=[track]).save(path)
    data = check_midi(path)
    assert data is not None
    (tmp_path / "clean.mid").write_bytes(data)
    metre, *tracks = mido.MidiFile(tmp_path / "clean.mid").tracks
    assert metre[0].numerator == 3
    assert [[(m.type, m.channel, m.time) for m in track if not m.is_meta] for track in tracks] == [
        [("note_on", 0, 480), ("note_off", 0, 240)],
        [("note_on", 1, 0), ("note_off", 1, 960)],
    ]
