"""Speed: what a step, a whole event and a prime of the full context cost on one thread.

The times are taken inside a session of the real composer: a stopwatch stands between the two.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from time import perf_counter

import numpy as np

from lofid.composer import Composer
from lofid.context import Window
from lofid.errors import DeviceError
from lofid.music import BAR_TICKS
from lofid.predictor import Floats, Foreteller, Prediction, Predictor
from training.sessions import shipped_feel

SEED = 1


@dataclass(frozen=True)
class Times:
    """Times in milliseconds, in the order measured.

    ``step`` is the trunk alone; ``event`` is all that it takes from one event to the next: step,
    heads, drawing, the context. ``prime`` hears a full context from nothing.
    """

    device: str
    step: tuple[float, ...]
    event: tuple[float, ...]
    prime: tuple[float, ...]


@dataclass
class Stopwatch:
    """A model that notes of each step when it began and when it ended, in seconds.

    A prime is noted by its window, and by None among the steps.
    """

    model: Foreteller
    steps: list[tuple[float, float] | None] = field(default_factory=list)
    window: Window | None = None

    def __post_init__(self) -> None:
        self.card, self.vocabulary = self.model.card, self.model.vocabulary
        self.digest = self.model.digest
        self.device, self.device_note = self.model.device, self.model.device_note
        self.rhythm_logits, self.velocity_logits = (
            self.model.rhythm_logits,
            self.model.velocity_logits,
        )

    @property
    def has_heads(self) -> bool:
        """As the model's."""
        return self.model.has_heads

    def prime(self, window: Window) -> Prediction:
        """Hear a whole window."""
        self.window = window
        self.steps.append(None)
        return self.model.prime(window)

    def trail(self, window: Window, ends: Sequence[int]) -> list[Prediction]:
        """Hear a whole window, the last of it by steps that are not counted."""
        self.window = window
        self.steps.append(None)
        return self.model.trail(window, ends)

    def step(self, state: Floats, newest: Window) -> Prediction:
        """Hear one more event, by the watch."""
        began = perf_counter()
        prediction = self.model.step(state, newest)
        self.steps.append((began, perf_counter()))
        return prediction

    def step_seconds(self) -> list[float]:
        """How long each step took."""
        return [noted[1] - noted[0] for noted in self.steps if noted]

    def event_seconds(self) -> list[float]:
        """From each step to the next, where no prime lies between them."""
        return [b[0] - a[0] for a, b in pairwise(self.steps) if a and b]


def measure(model: Path, device: str, steps: int, primes: int) -> Times:
    """Time a model on ``cpu`` or ``cuda``. DeviceError when there is no such device."""
    watch = Stopwatch(Predictor(model, device))
    composer, bar = Composer(watch, shipped_feel(), SEED), 0
    composer.compose(BAR_TICKS)
    watch.steps.clear()
    while len(watch.steps) < steps:
        bar += 1
        composer.compose((bar + 1) * BAR_TICKS)
    window = watch.window
    took = [_seconds(lambda: watch.model.prime(window)) for _ in range(primes)] if window else []
    columns = (watch.step_seconds(), watch.event_seconds(), took)
    return Times(watch.device, *(tuple(1000 * s for s in column) for column in columns))


def _seconds(work: Callable[[], object]) -> float:
    began = perf_counter()
    work()
    return perf_counter() - began


def on_every_device(model: Path, steps: int, primes: int) -> tuple[list[Times], str]:
    """Time a model on the CPU, and on CUDA if it is there; else say in a line why it is not."""
    found = [measure(model, "cpu", steps, primes)]
    try:
        found.append(measure(model, "cuda", steps, primes))
    except DeviceError as fault:
        return found, str(fault)
    return found, ""


def percentiles(times: tuple[float, ...]) -> tuple[float, float]:
    """Give the median and the 99th percentile."""
    low, high = np.percentile(times, (50, 99)).tolist()
    return low, high
