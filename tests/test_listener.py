"""What of a person's playing the music hears."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lofid.listener import Listener
from lofid.music import Event
from lofid.settings import Keyboard


class Room:
    """A listener, and all that it passed on: the last of each number, and what fingers played."""

    def __init__(self, **keyboard: Any) -> None:
        self.events: dict[int, Event] = {}
        self.played: list[Event] = []
        self.phrase = False
        self.listener = Listener(self._take, self.played.append, Keyboard(**keyboard))

    def _take(self, number: int, event: Event, is_phrase: bool) -> tuple[str, float]:
        self.events[number] = event
        self.phrase = is_phrase
        return "-".join(map(str, event.pitches)), 1.0

    def play(self, tick: int, *data: int) -> None:
        status, first, second = data
        self.listener.hear(tick, tick / 640, (status, first, second))

    @property
    def heard(self) -> list[tuple[tuple[int, ...], int, int]]:
        return [(e.pitches, e.onset_ticks, e.length_ticks) for e in self.events.values()]


def test_a_note_is_heard_at_once_and_known_when_it_ends() -> None:
    room = Room()
    room.play(0, 0x90, 60, 80)
    assert room.heard == [((60,), 0, 480)]
    assert room.listener.is_held
    room.play(100, 0x80, 60, 64)
    assert room.heard == [((60,), 0, 100)]
    assert [event.length_ticks for event in room.played] == [100]
    assert room.listener.heard_as == "60"
    assert room.listener.count == 1


def test_the_pedal_holds_what_the_keys_let_go() -> None:
    room = Room()
    room.play(0, 0xB0, 64, 127)
    room.play(10, 0x90, 60, 80)
    room.play(60, 0x80, 60, 64)
    assert room.listener.is_held
    assert room.listener.take_news().rest_tick is None
    room.play(500, 0xB0, 64, 0)
    assert room.heard == [((60,), 10, 490)]
    assert room.listener.take_news().rest_tick == 500


def test_a_key_that_is_still_down_outlasts_the_pedal() -> None:
    room = Room()
    room.play(0, 0xB0, 64, 127)
    room.play(10, 0x90, 60, 80)
    room.play(500, 0xB0, 64, 0)
    assert room.listener.is_held
    room.play(800, 0x80, 60, 64)
    assert room.heard == [((60,), 10, 790)]


def test_a_key_struck_again_under_the_pedal_ends_the_first() -> None:
    room = Room()
    room.play(0, 0xB0, 64, 127)
    room.play(10, 0x90, 60, 80)
    room.play(60, 0x80, 60, 64)
    room.play(300, 0x90, 60, 80)
    assert room.heard == [((60,), 10, 290), ((60,), 300, 480)]


def test_fingers_have_played_what_the_pedal_holds() -> None:
    """As long as the keys were down; not again when the pedal comes up."""
    room = Room()
    room.play(0, 0xB0, 64, 127)
    room.play(10, 0x90, 60, 80)
    room.play(12, 0x90, 64, 80)
    room.play(50, 0x80, 60, 64)
    assert room.played == []
    room.play(60, 0x80, 64, 64)
    assert room.played == [Event((60, 64), 10, 50, 80, by_person=True)]
    room.play(500, 0xB0, 64, 0)
    room.listener.release(600)
    assert len(room.played) == 1


KEYS = st.tuples(st.sampled_from((0x90, 0x80)), st.integers(58, 64), st.integers(1, 127))
PEDAL = st.tuples(st.just(0xB0), st.just(64), st.sampled_from((0, 127)))


@given(st.lists(st.tuples(st.integers(0, 60), KEYS | PEDAL), max_size=40))
def test_the_pedal_changes_nothing_of_what_fingers_played(
    played: list[tuple[int, tuple[int, int, int]]],
) -> None:
    """And each key that was struck is in one event."""
    rooms, now = (Room(split=61), Room(split=61)), 0
    for wait, data in played:
        now += wait
        rooms[0].play(now, *data)
        if data[0] != 0xB0:
            rooms[1].play(now, *data)
    for room in rooms:
        room.listener.release(now + 1)
    assert rooms[0].played == rooms[1].played
    struck = sorted(data[1] for _, data in played if data[0] == 0x90)
    assert sorted(pitch for event in rooms[0].played for pitch in event.pitches) == struck


@pytest.mark.parametrize(
    ("keyboard", "key", "heard"),
    [
        ({"channel": 2}, (0x90, 60), None),
        ({"channel": 2}, (0x91, 60), 60),
        ({"lowest": 61}, (0x90, 60), None),
        ({"lowest": 60, "highest": 60}, (0x90, 60), 60),
        ({"highest": 59}, (0x90, 60), None),
        ({"transpose": -12}, (0x90, 60), 48),
        ({"transpose": 48}, (0x90, 100), None),
        ({"mode": "off"}, (0x90, 60), None),
        ({"mode": "off", "split": 61}, (0x90, 60), 60),
    ],
)
def test_filters(keyboard: dict[str, Any], key: tuple[int, int], heard: int | None) -> None:
    """Channels count from 1; a range includes its ends; what MIDI cannot say is not heard."""
    room = Room(**keyboard)
    room.play(0, *key, 80)
    room.play(100, key[0] - 0x10, key[1], 64)
    assert [event.pitches for event in room.played] == ([] if heard is None else [(heard,)])
    assert room.listener.count == 1
    assert not room.listener.is_held


def test_below_the_split_keys_steer_and_make_no_phrase() -> None:
    room = Room(mode="answer", split=60)
    room.play(0, 0x90, 48, 80)
    room.play(5, 0x90, 52, 80)
    news = room.listener.take_news()
    assert (news.is_heard, news.struck_tick) == (True, None)
    assert not room.phrase
    assert room.listener.harmonist.chord == {0, 4}
    assert not room.listener.is_held
    room.play(8, 0x90, 72, 80)
    assert room.listener.take_news().struck_tick == 8
    assert room.phrase
    assert [pitches for pitches, *_ in room.heard] == [(48, 52), (72,)]
    assert room.listener.harmonist.chord == {0, 4}


def test_a_melody_key_that_is_let_go_does_not_steer() -> None:
    """Nor does it bring back the chord before, of which a finger has just left."""
    room = Room(split=60)
    for tick, pitch in ((0, 48), (0, 52), (0, 55), (320, 72), (640, 57)):
        room.play(tick, 0x90, pitch, 80)
    room.play(704, 0x80, 55, 64)
    assert room.listener.harmonist.chord == {0, 4, 9}
    room.listener.take_news()
    room.play(736, 0x80, 72, 64)
    assert room.listener.harmonist.chord == {0, 4, 9}
    assert not room.listener.take_news().is_heard


@pytest.mark.parametrize("split", [(0, 60), (60, 0)])
def test_a_split_that_is_set_while_a_key_is_held_is_for_those_to_come(
    split: tuple[int, int],
) -> None:
    """What is held ends as what it began, and the next of its key is its own."""
    room = Room(split=split[0])
    room.play(0, 0x90, 55, 80)
    was_phrase = room.phrase
    room.listener.keyboard = Keyboard(split=split[1])
    assert room.listener.is_held == was_phrase
    room.play(100, 0x80, 55, 64)
    assert room.heard == [((55,), 0, 100)]
    assert room.phrase == was_phrase
    assert (room.listener.take_news().rest_tick == 100) == was_phrase
    room.listener.keyboard = Keyboard(split=split[0])
    room.play(1000, 0x90, 55, 80)
    room.play(1200, 0x80, 55, 64)
    assert room.heard == [((55,), 0, 100), ((55,), 1000, 200)]
    assert [event.length_ticks for event in room.played] == [100, 200]


def test_in_chords_all_keys_steer() -> None:
    room = Room(mode="chords")
    room.play(0, 0x90, 60, 80)
    room.play(5, 0x90, 67, 80)
    assert room.listener.harmonist.chord == {0, 7}


def test_a_player_that_died_lets_go_of_everything() -> None:
    room = Room()
    room.play(0, 0xB0, 64, 127)
    room.play(10, 0x90, 60, 80)
    room.play(20, 0x80, 60, 64)
    room.play(100, 0x90, 64, 80)
    room.listener.release(400)
    assert room.heard == [((60,), 10, 390), ((64,), 100, 300)]
    assert not room.listener.is_held


def test_a_player_that_died_changes_no_chord() -> None:
    """Nobody knows when which finger left: the chord stays, and not the one before it."""
    room = Room(mode="chords")
    for tick, status, pitch in (
        *((0, 0x90, pitch) for pitch in (60, 64, 67)),
        *((1280, 0x90, pitch) for pitch in (65, 69, 72)),
        *((1300, 0x80, pitch) for pitch in (60, 64, 67)),
    ):
        room.play(tick, status, pitch, 80)
    room.listener.release(6400)
    assert room.listener.harmonist.chord == {0, 5, 9}
