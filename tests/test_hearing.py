"""From a keyboard's messages to events."""

from itertools import count

from hypothesis import given
from hypothesis import strategies as st

from lofid.hearing import Heard, Hearing
from lofid.music import Event

WINDOW = 0.05


def heard(number: int, pitches: tuple[int, ...], onset: int, length: int, velocity: int) -> Heard:
    return number, Event(pitches, onset, length, velocity, by_person=True)


def test_a_note_is_known_at_once_and_a_quarter_long_while_it_is_held() -> None:
    hearing = Hearing(WINDOW, count(1))
    assert hearing.note_on(100, 1.0, 60, 70) == heard(1, (60,), 100, 480, 70)
    assert hearing.note_off(130, 60) == heard(1, (60,), 100, 30, 70)


def test_keys_within_the_window_of_the_last_one_are_one_chord() -> None:
    """A rolled chord: its onset is its first note's, its velocity its loudest; it ends with all."""
    hearing = Hearing(WINDOW, count(1))
    assert hearing.note_on(100, 1.00, 60, 70) == heard(1, (60,), 100, 480, 70)
    assert hearing.note_on(125, 1.04, 64, 90) == heard(1, (60, 64), 100, 480, 90)
    assert hearing.note_on(150, 1.08, 67, 80) == heard(1, (60, 64, 67), 100, 480, 90)
    assert hearing.note_off(700, 60) is None
    assert hearing.note_off(710, 67) is None
    assert hearing.note_off(1060, 64) == heard(1, (60, 64, 67), 100, 960, 90)


def test_a_later_key_is_an_event_of_its_own() -> None:
    hearing = Hearing(WINDOW, count(1))
    hearing.note_on(100, 1.00, 60, 70)
    assert hearing.note_on(140, 1.06, 62, 71) == heard(2, (62,), 140, 480, 71)
    assert hearing.note_off(200, 60) == heard(1, (60,), 100, 100, 70)
    assert hearing.note_off(260, 62) == heard(2, (62,), 140, 120, 71)


def test_a_key_after_one_that_was_let_go_is_a_melody_however_quick() -> None:
    hearing = Hearing(WINDOW, count(1))
    hearing.note_on(100, 1.00, 60, 70)
    hearing.note_off(110, 60)
    assert hearing.note_on(115, 1.02, 62, 70) == heard(2, (62,), 115, 480, 70)


def test_a_roll_has_an_end() -> None:
    """After four windows in all the next key begins another event."""
    hearing = Hearing(WINDOW, count(1))
    keys = [hearing.note_on(i, 1 + 0.045 * i, 50 + i, 70)[0] for i in range(7)]
    assert keys == [1, 1, 1, 1, 1, 2, 2]


def test_the_same_key_again_is_another_event() -> None:
    hearing = Hearing(WINDOW, count(1))
    hearing.note_on(0, 1.0, 60, 70)
    hearing.note_off(5, 60)
    assert hearing.note_on(10, 1.01, 60, 80) == heard(2, (60,), 10, 480, 80)
    assert hearing.note_off(400, 60) == heard(2, (60,), 10, 390, 80)


def test_a_note_off_for_nothing_is_nothing() -> None:
    assert Hearing(WINDOW, count(1)).note_off(5, 60) is None


@given(st.lists(st.tuples(st.integers(0, 300), st.integers(40, 60), st.booleans()), max_size=60))
def test_every_note_is_in_one_event_and_every_event_ends(
    played: list[tuple[int, int, bool]],
) -> None:
    """Whatever is struck and let go: no key is lost, no event is shorter than a tick."""
    hearing, now, events, held = Hearing(WINDOW, count(1)), 0, dict[int, Event](), set[int]()
    struck = list[int]()
    for wait, pitch, is_on in played:
        now += wait
        if is_on and pitch not in held:
            number, event = hearing.note_on(now, now / 1000, pitch, 64)
            events[number] = event
            held.add(pitch)
            struck.append(pitch)
        elif pitch in held:
            held.discard(pitch)
            if (ended := hearing.note_off(now, pitch)) is not None:
                events[ended[0]] = ended[1]
    for pitch in sorted(held):
        if (ended := hearing.note_off(now + 1, pitch)) is not None:
            events[ended[0]] = ended[1]
    assert sorted(p for event in events.values() for p in event.pitches) == sorted(struck)
    assert all(event.length_ticks >= 1 for event in events.values())
    assert [event.onset_ticks for event in events.values()] == sorted(
        event.onset_ticks for event in events.values()
    )
    assert hearing._open == []
