"""A plug: one of our JACK ports and the part of a name that it shall be connected to.

What is unplugged comes back by name. What a person disconnects by hand stays so: only a port that
was not there at the last look is connected to.
"""

from collections.abc import Sequence
from typing import Any

from lofid.errors import PortError
from lofid.player.ports import find_port
from lofid.player.systems import foreign


class Plug:
    """To be called from the loop's thread, on an active client; each call asks the JACK server."""

    def __init__(self, client: Any, port: Any, side: str, wanted: str, own_name: str) -> None:
        self.side = side
        self.port = port
        self.other = ""
        """The name of the port that we are connected to; empty for none."""
        self._client = client
        self._wanted = wanted
        self._own_name = own_name
        self._identity = ""
        """JACK's own name for it."""

    def connect(self) -> str:
        """Connect, and give the other port's name. PortError where there is none such, or many."""
        return self._connect(self._find(self._there()))

    def _connect(self, other: str) -> str:
        if not self.port.is_connected_to(other):
            pair = (self.port, other) if self.side == "output" else (other, self.port)
            self._client.connect(*pair)
        self.other, self._identity = other, self._uuid(other)
        return other

    def look(self) -> bool | None:
        """Connect to what came back; tell whether it came (True) or went (False) since.

        What went and came back between two looks is another port of the name: it went, and the
        next look says that it came. JackError for one that goes meanwhile.
        """
        there = self._there()
        if self.other:
            is_same = self.other in there and self._identity == self._uuid(self.other)
            self.other = self.other if is_same else ""
            return None if is_same else False
        try:
            self._connect(self._find(there))
        except PortError:
            return None
        return True

    def _uuid(self, name: str) -> str:
        return str(self._client.get_port_by_name(name).uuid)

    def _there(self) -> Sequence[str]:
        is_output = self.side == "output"  # what takes our output is an input to JACK
        there = self._client.get_ports(is_midi=True, is_input=is_output, is_output=not is_output)
        return foreign([port.name for port in there], self._own_name)

    def _find(self, there: Sequence[str]) -> str:
        return find_port(there, self._wanted, "output" if self.side == "output" else "input")
