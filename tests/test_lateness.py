"""The histogram of lateness: literal values, and the law of one percent."""

from math import ceil
from sys import getsizeof

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lofid.lateness import Lateness


def _of(values: list[int]) -> Lateness:
    lateness = Lateness()
    for value in values:
        lateness.add(value)
    return lateness


def _shown(lateness: Lateness) -> tuple[int, int, int, int]:
    return lateness.count, lateness.p50, lateness.p99, lateness.max


def test_nothing_was_late_yet() -> None:
    assert _shown(Lateness()) == (0, 0, 0, 0)
    assert Lateness().quantile(1.0) == 0


def test_below_256_microseconds_it_is_exact() -> None:
    """The rank is the nearest: of 101 the 51st is the median, the 100th is the 99th percentile."""
    assert _shown(_of([*range(100), 5000])) == (101, 50, 99, 5000)
    for value in range(256):
        assert _of([value, value, 9999]).p50 == value


@pytest.mark.parametrize(
    ("value", "shown"), [(256, 257), (257, 257), (258, 259), (1000, 1002), (100_000, 100_096)]
)
def test_above_it_is_the_middle_of_a_bucket(value: int, shown: int) -> None:
    """256 and 257 share a bucket; 1000 is in the one from 1000 to 1003."""
    assert _of([value, value, 1 << 20]).p50 == shown


def test_the_greatest_is_exact_and_nothing_shown_exceeds_it() -> None:
    assert _shown(_of([100_000])) == (1, 100_000, 100_000, 100_000)
    assert _shown(_of([100_000] * 9)) == (9, 100_000, 100_000, 100_000)
    assert _of([1000, 1000, 1000]).quantile(0.1) == 1000


def test_what_came_early_was_on_time() -> None:
    assert _shown(_of([-5, -1, 0])) == (3, 0, 0, 0)


def test_a_machine_that_slept_for_a_month() -> None:
    """The greatest stays exact; in the other figures 19 hours stand for anything longer."""
    month = 30 * 24 * 3600 * 10**6
    lateness = _of([month, month, month + 1])
    assert lateness.max == month + 1
    assert lateness.p50 == pytest.approx(2**36, rel=0.01)


def test_its_memory_does_not_grow() -> None:
    """A hundred thousand values of all sizes take what none takes: 30 KB."""
    empty, full = Lateness(), _of([value * value for value in range(100_000)])
    assert getsizeof(full._buckets) == getsizeof(empty._buckets) < 32 * 1024


values = st.lists(
    st.one_of(st.integers(0, 300), st.integers(0, 10_000), st.integers(0, 2**36 - 1)), min_size=1
)


@given(values, st.floats(0, 1, exclude_min=True))
def test_a_quantile_is_within_one_percent_of_the_exact_one(late: list[int], share: float) -> None:
    exact = sorted(late)[ceil(share * len(late)) - 1]
    assert abs(_of(late).quantile(share) - exact) <= 0.01 * exact


@given(values)
def test_quantiles_never_go_back_and_end_at_the_greatest(late: list[int]) -> None:
    lateness = _of(late)
    shown = [lateness.quantile(share / 20) for share in range(1, 21)]
    assert shown == sorted(shown)
    assert shown[-1] == lateness.max == max(late)


@given(st.permutations([3, 300, 300, 40_000, 5_000_000]))
def test_the_order_does_not_matter(late: list[int]) -> None:
    assert _shown(_of(late)) == (5, 301, 5_000_000, 5_000_000)
