"""The machine's MIDI systems: becoming their client, and what may be connected to. Knows rtmidi."""

import contextlib
import os
import re
import sys
from collections.abc import Iterator

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


def more_ears(backend: str, name: str) -> rtmidi.MidiIn:
    """Become one more client of a backend that answered before. NoMidiError as by connect."""
    try:
        return rtmidi.MidiIn(APIS[backend], name=name)
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
    own = re.compile(
        rf"{re.escape(name)}(-\d+)?(-(in|clock|look))?(-\d+)?(:.*| in| clock)?", re.IGNORECASE
    )
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
