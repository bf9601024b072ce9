"""Becoming a client of a JACK server, by JACK-Client."""

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
