"""How long the model thinks: a step, and a prime of the full context, on each device there is."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

import numpy as np

from lofid.card import Card
from lofid.context import Ids, Window
from lofid.errors import DeviceError
from lofid.music import BAR_GRID
from lofid.predictor import Predictor
from lofid.vocabulary import VELOCITY_CLASSES

STEPS, PRIMES = 500, 50


@dataclass(frozen=True, slots=True)
class Thought:
    """Times in milliseconds, in the order measured. ``step`` and ``prime`` are the trunk alone."""

    device: str
    step_ms: tuple[float, ...]
    prime_ms: tuple[float, ...]


def full_window(card: Card) -> Window:
    """Make a full context of one of everything, in turn: what it says does not change the time."""
    return Window(
        _in_turn(card, len(card.tokens)),
        _in_turn(card, len(card.rhythms)),
        _in_turn(card, VELOCITY_CLASSES + 1),
        _in_turn(card, BAR_GRID),
    )


def _in_turn(card: Card, ids: int) -> Ids:
    return (np.arange(card.context_length) % ids).astype(np.int32)


def on_every_device(model: Path) -> tuple[list[Thought], str]:
    """Time a model on the CPU, and on CUDA if it really runs there; else say why it does not.

    ModelError for a file that is no model. Blocks for some seconds.
    """
    found = [_timed(Predictor(model, "cpu"))]
    try:
        found.append(_timed(Predictor(model, "cuda")))
    except DeviceError as fault:
        return found, str(fault)
    return found, ""


def _timed(predictor: Predictor) -> Thought:
    window = full_window(predictor.card)
    state, newest = predictor.prime(window).state, window.part(len(window) - 1, len(window))
    return Thought(
        predictor.device,
        tuple(_milliseconds(lambda: predictor.step(state, newest)) for _ in range(STEPS)),
        tuple(_milliseconds(lambda: predictor.prime(window)) for _ in range(PRIMES)),
    )


def _milliseconds(work: Callable[[], object]) -> float:
    began = perf_counter()
    work()
    return 1000 * (perf_counter() - began)
