"""A small corpus by a seeded rule, and recipes that train on it in seconds."""

from collections.abc import Iterable, Mapping

import numpy as np

from training.corpus import Corpus
from training.reader import Piece, Sound

CHORDS = ((48, 52, 55, 59), (45, 48, 52, 55), (50, 53, 57, 60), (43, 47, 50, 53))
"""C, Am, Dm and G, each with its seventh: one a bar, in this order for ever."""
SCALE = (60, 62, 64, 67, 69, 72)
EIGHTHS_GRID = tuple(range(6, 48, 6))
BAR_GRID = 48

TINY = """
[data]
window_events = 16
min_token_count = 1
max_rhythms = 32

[model]
layers = 2
units = 48
dropout = 0.1
token_embedding = 32
rhythm_embedding = 16
velocity_embedding = 8
phase_embedding = 8
head_units = 32

[fit]
learning_rate = 0.01
batch_windows = 4
epochs = 2
"""

CLASSIC = """
[data]
spelling = "normal_order"
window_events = 8
min_token_count = 1

[model]
kind = "classic"
layers = 2
units = 12
dropout = 0.1
recurrent_dropout = 0.1
head_units = 16

[fit]
optimizer = "rmsprop"
learning_rate = 0.01
final_rate = 1.0
batch_windows = 32
epochs = 2
"""


def small_corpus(pieces: int = 12, events: int = 40, seed: int = 5) -> Corpus:
    """Make pieces of one song each: a chord on each bar, then notes on some of its eighths."""
    rng = np.random.default_rng(seed)
    return corpus_of({f"songs/tune{i}.mid": _tune(events, rng) for i in range(pieces)})


def corpus_of(pieces: Mapping[str, Iterable[Sound]], metre: str = "4/4") -> Corpus:
    """Make a corpus of pieces by name; a piece's hash is its name."""
    return Corpus.of(
        [(name, name, Piece("C major", metre, tuple(sounds))) for name, sounds in pieces.items()]
    )


def _tune(events: int, rng: np.random.Generator) -> list[Sound]:
    sounds: list[Sound] = []
    bar = 0
    while len(sounds) < events:
        start = bar * BAR_GRID
        sounds.append(Sound(start, CHORDS[bar % 4], BAR_GRID, 60, 0))
        for place in EIGHTHS_GRID:
            if rng.random() < 0.6:
                pitch = SCALE[int(rng.integers(len(SCALE)))]
                sounds.append(Sound(start + place, (pitch,), 6, 80 + place, place))
        bar += 1
    return sounds[:events]
