"""The watch: what JACK tells of ports and connections, in the order in which it happened.

Asking what there is would miss what went and came back between two looks: JACK 2 gives the new port
the old one's name and identity.
"""

from collections import deque
from typing import Any

from lofid.player.jackclient import join

CUT, NEW = "cut", "new"
Told = tuple[str, str]
"""``cut`` and the name of a port that lost a connection, or ``new`` and that of one that came."""
_MOST_WAITING = 10_000
"""All that many a large session's ports can do within the seconds between two looks."""


class Watch:
    """Hears by a client that is not active yet. JACK's thread puts in, the loop's takes out."""

    def __init__(self, client: Any) -> None:
        self._told: deque[Told] = deque(maxlen=_MOST_WAITING)
        client.set_port_registration_callback(self._register)
        # The other end may be gone by now, but ours is there.
        client.set_port_connect_callback(self._connect, only_available=False)

    def take(self) -> list[Told]:
        """Take out what was told since the last time, oldest first."""
        return [self._told.popleft() for _ in range(len(self._told))]

    def _register(self, port: Any, is_new: bool) -> None:
        if is_new:
            self._told.append((NEW, port.name))

    def _connect(self, one: Any, other: Any, is_made: bool) -> None:
        if not is_made:
            self._told.extend((CUT, port.name) for port in (one, other) if port is not None)


class Watcher:
    """A JACK client that only watches, for ports that are opened by another library."""

    def __init__(self, name: str) -> None:
        """NoMidiError without JACK-Client or libjack, PortError where it cannot be a client."""
        self._client = join(name)
        self._watch = Watch(self._client)
        self._client.activate()
        self.take = self._watch.take

    def close(self) -> None:
        """Leave the server."""
        self._client.close()
