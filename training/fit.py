"""Train a network: epochs that can be killed and resumed with the same result.

Everything random (the order of windows, dropout) is drawn anew each epoch from the recipe's seed
and the epoch's number, and everything that training carries from one epoch to the next is in one
state file, replaced in one move. So a run that was killed goes on from the last whole epoch as if
nothing had happened.
"""

import json
import os
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import keras
import numpy as np

from lofid.errors import CorpusError
from training.corpus import Corpus
from training.dataset import Piece, classic_windows, scoring_windows, training_windows
from training.model import network
from training.prepared import Batch, Prepared, Sizes, batches, negative_log_likelihood
from training.recipe import Recipe
from training.run import Run

Progress = Callable[[int, int, int], None]
"""Called with (epoch, batch, batches) as training goes."""


@dataclass
class Progression:
    """What is carried from epoch to epoch beside the weights."""

    epoch: int = 0
    best_loss: float = float("inf")
    best_epoch: int = 0
    history: list[dict[str, float]] = field(default_factory=list)

    def finished(self, recipe: Recipe) -> bool:
        """All epochs done, or no better held-out loss for too many of them."""
        stale = self.epoch - self.best_epoch
        return self.epoch >= recipe.fit.epochs or stale >= recipe.fit.patience_epochs


class StackedData:
    """Batches for the stacked network: every position is a target."""

    def __init__(self, prepared: Prepared):
        self._length = prepared.recipe.data.window_events
        self._batch = prepared.recipe.fit.batch_windows
        train = prepared.split.train
        repeats = [prepared.repeats(number) for number in train]
        self._train = list(zip(prepared.pieces(train), repeats, strict=True))
        self._early_epochs = prepared.recipe.fit.early_epochs
        self._early = prepared.early() if self._early_epochs else []
        if self._early_epochs and not self._early:
            raise CorpusError("the corpus has nothing for the recipe's data.early_repeats")
        self._valid = scoring_windows(prepared.pieces(prepared.split.valid), self._length)

    def train(self, rng: np.random.Generator, epoch: int) -> list[Batch]:
        """Cut the batches of an epoch, which are counted from 1."""
        seen = self._early if epoch <= self._early_epochs else self._train
        return list(batches(training_windows(seen, self._length, rng), self._batch))

    def steps(self, epochs: int) -> int:
        """Count the batches of so many epochs: what the learning rate falls along."""
        rng = np.random.default_rng(0)
        early = min(self._early_epochs, epochs)
        first = early * len(self.train(rng, 1)) if early else 0
        return first + (epochs - early) * len(self.train(rng, epochs + 1))

    def valid(self) -> list[Batch]:
        """Give the held-out batches."""
        return list(batches(self._valid, self._batch))


class ClassicData:
    """Batches for the classic network: sequences of 100, one target each."""

    def __init__(self, prepared: Prepared):
        self._batch = prepared.recipe.fit.batch_windows
        length = prepared.recipe.data.window_events
        self._train = self._sequences(prepared.pieces(prepared.split.train), length)
        self._valid = self._sequences(prepared.pieces(prepared.split.valid), length)

    @staticmethod
    def _sequences(pieces: list[Piece], length: int) -> tuple[Any, Any]:
        inputs, targets = zip(*classic_windows(pieces, length), strict=True)
        return np.concatenate(inputs), np.concatenate(targets)

    def train(self, rng: np.random.Generator, epoch: int) -> list[Batch]:  # noqa: ARG002  # as StackedData has it
        """Cut one epoch's batches."""
        order = rng.permutation(len(self._train[0]))
        return self._batches(self._train[0][order], self._train[1][order])

    def steps(self, epochs: int) -> int:
        """Count the batches of so many epochs."""
        return epochs * -(-len(self._train[0]) // self._batch)

    def valid(self) -> list[Batch]:
        """Give the held-out batches."""
        return self._batches(*self._valid)

    def _batches(self, inputs: Any, targets: Any) -> list[Batch]:
        ends = range(self._batch, len(inputs) + self._batch, self._batch)
        return [
            (
                {"token": inputs[end - self._batch : end]},
                {"token": targets[end - self._batch : end]},
                {"token": np.ones(len(targets[end - self._batch : end]), np.float32)},
            )
            for end in ends
        ]


def fit(corpus: Corpus, recipe: Recipe, folder: Path, progress: Progress | None = None) -> Run:
    """Train until done and return the run; goes on where an earlier call in ``folder`` stopped.

    ConfigError when ``folder`` holds a run of another recipe or corpus.
    """
    keras.utils.set_random_seed(recipe.fit.seed)
    prepared = Prepared(corpus, recipe)
    run = Run.begin(folder, recipe, prepared.vocabulary, corpus, prepared.split)
    data = (StackedData if recipe.model.kind == "stacked" else ClassicData)(prepared)
    trainer = Trainer(recipe, prepared.sizes, data.steps(recipe.fit.epochs))
    progression = trainer.resume(run)
    while not progression.finished(recipe):
        trainer.epoch(data, run, progression, progress)
    run.draw_curves(progression.history)
    return run


class Trainer:
    """One network with its optimiser."""

    def __init__(self, recipe: Recipe, sizes: Sizes, steps: int):
        self.recipe = recipe
        self.model = network(recipe.model, sizes).trainable(recipe.data.window_events)
        self.model.compile(
            optimizer=_optimizer(recipe, steps),
            loss={
                name: keras.losses.SparseCategoricalCrossentropy(
                    from_logits=True, reduction="mean_with_sample_weight"
                )
                for name in self.model.output
            },
        )
        self.model.optimizer.build(self.model.trainable_variables)

    def resume(self, run: Run) -> Progression:
        """Take up the state of the last whole epoch, if there is one."""
        if not run.state_path.exists():
            return Progression()
        with np.load(run.state_path) as state:
            for number, variable in enumerate(self._variables()):
                variable.assign(state[f"v{number}"])
            return Progression(**json.loads(str(state["progression"])))

    def epoch(
        self, data: Any, run: Run, progression: Progression, progress: Progress | None
    ) -> None:
        """Train one epoch, score it on the held-out pieces, keep the best, save the state."""
        number = progression.epoch + 1
        rng = np.random.default_rng([self.recipe.fit.seed, number])
        _seed_dropout(self.model, rng)
        batches_ = data.train(rng, number)
        losses = []
        for i, (inputs, targets, weights) in enumerate(batches_):
            result = self.model.train_on_batch(
                inputs, targets, sample_weight=weights, return_dict=True
            )
            losses.append(float(result["loss"]))
            if progress is not None:
                progress(number, i + 1, len(batches_))
        held_out = self.score(data.valid())
        row = {"epoch": number, "loss": sum(losses) / len(losses), **held_out}
        progression.history.append(row)
        progression.epoch = number
        if held_out["val_loss"] < progression.best_loss:
            progression.best_loss, progression.best_epoch = held_out["val_loss"], number
            run.save_weights(self.model)
        run.log(progression.history)
        self._save(run, progression)

    def score(self, held_out: list[Batch]) -> dict[str, float]:
        """Give the nats per event on held-out batches: each head's, and their sum."""
        totals: dict[str, float] = dict.fromkeys(self.model.output, 0.0)
        count = 0.0
        for inputs, targets, weights in held_out:
            logits = self.model.predict_on_batch(inputs)
            count += float(weights["token"].sum())
            for name in totals:
                nats = negative_log_likelihood(logits[name], targets[name])
                totals[name] += float((nats * weights[name]).sum())
        heads = {f"val_{name}": total / count for name, total in totals.items()}
        return {"val_loss": sum(heads.values()), **heads}

    def _variables(self) -> list[Any]:
        return [*self.model.variables, *self.model.optimizer.variables]

    def _save(self, run: Run, progression: Progression) -> None:
        arrays = {f"v{i}": np.asarray(v) for i, v in enumerate(self._variables())}
        partial = run.state_path.with_suffix(".partial.npz")
        arrays["progression"] = np.array(json.dumps(asdict(progression)))
        np.savez(partial, **arrays)  # type: ignore[arg-type]  # no array is named allow_pickle
        os.replace(partial, run.state_path)


def _optimizer(recipe: Recipe, steps: int) -> Any:
    fit_ = recipe.fit
    rate: Any = fit_.learning_rate
    if fit_.final_rate < 1:
        rate = keras.optimizers.schedules.CosineDecay(rate, steps, alpha=fit_.final_rate)
    if fit_.optimizer == "rmsprop":
        return keras.optimizers.RMSprop(rate, clipnorm=fit_.clip_norm)
    return keras.optimizers.AdamW(rate, weight_decay=fit_.weight_decay, clipnorm=fit_.clip_norm)


def _seed_dropout(model: keras.Model, rng: np.random.Generator) -> None:
    """Set every generator of random numbers inside the network from ``rng``."""
    for variable in model.non_trainable_variables:
        if "seed_generator_state" in variable.path:
            variable.assign(rng.integers(0, 2**31, variable.shape).astype("uint32"))
