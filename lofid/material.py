"""Starting material: the end of a MIDI file as events, for the context to begin with.

Rules:

* The file may be anything, and a small one can keep a reader busy for minutes. So it is read by a
  process of its own (``python -m lofid.material FILE``), at the lowest priority, which has a limit
  of time and of memory: the engine's interpreter is never held.
* Only the last events count, which are all that a context holds.
"""

import heapq
import io
import json
import os
import stat
import struct
import subprocess
import sys
from collections.abc import Iterable, Iterator
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
    """Read a file in a process of its own. Blocks for READ_SECONDS at most; any thread.

    MaterialError, one line, for what is no MIDI file or holds no notes.
    """
    command = [sys.executable, "-P", "-m", "lofid.material", str(path)]
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            timeout=READ_SECONDS,
            start_new_session=True,  # a Ctrl-C at the terminal is for lofid, which ends this
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise MaterialError(
            f"{told(path)}: cannot be read within {READ_SECONDS:g} s; is it damaged?"
        ) from None
    except (OSError, ValueError) as error:
        raise MaterialError(f"{told(path)}: cannot be read: {error}") from None
    if done.returncode != 0:
        last = done.stderr.strip().splitlines()[-1:] or [f"{told(path)}: is too much to read"]
        raise MaterialError(last[0])
    return _unwrapped(done.stdout)


def _wrapped(material: Material) -> str:
    rows = [[e.pitches, e.onset_ticks, e.length_ticks, e.velocity] for e in material.events]
    return json.dumps({"key": material.key and str(material.key), "events": rows})


def _unwrapped(text: str) -> Material:
    found = json.loads(text)
    events = tuple(Event(tuple(pitches), *rest) for pitches, *rest in found["events"])
    return Material(events, found["key"] and Key.parse(found["key"]))


def material_in(data: bytes) -> Material:
    """Find the events and the key in a MIDI file's bytes. Pure. MaterialError says what is wrong.

    Takes as long as mido does: see MOST_BYTES, and there is no limit to how long damaged bytes
    can take.
    """
    _check_header(data)
    midi = _parsed(data)
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
        raise MaterialError(f"is damaged: format {kind}, {division} ticks to the quarter note")


def _parsed(data: bytes) -> Any:
    try:
        return mido.MidiFile(file=io.BytesIO(data), clip=True)
    except EOFError:
        raise MaterialError("is a MIDI file that was cut off") from None
    except _DAMAGE as error:
        what = " ".join(str(error).split()) or type(error).__name__
        raise MaterialError(f"is a damaged MIDI file: {what}") from None


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


def _limit_memory() -> None:
    try:
        import resource  # noqa: PLC0415  # not there on Windows
    except ImportError:
        return
    resource.setrlimit(resource.RLIMIT_AS, (WORKER_BYTES, WORKER_BYTES))


def main(arguments: list[str]) -> int:
    """``python -m lofid.material FILE``: print its events as JSON, or one line on stderr."""
    path = Path(*arguments)
    if hasattr(os, "nice"):
        os.nice(LOWEST_PRIORITY)
    _limit_memory()
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
