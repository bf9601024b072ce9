"""The marks: how a composer stood before each event that may still be taken back. Plain state."""

from collections import deque
from dataclasses import dataclass
from typing import Any

from lofid.density import Habit
from lofid.guard import LoopGuard
from lofid.refrain import Refrain


@dataclass(frozen=True, slots=True)
class Mark:
    """How it stood before an event was drawn, which then began at ``onset_ticks``."""

    onset_ticks: int
    onset_grid: int
    step_grid: int
    begun_here: list[int]
    rng: Any
    guard: LoopGuard
    refrain: Refrain
    habit: Habit


class Marks:
    """One composer's, in the order of its events. Not thread-safe."""

    def __init__(self) -> None:
        self._marks: deque[Mark] = deque()

    def add(self, mark: Mark) -> None:
        """Take the mark of an event after the others."""
        self._marks.append(mark)

    def settle(self, until_ticks: int) -> None:
        """Forget those of events that began before ``until_ticks``."""
        while self._marks and self._marks[0].onset_ticks < until_ticks:
            self._marks.popleft()

    def take_back(self, from_ticks: int) -> Mark | None:
        """Take out those of events from ``from_ticks`` on; give the first, None without any."""
        mark = None
        while self._marks and self._marks[-1].onset_ticks >= from_ticks:
            mark = self._marks.pop()
        return mark

    def clear(self) -> None:
        """Forget all."""
        self._marks.clear()
