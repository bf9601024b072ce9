"""The ledger: which note-ons are owed a note-off. Pure; no clock, no I/O."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Debt:
    """A note that sounds. ``order`` names the one pending note-off that may end it."""

    on_tick: int
    off_tick: int
    order: int


class Ledger:
    """What sounds, by (channel, pitch), in the order in which it began.

    Plain state without locks: to be called from one thread.
    """

    def __init__(self) -> None:
        self._debts: dict[tuple[int, int], Debt] = {}

    def __getitem__(self, key: tuple[int, int]) -> Debt | None:
        return self._debts.get(key)

    @property
    def held(self) -> list[tuple[int, int]]:
        """The (channel, pitch) pairs that sound, the longest-sounding first."""
        return list(self._debts)

    def owe(self, key: tuple[int, int], debt: Debt) -> None:
        """Enter a note that begins, or the new end of one that sounds."""
        self._debts[key] = debt

    def settle(self, key: tuple[int, int]) -> Debt:
        """Strike out a note whose note-off leaves now. KeyError if it does not sound."""
        return self._debts.pop(key)

    def is_owed(self, key: tuple[int, int], order: int) -> bool:
        """Whether this pending note-off is still the one that ends the note."""
        debt = self._debts.get(key)
        return debt is not None and debt.order == order
