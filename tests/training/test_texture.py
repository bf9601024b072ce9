"""Texture: a bar whose numbers can be counted by hand, and what is usual of many pieces."""

import pytest

from lofid.music import Event
from training.passage import Passage
from training.texture import FEWEST_EVENTS, PACE, in_scale, measure, usual_range, velocity_spread


def bar() -> Passage:
    """Four beats: an Am7 of two beats, then three notes, one of them F sharp, the last held."""
    return Passage.of_events([
        Event((57, 60, 64, 67), 0, 960, 60),
        Event((72,), 480, 480, 80),
        Event((66,), 960, 480, 80),
        Event((69,), 1440, 480, 100),
    ])  # fmt: skip


def test_a_bar_by_hand() -> None:
    found = measure(bar())
    assert found["in the scale"] == pytest.approx(10 / 11)
    assert found["events a beat"] == pytest.approx(4 / 4)
    assert found["chords a bar"] == pytest.approx(1)
    assert found["length in beats"] == pytest.approx(5 / 4)
    assert found["velocity spread"] == pytest.approx(200**0.5)
    assert (found["rich chords"], found["none chords"]) == (0.5, 0.5)


def test_silence_is_not_in_the_scale() -> None:
    assert in_scale(Passage.of_events([])) == 0


def test_what_is_usual() -> None:
    """The 5th and 95th percentile of 21 pieces: all but the lowest and the highest."""
    pieces = [
        Passage.of_events([Event((60,), 0, 480 * beats, 80)] * FEWEST_EVENTS)
        for beats in range(1, 22)
    ]
    found = usual_range(pieces)
    assert found["length in beats"] == pytest.approx((2, 20))
    assert set(PACE) < set(found)


def test_short_pieces_say_nothing() -> None:
    assert usual_range([bar()]) == {}


def test_the_spread_of_a_long_session_is_that_of_its_stretches() -> None:
    """Two halves of one velocity each: every stretch is even, whatever the whole is."""
    loud = [Event((60,), 480 * i, 480, 40 if i < 128 else 90) for i in range(256)]
    assert velocity_spread(Passage.of_events(loud)) == 0
