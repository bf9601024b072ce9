"""Events to ids and back: the closed sets of what a model can hear and say.

Id 0 of every set is *start*: what stands before the first event of a piece. Anything that a model
does not know is heard as its nearest known neighbour, never refused.
"""

from collections.abc import Iterable, Sequence
from functools import cached_property

from lofid.music import parse_token, spell_normal_order, spell_voicing

START = 0
VELOCITY_CLASSES = 8
VELOCITY_WIDTH = 128 // VELOCITY_CLASSES
Rhythm = tuple[int, int]
"""The pair (step to the next onset, length), both on the grid of 1/12 quarter."""


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

    @cached_property
    def pitches(self) -> tuple[tuple[int, ...], ...]:
        """The MIDI note numbers of each token; those of *start* are empty."""
        return ((), *(parse_token(token) for token in self.tokens[1:]))

    @cached_property
    def _spells_normal_order(self) -> bool:
        return any(token[0].isdigit() for token in self.tokens[1:])

    def token_id(self, pitches: Iterable[int]) -> int:
        """Find the token for these pitches, or the one nearest to them: 1 and up."""
        numbers = tuple(sorted(set(pitches)))
        spell = spell_normal_order if self._spells_normal_order else spell_voicing
        token = spell(numbers)
        if token not in self._token_ids:
            self._token_ids[token] = self._nearest_token(numbers)
        return self._token_ids[token]

    def _nearest_token(self, heard: tuple[int, ...]) -> int:
        known = range(1, len(self.tokens))
        return min(known, key=lambda i: (pitch_distance(heard, self.pitches[i]), i))

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


def pitch_distance(heard: tuple[int, ...], known: tuple[int, ...]) -> float:
    """Tell how differently two sets of pitches sound; 0 is equal.

    Shared pitch classes weigh most (1 - Jaccard index), then whether both are notes or both are
    chords, then the bass, then the register in octaves.
    """
    heard_classes, known_classes = {p % 12 for p in heard}, {p % 12 for p in known}
    shared = len(heard_classes & known_classes) / len(heard_classes | known_classes)
    kind = (len(heard) > 1) != (len(known) > 1)
    bass = heard[0] % 12 != known[0] % 12
    register = abs(sum(heard) / len(heard) - sum(known) / len(known)) / 12
    return 8 * (1 - shared) + 4 * kind + bass + register / 2
