"""Endless: loops, silences and drifts that were made on purpose."""

import pytest

from lofid.music import Event
from training.endless import bars, distinct_grams, equal_bars, longest_silence, look_at
from training.passage import Passage

BAR = 1920


def notes(*rows: tuple[int, int]) -> Passage:
    """Notes of a beat, each (bar, pitch), on the bar line."""
    return Passage.of_events([Event((pitch,), bar * BAR, 480, 80) for bar, pitch in rows])


def test_bars_hold_what_begins_in_them() -> None:
    """Velocity does not count, length does; a bar in which nothing begins is empty."""
    first, *_, last = bars(notes((2, 60), (4, 60)))
    assert first == last == frozenset({(0, (60,), 12)})
    assert len(bars(notes((2, 60), (4, 60)))) == 3


@pytest.mark.parametrize(
    ("rows", "longest"),
    [
        ([(0, 60), (1, 62), (2, 60), (3, 62)], 1),
        ([(0, 60), (1, 62), (2, 62), (3, 62), (4, 60)], 3),
        ([(0, 60), (5, 60)], 4),
    ],
)
def test_the_longest_run_of_equal_bars(rows: list[tuple[int, int]], longest: int) -> None:
    """Empty bars are equal, too."""
    assert equal_bars(notes(*rows)) == longest


def test_the_longest_silence() -> None:
    """Three beats after each note; a long note fills what short ones leave."""
    assert longest_silence(notes((0, 60), (1, 60), (3, 60))) == pytest.approx(1.75)
    held = [Event((48, 52), 0, 4 * BAR, 60), Event((60,), 0, 480, 80), Event((60,), 4 * BAR, 1, 80)]
    assert longest_silence(Passage.of_events(held)) == 0


def test_distinct_runs_of_four() -> None:
    """A loop of two notes has two, however long it is."""
    assert distinct_grams(notes(*[(i, 60 + i % 2) for i in range(30)])) == 2
    assert distinct_grams(notes(*[(i, 40 + i) for i in range(30)])) == 26
    assert distinct_grams(notes((0, 60), (1, 60))) == 0


def test_a_session_that_rises_and_gets_stuck() -> None:
    """A semitone up each tenth; the last tenth is one note."""
    rows = [(i, 50 + i // 10 + (12 * (i % 3) if i < 90 else 0)) for i in range(100)]
    found = look_at(notes(*rows))
    assert (found.events, len(found.fresh), len(found.register)) == (100, 10, 10)
    assert found.equal_bars == 10
    assert found.fresh == (3,) * 9 + (1,)
    assert found.fresh_ratio == pytest.approx(1 / 3)
    assert found.drift_semitones == pytest.approx(59 - (50 + 12 * 9 / 10))


def test_a_straight_line_has_its_slope() -> None:
    found = look_at(notes(*[(i, 40 + 2 * (i // 10)) for i in range(100)]))
    assert found.slope_semitones == pytest.approx(18)
    assert found.drift_semitones == pytest.approx(18)
