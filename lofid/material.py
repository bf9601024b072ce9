"""Starting material: the end of a MIDI file as events, for the context to begin with.

Rules:

* The file may be anything, and a small one can keep a reader busy for minutes. So it is read by a
  process of its own (``python -m lofid.material FILE``), at the lowest priority, which has a limit
  of time and of memory, and ends with who started it: the engine's interpreter is never held.
* Only the last events count, which are all that a context holds.
"""

import asyncio
import ctypes
import heapq
import io
import json
import math
import os
import signal
import stat
import struct
import subprocess
import sys
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import mido
from mido.midifiles.meta import KeySignatureError

from lofid.errors import MaterialError, told
from lofid.hands import Hands, events_of
from lofid.music import Event, Key

MOST_BYTES = 2 * 2**20
"""mido makes 200 MB of messages of these, in 5 s; songs have a tenth of it."""
MOST_EVENTS = 512
"""More than the contexts that models are trained with."""
MOST_QUARTERS = 100_000
"""A day and more: a longer file has a damaged time in it."""
READ_SECONDS = 30.0
WORKER_BYTES = 2**30
LOWEST_PRIORITY = 19
_PR_SET_PDEATHSIG = 1
"""From ``linux/prctl.h``."""
_DAMAGE = (
    *(OSError, ValueError, LookupError, TypeError, ArithmeticError, struct.error),
    KeySignatureError,
)
"""What mido raises over damaged bytes."""


@dataclass(frozen=True, slots=True)
class Material:
    """The last events of a file, at most MOST_EVENTS, in the order of their onsets.

    Ticks are 480 to the quarter note and count from the file's beginning. ``key`` is what the file
    says is its key, or last was; None where it says nothing.
    """

    events: tuple[Event, ...]
    key: Key | None


def read_material(path: Path) -> Material:
    """Do what :func:`fetch_material` does, and block meanwhile; where no event loop runs."""
    return asyncio.run(fetch_material(path))


async def fetch_material(path: Path) -> Material:
    """Read a file in a process of its own, which takes READ_SECONDS at most.

    MaterialError, one line, for what is no MIDI file or holds no notes. Who cancels this ends that
    process.
    """
    try:
        reader = await asyncio.create_subprocess_exec(
            *(sys.executable, "-P", "-m", "lofid.material", str(path)),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,  # a Ctrl-C at the terminal is for lofid, which ends this
        )
    except (OSError, ValueError) as error:
        raise MaterialError(f"{told(path)}: cannot be read: {error}") from None
    try:
        async with asyncio.timeout(READ_SECONDS):
            found, complaint = await reader.communicate()
    except TimeoutError:
        raise MaterialError(
            f"{told(path)}: cannot be read within {READ_SECONDS:g} s; is it damaged?"
        ) from None
    finally:
        if reader.returncode is None:
            with suppress(ProcessLookupError):
                reader.kill()
            await reader.wait()
    if reader.returncode != 0:
        lines = complaint.decode(errors="replace").strip().splitlines()
        raise MaterialError(lines[-1] if lines else f"{told(path)}: is too much to read")
    return _unwrapped(found)


def _wrapped(material: Material) -> str:
    rows = [[e.pitches, e.onset_ticks, e.length_ticks, e.velocity] for e in material.events]
    return json.dumps({"key": material.key and str(material.key), "events": rows})


def _unwrapped(text: bytes) -> Material:
    found = json.loads(text)
    events = tuple(Event(tuple(pitches), *rest) for pitches, *rest in found["events"])
    return Material(events, found["key"] and Key.parse(found["key"]))


def material_in(data: bytes) -> Material:
    """Find the events and the key in a MIDI file's bytes. Pure. MaterialError says what is wrong.

    Takes as long as mido does: see MOST_BYTES, and there is no limit to how long damaged bytes
    can take.
    """
    midi = midi_in(data)
    hands, end_tick, key = Hands(), 0, None
    for tick, track, message in _in_time(midi):
        hands.take(tick, track, message)
        end_tick = tick
        if message.type == "key_signature":
            key = Key.parse(message.key)
    if end_tick > MOST_QUARTERS * midi.ticks_per_beat:
        raise MaterialError(f"lasts over {MOST_QUARTERS} quarter notes; is it damaged?")
    struck = hands.lift(end_tick)
    if not struck:
        raise MaterialError("has no notes in it (drums, on channel 10, do not count)")
    return Material(tuple(events_of(struck, midi.ticks_per_beat)[-MOST_EVENTS:]), key)


def midi_in(data: bytes) -> Any:
    """Read a MIDI file with mido. MaterialError says what is wrong: ``is …: what is its own``.

    Takes as long as mido does, as :func:`material_in`.
    """
    _check_header(data)
    try:
        return mido.MidiFile(file=io.BytesIO(data), clip=True)
    except EOFError:
        raise MaterialError("is a MIDI file that was cut off") from None
    except _DAMAGE as error:
        what = " ".join(str(error).split()) or type(error).__name__
        raise MaterialError(f"is a damaged MIDI file: {what}") from None


def _check_header(data: bytes) -> None:
    """MaterialError unless the first 14 bytes are those of a file that counts in quarter notes."""
    if not data:
        raise MaterialError("is empty")
    if data.startswith(b"RIFF"):
        raise MaterialError("is MIDI in a RIFF file; save it as a standard MIDI file")
    if not data.startswith(b"MThd"):
        raise MaterialError("is not a MIDI file")
    if len(data) < 14:
        raise MaterialError("is a MIDI file that was cut off")
    kind, _tracks, division = struct.unpack(">HHH", data[8:14])
    if kind == 2:
        raise MaterialError("is MIDI of format 2, whose tracks share no time; save it as format 1")
    if division & 0x8000:
        raise MaterialError("counts in film frames (SMPTE); save it with a count of quarter notes")
    if kind > 2 or division == 0:
        what = f"format {kind}, {division} ticks to the quarter note"
        raise MaterialError(f"is a damaged MIDI file: {what}")


def _in_time(midi: Any) -> Iterator[tuple[int, int, Any]]:
    """Give (tick, track, message) of all tracks in the order of time; ties keep the file's."""
    tracks = [_timed(number, track) for number, track in enumerate(midi.tracks)]
    return heapq.merge(*tracks, key=lambda timed: timed[0])


def _timed(number: int, track: Iterable[Any]) -> Iterator[tuple[int, int, Any]]:
    tick = 0
    for message in track:
        tick += message.time
        yield tick, number, message


def _bytes_of(path: Path) -> bytes:
    """Read a regular file that is not too large. MaterialError for anything else."""
    try:
        status = path.stat()
        if stat.S_ISDIR(status.st_mode):
            raise MaterialError("is a folder; give a MIDI file")
        if not stat.S_ISREG(status.st_mode):  # a pipe would keep us waiting
            raise MaterialError("is no regular file; give a MIDI file")
        if status.st_size > MOST_BYTES:
            raise MaterialError(f"has over {MOST_BYTES // 2**20} MiB; give a part of it")
        return path.read_bytes()
    except OSError as error:
        raise MaterialError(f"cannot be read: {error.strerror}") from None


def _limit() -> None:
    """Limit the memory and the processor time of this process."""
    try:
        import resource  # noqa: PLC0415  # not there on Windows
    except ImportError:
        return
    limits = (resource.RLIMIT_AS, WORKER_BYTES), (resource.RLIMIT_CPU, math.ceil(READ_SECONDS))
    for kind, most in limits:
        _, allowed = resource.getrlimit(kind)
        if allowed == resource.RLIM_INFINITY or allowed > most:
            resource.setrlimit(kind, (most, most))


def _end_with_the_parent() -> None:
    """Have the kernel end this process with the thread that started it, on Linux.

    Elsewhere, and should that be gone already, the limit of processor time ends it.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


def main(arguments: list[str]) -> int:
    """``python -m lofid.material FILE``: print its events as JSON, or one line on stderr."""
    path = Path(*arguments)
    if hasattr(os, "nice"):
        os.nice(LOWEST_PRIORITY)
    _limit()
    _end_with_the_parent()
    try:
        print(_wrapped(material_in(_bytes_of(path))))
    except MaterialError as error:
        print(f"{told(path)}: {error}", file=sys.stderr)
        return error.exit_code
    except MemoryError:
        print(f"{told(path)}: takes over {WORKER_BYTES // 2**20} MiB to read", file=sys.stderr)
        return MaterialError.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
