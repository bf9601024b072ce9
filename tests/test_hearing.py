"""From a keyboard's messages to events."""

from lofid.hearing import Hearing
from lofid.music import Event

WINDOW = 32


def test_onsets_within_the_window_are_one_chord() -> None:
    """A rolled chord: its onset is its first note's, its velocity its loudest."""
    hearing = Hearing()
    assert hearing.note_on(100, 60, 70, WINDOW) is None
    assert hearing.note_on(115, 64, 90, WINDOW) is None
    assert hearing.note_on(132, 67, 80, WINDOW) is None
    assert hearing.position(132, WINDOW) is None
    assert hearing.position(240, WINDOW) == Event((60, 64, 67), 100, 480, 90, by_person=True)
    assert hearing.position(480, WINDOW) is None


def test_a_later_onset_is_an_event_of_its_own() -> None:
    hearing = Hearing()
    hearing.note_on(100, 60, 70, WINDOW)
    hearing.note_off(130, 60)
    assert hearing.note_on(140, 62, 70, WINDOW) == Event((60,), 100, 30, 70, by_person=True)
    hearing.note_off(200, 62)
    assert hearing.position(240, WINDOW) == Event((62,), 140, 60, 70, by_person=True)


def test_a_held_note_is_as_long_as_it_was_held() -> None:
    """At least a quarter, because its end is not known yet."""
    hearing = Hearing()
    hearing.note_on(0, 60, 70, WINDOW)
    assert hearing.position(960, WINDOW) == Event((60,), 0, 960, 70, by_person=True)


def test_a_note_off_for_nothing_is_nothing() -> None:
    hearing = Hearing()
    hearing.note_off(5, 60)
    assert hearing.position(240, WINDOW) is None


def test_a_note_struck_twice_in_the_window_sounds_once() -> None:
    hearing = Hearing()
    hearing.note_on(0, 60, 70, WINDOW)
    hearing.note_off(5, 60)
    hearing.note_on(10, 60, 80, WINDOW)
    hearing.note_off(400, 60)
    assert hearing.position(480, WINDOW) == Event((60,), 0, 400, 80, by_person=True)
