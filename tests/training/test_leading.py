"""Leading: the phrases that are found, the pairs that are drawn, how answers are compared."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lofid.music import Event, Key
from tests.training.pieces import corpus_of
from training.leading import Phrase, differing, look_at, pair_up, phrases, sessions
from training.passage import Passage
from training.reader import Sound

BAR = 48


def melody(*pitches: int, start: int = 0) -> list[Sound]:
    """Eighths over a chord, from a bar on."""
    chord = Sound(start, (48, 55), BAR, 60, 0)
    notes = [Sound(start + 6 * i, (p,), 6, 80, 6 * i % BAR) for i, p in enumerate(pitches)]
    return [chord, *notes]


def phrase(song: str, *pitches: int, is_minor: bool = False) -> Phrase:
    notes = [Event((pitch,), 240 * i, 240, 80) for i, pitch in enumerate(pitches)]
    return Phrase(song, is_minor, Passage.of_events(notes))


def test_a_phrase_is_two_bars_of_melody() -> None:
    """Chords are left out, bars are counted from 0, too few notes are no phrase."""
    corpus = corpus_of({
        "a/one.mid": melody(60, 62, 64, 65, start=4 * BAR),
        "a/two.mid": melody(60, 62, 64),
        "a/three.mid": [Sound(0, (48, 55), BAR, 60, 0)],
    })  # fmt: skip
    (found,) = phrases(corpus, range(3), np.random.default_rng(1))
    assert (found.song, found.is_minor) == ("one", False)
    assert found.notes.onset.tolist() == [0, 6, 12, 18]
    assert found.notes.sums.tolist() == [60, 62, 64, 65]


def test_a_song_has_one_phrase_however_often_it_is_there() -> None:
    tune = melody(60, 62, 64, 65)
    corpus = corpus_of({"a/one.mid": tune, "b/one.mid": tune, "b/two.mid": tune})
    found = phrases(corpus, range(3), np.random.default_rng(1))
    assert [each.song for each in found] == ["one", "two"]


@pytest.mark.parametrize(
    ("is_minor", "shift", "key", "first"),
    [(False, 0, "C major", 60), (True, 0, "A minor", 60), (True, 3, "C minor", 63),
     (False, -6, "F# major", 54)],
)  # fmt: skip
def test_a_phrase_in_its_key(is_minor: bool, shift: int, key: str, first: int) -> None:
    """The key lies as far from home as the phrase is moved."""
    found, events = phrase("x", 60, 64, is_minor=is_minor).in_key(shift)
    assert (str(found), found.shift_semitones) == (key, shift)
    assert events[0] == Event((first,), 0, 240, 80, by_person=True)
    assert events[1].onset_ticks == 240


@given(st.integers(2, 9), st.integers(0, 30))
def test_pairs_are_of_two_songs(songs: int, pairs: int) -> None:
    """And no song plays twice more than another does."""
    found = [phrase(str(i), 60) for i in range(songs)]
    drawn = pair_up(found, pairs, np.random.default_rng(0))
    assert len(drawn) == pairs
    assert all(one.song != other.song for one, other in drawn)


def test_one_song_makes_no_pair() -> None:
    assert pair_up([phrase("x", 60)], 5, np.random.default_rng(0)) == []


def test_a_pair_has_one_seed_and_one_signature() -> None:
    pair = (phrase("x", 60), phrase("y", 69, is_minor=True))
    led = sessions([pair, pair], np.random.default_rng(0))
    assert [session.seed for session in led] == [0, 0, 1, 1]
    assert led[0].key.shift_semitones == led[1].key.shift_semitones
    assert [session.key.is_minor for session in led] == [False, True] * 2


def test_answers_are_compared_by_onset_and_pitches() -> None:
    """Of four different events, three are in one answer only: a length makes no difference."""
    one = Passage.of_events([Event((60,), 0, 480, 80), Event((61,), 480, 480, 80)])
    other = Passage.of_events([Event((60,), 0, 99, 60), Event((62,), 480, 480, 80),
                               Event((61,), 960, 480, 80)])  # fmt: skip
    assert differing(one, other) == pytest.approx(3 / 4)
    assert differing(one, one) == 0
    silence = Passage.of_events([])
    assert (differing(one, silence), differing(silence, silence)) == (1, 0)


def test_a_pair_s_figures() -> None:
    """In key is the lower of the two answers': here a half, by C sharp in C."""
    pair = (phrase("x", 60), phrase("y", 62))
    led = sessions([pair], np.random.default_rng(0))
    answers = [
        Passage.of_events([Event((60,), 0, 480, 80)]),
        Passage.of_events([Event((60,), 0, 480, 80), Event((61,), 480, 480, 80)]),
    ]
    (found,) = look_at([pair], led, answers)
    assert (found.songs, found.differing, found.in_key) == (("x", "y"), 0.5, 0.5)
    assert Key.parse(found.key) == led[0].key
