"""Looking: which MIDI systems the machine has, and the ports that lofid could connect to."""

from dataclasses import dataclass

from lofid.errors import NoMidiError, PortError
from lofid.player.jackclient import become_client
from lofid.player.systems import APIS, connect, foreign, hushed_libraries


@dataclass(frozen=True, slots=True)
class MidiSystem:
    """One backend as it is now: ``why_not`` is empty where it is available."""

    backend: str
    why_not: str
    outputs: tuple[str, ...] = ()
    inputs: tuple[str, ...] = ()

    @property
    def is_available(self) -> bool:
        """Whether lofid can play there."""
        return not self.why_not


def describe_systems(name: str = "lofid") -> list[MidiSystem]:
    """Look at each MIDI system; ``outputs`` and ``inputs`` are what lofid could connect to.

    Leaves no client behind. May be called from any process; it blocks for some tens of
    milliseconds, and nothing else may write to stderr meanwhile.
    """
    with hushed_libraries():
        return [_describe(backend, name) for backend in APIS]


def _describe(backend: str, name: str) -> MidiSystem:
    try:
        outputs, inputs = (_jack_ports if backend == "jack" else _rtmidi_ports)(backend, name)
    except NoMidiError as error:
        return MidiSystem(backend, str(error))
    return MidiSystem(backend, "", foreign(outputs, name), foreign(inputs, name))


def _jack_ports(backend: str, name: str) -> tuple[list[str], list[str]]:
    """Look as lofid plays: by JACK-Client, or where that is missing by python-rtmidi."""
    try:
        client = become_client(f"{name}-look")
    except PortError:  # NoMidiError too
        return _rtmidi_ports(backend, name)
    takers = client.get_ports(is_midi=True, is_input=True)
    givers = client.get_ports(is_midi=True, is_output=True)
    client.close()
    return [port.name for port in takers], [port.name for port in givers]


def _rtmidi_ports(backend: str, name: str) -> tuple[list[str], list[str]]:
    ears, voice = connect(backend, f"{name}-look", f"{name}-look")
    found = voice.get_ports(), ears.get_ports()
    ears.delete()
    voice.delete()
    return found
