"""All that was measured, as plain values: what the table, the PNG and the JSON are made from."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from lofid.bench.contest import AT_SEND, DELTAS, LOFID, PLAIN, Lateness
from lofid.bench.grid import Grid
from lofid.bench.session import Session
from lofid.bench.thinking import Thought

SHARES = {"p50": 50, "p99": 99, "max": 100}


@dataclass(frozen=True, slots=True)
class Machine:
    """Where it was measured, and by which lofid."""

    lofid: str
    python: str
    system: str
    cores: int
    realtime: bool
    realtime_note: str


@dataclass(frozen=True, slots=True)
class Findings:
    """Everything; ``thoughts_note`` says why a device is missing."""

    machine: Machine
    grid: Grid
    lateness: tuple[Lateness, ...]
    model: str
    thoughts: tuple[Thought, ...]
    thoughts_note: str
    session: Session

    def times_earlier(self, condition: str) -> float | None:
        """How many times later (p99) the plain loop is than lofid, both at the send call.

        None where lofid was not measured there. Less than a microsecond counts as one.
        """
        p99 = {
            one.player: spread(one.late_us)["p99"]
            for one in self.lateness
            if (one.condition, one.at) == (condition, AT_SEND) and one.late_us
        }
        return p99[PLAIN] / max(p99[LOFID], 1.0) if LOFID in p99 and PLAIN in p99 else None

    def drift_ms_a_minute(self, lateness: Lateness) -> float | None:
        """How much later a loop gets in a minute of music, where it counts from note to note."""
        late = lateness.late_us
        if lateness.player != DELTAS or len(late) < 2:
            return None
        minutes = (len(late) - 1) * self.grid.step_seconds / 60
        return (late[-1] - late[0]) / 1000 / minutes

    def as_json(self) -> dict[str, Any]:
        """Give everything as JSON can say it, each single lateness and time included."""
        return {
            "machine": asdict(self.machine),
            "grid": {"notes": self.grid.notes, "step_ms": round(1000 * self.grid.step_seconds, 3)},
            "lateness": [self._lateness(one) for one in self.lateness],
            "times_earlier": {
                condition: self.times_earlier(condition)
                for condition in dict.fromkeys(one.condition for one in self.lateness)
            },
            "model": {
                "file": self.model,
                "devices": [_thought(one) for one in self.thoughts],
                "note": self.thoughts_note,
            },
            "session": asdict(self.session),
        }

    def _lateness(self, one: Lateness) -> dict[str, Any]:
        drift = self.drift_ms_a_minute(one)
        return {**asdict(one), **_named(one.late_us, "us"), "drift_ms_a_minute": drift}


def _thought(one: Thought) -> dict[str, Any]:
    return {
        **asdict(one),
        **{f"step_{name}": value for name, value in _named(one.step_ms, "ms").items()},
        **{f"prime_{name}": value for name, value in _named(one.prime_ms, "ms").items()},
    }


def _named(values: Sequence[float], unit: str) -> dict[str, float]:
    return {f"{name}_{unit}": round(value, 3) for name, value in spread(values).items()}


def spread(values: Sequence[float]) -> dict[str, float]:
    """Give p50, p99 and max; of nothing, nothing."""
    if not values:
        return {}
    return {name: float(np.percentile(values, share)) for name, share in SHARES.items()}
