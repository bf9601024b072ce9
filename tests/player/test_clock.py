"""Ticks to seconds and back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lofid.player.clock import TempoClock


def test_ticks_and_seconds() -> None:
    """At 120 a quarter of 480 ticks lasts half a second."""
    clock = TempoClock()
    assert not clock.is_running
    clock.start(0, 100.0, 120.0)
    assert clock.is_running
    assert clock.seconds_at(480) == 100.5
    assert clock.tick_at(101.0) == 960.0
    assert clock.whole_tick_at(100.4999) == 479


def test_starts_in_the_middle() -> None:
    """A restart goes on from its tick."""
    clock = TempoClock()
    clock.start(9600, 100.0, 60.0)
    assert clock.seconds_at(9600) == 100.0
    assert clock.seconds_at(9600 + 480) == 101.0


def test_a_tempo_change_never_jumps() -> None:
    """What was is kept; what is queued moves: half the tempo, twice the wait."""
    clock = TempoClock()
    clock.start(0, 100.0, 120.0)
    clock.set_tempo(60.0, 100.25)
    assert clock.tick_at(100.25) == 240.0
    assert clock.seconds_at(480) == 100.75


@pytest.mark.parametrize("tempo", [0.0, -1.0, float("nan"), float("inf")])
def test_no_such_tempo(tempo: float) -> None:
    """Time neither stands still nor runs backwards."""
    with pytest.raises(ValueError, match="not above zero"):
        TempoClock().start(0, 100.0, tempo)


def test_no_tempo_to_change_before_the_start() -> None:
    """The first tempo comes with the start."""
    with pytest.raises(ValueError, match="before it is started"):
        TempoClock().set_tempo(90.0, 100.0)


@given(
    st.floats(0, 1e7),
    st.integers(0, 10**7),
    st.floats(20, 300),
    st.lists(st.tuples(st.floats(0.0, 30.0), st.floats(20, 300)), max_size=20),
)
def test_at_its_deadline_a_tick_is_due(
    start: float, tick: int, tempo: float, changes: list[tuple[float, float]]
) -> None:
    """Waking at a deadline finds that tick due, and not the next, after any tempo changes."""
    clock, now = TempoClock(), start
    clock.start(tick, now, tempo)
    for wait, new_tempo in changes:
        now += wait
        before = clock.tick_at(now)
        clock.set_tempo(new_tempo, now)
        assert clock.tick_at(now) == pytest.approx(before, abs=1e-6)
    ahead = clock.whole_tick_at(now) + 7
    assert clock.whole_tick_at(clock.seconds_at(ahead)) == ahead
