"""Register: how high the lead lies, beside a phrase that it answers. Pure.

Two things bring it there: notes far from the phrase's range become dearer, and where the vocabulary
has no notes so low or so high, the lead sounds whole octaves from where it is thought.
"""

from collections.abc import Sequence

import numpy as np

from lofid.sampler import Logits, balanced

WIDENED_SEMITONES = 3
"""So far outside the phrase's range a note is still free."""

SEMITONE_COST = 0.5
"""What each semitone further takes off the logit: an octave away is 400 times less likely."""

MOST_OCTAVES = 10


class Register:
    """Where one vocabulary's single notes lie. All pitches are as the model thinks them."""

    def __init__(self, pitches: Sequence[tuple[int, ...]]):
        """Take the MIDI note numbers of each token; only single notes count."""
        self._is_note = np.array([len(token) == 1 for token in pitches])
        self._notes = np.array([token[0] for token in pitches if len(token) == 1])

    def octaves(self, low: int, high: int) -> int:
        """How many octaves above where it is thought the lead has to sound, for this range.

        As few as bring the whole range to where there are notes, or as much of it as can be.
        """
        if not len(self._notes):
            return 0
        lowest, highest = int(self._notes.min()), int(self._notes.max())

        def beyond(octaves: int) -> int:
            return max(lowest - low + 12 * octaves, 0) + max(high - 12 * octaves - highest, 0)

        return min(range(-MOST_OCTAVES, MOST_OCTAVES + 1), key=lambda k: (beyond(k), abs(k)))

    def bent(self, logits: Logits, low: int, high: int, strength: float) -> Logits:
        """Bend logits [tokens] towards single notes from ``low`` to ``high``.

        ``strength`` is 0 (as they were) to 1. The lead comes as often as it would have.
        """
        if strength <= 0:
            return logits
        below, above = low - WIDENED_SEMITONES - self._notes, self._notes - high - WIDENED_SEMITONES
        bent = logits.astype(np.float64)
        bent[self._is_note] -= strength * SEMITONE_COST * np.maximum(np.maximum(below, above), 0)
        return balanced(bent, logits, self._is_note)
