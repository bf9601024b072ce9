"""One file -> its pieces, through the real music21."""

from pathlib import Path

import mido
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from music21 import chord, harmony, instrument, meter, note, stream, tie

from tests.training.music import C_MAJOR, Played, track_of_channels, write_midi
from training.reader import Piece, Sound, read_pieces
from training.unreadable import UnreadableFile


def read(path: Path) -> Piece:
    (piece,) = read_pieces(path)
    return piece


def write_score(path: Path, *parts: stream.Part) -> Path:
    score = stream.Score(parts)
    score.write("musicxml", path)
    return path


def part_of(*elements: stream.Stream | note.GeneralNote) -> stream.Part:
    part = stream.Part()
    part.append(list(elements))
    return part


def quarters(*names: str) -> list[note.Note]:
    return [note.Note(name, quarterLength=1) for name in names]


def test_notes_come_out_on_the_grid(tmp_path: Path) -> None:
    """12 grid units to the quarter; phase is the place in the bar."""
    piece = read(write_midi(tmp_path / "x.mid", C_MAJOR))
    assert (piece.key, piece.metre) == ("C major", "4/4")
    assert piece.sounds[:5] == (
        Sound(0, (60,), 12, 80, 0),
        Sound(12, (64,), 12, 80, 12),
        Sound(24, (67,), 12, 80, 24),
        Sound(36, (72,), 12, 80, 36),
        Sound(48, (67,), 12, 80, 0),
    )


def test_the_key_is_brought_home(tmp_path: Path) -> None:
    """A piece in E flat major is told as one in C major."""
    notes = [(pitch + 3, onset, length) for pitch, onset, length in C_MAJOR]
    piece = read(write_midi(tmp_path / "x.mid", notes))
    assert piece.key == "Eb major"
    assert [sound.pitches for sound in piece.sounds][:4] == [(60,), (64,), (67,), (72,)]


def test_every_track_is_read(tmp_path: Path) -> None:
    """Chords on the second track come before the first track's notes, and are not mixed in."""
    chords = [(pitch, 0, 1920) for pitch in (48, 52, 55)]
    piece = read(write_midi(tmp_path / "x.mid", C_MAJOR, chords))
    assert piece.sounds[:2] == (Sound(0, (48, 52, 55), 48, 80, 0), Sound(0, (60,), 12, 80, 0))


def test_a_note_over_the_barline_is_one_note(tmp_path: Path) -> None:
    """music21 splits and ties it; here it is whole again."""
    piece = read(write_midi(tmp_path / "x.mid", [*C_MAJOR[:4], (60, 1920, 480 * 11)]))
    assert piece.sounds[-1] == Sound(48, (60,), 132, 80, 0)


def test_a_repeated_note_is_not_tied(tmp_path: Path) -> None:
    """The same pitch struck again at the barline is a second note."""
    piece = read(write_midi(tmp_path / "x.mid", [(60, 1920 * i, 1920) for i in range(4)]))
    assert [(s.onset_grid, s.length_grid) for s in piece.sounds] == [
        (0, 48), (48, 48), (96, 48), (144, 48),
    ]  # fmt: skip


def test_lengths_within_a_chord_may_differ(tmp_path: Path) -> None:
    """The longest counts."""
    together: list[Played] = [(60, 0, 240), (64, 0, 960), (67, 0, 480)]
    piece = read(write_midi(tmp_path / "x.mid", [*together, *C_MAJOR[2:]]))
    assert piece.sounds[0] == Sound(0, (60, 64, 67), 24, 80, 0)


def test_a_very_short_note_has_length_one(tmp_path: Path) -> None:
    """No length is zero."""
    piece = read(write_midi(tmp_path / "x.mid", [*C_MAJOR, (60, 480 * 8, 1)]))
    assert piece.sounds[-1] == Sound(96, (60,), 1, 80, 0)


def test_unisons_of_two_tracks_are_heard_once(tmp_path: Path) -> None:
    """The longer of both stays."""
    short = [(pitch, onset, length // 2) for pitch, onset, length in C_MAJOR]
    piece = read(write_midi(tmp_path / "x.mid", short, C_MAJOR))
    assert piece == read(write_midi(tmp_path / "y.mid", C_MAJOR))


def test_only_the_pianos_keys(tmp_path: Path) -> None:
    """20 and 109 are dropped, 21 and 108 are kept."""
    far = [(pitch, 480 * 8, 480) for pitch in (20, 21, 108, 109)]
    piece = read(write_midi(tmp_path / "x.mid", [*C_MAJOR, *far]))
    assert piece.sounds[-1].pitches == (21, 108)


def test_at_most_eight_pitches(tmp_path: Path) -> None:
    """The bass and the seven highest are kept."""
    cluster = [(36 + 12 * (i % 5) + 4 * (i // 5), 480 * 8, 480) for i in range(10)]
    piece = read(write_midi(tmp_path / "x.mid", [*C_MAJOR, *cluster]))
    assert piece.key == "C major"
    assert piece.sounds[-1].pitches == (36, 52, 60, 64, 72, 76, 84, 88)


def test_the_phase_follows_the_metre(tmp_path: Path) -> None:
    """In 3/4 the fourth quarter is a downbeat."""
    piece = read(write_midi(tmp_path / "x.mid", C_MAJOR, metre=(3, 4)))
    assert piece.metre == "3/4"
    assert [sound.phase_grid for sound in piece.sounds] == [0, 12, 24, 0, 12, 24, 0]


def test_the_phase_is_below_48(tmp_path: Path) -> None:
    """The fifth quarter of a 5/4 bar is told as a first."""
    piece = read(write_midi(tmp_path / "x.mid", C_MAJOR, metre=(5, 4)))
    assert [sound.phase_grid for sound in piece.sounds] == [0, 12, 24, 36, 0, 0, 12]


def test_a_metre_in_the_middle_counts_from_there(tmp_path: Path) -> None:
    """After one bar of 4/4, bars of 2/4, also for the tracks that do not say so."""
    meta = mido.MidiTrack([
        mido.MetaMessage("time_signature", numerator=4, denominator=4),
        mido.MetaMessage("time_signature", numerator=2, denominator=4, time=1920),
    ])  # fmt: skip
    notes = track_of_channels({0: C_MAJOR})
    mido.MidiFile(type=1, ticks_per_beat=480, tracks=[meta, notes]).save(tmp_path / "x.mid")
    piece = read(tmp_path / "x.mid")
    assert [sound.phase_grid for sound in piece.sounds] == [0, 12, 24, 36, 0, 12, 0]


def test_drums_on_a_notes_track_do_not_swallow_the_notes(tmp_path: Path) -> None:
    """music21 alone makes a percussion chord of a drum and a note that start together."""
    drums = [(36, onset, length) for _, onset, length in C_MAJOR]
    track = track_of_channels({0: C_MAJOR, 9: drums})
    mido.MidiFile(type=0, ticks_per_beat=480, tracks=[track]).save(tmp_path / "x.mid")
    assert read(tmp_path / "x.mid") == read(write_midi(tmp_path / "y.mid", C_MAJOR))


@pytest.mark.parametrize("pitches", [(60,), (60, 64, 67)])
def test_three_events_are_too_short(tmp_path: Path, pitches: tuple[int, ...]) -> None:
    """Four chords are a progression, three are not."""
    notes = [(pitch, 480 * i, 480) for i in range(3) for pitch in pitches]
    with pytest.raises(UnreadableFile, match="too short"):
        read_pieces(write_midi(tmp_path / "x.mid", notes))
    more = [(pitch, 480 * i, 480) for i in range(4) for pitch in pitches]
    assert len(read(write_midi(tmp_path / "x.mid", more)).sounds) == 4


def test_nothing_on_the_pianos_keys(tmp_path: Path) -> None:
    """Notes that are all dropped leave no notes."""
    notes = [(120, 480 * i, 480) for i in range(8)]
    with pytest.raises(UnreadableFile, match="no notes"):
        read_pieces(write_midi(tmp_path / "x.mid", notes))


def test_musicxml_ties_are_undone_pitch_by_pitch(tmp_path: Path) -> None:
    """Of a chord, C is tied on and E is struck again."""
    first, second = chord.Chord("C4 E4", quarterLength=4), chord.Chord("C4 E4", quarterLength=4)
    first[0].tie, second[0].tie = tie.Tie("start"), tie.Tie("stop")
    part = part_of(meter.TimeSignature("4/4"), first, second, *quarters("C4", "G4", "C5", "G4"))
    piece = read(write_score(tmp_path / "x.musicxml", part))
    assert piece.sounds[:2] == (Sound(0, (60, 64), 96, 64, 0), Sound(48, (64,), 48, 64, 0))


def test_a_transposing_instrument_sounds_as_it_sounds(tmp_path: Path) -> None:
    """A clarinet in B flat that reads D plays C."""
    part = part_of(instrument.Clarinet(), *quarters("C4", "E4", "G4", "C5"))
    piece = read(write_score(tmp_path / "x.musicxml", part))
    assert piece.key == "Bb major"


def test_chord_symbols_are_played(tmp_path: Path) -> None:
    """Each until the next one; the last to the end; as if on a staff of their own."""
    bars = ("E4", "G4", "C5", "G4"), ("B3", "D4", "G4", "D4"), ("C4", "E4", "C4", "E4")
    melody = part_of(*(each for bar in bars for each in quarters(*bar)))
    for offset, symbol in ((0, "C"), (4, "G7"), (8, "C")):
        melody.insert(offset, harmony.ChordSymbol(symbol))
    piece = read(write_score(tmp_path / "x.musicxml", melody))
    chords = [sound for sound in piece.sounds if len(sound.pitches) > 1]
    assert chords == [
        Sound(0, (48, 52, 55), 48, 64, 0),
        Sound(48, (43, 47, 50, 53), 48, 64, 0),
        Sound(96, (48, 52, 55), 48, 64, 0),
    ]


ABC = """X:1
T:With an upbeat
M:3/4
L:1/4
K:C
G|ceg|c'3|]

X:2
T:Second
M:4/4
L:1/4
K:Am
A,CEA|A4|]
"""


def test_a_tune_book_has_many_pieces(tmp_path: Path) -> None:
    """Each tune is a piece; an upbeat is the end of a bar."""
    path = tmp_path / "book.abc"
    path.write_text(ABC)
    first, second = read_pieces(path)
    assert (first.key, first.metre, second.key, second.metre) == (
        "C major", "3/4", "A minor", "4/4",
    )  # fmt: skip
    assert [sound.phase_grid for sound in first.sounds] == [24, 0, 12, 24, 0]


def test_humdrum(tmp_path: Path) -> None:
    """Kern is read like the rest."""
    path = tmp_path / "x.krn"
    path.write_text("**kern\n*M4/4\n4c\n4e\n4g\n4cc\n=2\n1c\n*-\n")
    assert [sound.pitches for sound in read(path).sounds] == [(60,), (64,), (67,), (72,), (60,)]


@pytest.mark.parametrize(
    ("name", "content"),
    [("x.xml", "<html/>"), ("x.musicxml", "<score-partwise>"), ("x.mxl", "no"), ("x.krn", "no")],
)
def test_what_music21_cannot_read(tmp_path: Path, name: str, content: str) -> None:
    """Whatever it raises becomes one line."""
    (tmp_path / name).write_text(content)
    with pytest.raises(UnreadableFile) as caught:
        read_pieces(tmp_path / name)
    assert caught.value.reason == "music21 cannot read it"
    assert "\n" not in str(caught.value)


_rows = st.lists(
    st.tuples(st.sets(st.integers(30, 100), min_size=1, max_size=6), st.integers(1, 60)),
    min_size=4,
    max_size=12,
)


@given(_rows)
@settings(
    max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_a_row_of_chords_comes_back(tmp_path: Path, rows: list[tuple[set[int], int]]) -> None:
    """What is written note by note on the grid is read as the same row, in the home key."""
    notes, onset = [], 0
    expected = []
    for pitches, length_grid in rows:
        notes += [(pitch, onset * 40, length_grid * 40) for pitch in pitches]
        expected.append((onset, tuple(sorted(pitches)), length_grid))
        onset += length_grid
    piece = read(write_midi(tmp_path / "x.mid", notes))
    shift = expected[0][1][0] - piece.sounds[0].pitches[0]
    assert -6 <= shift <= 5
    assert [
        (sound.onset_grid, tuple(p + shift for p in sound.pitches), sound.length_grid)
        for sound in piece.sounds
    ] == expected
