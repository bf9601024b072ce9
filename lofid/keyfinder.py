"""The key finder: in which key a person plays. Pure; no clock, no I/O.

Each key keeps a score: the log-likelihood of what was heard, were its pitch classes drawn from the
key's profile (naive Bayes, after Temperley, *Music and Probability*, 2007, chapter 6). The profiles
are those of Albrecht and Shanahan (*Music Perception* 31, 2013), counted over 490 pieces.

No score falls further than a bound behind the best one. So the past never weighs more than the
bound, and a key that is played anew needs the same evidence after a minute as after an hour: this
is Page's cumulative sum test for a change (*Biometrika* 41, 1954). It takes the place of a
histogram that decays: on the same songs, with as many changes and as often right, that took twice
as long to follow a modulation. ``benchmarks/key_following.py`` measures what there is.

A change asks for more than being best: the old key stays until another leads it by a margin. Its
tonic triad, however long it is played, never takes a key away, since no other key makes that triad
more likely.
"""

import math
from collections.abc import Iterable

import numpy as np

from lofid.music import TICKS_PER_QUARTER, Event, Key

MAJOR = (0.238, 0.006, 0.111, 0.006, 0.137, 0.094, 0.016, 0.214, 0.009, 0.080, 0.008, 0.081)
MINOR = (0.220, 0.006, 0.104, 0.123, 0.019, 0.103, 0.012, 0.214, 0.062, 0.022, 0.061, 0.052)
"""How often each pitch class above the tonic sounds (Albrecht and Shanahan 2013)."""

FEWEST_CLASSES, FEWEST_NOTES = 4, 5
"""Heard before there is any key: two triads, or a melody of four different notes and one more."""

SURE_NATS = 0.75
"""How far the first key is ahead of every other one: about twice as likely."""

MARGIN_NATS = 2.0
"""How far another key must lead: a note that only that key's scale has, or two that it prefers."""

RELATIVE_MARGIN_NATS = 4.0
"""The same for the relative key: both have one scale, and phrases end now on one, now on the other
tonic. To be wrong there changes nothing that sounds."""

BOUND_NATS = 6.0
"""How far behind the best a score may be. Higher flickers less and follows later."""

SHORTEST_QUARTERS, LONGEST_QUARTERS = 1.0, 2.0
"""What a length counts as: staccato is meant no less, and a note held for long is still one."""

TIE_NATS = 1e-6
"""Nearer scores are equal: what is alike in two keys must not be decided by rounding."""

_KEYS = tuple(Key(tonic, is_minor) for is_minor in (False, True) for tonic in range(12))


def _log_likelihoods() -> np.ndarray:
    """Give log p(pitch class | key): [24 keys, 12], in the order of ``_KEYS``."""
    logs = [np.log(np.array(profile) / sum(profile)) for profile in (MAJOR, MINOR)]
    return np.array([np.roll(logs[key.is_minor], key.tonic) for key in _KEYS])


class KeyFinder:
    """Follows the key of one person's notes. Called from one thread.

    There is no key before :data:`FEWEST_NOTES` notes (those of chords count) with
    :data:`FEWEST_CLASSES` different pitch classes were heard, and one key is surely the best.
    """

    def __init__(self) -> None:
        self._log_likelihoods = _log_likelihoods()
        self.forget()

    def forget(self) -> None:
        """Begin anew, without a key."""
        self._key: Key | None = None
        self._scores = np.zeros(len(_KEYS))
        self._count = 0
        self._classes: set[int] = set()

    @property
    def key(self) -> Key | None:
        """The key now; None before it is known."""
        return self._key

    def hear(self, pitches: Iterable[int], length_quarters: float) -> Key | None:
        """Take a note or a chord; give the key if it is another one now, else None.

        Any MIDI notes; octaves are all the same. No pitches are no evidence.
        """
        classes = sorted({pitch % 12 for pitch in pitches})
        if not classes:
            return None
        self._weigh(classes, length_quarters)
        found = self._changed() if self._key else self._first()
        self._key = found or self._key
        return found

    def _weigh(self, classes: list[int], length_quarters: float) -> None:
        """Add the evidence. The notes of a chord belong together: four count as two."""
        length = min(max(length_quarters, SHORTEST_QUARTERS), LONGEST_QUARTERS)
        evidence = self._log_likelihoods[:, classes].sum(axis=1)
        scores = self._scores + length / math.sqrt(len(classes)) * evidence
        self._scores = np.maximum(scores - scores.max(), -BOUND_NATS)
        self._count += len(classes)
        self._classes.update(classes)

    def _first(self) -> Key | None:
        if self._count < FEWEST_NOTES or len(self._classes) < FEWEST_CLASSES:
            return None
        best, lead = self._best()
        return best if lead > SURE_NATS else None

    def _changed(self) -> Key | None:
        best, lead = self._best()
        if self._key is None or best == self._key or lead < TIE_NATS:
            return None
        is_relative = best.shift_semitones == self._key.shift_semitones
        margin = RELATIVE_MARGIN_NATS if is_relative else MARGIN_NATS
        return best if -self._scores[_KEYS.index(self._key)] > margin else None

    def _best(self) -> tuple[Key, float]:
        """Give the key with the best score, and its lead over the next: 0 and up."""
        next_best, best = np.argsort(self._scores)[-2:]
        return _KEYS[best], float(self._scores[best] - self._scores[next_best])


def key_of(events: Iterable[Event], named: Key | None = None) -> Key | None:
    """Find the key that a piece ends in; where it does not tell, the one that it was said to be in.

    What the notes tell comes first: many programs write C major into every file. Which of two
    relative keys it is they tell least.
    """
    finder = KeyFinder()
    for event in events:
        finder.hear(event.pitches, event.length_ticks / TICKS_PER_QUARTER)
    found = finder.key
    if found is None or (named is not None and found.shift_semitones == named.shift_semitones):
        return named
    return found
