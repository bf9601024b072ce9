"""The echo: whether what is heard is only what was just sent. Pure; no clock, no I/O.

Somebody may connect lofid's output to its input. A single equal note may be a person's; when one
after the other comes back as it left, it is a loop, and its notes are not heard until it ends.
"""

from lofid.player.midi import NOTE_ON

RETURN_SECONDS = 0.1
"""A loop through the machine takes a few periods; one through a slow cable a little more."""
EARLY_SECONDS = 0.001
"""Two clocks were read."""
SURE = 4


class Echo:
    """Compares. To be called from one thread."""

    def __init__(self) -> None:
        self._sent: dict[bytes, tuple[int, float]] = {}
        self._equal = 0

    @property
    def is_sure(self) -> bool:
        """Whether the output is connected to the input."""
        return self._equal >= SURE

    def sent(self, message: bytes, leaves_seconds: float) -> None:
        """Remember a note-on; of each channel and pitch the latest."""
        self._sent[message[:2]] = message[2], leaves_seconds

    def is_echo(self, message: bytes, seconds: float) -> bool:
        """Tell whether what came in at a moment is our own and not to be heard.

        Only of note-ons; whatever ends a note is always heard.
        """
        if message[0] & 0xF0 != NOTE_ON or len(message) != 3 or message[2] == 0:
            return False
        velocity, left_seconds = self._sent.get(message[:2], (0, 0.0))
        is_back = -EARLY_SECONDS <= seconds - left_seconds <= RETURN_SECONDS
        is_equal = velocity == message[2] and is_back
        self._equal = min(self._equal + 1, 2 * SURE) if is_equal else max(self._equal - SURE, 0)
        return is_equal and self.is_sure
