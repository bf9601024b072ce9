"""A span of music: how much of it, in seconds or in bars. Pure."""

import re
from dataclasses import dataclass

from lofid.errors import ControlError

_SPAN = re.compile(r"(\d{1,9}(?:\.\d{1,3})?)\s*(s|m|h|bars?)", re.ASCII)
"""Neither so long that it is infinite, nor so short that it is less than a tick."""
_SECONDS = {"s": 1.0, "m": 60.0, "h": 3600.0}


@dataclass(frozen=True, slots=True)
class Span:
    """So many seconds, or so many bars of 4/4; the other one is None."""

    seconds: float | None = None
    bars: float | None = None

    @classmethod
    def parse(cls, text: str) -> "Span":
        """Read ``5m``, ``90s``, ``1h`` or ``16 bars``. ControlError for anything else."""
        found = _SPAN.fullmatch(text.strip().lower())
        number = float(found[1]) if found else 0.0
        if found is None or number == 0:
            raise ControlError(f"{text!r} is no length: give one such as 90s, 5m, 1h or '16 bars'")
        if found[2].startswith("bar"):
            return cls(bars=number)
        return cls(seconds=number * _SECONDS[found[2]])

    def __str__(self) -> str:
        if self.bars is not None:
            return f"{self.bars:g} bar{'' if self.bars == 1 else 's'}"
        seconds = round(self.seconds or 0)
        if seconds < 60:
            return f"{seconds} s"
        minutes = f"{seconds // 60 % 60} min {seconds % 60} s"
        return minutes if seconds < 3600 else f"{seconds // 3600} h {minutes}"
