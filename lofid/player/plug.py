"""A plug: one of our ports and the part of a name that it shall be connected to.

What is unplugged comes back by name, however soon. What a person disconnects by hand stays so: only
a port that is new, or was not there at the last look, is connected to.
"""

import contextlib
from collections.abc import Iterable, Sequence
from typing import Protocol

from lofid.errors import PortError, SeveralPortsError
from lofid.player.ports import Change, find_port
from lofid.player.systems import foreign
from lofid.player.watch import CUT, NEW, Told


class Line(Protocol):
    """Our port, as one MIDI system has it. PortError by all that asks the system."""

    @property
    def name(self) -> str:
        """The name that JACK has for it; what the other systems have does not matter."""

    def there(self) -> list[str]:
        """List the ports that it could be connected to, and perhaps our own."""

    def join(self, other: str) -> None:
        """Connect."""

    def part(self) -> None:
        """Be connected no longer: the other port has gone."""


class Plug:
    """To be called from the loop's thread; each call asks the MIDI system."""

    def __init__(self, line: Line, side: str, wanted: str, client_name: str) -> None:
        self.side = side
        self.other = ""
        """The name of the port that we are connected to; empty for none."""
        self._line = line
        self._wanted = wanted
        self._client_name = client_name
        self._why = ""
        """Why several ports could be it, as it was told last; empty where none or one can."""
        self._is_cut = False
        """Whether a connection has ended since we made ours."""
        self._is_replaced = False
        """Whether it was ours, and the port that is there now is another one of its name."""

    def connect(self) -> str:
        """Connect, and give the other port's name. PortError where there is none such, or many."""
        try:
            return self._connect(self._there())
        except SeveralPortsError as error:
            self._why = str(error)  # who is patient is told so
            raise

    def _connect(self, there: Sequence[str]) -> str:
        other = find_port(there, self._wanted, "output" if self.side == "output" else "input")
        self._line.join(other)
        self._is_cut = self._is_replaced = False
        self.other = other
        return other

    def look(self, told: Iterable[Told]) -> list[Change]:
        """Connect to what came back; give what went and came, by what was told and what is there.

        What cannot be asked since a port goes meanwhile is left to the next look.
        """
        self._heed(told)
        with contextlib.suppress(PortError):
            return self._seen(self._there())
        return []

    def _heed(self, told: Iterable[Told]) -> None:
        for what, name in told:
            if (what, name) == (CUT, self._line.name):
                self._is_cut = True
            elif (what, name) == (NEW, self.other):
                self._is_replaced |= self._is_cut

    def _seen(self, there: Sequence[str]) -> list[Change]:
        changes = []
        if self.other and (self._is_replaced or self.other not in there):
            self.other = ""
            self._line.part()
            changes.append(Change(self.side, "went"))
        return changes if self.other else [*changes, *self._tried(there)]

    def _tried(self, there: Sequence[str]) -> list[Change]:
        """Connect if there is one to connect to; tell of several once."""
        before, self._why = self._why, ""
        try:
            return [Change(self.side, "came", self._connect(there))]
        except SeveralPortsError as error:
            self._why = str(error)
            is_news = self._why != before
            return [Change(self.side, "several", why=self._why)] if is_news else []
        except PortError:
            return []

    def _there(self) -> Sequence[str]:
        return foreign(self._line.there(), self._client_name)
