"""The harmonist: which chord a person holds, of the keys that steer the harmony. Pure.

A chord is what is held down at once, two notes at least; the pedal does not count, since it blurs
one chord into the next. It stays when it is let go, until another one is held.

A finger that leaves soon after a newer key was struck, and long after its own, belongs to the chord
before: the chord is what is left. Unless the others leave with it: then it was let go as a whole.
"""

ROLL_SECONDS = 0.2
"""Keys that were struck longer before the newest may be of another chord."""
LEGATO_SECONDS = 0.4
"""So long after the newest key the chord before may still be held."""
TOGETHER_SECONDS = 0.15
"""Fingers that leave within this leave together."""
FEWEST = 2


class Harmonist:
    """``chord`` is the pitch classes of the last chord, in concert pitch; empty for none."""

    def __init__(self) -> None:
        self.chord: frozenset[int] = frozenset()
        self._held: dict[int, float] = {}
        """The keys that are down, and when they were struck."""
        self._struck_seconds = 0.0
        self._whole: frozenset[int] = frozenset()
        """The chord before fingers of it left, and when the last of them did."""
        self._left_seconds = -1.0

    def strike(self, pitch: int, seconds: float) -> bool:
        """A key that steers is struck; tell whether it makes another chord."""
        self._held[pitch] = seconds
        self._struck_seconds = seconds
        return self._look()

    def lift(self, pitch: int, seconds: float) -> bool:
        """A key is let go; tell whether that makes another chord: one that is not held does not."""
        struck_seconds = self._held.pop(pitch, None)
        if struck_seconds is None:
            return False
        if self._struck_seconds - struck_seconds <= ROLL_SECONDS:
            return self._leave_together(seconds)
        if seconds - self._struck_seconds > LEGATO_SECONDS:
            return False
        whole = self._whole if seconds - self._left_seconds <= TOGETHER_SECONDS else self.chord
        self._whole, self._left_seconds = whole, seconds
        return self._look()

    def _leave_together(self, seconds: float) -> bool:
        """One of the newest keys is let go too: what left just before was of the same chord."""
        if seconds - self._left_seconds > TOGETHER_SECONDS or self._whole == self.chord:
            return False
        self.chord = self._whole
        return True

    def forget(self) -> None:
        """Steer no more, until another chord is held."""
        self.chord = self._whole = frozenset()

    def _look(self) -> bool:
        held = frozenset(pitch % 12 for pitch in self._held)
        if len(held) < FEWEST or held == self.chord:
            return False
        self.chord = held
        return True
