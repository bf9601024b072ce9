"""The player's MIDI ports: one output, perhaps one input, on whichever system there is."""

import contextlib
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import rtmidi

from lofid.errors import PortError
from lofid.player.systems import connect_first, foreign

VIRTUAL = "virtual"
_NAME_PATIENCE_SECONDS = 1.0
"""How long a JACK server may need to forget a predecessor that was killed."""
_NAME_PAUSE_SECONDS = 0.02
_LAST_WORDS_SECONDS = 0.1
"""How long a JACK port stays after its last message: longer than a period, of 4096 frames even."""
_STUCK_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class PortRequest:
    """Which ports to open. None as ``output`` opens a virtual one; as ``input``, none."""

    backend: str = "auto"
    name: str = "lofid"
    output: str | None = None
    input: str | None = None


class Ports(Protocol):
    """What the loop needs of the outside. To be called from the loop's thread."""

    @property
    def backend(self) -> str:
        """``alsa``, ``jack``, ``coremidi`` or ``windows``."""

    @property
    def output(self) -> str:
        """The output's name as others see it, or the port it is connected to."""

    @property
    def input(self) -> str | None:
        """The same for the input."""

    def send(self, messages: Sequence[bytes]) -> None:
        """Send MIDI messages, in order and at once. PortError when the port is gone."""

    def close(self) -> None:
        """Close once the last message has left."""


class RtMidiPorts:
    """Ports by python-rtmidi; made by :func:`open_ports`. For one thread.

    On JACK a message leaves with the next period; on the other systems, at once.
    """

    def __init__(self, backend: str, ears: rtmidi.MidiIn, voice: rtmidi.MidiOut) -> None:
        self.backend = backend
        self.output = ""
        self.input: str | None = None
        self._ears = ears
        self._voice = voice
        self._may_close_seconds = 0.0

    def speak(self, name: str, wanted: str | None) -> None:
        """Open the output. PortError if the wanted one is not there."""
        if wanted is None:
            seen = set(self._ears.get_ports())
            self._voice.open_virtual_port(_virtual_name(self.backend, name, "out"))
            self.output = _newcomer(self._ears.get_ports(), seen) or name
        else:
            self.output = _open_existing(self._voice, name, wanted, "output")

    def listen(self, name: str, wanted: str, hear: Callable[[bytes], None]) -> None:
        """Open the input. ``hear`` is called from rtmidi's thread. PortError as above."""
        self._ears.set_callback(lambda event, _: hear(bytes(event[0])))
        if wanted == VIRTUAL:
            seen = set(self._voice.get_ports())
            self._ears.open_virtual_port(_virtual_name(self.backend, name, "in"))
            self.input = _newcomer(self._voice.get_ports(), seen) or f"{name} in"
        else:
            self.input = _open_existing(self._ears, name, wanted, "input")

    def deafen(self) -> None:
        """Give the input's client back when nothing is listened to."""
        self._ears.delete()

    def send(self, messages: Sequence[bytes]) -> None:
        """Send all in one go, about a microsecond each."""
        with _kernel_watching():
            try:
                for message in messages:
                    self._voice.send_message(message)
            except rtmidi.RtMidiError as error:
                raise PortError(f"the MIDI output {self.output} is gone: {error}") from error
        self._may_close_seconds = time.monotonic() + _LAST_WORDS_SECONDS

    def close(self) -> None:
        """Close both; blocks for 0.1 s and a JACK period, a second where the server has died.

        Closing the output first: rtmidi waits there until its part of a period has taken all
        messages, and unregisters the port at once. Who listens may come later in that period,
        and would find the port gone and the last note-offs with it. So let a period pass first.
        """
        if self.backend == "jack":
            time.sleep(max(0.0, self._may_close_seconds - time.monotonic()))
        self._voice.close_port()
        self._voice.delete()
        if not self._ears.is_deleted:
            self._ears.close_port()
            self._ears.delete()


def open_ports(request: PortRequest, hear: Callable[[bytes], None]) -> RtMidiPorts:
    """Open what is asked for; ``hear`` is called from rtmidi's thread with each message.

    Blocks for some tens of milliseconds, for up to a second while a dead predecessor still has
    our name. NoMidiError where there is no MIDI system, PortError for a port that is not there
    and for a name that another program keeps.
    """
    until = time.monotonic() + _NAME_PATIENCE_SECONDS
    while True:
        ports = _open_once(request, hear)
        taken = _taken_name(ports, request)
        if taken is None:
            return ports
        ports.close()
        if time.monotonic() >= until:
            break
        time.sleep(_NAME_PAUSE_SECONDS)
    raise PortError(
        f"the name {taken} is taken on {ports.backend} by another program: give another by --name"
    )


def _open_once(request: PortRequest, hear: Callable[[bytes], None]) -> RtMidiPorts:
    ports = RtMidiPorts(*connect_first(request.backend, request.name))
    try:
        ports.speak(request.name, request.output)
        if request.input is None:
            ports.deafen()
        else:
            ports.listen(request.name, request.input, hear)
    except rtmidi.RtMidiError as error:
        ports.close()
        raise PortError(f"{ports.backend} refused to open a MIDI port: {error}") from error
    except PortError:
        ports.close()
        raise
    return ports


def _taken_name(ports: RtMidiPorts, request: PortRequest) -> str | None:
    """JACK renames the second client of a name, which a DAW's connections would not find."""
    if ports.backend != "jack":
        return None
    if request.output is None and ports.output != f"{request.name}:out":
        return request.name
    if request.input == VIRTUAL and ports.input != f"{request.name}-in:in":
        return f"{request.name}-in"
    return None


def _virtual_name(backend: str, name: str, side: str) -> str:
    """JACK shows the client's name before the port's, the others at best beside it."""
    if backend == "windows":
        raise PortError(
            f"Windows has no virtual MIDI ports: give the name of an existing {side}put, "
            "such as one made with loopMIDI"
        )
    if backend == "jack":
        return side
    return name if side == "out" else f"{name} in"


def _newcomer(ports: list[str], seen: set[str]) -> str | None:
    return next((port for port in ports if port not in seen), None)


def _open_existing(
    client: rtmidi.MidiIn | rtmidi.MidiOut, name: str, wanted: str, side: str
) -> str:
    everything = client.get_ports()
    port = find_port(foreign(everything, name), wanted, side)
    client.open_port(everything.index(port), name="out" if side == "output" else "in")
    return port


def find_port(ports: Sequence[str], wanted: str, side: str) -> str:
    """Find the port whose name contains ``wanted``, whatever its case; an exact name wins.

    PortError, naming what is there, when none or several do.
    """
    containing = [port for port in ports if wanted.lower() in port.lower()]
    exact = [port for port in containing if port.lower() == wanted.lower()]
    found = exact or containing
    if len(found) == 1:
        return found[0]
    listing = ", ".join(found or ports) or "none at all"
    if found:
        raise PortError(f"{wanted!r} fits several MIDI {side}s, give more of one name: {listing}")
    raise PortError(f"no MIDI {side} has {wanted!r} in its name; there is: {listing}")


@contextlib.contextmanager
def _kernel_watching() -> Iterator[None]:
    """End this process should sending never return.

    RtMidi waits for ever for room in its buffer after the JACK server died, out of reach of any
    Python. Then SIGALRM's default action ends us, and the engine starts a player anew.
    """
    if not hasattr(signal, "setitimer"):
        yield
        return
    signal.setitimer(signal.ITIMER_REAL, _STUCK_SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
