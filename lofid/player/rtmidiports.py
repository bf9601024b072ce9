"""Ports by python-rtmidi: ALSA, CoreMIDI, Windows, and JACK where JACK-Client is missing."""

import time
from collections.abc import Sequence

import rtmidi

from lofid.errors import PortError
from lofid.player.ports import (
    NAME_PATIENCE_SECONDS,
    NAME_PAUSE_SECONDS,
    VIRTUAL,
    Hear,
    PortRequest,
    Timed,
    find_port,
    kernel_watching,
)
from lofid.player.systems import connect_first, foreign

_API = {"jack-rtmidi": "jack"}
_LAST_WORDS_SECONDS = 0.1
"""How long a JACK port stays after its last message: longer than a period, of 4096 frames even."""


class RtMidiPorts:
    """Ports by python-rtmidi; made by :func:`open_rtmidi`. For one thread.

    On JACK a message leaves with the next period; on the other systems, at once.
    """

    def __init__(self, backend: str, ears: rtmidi.MidiIn, voice: rtmidi.MidiOut) -> None:
        self._system = backend
        self.output = ""
        self.input: str | None = None
        self.latency_seconds = 0.0
        self._ears = ears
        self._voice = voice
        self._may_close_seconds = 0.0

    @property
    def backend(self) -> str:
        """The system's name; ``jack-rtmidi`` tells it from the ports that are on time there."""
        return "jack-rtmidi" if self._system == "jack" else self._system

    def now(self) -> float:
        """Seconds of the monotonic clock."""
        return time.monotonic()

    def speak(self, name: str, wanted: str | None) -> None:
        """Open the output. PortError if the wanted one is not there."""
        if wanted is None:
            seen = set(self._ears.get_ports())
            self._voice.open_virtual_port(_virtual_name(self._system, name, "out"))
            self.output = _newcomer(self._ears.get_ports(), seen) or name
        else:
            self.output = _open_existing(self._voice, name, wanted, "output")

    def listen(self, name: str, wanted: str, hear: Hear) -> None:
        """Open the input. ``hear`` is called from rtmidi's thread. PortError as above."""
        self._ears.set_callback(lambda event, _: hear(bytes(event[0]), time.monotonic()))
        if wanted == VIRTUAL:
            seen = set(self._voice.get_ports())
            self._ears.open_virtual_port(_virtual_name(self._system, name, "in"))
            self.input = _newcomer(self._voice.get_ports(), seen) or f"{name} in"
        else:
            self.input = _open_existing(self._ears, name, wanted, "input")

    def deafen(self) -> None:
        """Give the input's client back when nothing is listened to."""
        self._ears.delete()

    def send(self, messages: Sequence[Timed]) -> None:
        """Send all in one go and at once, about a microsecond each."""
        with kernel_watching():
            try:
                for _, message in messages:
                    self._voice.send_message(message)
            except rtmidi.RtMidiError as error:
                raise PortError(f"the MIDI output {self.output} is gone: {error}") from error
        self._may_close_seconds = time.monotonic() + _LAST_WORDS_SECONDS

    def late_seconds(self, due_seconds: float) -> float:
        """How long ago it was due: it includes the sending."""
        return max(0.0, time.monotonic() - due_seconds)

    def close(self) -> None:
        """Close both; blocks for 0.1 s and a JACK period, a second where the server has died.

        Closing the output first: rtmidi waits there until its part of a period has taken all
        messages, and unregisters the port at once. Who listens may come later in that period,
        and would find the port gone and the last note-offs with it. So let a period pass first.
        """
        if self._system == "jack":
            time.sleep(max(0.0, self._may_close_seconds - time.monotonic()))
        self._voice.close_port()
        self._voice.delete()
        if not self._ears.is_deleted:
            self._ears.close_port()
            self._ears.delete()


def open_rtmidi(request: PortRequest, hear: Hear) -> RtMidiPorts:
    """Open what is asked for; ``hear`` is called from rtmidi's thread with each message.

    Blocks for some tens of milliseconds, for up to a second while a dead predecessor still has
    our name. NoMidiError where there is no MIDI system, PortError for a port that is not there
    and for a name that another program keeps.
    """
    until = time.monotonic() + NAME_PATIENCE_SECONDS
    while True:
        ports = _open_once(request, hear)
        taken = _taken_name(ports, request)
        if taken is None:
            return ports
        ports.close()
        if time.monotonic() >= until:
            break
        time.sleep(NAME_PAUSE_SECONDS)
    raise PortError(f"the name {taken} is taken on jack by another program: give another by --name")


def _open_once(request: PortRequest, hear: Hear) -> RtMidiPorts:
    ports = RtMidiPorts(*connect_first(_API.get(request.backend, request.backend), request.name))
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
    if ports.backend != "jack-rtmidi":
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
