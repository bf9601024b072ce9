"""The patchbay: remembers what our JACK ports are connected to, and knows whether JACK is there.

When a player dies, its ports and their connections go with it, and whoever listened holds the last
notes for ever. So a thread looks once a second what the ports are connected to, and connects the
next player's ports to the same before that one silences what its predecessor held. Whoever is not
there then (a DAW starts more slowly than the server) is connected when he is.

When the server goes, the thread knocks twice a second, a millisecond's work, until there is one.
A JACK server that hangs hangs whoever asks it. So only the thread asks, and nobody waits for the
thread longer than he says.

None of JACK's own threads gets into Python here, not even to tell of the server's end. Closing a
client cancels its threads, and one that is waiting for the interpreter takes it along for ever.
"""

import contextlib
import ctypes
import ctypes.util
import queue
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from lofid.player.wire import Message

LOOK_SECONDS = 1.0
KNOCK_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class News:
    """Whom to tell what. Called from the patchbay's thread."""

    gone: Callable[[], None]
    """The server has ended."""
    there: Callable[[], None]
    """There is a server: told at each look."""
    rejoined: Callable[[], None]
    """A lost listener is connected again."""


class Patchbay:
    """The connections of some JACK ports, by name. All methods may be called from any thread.

    ``peers`` gives for each of the ports what it is known to be connected to at the start.
    """

    def __init__(self, peers: Mapping[str, set[str]], news: News) -> None:
        self._news = news
        self._peers = {name: set(known) for name, known in peers.items()}
        self._seen = {name: set(known) for name, known in peers.items()}
        self._missing: set[tuple[str, str]] = set()
        self._is_paused = self._is_closed = self._is_doubted = False
        self._requests: queue.Queue[threading.Event] = queue.Queue()
        self._thread = threading.Thread(target=self._work, name="patchbay", daemon=True)

    def start(self) -> None:
        """Begin to look."""
        self._thread.start()

    def pause(self) -> None:
        """Stop looking: the ports are about to be replaced, and new ones have no connections."""
        self._is_paused = True

    def restore(self, patience_seconds: float) -> None:
        """Connect the ports to what they were connected to, and go on looking.

        Blocks until that is done as far as it can be, or patience ends.
        """
        self._missing = {(name, peer) for name, peers in self._peers.items() for peer in peers}
        self._is_paused = False
        self._wake().wait(patience_seconds)

    def check(self, patience_seconds: float) -> bool:
        """Have the news told now; blocks until that is done. False when patience ends first."""
        return self._wake().wait(patience_seconds)

    def doubt(self) -> None:
        """Take the server for gone, whatever it says, and become the client of the next."""
        self._is_doubted = True
        self._wake()

    def close(self) -> None:
        """Have the thread leave the JACK server; does not wait for it."""
        self._is_closed = True
        self._wake()

    def _wake(self) -> threading.Event:
        done = threading.Event()
        self._requests.put(done)
        return done

    def _work(self) -> None:
        import jack  # noqa: PLC0415

        _hush()
        while not self._is_closed:
            self._visit(jack)
            # A server that is just ending should not be knocked at: first a pause.
            self._rest(KNOCK_SECONDS).set()

    def _rest(self, seconds: float) -> threading.Event:
        """Wait for a request; give what is to be set when it has been seen to."""
        try:
            return self._requests.get(timeout=seconds)
        except queue.Empty:
            return threading.Event()

    def _visit(self, jack: Any) -> None:
        """Be the server's client as long as there is one."""
        self._is_doubted = False
        try:
            client = jack.Client("lofid-patchbay", no_start_server=True)
        except jack.JackOpenError:
            return
        with contextlib.suppress(jack.JackError):  # it may go at any moment
            client.activate()
            self._attend(jack, client)
        client.close()

    def _attend(self, jack: Any, client: Any) -> None:
        done = threading.Event()
        while not self._is_closed:
            if self._is_doubted or not _answers(jack, client):
                self._news.gone()
                break
            self._news.there()
            for name in self._peers:
                # The port, or whom it was connected to, may be gone by now.
                with contextlib.suppress(jack.JackError):
                    self._look(jack, client, name)
            done.set()
            done = self._rest(LOOK_SECONDS)
        done.set()

    def _look(self, jack: Any, client: Any, name: str) -> None:
        """Connect what is missing, and remember the connections that this look or the last saw.

        Two looks, since a port that is just going loses its connections before its name.
        """
        if self._is_paused:
            return
        port, missing = client.get_port_by_name(name), self._missing
        wanted = {peer for own, peer in missing if own == name}
        for peer in wanted:
            with contextlib.suppress(jack.JackError):
                client.connect(*((peer, port) if port.is_input else (port, peer)))
        found = {peer.name for peer in client.get_all_connections(port)}
        if self._is_paused:
            return
        missing -= {(name, peer) for peer in found}
        self._peers[name], self._seen[name] = found | self._seen[name] | (wanted - found), found
        if wanted & found and not port.is_input:
            self._news.rejoined()


def why_no_patchbay() -> str:
    """Why connections cannot be remembered here; empty where they can."""
    try:
        import jack  # noqa: F401, PLC0415  # raises OSError where libjack is missing
    except (ImportError, OSError) as error:
        return f"JACK-Client cannot be loaded ({error})"
    return ""


def _hush() -> None:
    """Have JACK's remarks read by nobody: by C's ``strlen``, which does nothing with them."""
    reader = ctypes.cast(ctypes.CDLL(None).strlen, ctypes.c_void_p)
    library = ctypes.CDLL(ctypes.util.find_library("jack"))
    library.jack_set_error_function(reader)
    library.jack_set_info_function(reader)


def _answers(jack: Any, client: Any) -> bool:
    """Ask the server who we are, as good a question as any."""
    try:
        client.get_uuid_for_client_name(client.name)
    except jack.JackError:
        return False
    return True


def own_ports(name: str, opened: Message) -> dict[str, set[str]]:
    """Our JACK ports by name, each with what it was connected to when it opened."""
    ears = f"{name}-in:in" if opened["backend"] == "jack-rtmidi" else f"{name}:in"
    clock = f"{name}-clock:clock" if opened["backend"] == "jack-rtmidi" else f"{name}:clock"
    own = {"output": f"{name}:out", "input": ears, "clock": clock}
    return {port: {opened[side]} - {port} for side, port in own.items() if opened[side]}
