"""Held-out figures, on logits written by hand and on a run."""

from typing import Any

import numpy as np
import pytest

from tests.training.pieces import CLASSIC, corpus_of, small_corpus
from training.evaluate import HEADS, Score, held_out_batches, rivals, score
from training.modelfile import Graphs, forward
from training.ngram import NGram
from training.prepared import Prepared
from training.reader import Sound
from training.recipe import Recipe
from training.run import Run


def test_a_score_by_hand() -> None:
    """Three targets count, one is padding. Two are right at 3/4, one is wrong at 1/4."""
    sure = np.log([[[3.0, 1.0], [3.0, 1.0]], [[3.0, 1.0], [3.0, 1.0]]])
    targets, weights = np.array([[0, 1], [0, 1]]), np.array([[1.0, 1.0], [1.0, 0.0]])
    batch: Any = ({}, {"token": targets}, {"token": weights})
    found = score(lambda _: {"token": sure}, [batch])
    perplexity = ((4 / 3) * (4 / 3) * 4) ** (1 / 3)
    assert list(found) == ["token"]
    assert found["token"].perplexity == pytest.approx(perplexity)
    assert found["token"].top1 == pytest.approx(2 / 3)


def test_a_score_does_not_depend_on_the_batches() -> None:
    """Each event weighs the same, in whichever batch it is."""
    rng = np.random.default_rng(3)
    logits, targets = rng.normal(size=(6, 4, 5)), rng.integers(0, 5, (6, 4))
    weights = (rng.random((6, 4)) < 0.7).astype(float)

    def scored(size: int) -> Score:
        parts = [slice(i, i + size) for i in range(0, 6, size)]
        batches: Any = [({"x": logits[p]}, {"token": targets[p]}, {"token": weights[p]})
                        for p in parts]  # fmt: skip
        return score(lambda inputs: {"token": inputs["x"]}, batches)["token"]

    assert scored(6).perplexity == pytest.approx(scored(1).perplexity)
    assert scored(6).top1 == pytest.approx(scored(4).top1)


def test_a_run_s_figures_are_those_it_was_chosen_by(fitted_run: Run, graphs: Graphs) -> None:
    """On the validation pieces the exported graph's nats are the history's best."""
    prepared = Prepared(fitted_run.corpus(), fitted_run.recipe())
    batches = held_out_batches(prepared, prepared.pieces(prepared.split.valid))
    found = score(forward(graphs), batches)
    best = min(fitted_run.history(), key=lambda row: float(row["val_loss"]))
    assert set(found) == set(HEADS)
    for head, scored in found.items():
        assert np.log(scored.perplexity) == pytest.approx(float(best[f"val_{head}"]), rel=1e-3)


@pytest.mark.parametrize("kind", ["stacked", "classic"])
def test_every_held_out_event_is_scored_once(kind: str) -> None:
    """Whichever the network: 40 events a piece."""
    text = CLASSIC if kind == "classic" else "[data]\nmin_token_count = 1\nwindow_events = 7\n"
    prepared = Prepared(small_corpus(), Recipe.parse(text, "r.toml"))
    test = prepared.pieces(prepared.split.test)
    batches = held_out_batches(prepared, test)
    assert sum(float(weights["token"].sum()) for _, _, weights in batches) == 40 * len(test)


def test_the_best_order_wins() -> None:
    """Of music that turns on two notes before, orders 3 and up know more than 1 and 2."""
    pitches = (60, 60, 62, 62) * 12
    tune = [Sound(12 * i, (pitch,), 12, 80, 12 * i % 48) for i, pitch in enumerate(pitches)]
    corpus = corpus_of({f"a/{i}.mid": tune for i in range(6)})
    recipe = Recipe.parse("[data]\nmin_token_count = 1\n", "r.toml")
    prepared = Prepared(corpus, recipe)
    found = rivals(prepared, prepared.pieces(prepared.split.test))
    assert found["token"].order >= 3
    assert found["token"].perplexity < 1.1
    assert found["token"].top1 > 0.95
    assert (found["rhythm"].top1, found["velocity"].top1) == (1, 1)


def test_the_rival_is_given_the_very_same_music(fitted_run: Run) -> None:
    """Its figures can be worked out from the training and test pieces alone."""
    prepared = Prepared(fitted_run.corpus(), fitted_run.recipe())
    test = prepared.pieces(prepared.split.test)
    found = rivals(prepared, test)["velocity"]
    model = NGram(found.order, 8)
    for piece in prepared.pieces(prepared.split.train):
        model.learn(piece.velocity.tolist())
    assert np.log(found.perplexity) == pytest.approx(model.nats(p.velocity.tolist() for p in test))
