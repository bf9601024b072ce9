"""The key of what is played: literal playing, and laws that hold for any."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lofid.keyfinder import FEWEST_CLASSES, FEWEST_NOTES, KeyFinder
from lofid.music import Key
from tests.phrases import KEYS, PHRASES, Phrase, in_key

C_MAJOR, A_MINOR = Key(0, is_minor=False), Key(9, is_minor=True)
C, F, G, A_MIN, D_MIN = (48, 52, 55), (53, 57, 60), (55, 59, 62), (57, 60, 64), (50, 53, 57)

CHORDS = st.lists(st.integers(0, 127), min_size=1, max_size=6)
PLAYED = st.tuples(CHORDS, st.floats(0.01, 16))
PLAYING = st.lists(PLAYED, max_size=40)


def _heard(finder: KeyFinder, playing: list[tuple[list[int], float]]) -> list[Key | None]:
    return [finder.hear(pitches, length) for pitches, length in playing]


def _play(finder: KeyFinder, phrase: Phrase) -> list[Key]:
    """Give the keys that were found in turn."""
    found = [finder.hear(event.pitches, event.length_ticks / 480) for event in phrase.events()]
    return [key for key in found if key is not None]


def _tonic_triad(key: Key) -> list[int]:
    return [60 + key.tonic, 60 + key.tonic + (3 if key.is_minor else 4), 60 + key.tonic + 7]


def test_a_cadence_gives_its_key_once() -> None:
    """C and F could be F major, and are not sure; with G, only C major has all three."""
    finder = KeyFinder()
    assert [finder.hear(chord, 2) for chord in (C, F, G, C)] == [None, None, C_MAJOR, None]
    assert finder.key == C_MAJOR


def test_there_is_no_key_before_enough_was_heard() -> None:
    """A triad is three pitch classes, however often it is played; two notes are two."""
    finder = KeyFinder()
    assert [finder.hear(C, 2) for _ in range(20)] == [None] * 20
    assert [finder.hear((note,), 1) for note in (48, 52) * 20] == [None] * 40
    assert finder.key is None


def test_no_pitches_are_no_evidence() -> None:
    finder = KeyFinder()
    for chord in (C, F, G):
        finder.hear(chord, 2)
    assert finder.hear((), 4) is None
    assert finder.key == C_MAJOR


def test_forget_begins_anew() -> None:
    finder = KeyFinder()
    for chord in (C, F, G):
        finder.hear(chord, 2)
    finder.forget()
    assert finder.key is None
    assert [finder.hear(chord, 2) for chord in (C, F, G)] == [None, None, C_MAJOR]


def test_a_strange_chord_in_passing_changes_nothing() -> None:
    """C, F, G, C, with an E major chord on the way to A minor, twice over."""
    finder = KeyFinder()
    e_major = (52, 56, 59)
    for chord in (C, F, G, C, e_major, A_MIN, D_MIN, G, C, F, G, C, e_major, A_MIN, D_MIN, G, C):
        finder.hear(chord, 2)
        assert finder.key in (None, C_MAJOR)


def test_phrases_that_end_on_the_relative_tonic_do_not_flip_the_key() -> None:
    """C F G C, then A minor at the end of a phrase, over and over: C major all the time."""
    finder = KeyFinder()
    found = [finder.hear(chord, 2) for _ in range(8) for chord in (C, F, G, C, D_MIN, G, A_MIN)]
    assert [key for key in found if key is not None] == [C_MAJOR]


def test_a_key_that_is_left_for_good_is_left_soon() -> None:
    """An hour of C major weighs no more than a minute: two chords leave it, a third is enough."""
    finder = KeyFinder()
    for _ in range(900):
        for chord in (C, F, G, C):
            finder.hear(chord, 2)
    assert finder.key == C_MAJOR
    e_flat, a_flat, b_flat = (51, 55, 58), (56, 60, 63), (58, 62, 65)
    found = [finder.hear(chord, 2) for chord in (e_flat, a_flat, b_flat, e_flat)]
    assert found[:2] == [None, Key(8, is_minor=False)]
    assert finder.key == Key(3, is_minor=False)


@pytest.mark.parametrize("phrase", PHRASES, ids=lambda phrase: phrase.name)
def test_a_phrase_of_two_bars_is_enough(phrase: Phrase) -> None:
    """From nothing, each recorded phrase gives its own key, and no other one on the way."""
    finder = KeyFinder()
    assert _play(finder, phrase) == [phrase.key]


def test_a_phrase_that_shares_less_than_five_notes_is_followed_before_its_end() -> None:
    """After four phrases in C major, one phrase in a key at least three fifths away leads there."""
    for key in KEYS:
        fifths = min(key.shift_semitones * 7 % 12, -key.shift_semitones * 7 % 12)
        if fifths < 3:
            continue
        for name in ("rain", "lamplight", "tram") if key.is_minor else ("porch", "sunday"):
            finder = KeyFinder()
            for _ in range(4):
                _play(finder, in_key("sunday", C_MAJOR))
            _play(finder, in_key(name, key))
            assert finder.key is not None
            assert finder.key.shift_semitones == key.shift_semitones, in_key(name, key).name


@given(PLAYING, st.integers(0, 11))
def test_transposed_playing_is_in_the_transposed_key(
    playing: list[tuple[list[int], float]], shift: int
) -> None:
    moved = [([pitch + shift for pitch in pitches], length) for pitches, length in playing]
    keys = _heard(KeyFinder(), playing)
    expected = [key and Key((key.tonic + shift) % 12, key.is_minor) for key in keys]
    assert _heard(KeyFinder(), moved) == expected


@given(PLAYING, st.data())
def test_octaves_do_not_matter(playing: list[tuple[list[int], float]], data: st.DataObject) -> None:
    octaves = st.integers(-2, 2)
    moved = [([p + 12 * data.draw(octaves) for p in pitches], long) for pitches, long in playing]
    assert _heard(KeyFinder(), moved) == _heard(KeyFinder(), playing)


@given(PLAYING, st.lists(st.floats(0.01, 16), min_size=1, max_size=20))
def test_a_key_stays_while_its_tonic_triad_is_played(
    playing: list[tuple[list[int], float]], lengths: list[float]
) -> None:
    """Whatever went before, and however near another key was."""
    finder = KeyFinder()
    _heard(finder, [*playing, ([48, 52, 55], 2), ([53, 57, 60], 2), ([55, 59, 62], 2)])
    if finder.key is None:
        return
    triad = _tonic_triad(finder.key)
    assert [finder.hear(triad, length) for length in lengths] == [None] * len(lengths)


@given(PLAYING)
def test_what_is_given_is_what_changed(playing: list[tuple[list[int], float]]) -> None:
    """A key is given exactly when it is another one than before, and never too early."""
    finder, count, classes = KeyFinder(), 0, set[int]()
    for pitches, length in playing:
        before = finder.key
        found = finder.hear(pitches, length)
        count += len({pitch % 12 for pitch in pitches})
        classes |= {pitch % 12 for pitch in pitches}
        assert found == (finder.key if finder.key != before else None)
        if count < FEWEST_NOTES or len(classes) < FEWEST_CLASSES:
            assert finder.key is None


@pytest.mark.parametrize("key", KEYS, ids=str)
def test_any_key_can_be_found_from_any_other(key: Key) -> None:
    """A key's own scale, each time with its triad twice, leads there from C major."""
    finder = KeyFinder()
    for chord in (C, F, G, C):
        finder.hear(chord, 2)
    steps = (0, 2, 3, 5, 7, 8, 10) if key.is_minor else (0, 2, 4, 5, 7, 9, 11)
    for _ in range(12):
        for step in steps:
            finder.hear((60 + key.tonic + step,), 0.5)
        for _ in range(2):
            finder.hear(_tonic_triad(key), 2)
    assert finder.key == key
