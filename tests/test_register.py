"""Register: literal ranges and logits."""

from dataclasses import replace
from statistics import median

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lofid.composer import Composer
from lofid.feel import Feel
from lofid.music import BAR_TICKS, TICKS_PER_QUARTER, Event, Key
from lofid.predictor import Predictor, default_model_path
from lofid.register import SEMITONE_COST, WIDENED_SEMITONES, Register
from lofid.sampler import probabilities

PITCHES = ((), (62,), (72,), (80,), (88,), (48, 52, 55))
REGISTER = Register(PITCHES)
LOGITS = np.array([-np.inf, 0.0, 0.0, 0.0, 0.0, 0.0])


def test_without_strength_the_logits_are_the_very_same() -> None:
    assert REGISTER.bent(LOGITS, 72, 76, 0.0) is LOGITS


def test_notes_near_the_range_are_free_and_others_dearer_by_the_semitone() -> None:
    """The range 72 to 76, widened to 69 to 79: 62 is seven below it, 80 one above, 88 nine."""
    assert WIDENED_SEMITONES == 3
    bent = REGISTER.bent(LOGITS, 72, 76, 1.0)[1:5]
    costs = [-7 * SEMITONE_COST, 0, -SEMITONE_COST, -9 * SEMITONE_COST]
    assert bent - bent[1] == pytest.approx(costs)


def test_half_the_strength_is_half_the_cost() -> None:
    bent = REGISTER.bent(LOGITS, 72, 76, 0.5)
    assert bent[1] - bent[2] == pytest.approx(-3.5 * SEMITONE_COST)


def test_the_lead_comes_as_often_as_before() -> None:
    chances = probabilities(REGISTER.bent(LOGITS, 72, 76, 1.0), 1.0)
    assert chances[5] == pytest.approx(0.2)


@pytest.mark.parametrize(
    ("low", "high", "octaves"),
    [
        (62, 88, 0),
        (72, 76, 0),
        (60, 69, -1),  # C4 is below the lowest note, D4
        (48, 57, -2),
        (48, 48, -2),
        (84, 93, 1),
        (12, 15, -5),
        (50, 90, 0),  # wider than what there is: as much as can be
        (40, 70, -2),
    ],
)
def test_so_many_octaves_away_a_phrase_is_in_reach(low: int, high: int, octaves: int) -> None:
    assert REGISTER.octaves(low, high) == octaves


@given(st.integers(12, 127), st.integers(0, 14))
def test_any_phrase_of_a_ninth_comes_into_reach(low: int, span: int) -> None:
    """Two octaves and a sixth are there, so an octave's step never skips a place that fits."""
    octaves = REGISTER.octaves(low, low + span)
    assert low - 12 * octaves >= 62
    assert low + span - 12 * octaves <= 88


def test_without_single_notes_nothing_is_moved() -> None:
    assert Register(((), (48, 52))).octaves(20, 30) == 0


@pytest.fixture(scope="module")
def model() -> Predictor:
    return Predictor(default_model_path(), "cpu")


def answered(model: Predictor, lowest: int, key: Key, strength: float) -> float:
    """Play a phrase of a sixth upwards from ``lowest``; give the median of the lead after it."""
    composer, pitches = Composer(model, Feel(key=key), 2), []
    composer.compose(2 * BAR_TICKS)
    for place, step in enumerate((0, 4, 7, 9, 7, 4, 2, 0)):
        pitches.append(lowest + step)
        onset = 2 * BAR_TICKS + place * TICKS_PER_QUARTER
        composer.hear(place, Event((lowest + step,), onset, 440, 90, by_person=True))
    composer.compose(4 * BAR_TICKS)
    register = (min(pitches), max(pitches))
    composer.feel = replace(composer.feel, register=register, register_strength=strength)
    events = composer.compose(8 * BAR_TICKS)
    return median(event.pitches[0] for event in events if not event.is_chord)


@pytest.mark.parametrize("lowest", [36, 48, 66, 84])
@pytest.mark.parametrize("key", ["C major", "F# minor"])
def test_an_answer_lies_where_the_phrase_did(model: Predictor, lowest: int, key: str) -> None:
    """Its middle note, within half an octave: a few semitones are free, a few more are cheap."""
    found = answered(model, lowest, Key.parse(key), 1.0)
    assert lowest - 2 * WIDENED_SEMITONES <= found <= lowest + 9 + 2 * WIDENED_SEMITONES


def test_by_itself_it_would_not(model: Predictor) -> None:
    """What the rule is for: the lead as learnt lies two octaves above a phrase from C3."""
    assert answered(model, 48, Key.parse("C major"), 0.0) > 48 + 9 + 12
