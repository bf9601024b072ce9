"""Density: literal rhythms, and what holds for all."""

from itertools import pairwise
from math import log

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lofid.composer import Composer
from lofid.density import FAINTEST, HABIT_EVENTS, KEPT_DENSER, KEPT_SPARSER, Habit, spread
from lofid.feel import Feel, feel_of
from lofid.music import BAR_TICKS
from lofid.predictor import Predictor, default_model_path
from lofid.sampler import probabilities
from lofid.settings import Settings

STEPS = np.array([0, 0, 3, 6, 12, 12, 24])
LOGITS = np.array([-np.inf, 0.0, 0.0, 1.0, 2.0, 1.0, 0.5])

rhythms = st.lists(st.floats(-20, 20), min_size=7, max_size=7).map(np.array)


def mean_step(logits: np.ndarray) -> float:
    chances = probabilities(logits, 1.0)
    return float(chances @ STEPS / chances[STEPS > 0].sum())


def test_once_as_dense_is_the_very_same() -> None:
    assert spread(LOGITS, STEPS, 1.0) is LOGITS


@pytest.mark.parametrize("times", [0.6, 0.8, 1.5, 2.0])
def test_the_mean_of_the_steps_is_divided(times: float) -> None:
    bent = spread(LOGITS, STEPS, times)
    assert mean_step(bent) == pytest.approx(mean_step(LOGITS) / times, rel=0.02)


def test_what_begins_together_does_so_as_often_as_before() -> None:
    for times in (0.5, 2.0):
        bent = probabilities(spread(LOGITS, STEPS, times), 1.0)
        assert bent[1] == pytest.approx(probabilities(LOGITS, 1.0)[1])


def test_rhythms_of_one_step_keep_their_proportions() -> None:
    """How long a note is, given when the next one begins, is the model's own."""
    bent = spread(LOGITS, STEPS, 2.0)
    assert bent[4] - bent[5] == pytest.approx(LOGITS[4] - LOGITS[5])


def test_what_cannot_be_so_dense_is_as_dense_as_it_can_be() -> None:
    """The shortest step is 3: four times as dense as 6 is out of reach."""
    bent = spread(np.array([0.0, 0.0]), np.array([3, 9]), 4.0)
    assert probabilities(bent, 1.0)[0] == pytest.approx(1, abs=1e-4)


def test_where_nothing_moves_on_nothing_is_bent() -> None:
    logits = np.array([0.0, -np.inf])
    assert spread(logits, np.array([0, 6]), 2.0) is logits


@settings(deadline=None)
@given(rhythms, st.lists(st.floats(0.1, 8), min_size=2, max_size=5))
def test_the_denser_the_shorter_are_the_steps(logits: np.ndarray, several: list[float]) -> None:
    means = [mean_step(spread(logits, STEPS, times)) for times in sorted(several)]
    assert all(later <= earlier * 1.001 for earlier, later in pairwise(means))


@settings(deadline=None)
@given(rhythms, st.floats(0.1, 8))
def test_what_was_ruled_out_stays_so_and_all_else_stays(logits: np.ndarray, times: float) -> None:
    logits[3] = -np.inf
    assert np.isneginf(spread(logits, STEPS, times)).tolist() == np.isneginf(logits).tolist()


def test_without_a_habit_the_density_is_what_is_bent_by() -> None:
    assert Habit().still_to_bend(1.0) == 1.0
    assert Habit().still_to_bend(2.0) == pytest.approx(2.0)
    assert Habit().still_to_bend(0.5) == pytest.approx(0.5)


def test_a_habit_leaves_less_to_bend_and_something_to_bend_back() -> None:
    dense, sparse = Habit(log(2)), Habit(-log(2))
    assert dense.still_to_bend(2.0) == pytest.approx(2 ** (1 - KEPT_DENSER))
    assert sparse.still_to_bend(0.5) == pytest.approx(0.5 ** (1 - KEPT_SPARSER))
    assert dense.still_to_bend(1.0) == pytest.approx(2**-KEPT_DENSER)


def test_a_habit_comes_event_by_event_and_goes_for_good() -> None:
    """After half a context it is there by two thirds; back at 1 it is gone, not nearly gone."""
    habit = Habit()
    for _ in range(HABIT_EVENTS):
        habit = habit.after(2.0)
    assert habit.strength == pytest.approx(log(2) * (1 - (1 - 1 / HABIT_EVENTS) ** HABIT_EVENTS))
    while abs(habit.strength) >= FAINTEST:
        habit = habit.after(1.0)
    assert habit.after(1.0) == Habit(0.0)


def test_always_as_learnt_no_habit_ever_comes() -> None:
    assert Habit().after(1.0) == Habit(0.0)


@pytest.fixture(scope="module")
def model() -> Predictor:
    return Predictor(default_model_path(), "cpu")


def onsets(model: Predictor, density: float) -> int:
    events = Composer(model, Feel(density=density), 5).compose(16 * BAR_TICKS)
    return len({event.onset_ticks for event in events})


def test_a_denser_setting_gives_more_onsets(model: Predictor) -> None:
    sparse, plain, dense = (onsets(model, density) for density in (0.5, 1.0, 2.0))
    assert sparse < 0.8 * plain < plain < dense / 1.4


def test_as_learnt_the_music_is_what_it_is_without_the_rule(
    model: Predictor, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_it = Composer(model, Feel(density=1.0), 7).compose(16 * BAR_TICKS)
    monkeypatch.setattr("lofid.chooser.spread", lambda logits, *_: logits)
    assert with_it == Composer(model, Feel(density=1.0), 7).compose(16 * BAR_TICKS)


def test_a_session_begins_as_learnt_whatever_its_density(model: Predictor) -> None:
    """The unheard past is the same, so a density is the same from the start as when it is set."""
    from_the_start = Composer(model, Feel(density=2.0), 7)
    set_at_once = Composer(model, Feel(), 7)
    set_at_once.feel = Feel(density=2.0)
    assert from_the_start.compose(8 * BAR_TICKS) == set_at_once.compose(8 * BAR_TICKS)


def test_the_setting_reaches_the_composer() -> None:
    assert feel_of(Settings()).density == 1.0
    dense = Settings.model_validate({"music": {"density": 2}})
    assert feel_of(dense).density == 2.0
