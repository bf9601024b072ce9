"""The refrain: the composer's last bar, kept for when the model gives no numbers. Pure.

Numbers are finite: what a damaged model gives (NaN), or one whose sums ran over (inf), says nothing
of the next event. (A model's own logits are never -inf either: lofid's rules alone rule things out,
later.) The music then goes on with what began a bar before.

What may have done the damage must not come round: a token whose weights are NaN would be back in
the window before it has left it. So an event belongs to the bar only once the model has given
numbers after it.
"""

import copy
from collections.abc import Collection
from dataclasses import dataclass

import numpy as np

from lofid.music import BAR_GRID
from lofid.sampler import Logits


class NoNumbers(Exception):  # noqa: N818  # the composer's own; nobody else ever sees it
    """A model gave logits that are not finite; or that was so from the start on."""


def numbers(logits: Logits) -> Logits:
    """Give the logits as they are; NoNumbers unless all are finite."""
    if not np.isfinite(logits).all():
        raise NoNumbers
    return logits


@dataclass(frozen=True, slots=True)
class Choice:
    """What an event is chosen to be, whenever it begins: ids, and what they stand for."""

    token: int
    rhythm: int
    step_grid: int
    length_grid: int
    velocity_class: int
    velocity: int


Known = tuple[int, Choice]
"""An event that was: where it began, on the grid, and what it was."""


class Refrain:
    """The last bar of one composer's events. Not thread-safe."""

    def __init__(self) -> None:
        self._bar: list[Known] = []
        self._newest: Known | None = None

    def copy(self) -> "Refrain":
        """Give another of the same bar, to go back to."""
        return copy.copy(self)  # the list of the bar is never changed, only replaced

    def add(self, onset_grid: int, choice: Choice) -> None:
        """Take an event that was composed; onsets never go back."""
        self._newest = onset_grid, choice

    def trust(self) -> None:
        """Let the newest event into the bar: the model has given numbers after it."""
        if self._newest is not None:
            onset, choice = self._newest
            self._bar = [known for known in self._bar if known[0] > onset - BAR_GRID]
            self.repeat(onset, choice)

    def next(self, onset_grid: int, begun: Collection[int], is_full: bool) -> Known:
        """Give how long to wait from ``onset_grid``, and what then begins as it did a bar before.

        The tokens ``begun`` do not begin at ``onset_grid`` again, and nothing does if it is full;
        so the wait is 0 to BAR_GRID. NoNumbers where nothing was ever composed.
        """
        if not self._bar:
            self.trust()  # a doubtful event is better than none
        if not self._bar:
            raise NoNumbers

        def wait(known: Known) -> int:
            gap = (known[0] - onset_grid) % BAR_GRID
            is_barred = gap == 0 and (is_full or known[1].token in begun)
            return BAR_GRID if is_barred else gap

        found = min(self._bar, key=wait)
        return wait(found), found[1]

    def repeat(self, onset_grid: int, choice: Choice) -> None:
        """Take note that this one of the bar begins anew; what is doubtful is forgotten."""

        def is_replaced(known: Known) -> bool:
            is_in_its_place = (known[0] - onset_grid) % BAR_GRID == 0
            return known[1] is choice or (is_in_its_place and known[1].token == choice.token)

        kept = [known for known in self._bar if not is_replaced(known)]
        self._bar = [*kept, (onset_grid, choice)]
        self._newest = None

    def shift(self, by_grid: int) -> None:
        """Move the whole past by so many grid units: whole bars."""
        self._bar = [(onset + by_grid, choice) for onset, choice in self._bar]
        if self._newest is not None:
            self._newest = self._newest[0] + by_grid, self._newest[1]
