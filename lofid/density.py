"""Density: how many onsets there are to the beat, beside what was learnt. Pure.

What begins together counts as one onset: a chord under a lead note is not denser to the ear. So how
often something begins together with the event before stays as it is, and what is bent is the
distribution of the steps that move on. It is tilted exponentially, which of all distributions with
the wanted mean is the one nearest to the model's own (Imre Csiszár, "I-divergence geometry of
probability distributions and minimization problems", *The Annals of Probability* 3, 1975).

A model goes on as densely as what it hears, and it hears what was bent: bent by the same factor all
the time, twice as dense becomes four times in fifty bars. So there is less to bend as the context
fills with what was bent, and something to bend back when the density is 1 again: :class:`Habit`.
"""

from dataclasses import dataclass
from math import exp, log

import numpy as np
import numpy.typing as npt

from lofid.sampler import Logits, balanced

Steps = npt.NDArray[np.int64]

HABIT_EVENTS = 50
"""After so many events a change of density has mostly become a habit: half a context."""

KEPT_DENSER, KEPT_SPARSER = 0.8, 0.67
"""How much of a habit the model keeps up by itself (docs/decisions.md)."""

FAINTEST = 0.01
"""A weaker habit is none."""

NARROWINGS = 10
"""The interval that the tilt lies in is halved so often: it is then known to four thousandths."""

STEEPEST = 2.0
"""Nats to the grid unit: a step that is one longer is never more than so much dearer or cheaper."""


@dataclass(frozen=True, slots=True)
class Habit:
    """How dense the model hears that the music has become: a mean of log densities, 0 as learnt."""

    strength: float = 0.0

    def still_to_bend(self, density: float) -> float:
        """Give what is left to bend by to be so dense: the density itself while there is no habit.

        It is exactly 1 at density 1 without a habit.
        """
        kept = KEPT_DENSER if self.strength > 0 else KEPT_SPARSER
        return exp(log(density) - kept * self.strength)

    def after(self, density: float) -> "Habit":
        """Give the habit after one more event at this density."""
        strength = self.strength + (log(density) - self.strength) / HABIT_EVENTS
        return Habit(strength if abs(strength) >= FAINTEST or density != 1 else 0.0)


def spread(logits: Logits, steps: Steps, times: float) -> Logits:
    """Tilt logits [rhythms] so that onsets come so many times as densely.

    The mean of the ``steps`` above zero is divided by it, as nearly as the steps allow. For 1 the
    logits are the very same.
    """
    moving = (steps > 0) & np.isfinite(logits)
    if times == 1 or not moving.any():
        return logits
    known, ways = steps[moving], logits[moving].astype(np.float64)
    tilt = _tilt(ways, known, _mean(ways, known) / times)
    bent = logits.astype(np.float64)
    bent[moving] = ways - tilt * known
    return balanced(bent, logits, moving)


def _tilt(logits: Logits, steps: Steps, wanted: float) -> float:
    """Find the tilt that gives the wanted mean, which falls as the tilt rises, by bisection."""
    low, high = -STEEPEST, STEEPEST
    for _ in range(NARROWINGS):
        middle = (low + high) / 2
        if _mean(logits - middle * steps, steps) > wanted:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def _mean(logits: Logits, steps: Steps) -> float:
    """The mean of the steps by their chances."""
    weights = np.exp(logits - logits.max())
    return float(weights @ steps / weights.sum())
