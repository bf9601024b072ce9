"""The movers: the knobs, pedals, pads and program buttons that may move something. Pure."""

import re
from dataclasses import dataclass

from lofid.errors import ConfigError

NOTE_OFF, NOTE_ON, CONTROL_CHANGE, PROGRAM_CHANGE = 0x80, 0x90, 0xB0, 0xC0
_KINDS = {CONTROL_CHANGE: "cc", NOTE_ON: "note", PROGRAM_CHANGE: "program"}
_TEXT = re.compile(r"(cc|note|program) (\d{1,3})(?: on (\d{1,2}))?")
_TAKEN = {
    **dict.fromkeys((0, 32), "bank select"),
    **dict.fromkeys((6, 38, 96, 97), "data entry"),
    64: "the sustain pedal",
    **dict.fromkeys((98, 99, 100, 101), "a parameter's number"),
    **dict.fromkeys(range(120, 128), "a channel mode message"),
}
"""The controllers that MIDI 1.0 gives a meaning which music needs, by number."""
HOW = "'cc 20', 'cc 20 on 1', 'note 36 on 10' or 'program 3'"


@dataclass(frozen=True, slots=True)
class Mover:
    """Something that can be moved: ``kind`` "cc", "note" or "program", ``number`` 0 to 127.

    ``channel`` is 1 to 16, or 0 for all.
    """

    kind: str
    number: int
    channel: int = 0

    @classmethod
    def parse(cls, text: str) -> "Mover":
        """Read ``cc 20`` or ``note 36 on 10``. ConfigError says what it must be or why it cannot.

        The message has no subject: it follows on "… is 'cc 200'; ".
        """
        match = _TEXT.fullmatch(" ".join(text.lower().split()))
        if match is None:
            raise ConfigError(f"must be such as {HOW}")
        mover = cls(match[1], int(match[2]), int(match[3] or 0))
        if mover.number > 127:
            raise ConfigError(f"must have a number from 0 to 127, such as {HOW}")
        if match[3] and not 1 <= mover.channel <= 16:
            raise ConfigError(f"must have a channel from 1 to 16, such as {HOW}")
        if mover.meaning:
            raise ConfigError(f"cannot be: that is {mover.meaning}; take another controller")
        return mover

    @classmethod
    def of(cls, status: int, first: int) -> "Mover | None":
        """Say what a message moved; None for one that moves nothing, such as a note-off."""
        kind = _KINDS.get(status & 0xF0)
        return None if kind is None else cls(kind, first, (status & 0x0F) + 1)

    def __str__(self) -> str:
        return f"{self.kind} {self.number}" + (f" on {self.channel}" if self.channel else "")

    @property
    def meaning(self) -> str:
        """What MIDI itself means by it; empty for what is free."""
        return _TAKEN.get(self.number, "") if self.kind == "cc" else ""

    def overlaps(self, other: "Mover") -> bool:
        """Whether one message may be of both."""
        same = (self.kind, self.number) == (other.kind, other.number)
        return same and (self.channel == other.channel or 0 in (self.channel, other.channel))
