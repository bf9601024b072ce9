"""The grid that all play: a note each twelfth of a quarter, at the fastest tempo there is.

Each note ends as the next one begins, so that there is one moment to be on time for each note, as
in music; note-offs come first. It begins a lead after the clock, when all have caught their breath.
"""

from dataclasses import dataclass
from itertools import pairwise

TEMPO_BPM = 300.0
STEP_TICKS = 40
LEAD_TICKS = 480
TICKS_PER_SECOND = TEMPO_BPM * 480 / 60
CHANNEL, VELOCITY = 0, 90
LOWEST, PITCHES = 48, 24


@dataclass(frozen=True, slots=True)
class Grid:
    """So many notes, of different pitches where they meet."""

    notes: int

    @property
    def step_seconds(self) -> float:
        """From one note to the next."""
        return STEP_TICKS / TICKS_PER_SECOND

    @property
    def seconds(self) -> float:
        """How long it takes to play, lead and last note included."""
        return self._ticks()[-1] / TICKS_PER_SECOND

    def due_seconds(self) -> list[float]:
        """Give the moment of each note's beginning, and of the last one's end."""
        return [tick / TICKS_PER_SECOND for tick in self._ticks()]

    def wire_notes(self) -> list[list[int]]:
        """Give the notes as the player takes them."""
        pairs = pairwise(self._ticks())
        return [[on, off, CHANNEL, pitch(i), VELOCITY] for i, (on, off) in enumerate(pairs)]

    def _ticks(self) -> list[int]:
        return [LEAD_TICKS + STEP_TICKS * i for i in range(self.notes + 1)]


def pitch(number: int) -> int:
    """Give the pitch of the note of this number."""
    return LOWEST + number % PITCHES
