"""Ports by python-rtmidi: ALSA, CoreMIDI, Windows, and JACK where JACK-Client is missing."""

import contextlib
import time
from collections.abc import Callable, Sequence
from typing import Any

import rtmidi

from lofid.errors import NoSuchPortError, PortError
from lofid.player.plug import Plug
from lofid.player.ports import (
    NAME_PATIENCE_SECONDS,
    NAME_PAUSE_SECONDS,
    VIRTUAL,
    Change,
    Hear,
    PortRequest,
    Timed,
    all_is_well,
    watch_out,
)
from lofid.player.systems import connect_first, more_ears
from lofid.player.watch import CUT, Watcher

Callback = Callable[[tuple[list[int], float], Any], None]
"""What python-rtmidi calls with a message and the seconds since the last one."""
_API = {"jack-rtmidi": "jack"}
_LAST_WORDS_SECONDS = 0.1
"""How long a JACK port stays after its last message: longer than a period, of 4096 frames even."""


class RtMidiPorts:
    """Ports by python-rtmidi; made by :func:`open_rtmidi`. For one thread.

    On JACK a message leaves with the next period; on the other systems, at once.
    """

    def __init__(self, name: str, backend: str, ears: rtmidi.MidiIn, voice: rtmidi.MidiOut) -> None:
        self._name = name
        self._system = backend
        self.output = ""
        self.input: str | None = None
        self.clock: str | None = None
        self.awaits = ""
        self.latency_seconds = 0.0
        self._ears = ears
        self._clock_ears: rtmidi.MidiIn | None = None
        self._voice = voice
        self._plugs: list[Plug] = []
        self._watcher: Watcher | None = None
        self._output_plug: Plug | None = None
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
            self.output = self._plug(self._voice, "output", name, wanted)

    def listen(self, name: str, wanted: str, hear: Hear, is_patient: bool) -> None:
        """Open the input, or wait for it. ``hear`` is called from rtmidi's thread.

        PortError where several ports have the wanted name, unless that may change.
        """
        try:
            self.input = self._hear(self._ears, "input", name, wanted, hear)
        except PortError as error:
            if not (is_patient or isinstance(error, NoSuchPortError)):
                raise
            self.awaits = str(error)

    def listen_to_clock(self, name: str, wanted: str, hear: Hear) -> None:
        """Open another input for MIDI clock. PortError as above."""
        self._clock_ears = more_ears(self._system, f"{name}-clock")
        self._clock_ears.ignore_types(sysex=True, timing=False, active_sense=True)
        self.clock = self._hear(self._clock_ears, "clock", name, wanted, hear)

    def _hear(self, ears: rtmidi.MidiIn, side: str, name: str, wanted: str, hear: Hear) -> str:
        callback: Callback = lambda event, _: hear(bytes(event[0]), time.monotonic())  # noqa: E731
        if wanted != VIRTUAL:
            return self._plug(ears, side, name, wanted, callback)
        ears.set_callback(callback)
        seen = set(self._voice.get_ports())
        label = _virtual_name(self._system, name, "in" if side == "input" else side)
        ears.open_virtual_port(label)
        return _newcomer(self._voice.get_ports(), seen) or label

    def _plug(
        self,
        client: rtmidi.MidiIn | rtmidi.MidiOut,
        side: str,
        name: str,
        wanted: str,
        callback: Callback | None = None,
    ) -> str:
        plug = Plug(_Line(client, _jack_name(name, side), callback), side, wanted, name)
        self._plugs.append(plug)
        if side == "output":
            self._output_plug = plug
        return plug.connect()

    def look(self) -> list[Change]:
        """Connect again what came back by name; give what came or went.

        On JACK also what went and came back since the last look, and what was cut.
        """
        told = [] if self._watcher is None else self._watcher.take()
        is_cut = (CUT, _jack_name(self._name, "input")) in told
        changes = [Change("input", "cut")] if is_cut else []
        return changes + [change for plug in self._plugs for change in plug.look(told)]

    def watch(self) -> None:
        """Watch JACK, where JACK-Client can be loaded: rtmidi tells nothing of connections."""
        if self._system == "jack":
            with contextlib.suppress(PortError):
                self._watcher = Watcher(f"{self._name}-watch")

    def deafen(self) -> None:
        """Give the input's client back when nothing is listened to."""
        self._ears.delete()

    def send(self, messages: Sequence[Timed]) -> None:
        """Send all in one go and at once, some microseconds each; nothing to what is not there."""
        if self._output_plug is not None and not self._output_plug.other:
            return  # RtMidi would keep it, and burst when the port is back
        watch_out()
        try:
            for _, message in messages:
                self._voice.send_message(message)
        except rtmidi.RtMidiError as error:
            raise PortError(f"the MIDI output {self.output} is gone: {error}") from error
        finally:
            all_is_well()
        self._may_close_seconds = time.monotonic() + _LAST_WORDS_SECONDS

    def pass_on(self, messages: Sequence[Timed]) -> None:
        """As :meth:`send`, which sends at once."""
        self.send(messages)

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
        for ears in (self._ears, self._clock_ears):
            if ears is not None and not ears.is_deleted:
                ears.close_port()
                ears.delete()
        if self._watcher is not None:
            watch_out()
            self._watcher.close()
            all_is_well()


def open_rtmidi(request: PortRequest, hear: Hear, hear_clock: Hear) -> RtMidiPorts:
    """Open what is asked for; the others are called from rtmidi's threads with each message.

    Blocks for some tens of milliseconds, for up to a second while a dead predecessor still has
    our name. NoMidiError where there is no MIDI system, PortError for a port that is not there
    and for a name that another program keeps.
    """
    until = time.monotonic() + NAME_PATIENCE_SECONDS
    while True:
        ports = _open_once(request, hear, hear_clock)
        taken = _taken_name(ports, request)
        if taken is None:
            ports.watch()
            return ports
        ports.close()
        if time.monotonic() >= until:
            break
        time.sleep(NAME_PAUSE_SECONDS)
    raise PortError(f"the name {taken} is taken on jack by another program: give another by --name")


def _open_once(request: PortRequest, hear: Hear, hear_clock: Hear) -> RtMidiPorts:
    name, backend = request.name, _API.get(request.backend, request.backend)
    ports = RtMidiPorts(name, *connect_first(backend, name))
    try:
        ports.speak(request.name, request.output)
        if request.input is None:
            ports.deafen()
        else:
            ports.listen(request.name, request.input, hear, request.is_patient)
        if request.clock is not None:
            ports.listen_to_clock(request.name, request.clock, hear_clock)
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


def _jack_name(name: str, side: str) -> str:
    """What JACK calls our port of a side, as rtmidi's clients open it."""
    names = {"output": f"{name}:out", "input": f"{name}-in:in", "clock": f"{name}-clock:clock"}
    return names[side]


def _virtual_name(backend: str, name: str, side: str) -> str:
    """JACK shows the client's name before the port's, the others at best beside it."""
    if backend == "windows":
        raise PortError(
            f"Windows has no virtual MIDI ports: give the name of an existing {side}put, "
            "such as one made with loopMIDI"
        )
    if backend == "jack":
        return side
    return name if side == "out" else f"{name} {side}"


def _newcomer(ports: list[str], seen: set[str]) -> str | None:
    return next((port for port in ports if port not in seen), None)


class _Line:
    """A client of rtmidi's, which has a port of ours only while that is connected."""

    def __init__(
        self, client: rtmidi.MidiIn | rtmidi.MidiOut, name: str, callback: Callback | None
    ) -> None:
        self.name = name
        self._client = client
        self._callback = callback

    def there(self) -> list[str]:
        """Ask the client that there is: making one for each look would use them up."""
        try:
            return list(self._client.get_ports())
        except rtmidi.RtMidiError as error:
            raise PortError(f"rtmidi gives no list of ports: {error}") from error

    def join(self, other: str) -> None:
        """Connect. PortError for what went meanwhile, and where the system refuses."""
        if self._callback is not None:  # python-rtmidi forgets it when a port is closed
            self._client.set_callback(self._callback)
        try:
            at = self._client.get_ports().index(other)
            self._client.open_port(at, name=self.name.rpartition(":")[2])
        except (ValueError, rtmidi.RtMidiError) as error:
            raise PortError(f"rtmidi could not connect {self.name} and {other}: {error}") from error

    def part(self) -> None:
        """Close our port."""
        self._client.close_port()
