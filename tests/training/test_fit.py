"""Training for real, in seconds: what a run leaves, and that a killed one loses nothing."""

import math
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import keras
import numpy as np
import numpy.typing as npt
import pytest
import tensorflow as tf
from matplotlib.image import imread
from tensorboard.backend.event_processing.event_accumulator import (  # type: ignore[import-untyped]
    EventAccumulator,  # it has no types
)

from lofid.errors import ConfigError
from tests.training.pieces import small_corpus
from training.corpus import Corpus
from training.fit import Progression, StackedData, Trainer, fit
from training.prepared import Prepared, negative_log_likelihood
from training.recipe import Recipe
from training.run import Run

KILLED_IN_EPOCH_2 = """
import os, signal, sys
from pathlib import Path
from training.corpus import Corpus
from training.fit import fit
from training.recipe import Recipe

def progress(epoch, batch, batches):
    if (epoch, batch) == (2, 2):
        os.kill(os.getpid(), signal.SIGKILL)

fit(Corpus.load(Path(sys.argv[1])), Recipe.load(sys.argv[2]), Path(sys.argv[3]), progress)
"""


def same_weights(one: Run, other: Run) -> bool:
    """Whether two runs kept the very same best weights."""
    return all(
        np.array_equal(a, b) for a, b in zip(best_weights(one), best_weights(other), strict=True)
    )


def best_weights(run: Run) -> list[npt.NDArray[Any]]:
    return list(best_trainer(run).model.get_weights())


def best_trainer(run: Run) -> Trainer:
    prepared = Prepared(run.corpus(), run.recipe())
    trainer = Trainer(run.recipe(), prepared.sizes, 1)
    trainer.model.load_weights(run.weights_path)
    return trainer


# What a run leaves


def test_every_epoch_is_in_the_history(fitted_run: Run) -> None:
    """The held-out loss is the sum of the heads'; all losses fall."""
    first, last = ({k: float(v) for k, v in row.items()} for row in fitted_run.history())
    assert list(first) == ["epoch", "loss", "val_loss", "val_token", "val_rhythm", "val_velocity"]
    assert (first["epoch"], last["epoch"]) == (1, 2)
    for row in (first, last):
        heads = row["val_token"] + row["val_rhythm"] + row["val_velocity"]
        assert row["val_loss"] == pytest.approx(heads, rel=1e-4)
    assert last["loss"] < first["loss"]
    assert last["val_loss"] < first["val_loss"]


def test_it_has_learnt_something(fitted_run: Run) -> None:
    """Two epochs foretell held-out music better than knowing nothing."""
    vocabulary = fitted_run.vocabulary()
    nothing = math.log(len(vocabulary.tokens) * len(vocabulary.rhythms) * 9)
    assert float(fitted_run.history()[-1]["val_loss"]) < 0.8 * nothing


def test_the_best_weights_are_those_of_the_best_epoch(fitted_run: Run) -> None:
    """Scored again they give the least held-out loss of the history."""
    data = StackedData(Prepared(fitted_run.corpus(), fitted_run.recipe()))
    best = min(float(row["val_loss"]) for row in fitted_run.history())
    assert best_trainer(fitted_run).score(data.valid())["val_loss"] == pytest.approx(best, rel=1e-4)


def test_the_curves_are_drawn(fitted_run: Run) -> None:
    """800 x 500 points, and not one colour alone."""
    picture = imread(fitted_run.folder / "curves.png")
    assert picture.shape[:2] == (500, 800)
    assert picture.std() > 0


def test_tensorboard_has_the_same_figures(fitted_run: Run) -> None:
    events = EventAccumulator(str(fitted_run.folder / "logs"))
    events.Reload()
    assert set(events.Tags()["tensors"]) == set(fitted_run.history()[0]) - {"epoch"}
    for name in events.Tags()["tensors"]:
        logged = [
            (event.step, float(tf.make_ndarray(event.tensor_proto)))
            for event in events.Tensors(name)
        ]
        written = [(int(row["epoch"]), float(row[name])) for row in fitted_run.history()]
        assert [step for step, _ in logged] == [epoch for epoch, _ in written]
        assert [v for _, v in logged] == pytest.approx([v for _, v in written], rel=1e-4)


def test_no_half_written_file_is_left(fitted_run: Run) -> None:
    assert sorted(path.name for path in fitted_run.folder.iterdir()) == [
        "best.weights.h5",
        "card.json",
        "corpus.npz",
        "curves.png",
        "history.csv",
        "logs",
        "state.npz",
    ]


def test_the_run_says_what_it_was_made_from(fitted_run: Run, corpus: Corpus) -> None:
    """Recipe, vocabulary and split read back as they were."""
    prepared = Prepared(corpus, fitted_run.recipe())
    assert fitted_run.recipe().name == "two-epochs"
    assert fitted_run.vocabulary().tokens == prepared.vocabulary.tokens
    assert fitted_run.vocabulary().rhythms == prepared.vocabulary.rhythms
    assert fitted_run.card()["split"]["test"] == [corpus.names[i] for i in prepared.split.test]
    assert fitted_run.corpus().token.tolist() == corpus.token.tolist()


# Stopping and going on


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGKILL")
def test_a_killed_run_goes_on_as_if_nothing_had_happened(
    fitted_run: Run, tiny_recipe: Path, tmp_path: Path
) -> None:
    """Killed by SIGKILL in epoch 2 and taken up again: the same history and the same weights."""
    folder = tmp_path / "run"
    given = [str(each) for each in (fitted_run.corpus_path, tiny_recipe, folder)]
    command = [sys.executable, "-c", KILLED_IN_EPOCH_2, *given]
    killed = subprocess.run(command, capture_output=True, text=True, check=False)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    assert [row["epoch"] for row in Run(folder).history()] == ["1"]
    run = fit(fitted_run.corpus(), Recipe.load(str(tiny_recipe)), folder)
    assert (folder / "history.csv").read_text() == (fitted_run.folder / "history.csv").read_text()
    assert same_weights(run, fitted_run)


def test_a_finished_run_is_not_trained_again(fitted_run: Run, tmp_path: Path) -> None:
    """The same command once more trains no batch and changes no weight."""
    folder = tmp_path / "run"
    shutil.copytree(fitted_run.folder, folder)
    seen: list[int] = []
    fit(fitted_run.corpus(), fitted_run.recipe(), folder, lambda *at: seen.append(at[0]))
    assert seen == []
    assert Run(folder).state_path.read_bytes() == fitted_run.state_path.read_bytes()


def test_another_recipe_or_corpus_needs_another_folder(fitted_run: Run, tmp_path: Path) -> None:
    """One line says so, and what is in the folder stays."""
    folder = tmp_path / "run"
    shutil.copytree(fitted_run.folder, folder)
    other = Recipe.parse("[fit]\nepochs = 9\n", "other.toml")
    for corpus, recipe in (
        (fitted_run.corpus(), other),
        (small_corpus(seed=6), fitted_run.recipe()),
    ):
        with pytest.raises(ConfigError) as caught:
            fit(corpus, recipe, folder)
        assert str(caught.value) == (
            f"{folder} holds a run of another recipe or corpus: give another folder"
        )
    assert Run(folder).recipe() == fitted_run.recipe()
    assert Run(folder).corpus_path.read_bytes() == fitted_run.corpus_path.read_bytes()


def test_a_folder_that_cannot_be_made(fitted_run: Run, tmp_path: Path) -> None:
    """One line, before any work."""
    taken = tmp_path / "taken"
    taken.write_text("a file")
    with pytest.raises(ConfigError, match=r"taken: File exists$"):
        fit(fitted_run.corpus(), fitted_run.recipe(), taken)


@pytest.mark.parametrize(
    ("epoch", "best_epoch", "finished"),
    [(0, 0, False), (5, 4, False), (5, 3, True), (9, 9, False), (10, 10, True)],
)
def test_when_training_ends(epoch: int, best_epoch: int, finished: bool) -> None:
    """After ten epochs, or two without a better held-out loss."""
    recipe = Recipe.parse("[fit]\nepochs = 10\npatience_epochs = 2\n", "r.toml")
    assert Progression(epoch, 1.0, best_epoch).finished(recipe) is finished


def test_training_that_gets_no_better_stops_early(corpus: Corpus, tmp_path: Path) -> None:
    """At a learning rate that ruins all it stops ``patience`` epochs after its best."""
    recipe = Recipe.parse(
        "[data]\nmin_token_count = 1\nwindow_events = 16\n"
        "[model]\nlayers = 1\nunits = 4\n"
        "[fit]\nlearning_rate = 50.0\nepochs = 30\npatience_epochs = 2\n",
        "ruin.toml",
    )
    losses = [float(row["val_loss"]) for row in fit(corpus, recipe, tmp_path / "r").history()]
    assert len(losses) < 30
    assert losses.index(min(losses)) == len(losses) - 3


# The parts


def test_pieces_in_named_folders_are_seen_more_often() -> None:
    """The most of any folder in the name; once by default."""
    recipe = Recipe.parse(
        "[data]\nmin_token_count = 1\n[data.repeats]\nsongs = 3\nlofi = 5\n", "r.toml"
    )
    corpus = small_corpus(4)
    names = ("songs/a.mid", "songs/lofi/b.mid", "other/c.mid", "songs.mid")
    prepared = Prepared(Corpus(**{**vars(corpus), "names": names}), recipe)
    assert [prepared.repeats(i) for i in range(4)] == [3, 5, 1, 1]


def test_negative_log_likelihood_by_hand() -> None:
    """-log softmax at the target; large logits do not overflow."""
    logits = np.array([[0.0, math.log(3)], [1000.0, 0.0]])
    found = negative_log_likelihood(logits, np.array([1, 0]))
    assert found == pytest.approx([math.log(4 / 3), 0.0])


def test_the_score_weighs_as_keras_does(fitted_run: Run) -> None:
    """On one batch with padding: the sum over the targets that count, over how many they are."""
    trainer = best_trainer(fitted_run)
    data = StackedData(Prepared(fitted_run.corpus(), fitted_run.recipe()))
    inputs, targets, weights = data.valid()[-1]
    loss = trainer.model.test_on_batch(inputs, targets, weights, return_dict=True)["loss"]
    assert trainer.score([(inputs, targets, weights)])["val_loss"] == pytest.approx(loss, rel=1e-4)


@pytest.mark.parametrize(("kind", "expected"), [("adam", "AdamW"), ("rmsprop", "RMSprop")])
def test_the_optimisers(kind: str, expected: str) -> None:
    """The recipe's, with its clipping; the rate falls along a cosine to its share."""
    recipe = Recipe.parse(
        f"[model]\nunits = 2\n[fit]\noptimizer = '{kind}'\nlearning_rate = 0.5\n"
        "final_rate = 0.1\nepochs = 2\n",
        "r.toml",
    )
    prepared = Prepared(small_corpus(3), recipe)
    optimizer = Trainer(recipe, prepared.sizes, steps=100).model.optimizer
    assert type(optimizer).__name__ == expected
    assert optimizer.clipnorm == 1.0
    assert float(optimizer.learning_rate) == pytest.approx(0.5)
    optimizer.iterations.assign(100)
    assert float(optimizer.learning_rate) == pytest.approx(0.05)
    assert isinstance(optimizer, keras.Optimizer)


def test_the_classic_network_trains(classic_run: Run) -> None:
    """The second epoch's loss is below the first's; only the token is foretold."""
    history = classic_run.history()
    assert list(history[0]) == ["epoch", "loss", "val_loss", "val_token"]
    losses = [float(row["loss"]) for row in history]
    assert losses[1] < losses[0]
