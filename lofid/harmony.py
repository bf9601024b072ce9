"""Harmony: a held chord decides which notes may sound, and which chords suit it. Pure.

Chord-scale theory gives each chord the scale that is played over it (Barrie Nettles and Richard
Graf, *The Chord Scale Theory & Jazz Harmony*, 1997; Mark Levine, *The Jazz Theory Book*, 1995).
Which one, where several hold the chord, the key decides: the one that shares most with it, as a
voice moves by no more than it must (Dmitri Tymoczko, *A Geometry of Music*, 2011, chapter 9).

The model thinks at home, so everything here is in C major or A minor, in pitch classes 0 to 11.
"""

from collections.abc import Iterable, Sequence
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from lofid.music import GRID_PER_QUARTER
from lofid.sampler import Logits, balanced

Classes = frozenset[int]

MAJOR, MELODIC_MINOR, HARMONIC_MINOR = (
    (0, 2, 4, 5, 7, 9, 11), (0, 2, 3, 5, 7, 9, 11), (0, 2, 3, 5, 7, 8, 11)
)  # fmt: skip
SCALES = tuple(
    frozenset((tonic + step) % 12 for step in steps)
    for steps in (MAJOR, MELODIC_MINOR, HARMONIC_MINOR)
    for tonic in range(12)
)
"""As sets of classes a scale's modes are all one; the plainest family first."""

MISREAD_COST = 2
"""So many more foreign notes has a scale to spare that a chord is in by its sound only."""

FOREIGN_COST = 7.0
"""What a chord costs that shares no note with the held one; in proportion, where some are."""

MISSING_COST = 7.0
"""What a chord costs that has nothing of the held one; in proportion, where some is there."""

AVOID_COST = 1.5
"""What each avoid note in a chord costs, or one in the lead on the beat."""

ON_BEAT_COST, OFF_BEAT_COST = 2.0, 0.25
"""What a lead note costs that is not of the chord: between the beats it may pass."""


@lru_cache(maxsize=256)
def chord_scale(chord: Classes, key: Classes) -> Classes:
    """Give the scale to play over a chord in a key, all as pitch classes.

    Of the major, melodic minor and harmonic minor scales that hold the chord it is the one that
    has the fewest notes which the key's has not. A chord that none holds (a cluster, or a sharp
    ninth) is its own scale, with those notes of the key that rub against none of its.
    """
    holding = [scale for scale in SCALES if chord <= scale]
    if holding:
        return min(holding, key=lambda s: len(s - key) + MISREAD_COST * _is_misread(chord, s))
    rubbing = {(each + semitone) % 12 for each in chord for semitone in (-1, 1)}
    return chord | (key - rubbing)


def _is_misread(chord: Classes, scale: Classes) -> bool:
    """Tell whether an augmented second of the scale is what the chord has for a third.

    A harmonic minor holds F, G sharp and C, which are not F minor: that has an A flat, and no A.
    """
    return any(
        (each + 3) % 12 in chord and not scale & {(each + 1) % 12, (each + 2) % 12}
        for each in chord
    )


def avoid_notes(chord: Classes, scale: Classes) -> Classes:
    """Give the notes of the scale that lie a semitone above one of the chord and are not of it."""
    return (scale - chord) & {(each + 1) % 12 for each in chord}


class Harmony:
    """What the held chord does to the choice of the next token, for one vocabulary."""

    def __init__(self, pitches: Sequence[tuple[int, ...]], key: Classes):
        """Take the MIDI note numbers of each token, those of *start* empty, and the home key."""
        self._key = key
        self._has = np.array([_mask({pitch % 12 for pitch in token}) for token in pitches])
        self._sizes = np.maximum(self._has.sum(axis=1), 1)
        self._is_chord = np.array([len(token) > 1 for token in pitches])

    def bent(self, logits: Logits, chord: Classes, onset_grid: int) -> Logits:
        """Bend logits [tokens] to the chord; as they were where no chord is held.

        Only what lies in the chord's scale is left (or, where nothing does, what has the fewest
        notes outside it), and lead and keys come as often as they would have.
        """
        if not chord:
            return logits
        scale = chord_scale(chord, self._key)
        masks = [_mask(each) for each in (chord, scale, avoid_notes(chord, scale))]
        shared, inside, avoided = (self._has @ np.stack(masks, axis=1)).T
        is_on_beat = onset_grid % GRID_PER_QUARTER == 0
        keys = (
            FOREIGN_COST * (1 - shared / self._sizes)
            + MISSING_COST * (1 - shared / len(chord))
            + AVOID_COST * avoided
        )
        lead = (ON_BEAT_COST if is_on_beat else OFF_BEAT_COST) * (1 - shared)
        lead += AVOID_COST * is_on_beat * avoided
        bent = logits - np.where(self._is_chord, keys, lead)
        outside = self._sizes - inside
        bent[outside > outside[np.isfinite(logits)].min()] = -np.inf
        return balanced(bent, logits, self._is_chord)


def _mask(classes: Iterable[int]) -> npt.NDArray[np.float64]:
    """Give pitch classes as [12] zeros and ones."""
    mask = np.zeros(12)
    mask[list(classes)] = 1
    return mask
