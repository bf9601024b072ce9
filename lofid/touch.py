"""The touch: how hard a note is struck, within the class that a model chose. Pure."""

import numpy as np

from lofid.sampler import Logits, probabilities
from lofid.vocabulary import VELOCITY_CLASSES, VELOCITY_WIDTH, velocity_floor

MOST_UNEVEN = 4
"""Hands are no machines: a velocity is so far from its middle at most."""

_CLASS_MIDDLES = np.array(
    [velocity_floor(id_) + (VELOCITY_WIDTH - 1) / 2 for id_ in range(1, VELOCITY_CLASSES + 1)]
)


def touch(chosen: int, logits: Logits, rng: np.random.Generator) -> int:
    """Draw a velocity from a class 16 wide, near where the model thinks it lies.

    ``logits`` are of [*start* and the classes]. Any velocity of the class alike would make the
    touch more uneven than what was learnt: the rounding to classes would count twice
    (docs/decisions.md).
    """
    expected = float(probabilities(logits, 1.0)[1:] @ _CLASS_MIDDLES)
    unevenness = MOST_UNEVEN * (rng.random() - rng.random())
    lowest = velocity_floor(chosen)
    highest = lowest + VELOCITY_WIDTH - 1
    nearest = min(max(expected, lowest), highest)
    return round(min(max(nearest + unevenness, lowest), highest))
