"""The deeds: what a controller can do, written as ``lofid ctl`` has it. Pure.

``tempo`` is swept, ``mode answer`` sets one value, ``panic`` is a command.
"""

import math
from dataclasses import dataclass

from lofid.errors import ConfigError
from lofid.fields import (
    LIVE,
    allowed,
    choices,
    everywhere,
    limits,
    live_field,
    meant,
    not_live,
    quoted,
    read,
)
from lofid.music import Key

Command = tuple[str, list[str]]
"""A command to the daemon and its arguments, as they come over the control socket."""

ACTIONS: dict[str, Command] = {
    "record": ("record", ["toggle"]),
    "record start": ("record", ["start"]),
    "record stop": ("record", ["stop"]),
    "panic": ("panic", []),
    "toggle": ("toggle", []),
    "stop": ("stop", []),
    "start": ("start", []),
    "continue": ("continue", []),
    "forget": ("forget", []),
}
POSITIONS = 128
"""What a controller can say: 0 to 127."""
SWEEPS: dict[str, tuple[float, float]] = {"tempo": (60.0, 120.0)}
"""Where a knob is too coarse for all that is allowed: half a beat per minute to a position."""
KEYS = tuple(str(Key(tonic, is_minor)) for tonic in range(12) for is_minor in (False, True))


@dataclass(frozen=True, slots=True)
class Deed:
    """One thing that a controller does; ``value`` is empty where it is swept, or an action.

    Equal deeds are spelt equally: ``key f minor`` reads as ``key F minor``.
    """

    name: str
    value: str = ""

    @classmethod
    def parse(cls, text: str) -> "Deed":
        """Read ``tempo``, ``mode answer`` or ``panic``. ConfigError, one line, for no deed."""
        words = " ".join(text.split())
        if words in ACTIONS:
            return cls(words)
        name, _, value = words.partition(" ")
        if name not in LIVE:
            raise ConfigError(_no_deed(words, name))
        if not value:
            return cls(name)
        try:
            return cls(name, _plain(read(live_field(name), value)))
        except ValueError:
            must = allowed(live_field(name))
            raise ConfigError(f"{name} is {quoted(value)}; must be {must}") from None

    def __str__(self) -> str:
        return f"{self.name} {self.value}" if self.value else self.name

    @property
    def is_swept(self) -> bool:
        """Whether it needs a controller with positions, and not only a press."""
        return not self.value and self.name not in ACTIONS

    @property
    def span(self) -> tuple[float, float] | None:
        """The least and the greatest number it may be swept over; None for one of words."""
        low, high = limits(live_field(self.name)) if self.is_swept else (None, None)
        return None if low is None or high is None else (low, high)

    def press(self) -> Command:
        """What a press does. KeyError for a deed that is swept."""
        return ("set", [self.name, self.value]) if self.value else ACTIONS[self.name]

    def positions(self, low: float | None, high: float | None) -> tuple[str, ...]:
        """What each of the 128 positions sets, from ``low`` to ``high`` where both are given.

        Numbers go in equal steps, either way, and no two of them are alike unless they are whole;
        words share the positions equally. ValueError for a deed that is not swept.
        """
        field = live_field(self.name)
        if not self.is_swept:
            raise ValueError(f"{self} is not swept")
        if self.span is None:
            words = KEYS if self.name == "key" else choices(field)
            return tuple(words[at * len(words) // POSITIONS] for at in range(POSITIONS))
        if low is None or high is None:
            low, high = SWEEPS.get(self.name, self.span)
        step = (high - low) / (POSITIONS - 1)
        between = [low + at * step for at in range(1, POSITIONS - 1)]
        if field.annotation is int:
            return tuple(str(round(number)) for number in (low, *between, high))
        digits = max(1, math.ceil(-math.log10(abs(step))))
        return (f"{low:g}", *(f"{round(number, digits):g}" for number in between), f"{high:g}")


def _no_deed(words: str, name: str) -> str:
    if everywhere(name):
        return not_live(name)
    return f"{quoted(words)} is nothing that a controller does{meant(words, (*LIVE, *ACTIONS))}"


def _plain(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)
