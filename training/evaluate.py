"""Held-out figures: how well a model foretells music it has not seen, beside the best n-gram.

Perplexity is exp of the mean negative log-likelihood, over every event of the test pieces, each
foretold from at least half a window before it (or all there is). The n-grams see the very same
tokens and pieces, and look back as far as they can.
"""

import math
from dataclasses import dataclass

import numpy as np

from training.dataset import Piece, classic_windows, scoring_windows
from training.modelfile import Logits
from training.ngram import NGram
from training.prepared import Batch, Prepared, batches, negative_log_likelihood

HEADS = ("token", "rhythm", "velocity")
HIGHEST_ORDER = 5


@dataclass(frozen=True)
class Score:
    """One head on the test pieces: perplexity and the share foretold right."""

    perplexity: float
    top1: float


@dataclass(frozen=True)
class Rival:
    """The best n-gram for one head."""

    order: int
    perplexity: float
    top1: float


def held_out_batches(prepared: Prepared, pieces: list[Piece]) -> list[Batch]:
    """Cut test pieces for the recipe's kind of network."""
    recipe = prepared.recipe
    length, size = recipe.data.window_events, recipe.fit.batch_windows
    if recipe.model.kind == "stacked":
        return list(batches(scoring_windows(pieces, length), size))
    inputs, targets = zip(*classic_windows(pieces, length), strict=True)
    x, y = np.concatenate(inputs), np.concatenate(targets)
    return [
        ({"token": x[i : i + size]}, {"token": y[i : i + size]},
         {"token": np.ones(len(y[i : i + size]), np.float32)})
        for i in range(0, len(x), size)
    ]  # fmt: skip


def score(logits: Logits, held_out: list[Batch]) -> dict[str, Score]:
    """Score every head of a model over these batches."""
    nats: dict[str, float] = {}
    right: dict[str, float] = {}
    counted = 0.0
    for inputs, targets, weights in held_out:
        found = logits(inputs)
        counted += float(weights["token"].sum())
        for head, values in found.items():
            weight, target = weights[head], targets[head]
            loss = negative_log_likelihood(values, target) * weight
            hits = (values.argmax(axis=-1) == target) * weight
            nats[head] = nats.get(head, 0.0) + float(loss.sum())
            right[head] = right.get(head, 0.0) + float(hits.sum())
    return {head: Score(math.exp(nats[head] / counted), right[head] / counted) for head in nats}


def rivals(prepared: Prepared, test: list[Piece]) -> dict[str, Rival]:
    """Find the n-gram (any order to 5) with the lowest perplexity on the test pieces, per head."""
    train = prepared.pieces(prepared.split.train)
    sizes = prepared.sizes
    symbols = {"token": sizes.tokens, "rhythm": sizes.rhythms, "velocity": sizes.velocities}
    return {head: _best(head, symbols[head], train, test) for head in HEADS}


def _best(head: str, symbols: int, train: list[Piece], test: list[Piece]) -> Rival:
    learnt = [getattr(piece, head).tolist() for piece in train]
    heard = [getattr(piece, head).tolist() for piece in test]
    # *start* is never foretold, so it is not one of the symbols.
    model = NGram(HIGHEST_ORDER, symbols - 1)
    for sequence in learnt:
        model.learn(sequence)
    nats, order = min((nats, i) for i, nats in enumerate(model.nats_by_order(heard), 1))
    return Rival(order, math.exp(nats), model.of_order(order).top1(heard))


def card_figures(found: dict[str, Score], best: dict[str, Rival]) -> dict[str, float | str]:
    """Name the figures as they stand in a model's card."""
    figures: dict[str, float | str] = {}
    for head, scored in found.items():
        figures[f"held-out {head} perplexity"] = round(scored.perplexity, 4)
        figures[f"held-out {head} top-1"] = round(scored.top1, 4)
        figures[f"best n-gram {head} perplexity"] = round(best[head].perplexity, 4)
    return figures
