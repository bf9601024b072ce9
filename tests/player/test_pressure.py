"""How hard keys are held, and how much of it is told."""

from hypothesis import given
from hypothesis import strategies as st

from lofid.player.pressure import LEAST_SECONDS, Heard, Pressure

PRESSED = st.one_of(
    st.tuples(st.integers(0xA0, 0xA2), st.integers(60, 69), st.integers(0, 127)),
    st.tuples(st.integers(0xD0, 0xD2), st.integers(0, 127), st.just(0)),
)


def whose(data: list[int]) -> tuple[int, ...]:
    return tuple(data[:2] if data[0] < 0xB0 else data[:1])


def test_one_that_moves_slowly_is_told_whole_and_at_once() -> None:
    pressure = Pressure()
    for i in range(5):
        pressure.hear(0.01 * i, [0xD0, i, 0])
        assert pressure.take(0.01 * i) == [(0.01 * i, [0xD0, i, 0])]


def test_of_one_that_moves_quickly_the_newest_is_told() -> None:
    pressure = Pressure()
    for i in range(5):
        pressure.hear(0.002 * i, [0xD0, i, 0])
        assert len(pressure.take(0.002 * i)) == (i == 0)
    assert pressure.take(0.01) == [(0.008, [0xD0, 4, 0])]
    assert pressure.take(0.1) == []


@given(st.lists(st.tuples(st.floats(0.0001, 0.02), PRESSED), max_size=60))
def test_no_more_than_there_is_room_for_and_what_it_comes_to(
    moves: list[tuple[float, tuple[int, int, int]]],
) -> None:
    """What is told was heard, in its order; at last each key and channel is where it was left."""
    pressure, now = Pressure(), 1.0
    heard: list[Heard] = []
    told: list[Heard] = []
    for wait, data in moves:
        now += wait
        heard.append((now, list(data)))
        pressure.hear(*heard[-1])
        told += pressure.take(now)
    assert len(told) <= (now - 1.0) / LEAST_SECONDS + len({whose(data) for _, data in heard}) + 1
    told += pressure.take(now + 1.0)
    assert [each for each in heard if each in told] == told
    assert {whose(d): d for _, d in told} == {whose(d): d for _, d in heard}
