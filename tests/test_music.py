"""Spelling, keys and swing: literal values, and the laws between them."""

from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from music21 import chord as music21_chord
from music21 import pitch as music21_pitch

from lofid.music import (
    GRID_TICKS,
    HIGHEST_PITCH,
    LOWEST_PITCH,
    Key,
    first_place,
    into_range,
    last_place,
    nearest_place,
    normal_order,
    parse_token,
    pitch_name,
    pitch_number,
    spell_normal_order,
    spell_voicing,
    swung,
)

pitches = st.sets(st.integers(LOWEST_PITCH, HIGHEST_PITCH), min_size=1, max_size=8)


def test_a_note_is_its_name_and_a_chord_its_voicing() -> None:
    assert spell_voicing([75]) == "E-5"
    assert spell_voicing([58, 48, 55, 51]) == "C3.E-3.G3.B-3"


def test_normal_order_forgets_the_voicing() -> None:
    assert spell_normal_order([55, 48, 63]) == "0.3.7"
    assert spell_normal_order([58, 48, 55, 51]) == "7.10.0.3"
    assert spell_normal_order([64, 72, 67]) == "0.4.7"
    assert spell_normal_order([60]) == "C4"


def test_one_parser_reads_all_three_spellings() -> None:
    assert parse_token("E-5") == (75,)
    assert parse_token("C3.E-3.G3.B-3") == (48, 51, 55, 58)
    assert parse_token("0.3.7.10") == (60, 63, 67, 70)
    assert parse_token("9.0.4") == (57, 60, 64)


@pytest.mark.parametrize("text", ["", "H4", "C", "0.12", "C4.", "C-1x", "4-7"])
def test_what_is_no_token_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not"):
        parse_token(text)


@given(pitches)
def test_voicings_survive_being_spelled(numbers: set[int]) -> None:
    """Spelling and parsing a voicing gives it back."""
    assert parse_token(spell_voicing(numbers)) == tuple(sorted(numbers))


@given(pitches)
def test_normal_orders_keep_their_pitch_classes(numbers: set[int]) -> None:
    """A realised normal order has the same pitch classes, from around middle C upwards."""
    realised = parse_token(spell_normal_order(numbers))
    assert {p % 12 for p in realised} == {p % 12 for p in numbers}
    assert list(realised) == sorted(realised)
    if len(numbers) > 1:
        assert 54 <= realised[0] <= 65


@pytest.mark.parametrize("number", range(LOWEST_PITCH, HIGHEST_PITCH + 1))
def test_names_are_music21s(number: int) -> None:
    """music21 spells every MIDI note as we do, and reads our spelling as the same note."""
    assert pitch_name(number) == music21_pitch.Pitch(number).nameWithOctave
    assert pitch_number(music21_pitch.Pitch(number).nameWithOctave) == number


@pytest.mark.parametrize("size", range(2, 13))
def test_normal_orders_are_music21s(size: int) -> None:
    """All pitch-class sets of two to twelve notes that hold a C, against music21."""
    for others in combinations(range(1, 12), size - 1):
        classes = [0, *others]
        assert list(normal_order(classes)) == music21_chord.Chord(classes).normalOrder


@pytest.mark.parametrize(
    ("text", "name", "shift"),
    [
        ("C major", "C major", 0),
        ("Am", "A minor", 0),
        ("F minor", "F minor", -4),
        ("E- major", "Eb major", 3),
        ("eb", "Eb major", 3),
        ("f# minor", "F# minor", -3),
        ("B flat minor", "Bb minor", 1),
        ("F#", "F# major", -6),
    ],
)
def test_keys_are_read_as_people_write_them(text: str, name: str, shift: int) -> None:
    key = Key.parse(text)
    assert str(key) == name
    assert key.shift_semitones == shift


@pytest.mark.parametrize("text", ["", "H major", "C lydian", "minor", "Cmajorr"])
def test_what_is_no_key_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not a key"):
        Key.parse(text)


def test_swing_delays_the_second_sixteenth_only() -> None:
    assert [swung(tick, 50) for tick in (0, 120, 240, 360, 480)] == [0, 120, 240, 360, 480]
    assert [swung(tick, 66.7) for tick in (0, 120, 240, 360, 480)] == [0, 160, 240, 400, 480]


@given(st.integers(0, 10_000), st.integers(1, 500), st.floats(50, 75))
def test_swing_keeps_order(tick: int, later: int, percent: float) -> None:
    """What comes later still comes no earlier, and a bar line never moves."""
    assert swung(tick, percent) <= swung(tick + later, percent)
    assert swung(tick * 240, percent) == tick * 240


@given(pitches, st.integers(12, 60), st.integers(24, 67))
def test_into_range_folds_by_octaves(numbers: set[int], low: int, width: int) -> None:
    """Everything lands inside, every pitch keeps its class, and none appears from nowhere."""
    high = low + width
    folded = into_range(tuple(sorted(numbers)), low, high)
    assert low <= folded[0]
    assert folded[-1] <= high
    assert {p % 12 for p in folded} == {p % 12 for p in numbers}


@pytest.mark.parametrize(
    ("ticks", "swing", "grid"), [(0, 50, 0), (1, 50, 1), (40, 50, 1), (41, 50, 2), (1921, 50, 49)]
)
def test_the_first_place_at_or_after_a_tick(ticks: int, swing: float, grid: int) -> None:
    assert first_place(ticks, swing) == grid


@given(st.integers(0, 10_000), st.floats(50, 75))
def test_the_first_place_is_the_first_however_it_swings(ticks: int, swing: float) -> None:
    grid = first_place(ticks, swing)
    assert swung(grid * GRID_TICKS, swing) >= ticks
    assert grid == 0 or swung((grid - 1) * GRID_TICKS, swing) < ticks


@given(st.integers(0, 10_000), st.floats(50, 75))
def test_the_last_place_is_the_last_however_it_swings(ticks: int, swing: float) -> None:
    grid = last_place(ticks, swing)
    assert swung(grid * GRID_TICKS, swing) <= ticks < swung((grid + 1) * GRID_TICKS, swing)


@given(st.integers(0, 200), st.floats(50, 75), st.integers(-9, 9))
def test_who_plays_a_place_as_it_swings_means_that_place(
    grid: int, swing: float, late_ticks: int
) -> None:
    """Not where it would be if it were straight: the closest places are 20 ticks apart."""
    assert nearest_place(max(0, swung(grid * GRID_TICKS, swing) + late_ticks), swing) == grid


def test_between_two_places_the_earlier_is_nearest() -> None:
    assert [nearest_place(ticks, 50) for ticks in (19, 20, 21)] == [0, 0, 1]
