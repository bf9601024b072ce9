"""The harmonist: which chord a person holds, of the keys that steer the harmony. Pure.

A chord is what is held down at once, two notes at least; the pedal does not count, since it blurs
one chord into the next. It stays when it is let go, until another one is held. Fingers that leave
when those of the next chord have come belong to the chord before.
"""

ROLL_SECONDS = 0.2
"""Keys that were struck longer before the newest are of another chord."""
FEWEST = 2


class Harmonist:
    """``chord`` is the pitch classes of the last chord, in concert pitch; empty for none."""

    def __init__(self) -> None:
        self.chord: frozenset[int] = frozenset()
        self._held: dict[int, float] = {}
        """The keys that are down, and when they were struck."""
        self._struck_seconds = 0.0

    def strike(self, pitch: int, seconds: float) -> bool:
        """A key that steers is struck; tell whether it makes another chord."""
        self._held[pitch] = seconds
        self._struck_seconds = seconds
        return self._look()

    def lift(self, pitch: int) -> bool:
        """A key is let go; tell whether that makes another chord."""
        struck_seconds = self._held.pop(pitch, self._struck_seconds)
        return self._struck_seconds - struck_seconds > ROLL_SECONDS and self._look()

    def forget(self) -> None:
        """Steer no more, until another chord is held."""
        self.chord = frozenset()

    def _look(self) -> bool:
        held = frozenset(pitch % 12 for pitch in self._held)
        if len(held) < FEWEST or held == self.chord:
            return False
        self.chord = held
        return True
