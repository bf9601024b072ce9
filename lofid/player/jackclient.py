"""Becoming a client of a JACK server, and what its ports can do, by JACK-Client."""

import time
from typing import Any

from lofid.errors import NoMidiError, PortError
from lofid.player.ports import NAME_PATIENCE_SECONDS, NAME_PAUSE_SECONDS
from lofid.player.systems import no_jack_server


def become_client(name: str) -> Any:
    """Become a client of this very name; NoMidiError without a server, PortError if it is taken.

    JACK renames the second of a name, which saved connections cannot find. (Asked for an exact
    name, JACK 2 refuses it as it refuses anything else: by 'server error'.)
    """
    until = time.monotonic() + NAME_PATIENCE_SECONDS
    while True:
        client = join(name)
        if client.name == name:
            return client
        client.close()
        if time.monotonic() >= until:
            break
        time.sleep(NAME_PAUSE_SECONDS)
    raise PortError(f"the name {name} is taken on jack by another program: give another by --name")


def join(name: str) -> Any:
    """Become a client of this name or one like it. Never starts a server; NoMidiError without."""
    jack = load_jack()
    try:
        return jack.Client(name, no_start_server=True)
    except jack.JackOpenError:
        raise NoMidiError(no_jack_server()) from None


def load_jack() -> Any:
    """Import JACK-Client, which looks for libjack, where it is used. NoMidiError without either."""
    try:
        import jack  # noqa: PLC0415
    except (ImportError, OSError) as error:
        raise NoMidiError(f"jack needs JACK-Client and libjack ({error})") from None
    jack.set_error_function(lambda _: None)
    jack.set_info_function(lambda _: None)
    return jack


class Line:
    """One of our ports, on an active client."""

    def __init__(self, client: Any, port: Any) -> None:
        self.name = str(port.name)
        self._client = client
        self._port = port

    def there(self) -> list[str]:
        """List what takes our output, or gives to our input. PortError if one goes meanwhile."""
        ours = self._port.is_input
        try:
            there = self._client.get_ports(is_midi=True, is_input=not ours, is_output=ours)
            return [port.name for port in there]
        except load_jack().JackError as error:
            raise PortError(f"jack gives no list of ports: {error}") from error

    def join(self, other: str) -> None:
        """Connect, where somebody has not done so yet. PortError where JACK refuses."""
        if self._port.is_connected_to(other):
            return
        pair = (other, self._port) if self._port.is_input else (self._port, other)
        try:
            self._client.connect(*pair)
        except load_jack().JackError as error:
            raise PortError(f"jack refused to connect {self.name} and {other}: {error}") from error

    def part(self) -> None:
        """JACK has seen to it."""
