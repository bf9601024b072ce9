"""The patchbay: remembers what our JACK ports are connected to.

When a player dies, its ports and their connections go with it, and whoever listened holds the last
notes for ever. So the engine looks once a second what the ports are connected to, and connects the
next player's ports to the same before that one silences what its predecessor held.

Used from the engine's thread; each call asks the JACK server, which takes well under a millisecond.
"""

import contextlib
from typing import Any


class Patchbay:
    """The connections of some JACK ports by name. Does nothing on any other MIDI system."""

    def __init__(self, backend: str, ports: list[str]) -> None:
        self._ports = ports
        self._peers: dict[str, list[str]] = {}
        self._jack: Any = None
        self._client: Any = None
        if backend == "jack":
            self._jack, self._client = _client()

    def look(self) -> None:
        """Remember what the ports are connected to now. A port that is gone keeps its peers."""
        for name in self._ports if self._client else []:
            with contextlib.suppress(self._jack.JackError):
                port = self._client.get_port_by_name(name)
                self._peers[name] = [p.name for p in self._client.get_all_connections(port)]

    def restore(self) -> None:
        """Connect the ports to what they were last seen connected to, where it is still there."""
        for name, peers in self._peers.items():
            for peer in peers:
                # A port, or the whole server, may go at any moment: then there is nothing to do.
                with contextlib.suppress(self._jack.JackError):
                    port = self._client.get_port_by_name(name)
                    self._client.connect(*((peer, port) if port.is_input else (port, peer)))

    def close(self) -> None:
        """Leave the JACK server."""
        if self._client is not None:
            self._client.close()
            self._client = None


def _client() -> tuple[Any, Any]:
    try:
        import jack  # noqa: PLC0415  # raises OSError where libjack is missing
    except OSError:
        return None, None
    jack.set_error_function(lambda _: None)
    jack.set_info_function(lambda _: None)
    try:
        return jack, jack.Client("lofid-patchbay", no_start_server=True)
    except jack.JackOpenError:
        return jack, None
