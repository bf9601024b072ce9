"""The machine's MIDI systems: which there are, and what may be connected to. Knows rtmidi."""

import contextlib
import os
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass

import rtmidi

from lofid.errors import NoMidiError

APIS = {
    "alsa": rtmidi.API_LINUX_ALSA,
    "coremidi": rtmidi.API_MACOSX_CORE,
    "windows": rtmidi.API_WINDOWS_MM,
    "jack": rtmidi.API_UNIX_JACK,
}
"""python-rtmidi's backends by name, in the order in which they are tried."""
_SEQUENCER = "/dev/snd/seq"
_WAYS_OUT = {
    "linux": "start one (`jackd -d dummy`, or `modprobe snd-seq` for ALSA)",
    "darwin": "start the MIDI server (open Audio MIDI Setup)",
}


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
        ears, voice = connect(backend, f"{name}-look", f"{name}-look")
    except NoMidiError as error:
        return MidiSystem(backend, str(error))
    outputs, inputs = foreign(voice.get_ports(), name), foreign(ears.get_ports(), name)
    ears.delete()
    voice.delete()
    return MidiSystem(backend, "", outputs, inputs)


def connect(backend: str, ears_name: str, voice_name: str) -> tuple[rtmidi.MidiIn, rtmidi.MidiOut]:
    """Become two clients of a backend, without a port yet. NoMidiError says why it cannot be.

    Blocks while the system answers; never starts a JACK server.
    """
    if why_not := _why_not(backend):
        raise NoMidiError(why_not)
    try:
        ears = rtmidi.MidiIn(APIS[backend], name=ears_name)
        return ears, rtmidi.MidiOut(APIS[backend], name=voice_name)
    except rtmidi.RtMidiError as error:
        raise NoMidiError(_no_answer(backend, error)) from error


def connect_first(backend: str, name: str) -> tuple[str, rtmidi.MidiIn, rtmidi.MidiOut]:
    """Become clients of ``backend``, or with ``auto`` of the first one that answers.

    NoMidiError, with the ways out, when none does.
    """
    reasons = []
    for candidate in APIS if backend == "auto" else [backend]:
        try:
            return candidate, *connect(candidate, f"{name}-in", name)
        except NoMidiError as error:
            reasons.append(str(error))
    raise no_system(reasons)


def no_system(reasons: list[str]) -> NoMidiError:
    """Make the error that gives each backend's reason, and the ways out."""
    way = _WAYS_OUT.get(sys.platform, "install one")
    listing = "; ".join(reason for reason in reasons if _NOT_BUILT not in reason) or reasons[0]
    return NoMidiError(f"no MIDI system: {listing}; {way}, or write a file with `lofid render`")


_NOT_BUILT = "is not part of this python-rtmidi"


def _why_not(backend: str) -> str:
    if APIS.get(backend) not in rtmidi.get_compiled_api():
        return f"{backend} {_NOT_BUILT}"
    if backend == "alsa" and not os.access(_SEQUENCER, os.R_OK | os.W_OK):
        return f"alsa needs {_SEQUENCER}, which is missing or not ours to open"
    return ""


def _no_answer(backend: str, error: Exception) -> str:
    return no_jack_server() if backend == "jack" else f"{backend} does not answer ({error})"


def no_jack_server() -> str:
    """Say that no JACK server runs, and which was looked for."""
    server = os.environ.get("JACK_DEFAULT_SERVER")
    return "jack has no server running" + (f" under the name {server}" if server else "")


def foreign(ports: list[str], name: str) -> tuple[str, ...]:
    """Leave out what lofid never connects to: its own ports and ALSA's MIDI Through.

    JACK calls a second client of a name ``lofid-01``; CoreMIDI knows ports and no clients.
    """
    own = re.compile(rf"{re.escape(name)}(-\d+)?(-(in|look))?(-\d+)?(:.*| in)?", re.IGNORECASE)
    return tuple(
        port for port in ports if not own.fullmatch(port) and "midi through" not in port.lower()
    )


@contextlib.contextmanager
def hushed_libraries() -> Iterator[None]:
    """Keep libjack's and ALSA's remarks on file descriptor 2 from people.

    Python's own ``sys.stderr`` still reaches them, by a copy of the descriptor. For the whole
    process, so only while one thread of it writes to stderr.
    """
    sys.stderr.flush()
    kept = os.dup(2)
    with (
        open(os.devnull, "wb") as nowhere,
        os.fdopen(os.dup(kept), "w", buffering=1) as stderr,
        contextlib.redirect_stderr(stderr),
    ):
        os.dup2(nowhere.fileno(), 2)
        try:
            yield
        finally:
            os.dup2(kept, 2)
            os.close(kept)
