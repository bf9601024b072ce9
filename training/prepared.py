"""A corpus made ready for one recipe: the split, the vocabulary, the pieces as ids, batches."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from lofid.vocabulary import VELOCITY_CLASSES, Vocabulary
from training.corpus import Corpus
from training.dataset import PIECE_ROWS, Encoder, Piece, Split, Windows, song_of, split_pieces
from training.recipe import Recipe

Batch = tuple[dict[str, Any], dict[str, Any], dict[str, Any]]


@dataclass(frozen=True)
class Sizes:
    """How many ids each set has, *start* included."""

    tokens: int
    rhythms: int
    velocities: int = VELOCITY_CLASSES + 1


class Prepared:
    """A corpus made ready for one recipe.

    It is spelled in the vocabulary of its own training pieces, or in one that is given: a model's.
    """

    def __init__(self, corpus: Corpus, recipe: Recipe, vocabulary: Vocabulary | None = None):
        self.recipe = recipe
        self.corpus = corpus
        left_out = [folder for folder, times in recipe.data.repeats.items() if times == 0]
        data, seed = recipe.data, recipe.fit.seed
        self.split: Split = split_pieces(corpus, data.metres, seed, left_out)
        self.encoder = Encoder(corpus, recipe.data, self.split.train, vocabulary)
        self.vocabulary = self.encoder.vocabulary
        self.sizes = Sizes(len(self.vocabulary.tokens), len(self.vocabulary.rhythms))

    def pieces(self, numbers: tuple[int, ...]) -> list[Piece]:
        """Encode these pieces."""
        return [self.encoder.encode(number) for number in numbers]

    def repeats(self, number: int) -> int:
        """Tell how often an epoch sees this piece."""
        repeats = self.recipe.data.repeats
        return max((repeats.get(f, 1) for f in self._folders(number)), default=1)

    def early(self) -> list[tuple[Piece, int]]:
        """Encode what the early epochs see, and how often; no song that is held out."""
        wanted, metres = self.recipe.data.early_repeats, self.recipe.data.metres
        held_out = {song_of(self.corpus.names[i]) for i in (*self.split.valid, *self.split.test)}
        seen = [
            (number, max((wanted.get(f, 0) for f in self._folders(number)), default=0))
            for number, name in enumerate(self.corpus.names)
            if song_of(name) not in held_out and self.corpus.metres[number] in metres
        ]
        return [(self.encoder.encode(number), times) for number, times in seen if times]

    def _folders(self, number: int) -> list[str]:
        return self.corpus.names[number].split("/")[:-1]


def batches(windows: Windows, size: int) -> Iterator[Batch]:
    """Cut windows into batches of (inputs, targets, weights) by the network's names."""
    for start in range(0, len(windows), size):
        part = windows.take(np.arange(start, min(start + size, len(windows))))
        inputs = {name: getattr(part, name) for name in (*PIECE_ROWS, "next_token", "next_rhythm")}
        targets = {name: getattr(part, f"next_{name}") for name in ("token", "rhythm", "velocity")}
        yield inputs, targets, dict.fromkeys(targets, part.weight)


def negative_log_likelihood(logits: Any, targets: Any) -> Any:
    """Give the nats of each target under a softmax: logits [..., classes], targets [...]."""
    shifted = logits - logits.max(axis=-1, keepdims=True)
    log_total = np.log(np.exp(shifted).sum(axis=-1))
    return log_total - np.take_along_axis(shifted, targets[..., None], axis=-1)[..., 0]
