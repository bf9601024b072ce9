"""From logits to one id. Pure: the generator of random numbers is handed in.

Top-p keeps the smallest set of likeliest ids whose probabilities reach p (Ari Holtzman et al., "The
Curious Case of Neural Text Degeneration", ICLR 2020).
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Logits = npt.NDArray[np.floating]
Chances = npt.NDArray[np.float64]
Ids = Sequence[int] | npt.NDArray[np.intp]


def probabilities(logits: Logits, temperature: float) -> Chances:
    """Softmax of logits [ids] over a temperature above zero. Ids at -inf get exactly zero."""
    scaled = logits.astype(np.float64) / temperature
    weights = np.exp(scaled - scaled.max())
    result: Chances = weights / weights.sum()
    return result


def nucleus(chances: Chances, top_p: float) -> Chances:
    """Keep the likeliest ids until their chances reach ``top_p``; at least one is kept."""
    kept, _ = _likeliest(chances, top_p)
    result = np.zeros_like(chances)
    result[kept] = chances[kept]
    result /= result.sum()
    return result


def _likeliest(chances: Chances, top_p: float) -> tuple[npt.NDArray[np.intp], Chances]:
    """Give the nucleus's ids, the likeliest first, and their chances summed up so far."""
    # All ids below this together have less than 1 - p, so they need no sorting: most of them.
    likely = np.flatnonzero(chances >= (1 - top_p) / len(chances))
    order = likely[np.argsort(-chances[likely], kind="stable")]
    reached = np.cumsum(chances[order])
    count = int(np.searchsorted(reached, top_p)) + 1
    return order[:count], reached[:count]


def without(logits: Logits, banned: Ids) -> Logits:
    """The same logits with these ids ruled out; as they were when nothing would be left."""
    if not len(banned):
        return logits
    result = logits.copy()
    result[banned] = -np.inf
    return result if np.isfinite(result).any() else logits


def balanced(bent: Logits, before: Logits, part: npt.NDArray[np.bool_]) -> Logits:
    """Give ``part`` of the ids, and the rest, the chance each had ``before`` they were bent.

    All are [ids]. What is bent is then which of the part, and which of the rest, but not how often
    one of the part. A side that is ruled out wholly stays so, and the other takes its chance.
    """
    result = bent.astype(np.float64)
    for side in (np.flatnonzero(part), np.flatnonzero(~part)):
        now = _log_sum(result[side])
        if np.isfinite(now):
            result[side] += _log_sum(before[side].astype(np.float64)) - now
    return result


def _log_sum(logits: Logits) -> float:
    """The logarithm of all their weights together; -inf for none."""
    highest = float(logits.max(initial=-np.inf))
    if not np.isfinite(highest):
        return -np.inf
    return highest + float(np.log(np.exp(logits - highest).sum()))


def pick(logits: Logits, temperature: float, top_p: float, rng: np.random.Generator) -> int:
    """Draw one id. Uses one number of ``rng``, so that a session can be drawn again."""
    kept, reached = _likeliest(probabilities(logits, temperature), top_p)
    drawn = int(np.searchsorted(reached, rng.random() * reached[-1], side="right"))
    return int(kept[min(drawn, len(kept) - 1)])  # the product may round up to the sum itself
