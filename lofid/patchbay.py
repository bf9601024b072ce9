"""The patchbay: remembers what our JACK ports are connected to.

When a player dies, its ports and their connections go with it, and whoever listened holds the last
notes for ever. So a thread looks once a second what the ports are connected to, and connects the
next player's ports to the same before that one silences what its predecessor held.

A JACK server that hangs hangs whoever asks it. So only the thread asks, and nobody waits for the
thread longer than he says.
"""

import contextlib
import queue
import threading
from collections.abc import Callable
from typing import Any

LOOK_SECONDS = 1.0


class Patchbay:
    """The connections of some JACK ports, by name. All methods may be called from any thread.

    ``gone`` is called, from a thread of JACK's, when the server shuts down.
    """

    def __init__(self, ports: list[str], gone: Callable[[], None]) -> None:
        self._ports = ports
        self._gone = gone
        self._peers: dict[str, list[str]] = {}
        self._was_empty: set[str] = set()
        self._is_paused = False
        self._requests: queue.Queue[threading.Event | None] = queue.Queue()
        self._thread = threading.Thread(target=self._work, name="patchbay", daemon=True)

    def start(self) -> None:
        """Begin to look."""
        self._thread.start()

    def pause(self) -> None:
        """Stop looking: the ports are about to be replaced, and new ones have no connections."""
        self._is_paused = True

    def restore(self, patience_seconds: float) -> None:
        """Connect the ports to what they were connected to, and go on looking."""
        done = threading.Event()
        self._requests.put(done)
        done.wait(patience_seconds)

    def close(self) -> None:
        """Have the thread leave the JACK server; does not wait for it."""
        self._requests.put(None)

    def _work(self) -> None:
        jack, client = _client()
        if client is None:
            return
        client.set_shutdown_callback(lambda _status, _reason: self._gone())
        client.activate()
        while True:
            try:
                request = self._requests.get(timeout=LOOK_SECONDS)
            except queue.Empty:
                self._look(jack, client)
                continue
            if request is None:
                break
            self._connect(jack, client)
            self._is_paused = False
            request.set()
        client.close()

    def _look(self, jack: Any, client: Any) -> None:
        """Remember the connections; none at all only when it is so at two looks in a row.

        A port that is just going loses its connections before its name.
        """
        for name in self._ports:
            with contextlib.suppress(jack.JackError):
                port = client.get_port_by_name(name)
                peers = [peer.name for peer in client.get_all_connections(port)]
                if self._is_paused:
                    return
                if peers or name in self._was_empty:
                    self._peers[name] = peers
                (self._was_empty.discard if peers else self._was_empty.add)(name)

    def _connect(self, jack: Any, client: Any) -> None:
        for name, peers in self._peers.items():
            for peer in peers:
                # Either port may be gone by now: then there is nothing to connect.
                with contextlib.suppress(jack.JackError):
                    port = client.get_port_by_name(name)
                    client.connect(*((peer, port) if port.is_input else (port, peer)))


def why_no_patchbay() -> str:
    """Why connections cannot be remembered here; empty where they can."""
    try:
        import jack  # noqa: F401, PLC0415  # raises OSError where libjack is missing
    except (ImportError, OSError) as error:
        return f"JACK-Client cannot be loaded ({error})"
    return ""


def _client() -> tuple[Any, Any]:
    if why_no_patchbay():
        return None, None
    import jack  # noqa: PLC0415

    jack.set_error_function(lambda _: None)
    jack.set_info_function(lambda _: None)
    try:
        return jack, jack.Client("lofid-patchbay", no_start_server=True)
    except jack.JackOpenError:
        return jack, None
