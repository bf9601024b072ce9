"""The key lock: how firmly the music keeps to the seven notes of its key. Pure.

The model thinks at home, so the notes of the key are those of C major, which A minor shares: the
raised seventh of a minor key lies outside.
"""

from collections.abc import Sequence
from typing import Literal

import numpy as np
import numpy.typing as npt

from lofid.sampler import Logits, without

Mode = Literal["off", "soft", "hard"]
HOME_CLASSES = frozenset((0, 2, 4, 5, 7, 9, 11))

SOFT_COST = 1.0
"""What each pitch class outside the key takes off a token's logit: e times less likely."""


def strangers(pitches: Sequence[tuple[int, ...]]) -> npt.NDArray[np.int64]:
    """Count for each token's pitches [tokens] the different pitch classes outside the key."""
    return np.array([len({pitch % 12 for pitch in token} - HOME_CLASSES) for token in pitches])


def kept(logits: Logits, outside: npt.NDArray[np.int64], mode: Mode) -> Logits:
    """Keep to the key, given :func:`strangers`. If all logits [tokens] lie outside, none is."""
    if mode == "off":
        return logits
    if mode == "soft":
        return logits - SOFT_COST * outside
    return without(logits, np.flatnonzero(outside))
