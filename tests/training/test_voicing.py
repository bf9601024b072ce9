"""Voicings: the register, the kinds, and the way from one to the next."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lofid.music import parse_token
from training.harmony import Colour, colours, read
from training.voicing import (
    HIGHEST,
    KINDS,
    LOWEST,
    Voicing,
    clashes,
    moved_common_tones,
    nearest,
    plain,
    voicings,
)

C_MAJOR_NINTH = Colour((4, 11), 7, (14,))
symbols = st.sets(st.integers(36, 84), min_size=2, max_size=5).map(read)


def _voiced(token: str) -> Voicing:
    return parse_token(token)


def test_the_kinds() -> None:
    """A ninth chord on C: shells have the root, rootless ones have the ninth instead."""
    assert _voiced("C3.B3.E4") in voicings(0, C_MAJOR_NINTH, "shell")
    assert _voiced("E3.G3.B3.D4") in voicings(0, C_MAJOR_NINTH, "rootless")
    assert _voiced("B3.D4.E4.G4") in voicings(0, C_MAJOR_NINTH, "rootless")
    assert _voiced("G3.B3.C4.E4") in voicings(0, C_MAJOR_NINTH, "full")
    assert all(0 not in {p % 12 for p in v} for v in voicings(0, C_MAJOR_NINTH, "rootless"))


def test_a_shell_of_a_sixth_is_no_inversion() -> None:
    """C, A and E alone would be A minor."""
    assert all(len(v) == 4 for v in voicings(0, Colour((4, 9), 7), "shell"))


@given(symbols, st.sampled_from(KINDS))
def test_no_voicing_outside_its_register(symbol, kind) -> None:  # type: ignore[no-untyped-def]
    """Every kind of every colour of every chord, and the plain chord too."""
    for colour in colours(symbol):
        for voicing in voicings(symbol.root, colour, kind):
            assert LOWEST <= voicing[0] < voicing[-1] <= HIGHEST
            assert list(voicing) == sorted(set(voicing))
            assert {p % 12 for p in voicing} <= {(symbol.root + i) % 12 for i in colour.intervals}
    for voicing in plain(symbol.classes):
        assert LOWEST <= voicing[0] <= voicing[-1] <= HIGHEST
        assert {p % 12 for p in voicing} <= symbol.classes


@given(symbols)
def test_every_chord_can_be_voiced(symbol) -> None:  # type: ignore[no-untyped-def]
    for colour in colours(symbol):
        assert any(voicings(symbol.root, colour, kind) for kind in KINDS)
    assert plain(symbol.classes)


def test_a_second_five_one_moves_by_steps() -> None:
    """D minor ninth to G thirteenth to C major ninth: what they share stays on its key."""
    two = _voiced("F3.A3.C4.E4")
    five = nearest(two, voicings(7, Colour((4, 10), 7, (14, 21)), "rootless"))
    assert five == _voiced("F3.A3.B3.E4")
    one = nearest(five, voicings(0, C_MAJOR_NINTH, "rootless"))
    assert one == _voiced("B3.D4.E4.G4")


@given(symbols, symbols, st.sampled_from(KINDS), st.sampled_from(KINDS))
def test_common_tones_are_kept(before, after, kind, other) -> None:  # type: ignore[no-untyped-def]
    """No other voicing to choose from keeps more of them, and none that does moves less."""
    starts = voicings(before.root, colours(before)[0], kind)
    choices = voicings(after.root, colours(after)[0], other)
    for start in starts[:3]:
        if choices:
            chosen = nearest(start, choices)
            assert moved_common_tones(start, chosen) == min(
                moved_common_tones(start, choice) for choice in choices
            )


def test_the_same_chord_stays_where_it_is() -> None:
    choices = voicings(0, C_MAJOR_NINTH, "rootless")
    for voicing in choices:
        assert nearest(voicing, choices) == voicing


@pytest.mark.parametrize(
    ("melody", "clash"),
    [("C5", True), ("B4", False), ("E5", False), ("F5", False)],
)
def test_a_minor_ninth_with_the_melody(melody: str, clash: bool) -> None:
    """Over an added B, a C clashes. F over E is the song's own: the symbol has that E."""
    symbol = frozenset({0, 4, 7})
    assert clashes(_voiced("E3.G3.B3.D4"), parse_token(melody), symbol) is clash


def test_a_voice_above_the_melody_clashes_as_well() -> None:
    """B in the melody, and an added C a semitone above it."""
    assert clashes(_voiced("A3.C4.E4"), [59], frozenset({4, 9}))
