"""Events to ids and back: the closed sets of what a model can hear and say.

Id 0 of every set is *start*: what stands before the first event of a piece. Anything that a model
does not know is heard as its nearest known neighbour, never refused.
"""

from collections.abc import Iterable, Sequence
from functools import cached_property, lru_cache

import numpy as np

from lofid.music import (
    HIGHEST_PITCH,
    LOWEST_PITCH,
    parse_token,
    spell_normal_order,
    spell_voicing,
)

START = 0
VELOCITY_CLASSES = 8
VELOCITY_WIDTH = 128 // VELOCITY_CLASSES
Rhythm = tuple[int, int]
"""The pair (step to the next onset, length), both on the grid of 1/12 quarter."""

CLASSES_WEIGHT, KIND_WEIGHT, BASS_WEIGHT, OCTAVE_WEIGHT = 8.0, 4.0, 1.0, 0.5
"""What each difference adds to a :func:`pitch_distance`."""

REMEMBERED = 4096
"""Sounds whose neighbour is kept: a corpus repeats its own, and a player's memory must not grow."""

OTHER_VOICING = 0.25
"""What pitches that are not the very same are apart at least, as :func:`likeness` sees it: less
than an octave's difference in register, so that it counts least."""


def velocity_id(velocity: int) -> int:
    """Give a MIDI velocity (1 to 127) its class: 1 (softest) to 8."""
    return velocity // VELOCITY_WIDTH + 1


def velocity_floor(class_id: int) -> int:
    """Give the lowest MIDI velocity of a class from 1 to 8; each is 16 wide."""
    return (class_id - 1) * VELOCITY_WIDTH


class Vocabulary:
    """The tokens and rhythms that a model knows. ``tokens[0]`` and ``rhythms[0]`` are *start*.

    Not changed after it is made, but for caches; each process has its own.
    """

    def __init__(self, tokens: Sequence[str], rhythms: Sequence[Rhythm]):
        self.tokens = tuple(tokens)
        self.rhythms = tuple(rhythms)
        self._token_ids = {token: i for i, token in enumerate(self.tokens) if i != START}
        self._rhythm_ids = {rhythm: i for i, rhythm in enumerate(self.rhythms) if i != START}
        self._nearest_token = lru_cache(REMEMBERED)(self._search)

    @cached_property
    def pitches(self) -> tuple[tuple[int, ...], ...]:
        """The MIDI note numbers of each token; those of *start* are empty."""
        return ((), *(parse_token(token) for token in self.tokens[1:]))

    @cached_property
    def _spells_normal_order(self) -> bool:
        return any(token[0].isdigit() for token in self.tokens[1:])

    def token_id(self, pitches: Iterable[int]) -> int:
        """Find the token for these pitches, or the one nearest to them: 1 and up.

        ValueError for no pitches at all.
        """
        return self._find(_in_order(pitches))

    def nearest(self, pitches: Iterable[int]) -> tuple[int, float]:
        """Give :meth:`token_id` and its :func:`likeness` to these pitches, 0 to 1.

        Any MIDI notes, also those that no token can spell. ValueError for no pitches at all.
        """
        heard = _in_order(pitches)
        token = self._find(heard)
        return token, likeness(heard, self.pitches[token])

    def _find(self, heard: tuple[int, ...]) -> int:
        if heard[0] >= LOWEST_PITCH and heard[-1] <= HIGHEST_PITCH:
            spell = spell_normal_order if self._spells_normal_order else spell_voicing
            if (known := self._token_ids.get(spell(heard))) is not None:
                return known
        return self._nearest_token(heard)

    def _search(self, heard: tuple[int, ...]) -> int:
        """Give the token with the least :func:`pitch_distance`, the first of equal ones.

        The same sums for all tokens at once: 0.05 ms for 700 of them, and 2 ms one by one.
        """
        known = self._shapes
        classes = _class_row(heard)
        shared = known.classes @ classes
        either = known.class_counts + classes.sum() - shared
        distances = (
            CLASSES_WEIGHT * (1 - shared / either)
            + KIND_WEIGHT * (known.are_chords != (len(heard) > 1))
            + BASS_WEIGHT * (known.basses != heard[0] % 12)
            + OCTAVE_WEIGHT * (abs(sum(heard) / len(heard) - known.means) / 12)
        )
        return 1 + int(distances.argmin())

    @cached_property
    def _shapes(self) -> "_Shapes":
        return _Shapes(self.pitches[1:])

    def rhythm_id(self, step_grid: int, length_grid: int) -> int:
        """Find the pair (step, length), or the nearest: the step counts most, it keeps the beat."""
        rhythm = (step_grid, length_grid)
        if rhythm not in self._rhythm_ids:
            self._rhythm_ids[rhythm] = self._nearest_rhythm(step_grid, length_grid)
        return self._rhythm_ids[rhythm]

    def _nearest_rhythm(self, step_grid: int, length_grid: int) -> int:
        def distance(i: int) -> tuple[int, int]:
            step, length = self.rhythms[i]
            return 4 * abs(step - step_grid) + abs(length - length_grid), i

        return min(range(1, len(self.rhythms)), key=distance, default=START)


class _Shapes:
    """What :func:`pitch_distance` looks at, a row for each token but *start*."""

    def __init__(self, pitches: Sequence[tuple[int, ...]]):
        sizes = np.array([len(each) for each in pitches])
        ends = sizes.cumsum()
        flat = np.array([pitch for each in pitches for pitch in each])
        self.classes = np.zeros((len(pitches), 12), int)
        self.classes[np.arange(len(pitches)).repeat(sizes), flat % 12] = 1
        self.class_counts = self.classes.sum(axis=1)
        self.are_chords = sizes > 1
        self.basses = flat[ends - sizes] % 12
        self.means = np.add.reduceat(flat, ends - sizes) / sizes


def _class_row(pitches: Iterable[int]) -> np.ndarray:
    """Mark the pitch classes that are there: [12], 0 or 1."""
    row = np.zeros(12, int)
    row[[pitch % 12 for pitch in pitches]] = 1
    return row


def _in_order(pitches: Iterable[int]) -> tuple[int, ...]:
    numbers = tuple(sorted(set(pitches)))
    if not numbers:
        raise ValueError("there are no pitches to find a token for")
    return numbers


def pitch_distance(heard: tuple[int, ...], known: tuple[int, ...]) -> float:
    """Tell how differently two sets of pitches sound, from low to high; 0 is equal.

    Shared pitch classes weigh most (1 - Jaccard index), then whether both are notes or both are
    chords, then the bass, then the register in octaves.
    """
    heard_classes, known_classes = {p % 12 for p in heard}, {p % 12 for p in known}
    shared = len(heard_classes & known_classes) / len(heard_classes | known_classes)
    kind = (len(heard) > 1) != (len(known) > 1)
    bass = heard[0] % 12 != known[0] % 12
    octaves = abs(sum(heard) / len(heard) - sum(known) / len(known)) / 12
    return (
        CLASSES_WEIGHT * (1 - shared) + KIND_WEIGHT * kind + BASS_WEIGHT * bass
        + OCTAVE_WEIGHT * octaves
    )  # fmt: skip


def likeness(heard: tuple[int, ...], known: tuple[int, ...]) -> float:
    """Tell how alike two sets of pitches are: 1 is the very same, 0 is nothing in common.

    It falls in proportion to :func:`pitch_distance`, and is 0 where that is as far as without a
    pitch class in common. The same chord an octave away: 0.91; a C7 heard as C in its place: about
    0.7.
    """
    if heard == known:
        return 1.0
    return max(0.0, 1 - (pitch_distance(heard, known) + OTHER_VOICING) / CLASSES_WEIGHT)
