"""The key lock: literal counts and logits."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lofid.keylock import SOFT_COST, Mode, kept, strangers
from lofid.vocabulary import Vocabulary

LOGITS = np.array([-np.inf, 1.0, 2.0, 3.0, 4.0], np.float32)
VOCABULARY = Vocabulary(["start", "B4", "F#4", "C3.E3.G3.B-3", "C#3.G3.B-3.C#4"], [(0, 0)])
OUTSIDE = strangers(VOCABULARY.pitches)


def test_pitch_classes_outside_c_major_are_counted_once_each() -> None:
    """Start has none; a C sharp in two octaves is one stranger."""
    assert OUTSIDE.tolist() == [0, 0, 1, 1, 2]


def test_off_leaves_the_logits_alone() -> None:
    assert kept(LOGITS, OUTSIDE, "off") is LOGITS


def test_soft_takes_something_off_for_each_stranger() -> None:
    softly = [-np.inf, 1.0, 2.0 - SOFT_COST, 3.0 - SOFT_COST, 4.0 - 2 * SOFT_COST]
    assert kept(LOGITS, OUTSIDE, "soft").tolist() == softly


def test_hard_rules_every_stranger_out() -> None:
    assert kept(LOGITS, OUTSIDE, "hard").tolist() == [-np.inf, 1.0, *[-np.inf] * 3]


def test_where_nothing_is_in_the_key_hard_leaves_the_logits_alone() -> None:
    nothing_inside = LOGITS.copy()
    nothing_inside[1] = -np.inf
    assert kept(nothing_inside, OUTSIDE, "hard").tolist() == nothing_inside.tolist()


@settings(deadline=None)
@given(
    st.lists(st.floats(-30, 30), min_size=5, max_size=5).map(np.array),
    st.sampled_from(["off", "soft", "hard"]),
)
def test_nothing_in_the_key_is_ever_changed(logits: np.ndarray, mode: Mode) -> None:
    assert kept(logits, OUTSIDE, mode)[OUTSIDE == 0] == pytest.approx(logits[OUTSIDE == 0])
