"""Harmony: literal chords and scales, literal logits; and what holds for every chord."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lofid.composer import Composer
from lofid.feel import Feel
from lofid.harmony import (
    AVOID_COST,
    FOREIGN_COST,
    MISSING_COST,
    OFF_BEAT_COST,
    ON_BEAT_COST,
    Harmony,
    avoid_notes,
    chord_scale,
)
from lofid.keylock import HOME_CLASSES, Mode
from lofid.music import BAR_TICKS, Key
from lofid.predictor import Predictor, default_model_path
from lofid.sampler import probabilities
from lofid.vocabulary import Vocabulary

C = HOME_CLASSES
C_MAJOR = frozenset((0, 4, 7))
TOKENS = ["start", "C5", "D5", "F5", "C#5", "C3.E3.G3", "C3.E3.G3.B-3", "F3.A3.C4", "E3.G3.B3"]
VOCABULARY = Vocabulary(TOKENS, [(0, 0)])
HARMONY = Harmony(VOCABULARY.pitches, C)
LOGITS = np.array([-np.inf, *[0.0] * 8])

classes = st.frozensets(st.integers(0, 11), max_size=12)


def notes(text: str) -> frozenset[int]:
    names = ["C", "C#", "D", "E-", "E", "F", "F#", "G", "G#", "A", "B-", "B"]
    return frozenset(map(names.index, text.split()))


@pytest.mark.parametrize(
    ("chord", "scale"),
    [
        ("C E G", "C D E F G A B"),  # the key itself
        ("F A C E", "C D E F G A B"),  # Lydian
        ("C E G B-", "C D E F G A B-"),  # Mixolydian
        ("D F# A C", "C D E F# G A B"),
        ("E G# B D", "C D E F G# A B"),  # A harmonic minor, by one note
        ("A C# E G", "C# D E F G A B"),  # D melodic minor: Mixolydian with a flat sixth
        ("C E- G", "C D E- F G A B"),  # C melodic minor, by one note
        ("F G# C", "C D E F G G# B-"),  # F melodic minor; A harmonic minor has no A flat
        ("D F G# C", "C D E F G G# B-"),  # F melodic minor: Locrian with a natural second
        ("B D F G#", "C D E F G# A B"),  # a diminished seventh is in A harmonic minor as it sounds
        ("E G# B D F", "C D E F G# A B"),  # and so is a flat ninth
        ("B- D F G#", "C D E F G G# B-"),  # Lydian dominant
        ("B- C# E G", "C# D E F G A B-"),  # a diminished seventh: D harmonic minor
        ("C E G# B-", "C D E F G G# B-"),  # an augmented seventh: F melodic minor
        ("C E- E G B-", "C E- E G B-"),  # a sharp ninth: none holds it, and all else rubs
        ("C C# D", "C C# D E F G A"),  # a cluster
    ],
)
def test_over_a_chord_in_c_major_this_scale_is_played(chord: str, scale: str) -> None:
    assert chord_scale(notes(chord), C) == notes(scale)


@given(classes, st.integers(0, 11))
def test_a_scale_holds_its_chord_and_moves_with_chord_and_key(
    chord: frozenset[int], by: int
) -> None:
    """Which of several equally near ones it is may change; how near it is may not."""

    def moved(some: frozenset[int]) -> frozenset[int]:
        return frozenset((each + by) % 12 for each in some)

    scale, other = chord_scale(chord, C), chord_scale(moved(chord), moved(C))
    assert chord <= scale
    assert moved(chord) <= other
    assert len(other - moved(C)) == len(scale - C)


def test_the_fourth_over_a_major_chord_is_to_be_avoided() -> None:
    assert avoid_notes(C_MAJOR, C) == notes("F")
    assert avoid_notes(notes("D F A C"), C) == frozenset()
    assert avoid_notes(notes("E G B D"), C) == notes("C F")


def test_no_chord_leaves_the_logits_alone() -> None:
    assert HARMONY.bent(LOGITS, frozenset(), 0) is LOGITS


def test_outside_the_scale_nothing_is_left() -> None:
    """C sharp is not of C major, nor is B flat; start was ruled out before."""
    ruled_out = np.flatnonzero(np.isneginf(HARMONY.bent(LOGITS, C_MAJOR, 0)))
    assert ruled_out.tolist() == [0, 4, 6]


def test_on_the_beat_the_lead_takes_notes_of_the_chord_and_shuns_avoid_notes() -> None:
    bent = HARMONY.bent(LOGITS, C_MAJOR, 24)
    assert bent[1:4] - bent[1] == pytest.approx([0, -ON_BEAT_COST, -ON_BEAT_COST - AVOID_COST])


def test_between_the_beats_it_may_pass() -> None:
    bent = HARMONY.bent(LOGITS, C_MAJOR, 27)
    assert bent[1:4] - bent[1] == pytest.approx([0, -OFF_BEAT_COST, -OFF_BEAT_COST])


def test_the_keys_play_the_chord_rather_than_another() -> None:
    """F-A-C has two foreign notes, one of them to be avoided, and lacks two; E-G-B one and one."""
    bent = HARMONY.bent(LOGITS, C_MAJOR, 3)
    third = (FOREIGN_COST + MISSING_COST) / 3
    assert bent[[7, 8]] - bent[5] == pytest.approx([-2 * third - AVOID_COST, -third])


def test_lead_and_keys_come_as_often_as_before() -> None:
    """Four notes and four chords, all as likely: a half each, whatever is left of them."""
    chances = probabilities(HARMONY.bent(LOGITS, C_MAJOR, 0), 1.0)
    assert chances[:5].sum() == pytest.approx(0.5)
    assert chances[5:].sum() == pytest.approx(0.5)


def test_where_nothing_is_of_the_scale_what_is_least_outside_is_left() -> None:
    """Over F sharp major there is B C# D E F# G A#: of C, of F-A and of F-A-E one is outside the
    least. There are no chords then, and the lead goes on alone.
    """
    held, logits = notes("F# B- C#"), np.array([-np.inf, 0.0, 0.0, 0.0])
    poor = Harmony(((), (60,), (65, 69), (65, 69, 76)), C)
    assert np.isfinite(poor.bent(logits, held, 0)).tolist() == [False, True, False, False]


@settings(deadline=None)
@given(
    classes,
    st.lists(st.floats(-30, 30) | st.just(-np.inf), min_size=9, max_size=9).map(np.array),
    st.integers(0, 100),
)
def test_something_is_always_left_and_never_what_was_ruled_out(
    chord: frozenset[int], logits: np.ndarray, onset_grid: int
) -> None:
    logits[0] = -np.inf
    logits[1] = max(logits[1], 0.0)
    bent = HARMONY.bent(logits, chord, onset_grid)
    assert np.isfinite(bent).any()
    assert not np.isnan(bent).any()
    assert np.isneginf(bent[np.isneginf(logits)]).all()


@pytest.fixture(scope="module")
def model() -> Predictor:
    return Predictor(default_model_path(), "cpu")


@pytest.mark.parametrize("lock", ["off", "soft", "hard"])
@pytest.mark.parametrize("chord", ["C E- G", "G B D F", "F# B- C#", "C# E G# B"])
def test_in_any_key_the_held_chord_wins_over_the_key_lock(
    model: Predictor, lock: Mode, chord: str
) -> None:
    """In C minor, from one chord's first bar to its fourth nothing begins outside its scale."""
    key = Key.parse("C minor")
    held = notes(chord)
    feel = Feel(key=key, key_lock=lock, temperature=1.5, chord=held)
    events = Composer(model, feel, 3).compose(4 * BAR_TICKS)
    scale = chord_scale(held, frozenset((each + key.shift_semitones) % 12 for each in C))
    assert {pitch % 12 for event in events for pitch in event.pitches} <= scale
    of_keys = [pitch % 12 for event in events if event.is_chord for pitch in event.pitches]
    assert sum(each in held for each in of_keys) > len(of_keys) / 2
