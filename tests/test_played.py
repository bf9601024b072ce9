"""What a person played, and when the context is told of it."""

import pytest

from lofid.context import Entry
from lofid.music import Event
from lofid.played import Played, placed


def event(onset: int, length: int, *pitches: int) -> Event:
    return Event(pitches or (60,), onset, length, 80, by_person=True)


def entry(length: int) -> Entry:
    return Entry(0, length, 1, 5)


def test_only_a_length_can_wait_until_something_else_is_heard() -> None:
    played = Played(8)
    assert played.hear(1, event(0, 1), entry(1))
    assert not played.hear(1, event(0, 480), entry(12))
    assert played.take_due() == {}
    assert played.hear(2, event(480, 1), entry(1))
    assert played.take_due() == {1: entry(12)}
    assert played.take_due() == {}


def test_a_chord_that_grows_is_news() -> None:
    """And what was known of it before is not."""
    played = Played(8)
    played.hear(1, event(0, 1), entry(1))
    played.hear(1, event(0, 30), entry(2))
    played.hear(2, event(480, 1), entry(1))
    assert played.hear(1, event(0, 40, 60, 64), entry(3))
    assert played.take_all() == {}


def test_all_can_be_taken_at_once() -> None:
    """The newer knowledge of two; or nothing, once nobody played."""
    played = Played(8)
    for number in (1, 2):
        played.hear(number, event(480 * number, 1), entry(1))
        played.hear(number, event(480 * number, 480), entry(12))
    played.hear(1, event(480, 960), entry(24))
    assert played.take_all() == {1: entry(24), 2: entry(12)}
    assert played.take_all() == {}
    played.hear(2, event(960, 720), entry(18))
    played.clear()
    assert (played.events, played.take_all()) == ({}, {})


def test_the_newest_began_last_and_the_oldest_are_forgotten() -> None:
    played = Played(2)
    for number, onset in ((1, 0), (2, 960), (3, 480)):
        played.hear(number, event(onset, 1), entry(1))
    assert list(played.events) == [2, 3]
    assert played.newest == 2


@pytest.mark.parametrize(
    ("onset", "length", "swing", "found"),
    [
        (120, 120, 50, (3, 3)),
        (0, 5, 50, (0, 1)),
        (160, 80, 200 / 3, (3, 3)),
        (165, 70, 200 / 3, (3, 3)),
    ],
)
def test_where_on_the_grid(onset: int, length: int, swing: float, found: tuple[int, int]) -> None:
    """In triplet swing the second sixteenth of an eighth sounds at 160 of 240 ticks."""
    assert placed(event(onset, length), swing) == found
