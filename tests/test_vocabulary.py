"""What a model knows, and how it hears what it does not know."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lofid.predictor import Predictor, default_model_path
from lofid.vocabulary import (
    Vocabulary,
    likeness,
    pitch_distance,
    velocity_floor,
    velocity_id,
)

VOICINGS = Vocabulary(
    ("start", "C4", "E4", "C3.E3.G3", "C3.E-3.G3", "A2.C3.E3.G3"),
    ((0, 0), (12, 12), (0, 48), (6, 6)),
)
SOUNDS = st.sets(st.integers(0, 127), min_size=1, max_size=12)
OWN = Predictor(default_model_path(), "cpu").vocabulary
"""Of the model that comes with lofid."""
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


def test_how_near_the_nearest_is() -> None:
    """The very same: 1. An octave away: 0.75 / 8 less. A B flat more: 2.25 / 8, and its register.

    Four neighbours share two classes of five with C major, and the bass: not even half.
    """
    assert VOICINGS.nearest([55, 48, 52]) == (3, 1.0)
    assert VOICINGS.nearest([60, 64, 67]) == (3, 1 - 0.75 / 8)
    token, near = VOICINGS.nearest([48, 51, 55, 58])
    assert token == 4
    assert near == pytest.approx(1 - (2.25 + 0.5 / 12 * 5 / 3) / 8)
    token, near = VOICINGS.nearest([48, 49, 50, 51])
    assert token == 4
    assert near < 0.5


def test_another_voicing_is_not_the_very_same() -> None:
    """Two voicings of C major with one bass and one mean: no distance, but not 1 either."""
    one, other = (48, 52, 67), (48, 55, 64)
    assert pitch_distance(one, other) == 0
    assert likeness(one, other) == 1 - 0.25 / 8


def test_nothing_in_common_is_not_alike() -> None:
    assert likeness((61,), (60,)) == 0
    assert likeness((60,), (61, 66)) == 0


def test_no_pitches_are_no_sound() -> None:
    for find in (VOICINGS.token_id, VOICINGS.nearest):
        with pytest.raises(ValueError, match="no pitches"):
            find([])


def test_what_no_token_can_spell_is_heard_all_the_same() -> None:
    """Below C0 a name would be read otherwise; ten fingers, both ends of the keyboard at once."""
    assert VOICINGS.nearest([0]) == (1, 1 - (5 / 2 + 0.25) / 8)
    assert VOICINGS.token_id([0, 4, 7]) == 3
    assert VOICINGS.token_id([0, 127]) in range(1, 6)
    assert VOICINGS.token_id(range(48, 58)) in range(1, 6)
    assert NORMAL_ORDERS.token_id([0, 4, 7]) == 2


@given(SOUNDS)
def test_all_at_once_finds_what_one_by_one_would(pitches: set[int]) -> None:
    """The least distance, and the first token of those that share it."""
    heard = tuple(sorted(pitches))
    for vocabulary in (VOICINGS, NORMAL_ORDERS, OWN):
        known = range(1, len(vocabulary.tokens))
        plain = min(known, key=lambda i: (pitch_distance(heard, vocabulary.pitches[i]), i))
        assert vocabulary._nearest_token(heard) == plain


@given(SOUNDS)
def test_a_likeness_is_from_0_to_1_and_1_is_the_same(pitches: set[int]) -> None:
    token, near = OWN.nearest(pitches)
    assert token == OWN.token_id(pitches)
    assert 0 <= near <= 1
    assert (near == 1) == (OWN.pitches[token] == tuple(sorted(pitches)))
