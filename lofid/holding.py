"""What holds at a moment: the notes that sound, and where the controllers stand. Pure.

A note is known by its *voice*: who plays it, the channel and the pitch. A voice that is struck
again sounds once.
"""

from collections.abc import Mapping, Sequence
from typing import Any

CONTROL_CHANGE, POLY_PRESSURE = 0xB0, 0xA0


def voice(values: Mapping[str, Any]) -> tuple[bool, int, int]:
    """Whose note this is, of a record ``on`` or ``off``."""
    return bool(values.get("by_person", False)), values["channel"], values["pitch"]


def controller(data: Sequence[int]) -> tuple[int, ...]:
    """What a MIDI message sets: a numbered controller, a note's pressure, or its channel's one."""
    is_numbered = data[0] & 0xF0 in (CONTROL_CHANGE, POLY_PRESSURE)
    return tuple(data[:2] if is_numbered else data[:1])


class Holding:
    """Follows records. Not thread-safe."""

    def __init__(self) -> None:
        self._sounding: dict[tuple[bool, int, int], dict[str, Any]] = {}
        self._controls: dict[tuple[int, ...], dict[str, Any]] = {}

    def follow(self, what: str, values: dict[str, Any]) -> None:
        """Take one record in. KeyError for a note without a pitch or a channel."""
        if what == "on":
            self._sounding[voice(values)] = values
        elif what == "off":
            self._sounding.pop(voice(values), None)
        elif what == "control":
            self._controls[controller(values["data"])] = values

    def values(self) -> dict[str, Any]:
        """Give ``sounding`` and ``controls``: what a record ``on`` or ``control`` said of each."""
        return {
            "sounding": list(self._sounding.values()),
            "controls": list(self._controls.values()),
        }
