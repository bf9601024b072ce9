"""Supervised events a second: the stacked network's recipe against the classic one's.

Usage: ``python benchmarks/training_speed.py [UNITS] [BATCHES]``. Both have three layers of the same
size (512) and sequences of 100, and see the same random music, in batches of their own recipe's
size. The classic recipe has one target a sequence, the stacked one has a target at every position.
Prints the median of a few batches of each, taken in turns in one run, and their ratio.
"""

import statistics
import sys
import time
from collections.abc import Callable

import numpy as np

from training.quiet import quiet_start

with quiet_start():
    import tensorflow as tf

    from training.dataset import Piece, classic_windows, scoring_windows
    from training.fit import Batch, Trainer, batches
    from training.model import Sizes
    from training.recipe import Recipe

    tf.config.list_physical_devices()

SIZES = Sizes(1201, 193)
EVENTS = 4000


def main() -> None:
    """Measure both networks."""
    units, count = (int(given) for given in (*sys.argv[1:], "512", "5")[:2])
    steps = [_step(_recipe(name, units)) for name in ("stacked", "classic")]
    rounds = [[_events_a_second(step) for step in steps] for _ in range(count)]
    stacked, classic = (statistics.median(column) for column in zip(*rounds, strict=True))
    print(f"stacked, 3 x {units}, every position: {stacked:8.0f} supervised events a second")
    print(f"classic, 3 x {units}, the last one:   {classic:8.0f} supervised events a second")
    print(f"ratio: {stacked / classic:.0f}")


def _recipe(kind: str, units: int) -> Recipe:
    recipe = Recipe.load("default" if kind == "stacked" else "classic")
    model = recipe.model.model_copy(update={"units": units})
    return recipe.model_copy(update={"model": model})


def _step(recipe: Recipe) -> Callable[[], float]:
    """Give a function that trains one batch and tells how many events it was taught by."""
    trainer = Trainer(recipe, SIZES, steps=1000)
    batch = _batch(recipe)

    def step() -> float:
        trainer.model.train_on_batch(*batch, return_dict=True)
        return float(batch[2]["token"].sum())

    step()  # Keras builds its graph here
    return step


def _batch(recipe: Recipe) -> Batch:
    rng = np.random.default_rng(1)
    ids = [rng.integers(1, size, EVENTS, np.int32) for size in (1201, 193, 9, 48)]
    piece = Piece(*ids)
    length, size = recipe.data.window_events, recipe.fit.batch_windows
    if recipe.model.kind == "stacked":
        return next(batches(scoring_windows([piece], length), size))
    inputs, targets = next(classic_windows([piece], length))
    weights = np.ones(size, np.float32)
    return {"token": inputs[-size:]}, {"token": targets[-size:]}, {"token": weights}


def _events_a_second(step: Callable[[], float]) -> float:
    started = time.monotonic()
    return step() / (time.monotonic() - started)


if __name__ == "__main__":
    main()
