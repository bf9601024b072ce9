"""From logits to one id. Pure: the generator of random numbers is handed in.

Top-p keeps the smallest set of likeliest ids whose probabilities reach p (Ari Holtzman et al., "The
Curious Case of Neural Text Degeneration", ICLR 2020).
"""

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

Logits = npt.NDArray[np.floating]


def probabilities(logits: Logits, temperature: float) -> npt.NDArray[np.float64]:
    """Softmax of logits [ids] over a temperature above zero. Ids at -inf get exactly zero."""
    scaled = logits.astype(np.float64) / temperature
    weights = np.exp(scaled - scaled.max())
    result: npt.NDArray[np.float64] = weights / weights.sum()
    return result


def nucleus(chances: npt.NDArray[np.float64], top_p: float) -> npt.NDArray[np.float64]:
    """Keep the likeliest ids until their chances reach ``top_p``; at least one is kept."""
    order = np.argsort(-chances, kind="stable")
    reached = np.cumsum(chances[order])
    kept = order[: int(np.searchsorted(reached, top_p)) + 1]
    result = np.zeros_like(chances)
    result[kept] = chances[kept]
    result /= result.sum()
    return result


def without(logits: Logits, banned: Iterable[int]) -> Logits:
    """The same logits with these ids ruled out; as they were when nothing would be left."""
    result = logits.copy()
    result[list(banned)] = -np.inf
    return result if np.isfinite(result).any() else logits


def pick(logits: Logits, temperature: float, top_p: float, rng: np.random.Generator) -> int:
    """Draw one id. Uses one number of ``rng``, so that a session can be drawn again."""
    chances = nucleus(probabilities(logits, temperature), top_p)
    return int(np.searchsorted(np.cumsum(chances), rng.random() * chances.sum(), side="right"))
