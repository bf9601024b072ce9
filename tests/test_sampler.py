"""The sampler: literal chances, and laws."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lofid.sampler import nucleus, pick, probabilities, without

LOGITS = np.log(np.array([0.5, 0.3, 0.15, 0.05]))
logits = st.lists(st.floats(-30, 30), min_size=1, max_size=20).map(np.array)


def test_temperature_one_is_the_models_own_chances() -> None:
    assert probabilities(LOGITS, 1.0) == pytest.approx([0.5, 0.3, 0.15, 0.05])


def test_a_low_temperature_sharpens() -> None:
    assert probabilities(LOGITS, 0.5) == pytest.approx(
        np.array([0.25, 0.09, 0.0225, 0.0025]) / 0.365
    )


def test_top_p_keeps_the_fewest_that_reach_it() -> None:
    chances = np.array([0.05, 0.5, 0.15, 0.3])
    assert nucleus(chances, 0.5) == pytest.approx([0, 1, 0, 0])
    assert nucleus(chances, 0.7) == pytest.approx([0, 0.625, 0, 0.375])
    assert nucleus(chances, 1.0) == pytest.approx(chances)


def test_what_is_ruled_out_is_never_drawn() -> None:
    rng = np.random.default_rng(1)
    drawn = {pick(without(LOGITS, [0, 2]), 1.0, 1.0, rng) for _ in range(200)}
    assert drawn == {1, 3}


def test_ruling_out_everything_rules_out_nothing() -> None:
    assert without(LOGITS, range(4)) == pytest.approx(LOGITS)


def test_draws_follow_the_chances() -> None:
    """10,000 draws of a seeded generator: each share within four standard deviations."""
    rng = np.random.default_rng(7)
    counts = np.bincount([pick(LOGITS, 1.0, 1.0, rng) for _ in range(10_000)], minlength=4)
    for count, chance in zip(counts, (0.5, 0.3, 0.15, 0.05), strict=True):
        assert abs(count - 10_000 * chance) < 4 * np.sqrt(10_000 * chance * (1 - chance))


@given(logits, st.floats(0.2, 2), st.floats(0.1, 1), st.integers(0, 2**32 - 1))
def test_any_draw_is_one_of_the_ids_and_uses_one_number(
    values: np.ndarray, temperature: float, top_p: float, seed: int
) -> None:
    rng, other = np.random.default_rng(seed), np.random.default_rng(seed)
    assert 0 <= pick(values, temperature, top_p, rng) < len(values)
    other.random()
    assert rng.random() == other.random()


@given(logits, st.floats(0.1, 1))
def test_a_nucleus_is_a_distribution_over_the_likeliest(values: np.ndarray, top_p: float) -> None:
    chances = probabilities(values, 1.0)
    kept = nucleus(chances, top_p)
    assert kept.sum() == pytest.approx(1)
    assert kept.argmax() == chances.argmax()
