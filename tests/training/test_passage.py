"""Passages: the same arrays from a corpus and from what a composer gave."""

import numpy as np

from lofid.music import Event
from tests.training.pieces import corpus_of
from training.passage import Passage, pieces
from training.reader import Sound


def test_events_are_brought_home_and_onto_the_grid() -> None:
    """A fourth below home: what sounds as G is C. 40 ticks are one grid unit."""
    events = [
        Event((55,), 0, 480, 80),
        Event((55, 59, 62), 490, 20, 70),
        Event((55,), 1920, 240, 90),
    ]
    passage = Passage.of_events(events, shift_semitones=-5)
    assert passage.voicings.pitches == ((60,), (60, 64, 67))
    assert passage.voicing.tolist() == [0, 1, 0]
    assert passage.onset.tolist() == [0, 12, 48]
    assert passage.length.tolist() == [12, 1, 6]
    assert passage.velocity.tolist() == [80, 70, 90]


def test_what_is_derived() -> None:
    """Pitches, their sum, their classes as bits, and the span to the last end."""
    passage = Passage.of_events([Event((60,), 0, 480, 80), Event((48, 62, 72), 480, 960, 80)])
    assert passage.sizes.tolist() == [1, 3]
    assert passage.sums.tolist() == [60, 182]
    assert passage.masks.tolist() == [0b001, 0b101]
    assert (len(passage), passage.span_grid) == (2, 36)
    assert passage.take(passage.sizes > 1).onset.tolist() == [12]


def test_nothing_is_a_passage_too() -> None:
    assert len(Passage.of_events([])) == 0


def test_a_piece_of_a_corpus() -> None:
    sounds = [Sound(0, (48, 55), 48, 60, 0), Sound(24, (64,), 6, 90, 24)]
    corpus = corpus_of({"a/1.mid": [Sound(0, (60,), 12, 80, 0)], "a/2.mid": sounds})
    (passage,) = pieces(corpus, [1])
    assert [passage.voicings.pitches[i] for i in passage.voicing] == [(48, 55), (64,)]
    assert passage.onset.dtype == np.int64
    assert passage.onset.tolist() == [0, 24]
    assert passage.length.tolist() == [48, 6]
    assert passage.velocity.tolist() == [60, 90]
