"""A span of music: how much of it, in seconds or in bars. Pure."""

import re
from dataclasses import dataclass

from lofid.errors import ControlError

_NUMBER = r"(\d{1,9}(?:\.\d{1,3})?)"
"""Neither so long that it is infinite, nor so short that it is less than a tick."""
_BARS = re.compile(rf"{_NUMBER}\s*bars?", re.ASCII)
_UNITS = {"h": 3600.0, "m": 60.0, "s": 1.0}
_TIME = re.compile(r"\s*".join(rf"(?:{_NUMBER}\s*{unit})?" for unit in _UNITS), re.ASCII)


@dataclass(frozen=True, slots=True)
class Span:
    """So many seconds, or so many bars of 4/4; the other one is None."""

    seconds: float | None = None
    bars: float | None = None

    @classmethod
    def parse(cls, text: str) -> "Span":
        """Read ``5m``, ``90s``, ``1h30m`` or ``16 bars``. ControlError for anything else."""
        plain = text.strip().lower()
        if (found := _BARS.fullmatch(plain)) and (bars := float(found[1])):
            return cls(bars=bars)
        found = _TIME.fullmatch(plain)
        given = zip(found.groups("0"), _UNITS.values(), strict=True) if found else ()
        if seconds := sum(float(number) * unit for number, unit in given):
            return cls(seconds=seconds)
        raise ControlError(f"{text!r} is no length: give one such as 90s, 5m, 1h30m or '16 bars'")

    def __str__(self) -> str:
        if self.bars is not None:
            return f"{self.bars:g} bar{'' if self.bars == 1 else 's'}"
        seconds = round(self.seconds or 0)
        if seconds < 60:
            return f"{seconds} s"
        minutes = f"{seconds // 60 % 60} min {seconds % 60} s"
        return minutes if seconds < 3600 else f"{seconds // 3600} h {minutes}"
