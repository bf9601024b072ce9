"""Leading: two players, the same session otherwise; how different is what they hear, and in key.

The two phrases of a pair come from two songs that were not trained on, and are played in one
signature, so that it is not the key that tells the answers apart.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from lofid.music import BAR_GRID, GRID_TICKS, Event, Key
from training.corpus import Corpus
from training.dataset import song_of
from training.passage import Passage, pieces
from training.sessions import Led
from training.texture import in_scale

PHRASE_BARS = 2
ANSWER_BARS = 8
FEWEST_NOTES = 4
"""Fewer notes in two bars are no phrase."""


@dataclass(frozen=True)
class Phrase:
    """Two bars of melody at home: single notes, the bars beginning at 0."""

    song: str
    is_minor: bool
    notes: Passage

    def in_key(self, shift_semitones: int) -> tuple[Key, tuple[Event, ...]]:
        """Give the key that lies so far from home, and the phrase as a person plays it there."""
        key = Key((shift_semitones + (9 if self.is_minor else 0)) % 12, self.is_minor)
        shift, notes = key.shift_semitones, self.notes
        rows = zip(notes.voicing, notes.onset, notes.length, notes.velocity, strict=True)
        return key, tuple(
            Event(
                tuple(pitch + shift for pitch in notes.voicings.pitches[voicing]),
                int(onset) * GRID_TICKS,
                int(length) * GRID_TICKS,
                int(velocity),
                by_person=True,
            )
            for voicing, onset, length, velocity in rows
        )


@dataclass(frozen=True)
class Pair:
    """What two phrases made of one session.

    ``differing`` is the share of events (onset, pitches) that only one of the two has, ``in_key``
    the lower of the two shares of note time in the scale of the phrase's key.
    """

    songs: tuple[str, str]
    key: str
    differing: float
    in_key: float


def phrases(corpus: Corpus, numbers: Iterable[int], rng: np.random.Generator) -> list[Phrase]:
    """Find one phrase, at random, in each song of these pieces that has one."""
    chosen = list(numbers)
    found: dict[str, list[Phrase]] = {}
    for number, piece in zip(chosen, pieces(corpus, chosen), strict=True):
        song = song_of(corpus.names[number])
        is_minor = corpus.keys[number].endswith("minor")
        found.setdefault(song, []).extend(
            Phrase(song, is_minor, notes) for notes in _two_bars(piece)
        )
    return [found[song][rng.integers(len(found[song]))] for song in sorted(found) if found[song]]


def _two_bars(piece: Passage) -> Iterator[Passage]:
    """Cut the melody every two bars."""
    lead = piece.take(piece.sizes == 1)
    span = PHRASE_BARS * BAR_GRID
    for start in range(0, int(lead.onset.max(initial=-1)) + 1, span):
        notes = lead.take((lead.onset >= start) & (lead.onset < start + span))
        if len(notes) >= FEWEST_NOTES:
            yield Passage(
                notes.voicings, notes.voicing, notes.onset - start, notes.length, notes.velocity
            )


def pair_up(
    found: Sequence[Phrase], pairs: int, rng: np.random.Generator
) -> list[tuple[Phrase, Phrase]]:
    """Draw pairs of two songs each; none when there are not two. No song plays twice before all."""
    if len(found) < 2:
        return []
    drawn: list[tuple[Phrase, Phrase]] = []
    while len(drawn) < pairs:
        order = rng.permutation(len(found))
        drawn += [(found[a], found[b]) for a, b in zip(order[::2], order[1::2], strict=False)]
    return drawn[:pairs]


def sessions(pairs: Sequence[tuple[Phrase, Phrase]], rng: np.random.Generator) -> list[Led]:
    """Give two sessions for each pair, with one seed and one signature."""
    led = []
    for seed, pair in enumerate(pairs):
        shift = int(rng.integers(-6, 6))
        for phrase in pair:
            led.append(Led(seed, *phrase.in_key(shift), PHRASE_BARS, ANSWER_BARS))
    return led


def look_at(pairs: Sequence[tuple[Phrase, Phrase]], led: Sequence[Led], answers: Sequence[Passage]
) -> list[Pair]:  # fmt: skip
    """Compare the answers, which come in the order of the sessions."""
    return [
        Pair(
            (first.song, second.song),
            str(led[2 * i].key),
            differing(answers[2 * i], answers[2 * i + 1]),
            min(in_scale(answers[2 * i]), in_scale(answers[2 * i + 1])),
        )
        for i, (first, second) in enumerate(pairs)
    ]


def differing(one: Passage, other: Passage) -> float:
    """Give the share of all events (onset, pitches) that only one of the two has."""
    left, right = _events(one), _events(other)
    return len(left ^ right) / max(len(left | right), 1)


def _events(passage: Passage) -> set[tuple[int, tuple[int, ...]]]:
    pitches = passage.voicings.pitches
    pairs = zip(passage.onset.tolist(), passage.voicing.tolist(), strict=True)
    return {(onset, pitches[voicing]) for onset, voicing in pairs}
