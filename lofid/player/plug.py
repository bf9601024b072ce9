"""A plug: one of our JACK ports and the part of a name that it shall be connected to.

What is unplugged comes back by name. What a person disconnects by hand stays so: only a port that
was not there at the last look is connected to.
"""

from typing import Any

from lofid.errors import PortError
from lofid.player.ports import find_port
from lofid.player.systems import foreign


class Plug:
    """To be called from the loop's thread, on an active client; each call asks the JACK server."""

    def __init__(self, client: Any, port: Any, side: str, wanted: str, own_name: str) -> None:
        self.side = side
        self._client = client
        self._port = port
        self._wanted = wanted
        self._own_name = own_name
        self._identity = ""
        """JACK's own name for the port that we are connected to; empty for none."""

    def connect(self) -> str:
        """Connect, and give the other port's name. PortError where there is none such, or many."""
        return self._connect(self._find())

    def _connect(self, other: str) -> str:
        if not self._port.is_connected_to(other):
            pair = (self._port, other) if self.side == "output" else (other, self._port)
            self._client.connect(*pair)
        self._identity = self._client.get_port_by_name(other).uuid
        return other

    def look(self) -> bool | None:
        """Connect to what came back; tell whether it came (True) or went (False) since.

        What went and came back between two looks is another port of the name: it went, and the
        next look says that it came. JackError for one that goes meanwhile.
        """
        try:
            other = self._find()
        except PortError:
            other = ""
        identity = self._client.get_port_by_name(other).uuid if other else ""
        if self._identity not in ("", identity):
            self._identity = ""
            return False
        if not other or self._identity:
            return None
        self._connect(other)
        return True

    def _find(self) -> str:
        is_output = self.side == "output"  # what takes our output is an input to JACK
        there = self._client.get_ports(is_midi=True, is_input=is_output, is_output=not is_output)
        names = foreign([port.name for port in there], self._own_name)
        return find_port(names, self._wanted, "output" if is_output else "input")
