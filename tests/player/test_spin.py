"""How long is spun: from least to most, enough nearly always, and less when less will do."""

from random import Random

from hypothesis import given
from hypothesis import strategies as st

from lofid.player.spin import (
    FALL_SECONDS,
    LEAST_SECONDS,
    MARGIN_SECONDS,
    MOST_SECONDS,
    Spin,
)

RANGE_SECONDS = MOST_SECONDS - LEAST_SECONDS
FOLLOWED_SECONDS = MOST_SECONDS - MARGIN_SECONDS
EPSILON = 1e-9
usual = st.floats(0.0, FOLLOWED_SECONDS)
anything = st.one_of(usual, st.floats(-1e9, 1e9), st.sampled_from([0.0, 0.0019, 0.002, 60.0]))


def after(*needs: float) -> Spin:
    spin = Spin()
    for need in needs:
        spin.follow(need)
    return spin


@given(st.lists(anything))
def test_it_is_never_below_the_least_nor_above_the_most(needs: list[float]) -> None:
    """Whatever a machine does, and whenever it is asked."""
    spin = Spin()
    for need in needs:
        spin.follow(need)
        assert LEAST_SECONDS <= spin.seconds <= MOST_SECONDS + EPSILON


@given(st.lists(usual, min_size=1, max_size=12), st.integers(1, 400), st.randoms())
def test_of_two_hundred_needs_no_more_than_one_is_not_covered(
    kinds: list[float], rounds: int, random: Random
) -> None:
    """A law for any order of them; a stationary one is drawn, from a few values or from one."""
    spin, missed, needs = Spin(), 0, random.choices(kinds, k=10 * rounds)
    for need in needs:
        missed += need > spin.seconds
        spin.follow(need)
    assert missed <= len(needs) / 200 + RANGE_SECONDS / MARGIN_SECONDS + EPSILON


@given(st.lists(anything), usual)
def test_what_was_needed_is_there_the_next_time(before: list[float], need: float) -> None:
    """It rises at once, and by a margin more."""
    assert after(*before, need).seconds >= need + MARGIN_SECONDS - EPSILON


@given(st.lists(anything), st.floats(0.0, LEAST_SECONDS - MARGIN_SECONDS), st.integers(0, 1600))
def test_it_comes_down_again(before: list[float], need: float, count: int) -> None:
    """Fifteen hundred wake-ups on time, and no peak is remembered."""
    high = after(*before).seconds
    low = after(*before, *[need] * count).seconds
    assert abs(low - max(LEAST_SECONDS, high - count * FALL_SECONDS)) < EPSILON


@given(st.lists(usual), st.floats(MOST_SECONDS, 1e9))
def test_what_none_would_have_covered_changes_nothing(before: list[float], stall: float) -> None:
    """A laptop that slept, a debugger."""
    assert after(*before, stall).seconds == after(*before).seconds
