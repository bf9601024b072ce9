"""The recorded phrases are what they say: in their key, two bars, playable, different."""

from collections import Counter

import pytest

from lofid.keyfinder import KeyFinder
from lofid.music import Key
from tests.phrases import (
    HIGHEST,
    KEYS,
    LOWEST,
    PHRASE_TICKS,
    PHRASES,
    Phrase,
    in_key,
    phrases_in,
    share_on_scale,
)

each_phrase = pytest.mark.parametrize("phrase", PHRASES, ids=lambda phrase: phrase.name)


def test_each_key_has_phrases_that_differ() -> None:
    """24 keys, two different phrases in each at least, one of them with chords."""
    assert len(set(KEYS)) == 24
    for key in KEYS:
        found = phrases_in(key)
        assert len({tuple(phrase.pitches) for phrase in found}) == len(found) >= 2
        assert any(event.is_chord for phrase in found for event in phrase.events())


@each_phrase
def test_a_phrase_is_in_its_key(phrase: Phrase) -> None:
    """Nine tenths of its note time at least on the scale, and the key finder agrees."""
    notes = [(length, pitch) for _, length, pitch, _ in phrase.notes]
    assert share_on_scale(notes, phrase.key) >= 0.9
    finder = KeyFinder()
    for event in phrase.events():
        finder.hear(event.pitches, event.length_ticks / 480)
    assert finder.key == phrase.key


@each_phrase
def test_a_phrase_is_played_by_hand_within_two_bars(phrase: Phrase) -> None:
    """Off the grid, but not far; of uneven strength; in the middle; no key struck while it is down.

    The grid here is the sixteenth, 120 ticks; a rolled chord's last note may be 30 behind.
    """
    ticks = [tick for tick, *_ in phrase.notes]
    off = [(tick + 60) % 120 - 60 for tick in ticks]
    assert ticks == sorted(ticks)
    assert all(-35 <= each <= 35 for each in off)
    assert len(set(off)) > 5
    assert len({velocity for *_, velocity in phrase.notes}) > 5
    assert all(LOWEST <= pitch <= HIGHEST for pitch in phrase.pitches)
    assert max(tick + length for tick, length, _, _ in phrase.notes) <= PHRASE_TICKS
    ends = dict[int, int]()
    for tick, length, pitch, velocity in phrase.notes:
        assert ends.get(pitch, 0) <= tick
        assert 1 <= velocity <= 127
        ends[pitch] = tick + length


@each_phrase
def test_every_note_of_a_phrase_is_struck_and_let_go(phrase: Phrase) -> None:
    messages = phrase.messages(start_tick=960, channel=3)
    assert [tick for tick, _ in messages] == sorted(tick for tick, _ in messages)
    struck = Counter(data[1] for _, data in messages if data[0] == 0x93)
    let_go = Counter(data[1] for _, data in messages if data[0] == 0x83)
    assert struck == let_go == Counter(phrase.pitches)
    assert min(messages)[0] == 960 + phrase.notes[0][0]


def test_a_phrase_as_messages() -> None:
    """E4 of 'porch' is down from tick 8 to 213; in D major it is F sharp."""
    phrase = in_key("porch", Key(2, is_minor=False))
    assert phrase.messages(1920)[:2] == [
        (1928, bytes((0x90, 66, 74))),
        (2133, bytes((0x80, 66, 64))),
    ]


def test_a_phrase_as_events() -> None:
    """A rolled chord is one event, as loud as its loudest note and as long as its longest."""
    first, second = in_key("sunday", Key(0, is_minor=False)).events(1920)[:2]
    assert (first.pitches, first.onset_ticks, first.length_ticks) == ((48, 52, 55), 1923, 888)
    assert (first.velocity, first.by_person) == (66, True)
    assert second.pitches == (67,)


def test_silence_has_no_share() -> None:
    with pytest.raises(ValueError, match="no note time"):
        share_on_scale([], Key(0, is_minor=False))
