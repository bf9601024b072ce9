"""The default recipe's network against the classic recipe's: the same time, music and tokens.

Usage: ``python benchmarks/classic_race.py RUN_OR_CORPUS [MINUTES] [TEST_PIECES]``

Both have three LSTM layers of 512 and sequences of 100 events, and are trained one after the other
for the same wall-clock time on the same pieces, spelled as the classic recipe spells them (normal
order). Each keeps its own targets, optimiser and batches, at a constant rate. Then both foretell
the very same events of the same test pieces. Prints supervised events a second, token perplexity,
and the ratios. Compiling the graph does not count as training.
"""

import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from training.quiet import quiet_start

with quiet_start():
    import tensorflow as tf

    from training.corpus import Corpus
    from training.evaluate import held_out_batches, score
    from training.fit import ClassicData, StackedData, Trainer
    from training.prepared import Batch, Prepared
    from training.recipe import Recipe

    tf.config.list_physical_devices()


@dataclass(frozen=True)
class Result:
    """What came of one network's time."""

    events_a_second: float
    perplexity: float


def main() -> None:
    """Race both, print the table."""
    source, minutes, pieces = (*sys.argv[1:], "4", "12")[:3]
    path = Path(source)
    corpus = Corpus.load(path / "corpus.npz" if path.is_dir() else path)
    classic = Recipe.load("classic")
    default = Recipe.load("default")
    data = default.data.model_copy(update={"spelling": classic.data.spelling})
    stacked_result = _run(default.model_copy(update={"data": data}), corpus, minutes, pieces)
    classic_data = data.model_copy(update={"window_events": classic.data.window_events})
    classic_result = _run(
        classic.model_copy(update={"data": classic_data}), corpus, minutes, pieces
    )
    _show("stacked, every position", stacked_result)
    _show("classic, the last one", classic_result)
    speed = stacked_result.events_a_second / classic_result.events_a_second
    knows = stacked_result.perplexity / classic_result.perplexity
    print(f"ratio: {speed:.0f} times the events, {knows:.3f} of the perplexity")


def _show(name: str, result: Result) -> None:
    print(
        f"{name:24} {result.events_a_second:8.0f} supervised events a second, "
        f"held-out token perplexity {result.perplexity:8.2f}"
    )


def _run(recipe: Recipe, corpus: Corpus, minutes: str, pieces: str) -> Result:
    fit = recipe.fit.model_copy(update={"final_rate": 1.0})
    recipe = recipe.model_copy(update={"fit": fit})
    prepared = Prepared(corpus, recipe)
    trainer = Trainer(recipe, prepared.sizes, steps=1)
    speed = _train(trainer, _endless(prepared), 60 * float(minutes))
    test = prepared.pieces(prepared.split.test[:: _every(prepared, int(pieces))])
    held_out = held_out_batches(prepared, test)
    found = score(lambda inputs: _named(trainer.model.predict_on_batch(inputs)), held_out)
    return Result(speed, found["token"].perplexity)


def _every(prepared: Prepared, pieces: int) -> int:
    return max(1, len(prepared.split.test) // pieces)


def _named(values: Any) -> dict[str, Any]:
    return dict(values)


def _endless(prepared: Prepared) -> Iterator[Batch]:
    kind = StackedData if prepared.recipe.model.kind == "stacked" else ClassicData
    data, epoch = kind(prepared), 0
    while True:
        epoch += 1
        yield from data.train(np.random.default_rng(epoch), epoch)


def _train(trainer: Trainer, batches: Iterator[Batch], seconds: float) -> float:
    """Train for so long; give the supervised events a second."""
    trainer.model.train_on_batch(*next(batches), return_dict=True)
    started, events = time.monotonic(), 0.0
    while time.monotonic() - started < seconds:
        batch = next(batches)
        trainer.model.train_on_batch(*batch, return_dict=True)
        events += float(batch[2]["token"].sum())
    return events / (time.monotonic() - started)


if __name__ == "__main__":
    main()
