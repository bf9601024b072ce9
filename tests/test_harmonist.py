"""Which chord is held."""

from itertools import permutations

import pytest

from lofid.harmonist import Harmonist

C, C_SHARP, E, F, G, A = 60, 61, 64, 65, 67, 69


def strike(harmonist: Harmonist, seconds: float, *pitches: int) -> None:
    for i, pitch in enumerate(pitches):
        harmonist.strike(pitch, seconds + 0.01 * i)


def test_two_keys_make_a_chord_and_one_does_not() -> None:
    harmonist = Harmonist()
    assert not harmonist.strike(C, 0.0)
    assert harmonist.chord == frozenset()
    assert harmonist.strike(E, 0.01)
    assert harmonist.strike(G, 0.02)
    assert harmonist.chord == {0, 4, 7}
    assert not harmonist.strike(C + 12, 0.03)


def test_it_stays_when_it_is_let_go() -> None:
    """Also when the fingers do not leave together, however short it was held."""
    harmonist = Harmonist()
    strike(harmonist, 0.0, C, E, G)
    assert not any(harmonist.lift(pitch, 0.3) for pitch in (G, C, E))
    assert harmonist.chord == {0, 4, 7}


def test_fingers_that_leave_late_belong_to_the_chord_before() -> None:
    harmonist = Harmonist()
    strike(harmonist, 0.0, C, E, G)
    strike(harmonist, 2.0, F, A, C + 12)
    assert harmonist.chord == {0, 4, 5, 7, 9}
    assert harmonist.lift(G, 2.05)
    assert harmonist.lift(E, 2.1)
    assert harmonist.chord == {0, 5, 9}
    assert not any(harmonist.lift(pitch, 3.0) for pitch in (F, A, C + 12))
    assert harmonist.chord == {0, 5, 9}


@pytest.mark.parametrize("order", list(permutations((C, E, G))))
@pytest.mark.parametrize("seconds", [1.1, 1.5, 9.0])
def test_a_chord_that_was_built_slowly_is_let_go_as_a_whole(
    order: tuple[int, ...], seconds: float
) -> None:
    """A bass first, half a second later the rest; the fingers leave in any order."""
    harmonist = Harmonist()
    for at, pitch in ((0.0, C), (0.5, E), (1.0, G)):
        harmonist.strike(pitch, at)
    for i, pitch in enumerate(order):
        harmonist.lift(pitch, seconds + 0.02 * i)
    assert harmonist.chord == {0, 4, 7}


def test_forgotten_it_steers_no_more() -> None:
    harmonist = Harmonist()
    strike(harmonist, 0.0, C, E)
    harmonist.forget()
    assert harmonist.chord == frozenset()
    harmonist.strike(C_SHARP, 1.0)
    assert harmonist.chord == {0, 1, 4}


def test_a_key_that_does_not_steer_is_nothing() -> None:
    """Nor does it leave together with a finger of the chord before."""
    harmonist = Harmonist()
    strike(harmonist, 0.0, C, E, G)
    strike(harmonist, 1.0, A)
    assert harmonist.lift(G, 1.1)
    assert not harmonist.lift(C + 12, 1.15)
    assert harmonist.chord == {0, 4, 9}
