"""The spin: how long before a deadline to wake up, as measured on this machine.

A peak hold: it rises at once to what a wake-up needed, and falls slowly. A need that it does not
cover makes it rise by :data:`MARGIN_SECONDS` or more, any other lets it fall by no more than
:data:`FALL_SECONDS`. So of the needs up to the bound no more than one in two hundred is not
covered, in whatever order they come, and seven more at first.
"""

LEAST_SECONDS = 0.0005
MOST_SECONDS = 0.002
MARGIN_SECONDS = 0.0002
FALL_SECONDS = 0.000001


class Spin:
    """How long to spin; ``seconds`` is always from the least to the most."""

    def __init__(self) -> None:
        self.seconds = LEAST_SECONDS

    def follow(self, needed_seconds: float) -> None:
        """Hear how long it took, from when the sleep was to end, until all was ready.

        What the most would not have covered, with the margin, tells nothing: a machine that stood
        still, or slept.
        """
        if needed_seconds <= MOST_SECONDS - MARGIN_SECONDS:
            fallen_seconds = max(LEAST_SECONDS, self.seconds - FALL_SECONDS)
            self.seconds = max(fallen_seconds, needed_seconds + MARGIN_SECONDS)
