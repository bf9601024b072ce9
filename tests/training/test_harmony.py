"""Chord symbols: what notes spell, and which colours suit it at home."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lofid.music import parse_token
from training.harmony import SCALE, Colour, Symbol, colours, read

chords = st.sets(st.integers(36, 84), min_size=2, max_size=6)


@pytest.mark.parametrize(
    ("token", "root", "family"),
    [
        ("C4.E4.G4", 0, "major"),
        ("A3.C4.E4", 9, "minor"),
        ("G3.B3.D4.F4", 7, "dominant"),
        ("E3.G3.C4", 0, "major"),
        ("F3.A3.D4", 2, "minor"),
        ("B3.D4.G4.F5", 7, "dominant"),
        ("B3.D4.F4", 11, "half-diminished"),
        ("B3.D4.F4.G#4", 11, "diminished"),
        ("C4.E4.G4.A4", 0, "major"),
        ("G3.B3.D4.F4.A4", 7, "dominant"),
        ("F2.C4.F4.A4", 5, "major"),
        ("C4.F4.G4", 0, "suspended"),
        ("C3.G3", 0, "open"),
        ("E3.G#3.C4", 4, "augmented"),
    ],
)
def test_what_a_chord_is(token: str, root: int, family: str) -> None:
    """The lowest note is the root where that makes a chord; inversions are seen through."""
    symbol = read(parse_token(token))
    assert (symbol.root, symbol.family) == (root, family)


def _first(token: str) -> Colour:
    return colours(read(parse_token(token)))[0]


def test_colours_at_home() -> None:
    """C: major ninth. G: ninth and thirteenth are there too. D minor: minor ninth."""
    assert _first("C4.E4.G4") == Colour((4, 11), 7, (14,))
    assert colours(read(parse_token("G3.B3.D4"))) == (
        Colour((4, 10), 7, (14,)),
        Colour((4, 10), 7, (14, 21)),
        Colour((4, 10), 7),
    )
    assert _first("D4.F4.A4") == Colour((3, 10), 7, (14,))


def test_a_tension_is_of_the_scale() -> None:
    """E7's ninth is F, and E minor has none: F sharp is not in the key."""
    assert _first("E3.G#3.B3.D4").tensions == (13,)
    assert _first("E3.G3.B3") == Colour((3, 10), 7)


def test_the_fourth_in_minor_has_a_sixth() -> None:
    """F minor in C: D belongs to the key, E flat does not."""
    assert _first("F3.G#3.C4").guides == (3, 9)


def test_a_major_seventh_on_the_fifth_degree_is_left_alone() -> None:
    """G major seventh is no dominant: somebody wrote that F sharp."""
    assert _first("G3.B3.D4.F#4").guides == (4, 11)


@given(chords)
def test_any_chord_has_a_colour_with_a_third_and_a_seventh(pitches: set[int]) -> None:
    """Whatever is written; the root is one of its own notes."""
    symbol = read(pitches)
    assert symbol.root in {pitch % 12 for pitch in pitches}
    for colour in colours(symbol):
        assert colour.guides[0] in (3, 4, 5)
        assert colour.guides[1] in (9, 10, 11)


@given(st.integers(0, 11), st.sampled_from(["major", "minor", "dominant", "minor sixth"]))
def test_ninths_lie_in_the_key_where_the_key_has_one(root: int, family: str) -> None:
    """A chord whose scale has a ninth gets that one and no other."""
    symbol = Symbol(root, family, frozenset({root}))
    for colour in colours(symbol):
        for tension in colour.tensions:
            has_choice = {(root + 13) % 12, (root + 14) % 12} & SCALE
            assert (root + tension) % 12 in SCALE or not has_choice
