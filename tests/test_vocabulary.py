"""What a model knows, and how it hears what it does not know."""

from hypothesis import given
from hypothesis import strategies as st

from lofid.vocabulary import (
    Vocabulary,
    pitch_distance,
    velocity_floor,
    velocity_id,
)

VOICINGS = Vocabulary(
    ("start", "C4", "E4", "C3.E3.G3", "C3.E-3.G3", "A2.C3.E3.G3"),
    ((0, 0), (12, 12), (0, 48), (6, 6)),
)
NORMAL_ORDERS = Vocabulary(("start", "C4", "0.4.7", "0.3.7"), ((0, 0), (6, 6)))


def test_known_pitches_are_found_in_any_order() -> None:
    assert VOICINGS.token_id([55, 48, 52]) == 3
    assert VOICINGS.token_id([60]) == 1


def test_normal_orders_hear_any_voicing() -> None:
    assert NORMAL_ORDERS.token_id([43, 64, 72]) == 2


def test_an_unknown_chord_is_heard_as_its_nearest() -> None:
    """C major an octave up is C major; C minor with a B flat is C minor; a lone F is a note."""
    assert VOICINGS.token_id([60, 64, 67]) == 3
    assert VOICINGS.token_id([48, 51, 55, 58]) == 4
    assert VOICINGS.token_id([65]) in (1, 2)


def test_the_step_counts_most_in_an_unknown_rhythm() -> None:
    assert VOICINGS.rhythm_id(12, 12) == 1
    assert VOICINGS.rhythm_id(1, 40) == 2
    assert VOICINGS.rhythm_id(11, 47) == 1


def test_velocity_classes_are_sixteen_wide() -> None:
    assert [velocity_id(v) for v in (1, 15, 16, 64, 127)] == [1, 1, 2, 5, 8]
    assert [velocity_floor(c) for c in (1, 2, 8)] == [0, 16, 112]


@given(st.sets(st.integers(21, 108), min_size=1, max_size=6))
def test_nothing_is_refused_and_nothing_is_start(pitches: set[int]) -> None:
    """Any sound gets a token, and never *start*."""
    assert 1 <= VOICINGS.token_id(pitches) < len(VOICINGS.tokens)


@given(st.sets(st.integers(21, 108), min_size=1, max_size=6))
def test_nothing_is_nearer_than_itself(pitches: set[int]) -> None:
    heard = tuple(sorted(pitches))
    assert pitch_distance(heard, heard) == 0
