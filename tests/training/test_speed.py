"""Speed: what is timed, not how long it takes."""

from pathlib import Path

import pytest

from lofid.errors import DeviceError
from lofid.predictor import Predictor
from training import speed
from training.speed import Stopwatch, Times, measure, on_every_device, percentiles


def test_steps_events_and_primes_are_timed(tiny_model: Path) -> None:
    """A prime among the steps makes no event."""
    found = measure(tiny_model, "cpu", steps=80, primes=3)
    assert found.device == "cpu"
    assert len(found.prime) == 3
    assert len(found.step) >= 70
    assert 60 <= len(found.event) < len(found.step)
    assert min(*found.step, *found.event, *found.prime) > 0


def test_the_watch_by_hand(tiny_model: Path) -> None:
    """Two steps, a prime, a step: three steps and one whole event."""
    watch = Stopwatch(Predictor(tiny_model, "cpu"))
    watch.steps += [(0.0, 1.0), (3.0, 5.0), None, (9.0, 9.5)]
    assert watch.step_seconds() == [1.0, 2.0, 0.5]
    assert watch.event_seconds() == [3.0]


def test_a_machine_without_cuda_says_so(tiny_model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One line in place of the figures."""
    times = Times("cpu", (1.0,), (1.0,), (1.0,))

    def measured(_model: Path, device: str, _steps: int, _primes: int) -> Times:
        if device == "cuda":
            raise DeviceError("device = cuda: no NVIDIA GPU on this machine")
        return times

    monkeypatch.setattr(speed, "measure", measured)
    assert on_every_device(tiny_model, 1, 1) == (
        [times],
        "device = cuda: no NVIDIA GPU on this machine",
    )


def test_percentiles() -> None:
    assert percentiles(tuple(float(i) for i in range(101))) == (50, 99)
