"""What sounded, as a journal that survives ``kill -9``.

A journal is JSON lines. The first is a header; each further line is one thing that happened, in
the order it happened, and carries the arguments of the method of :class:`_Tape` that it names::

    {"what": "header", "format": 1, "lofid": "0.1.0", "lead_channel": 0, "keys_channel": 1, …}
    {"what": "on", "tick": 960, "channel": 0, "pitch": 63, "velocity": 90, "by_person": false}
    {"what": "off", "tick": 1430, "channel": 0, "pitch": 63, "by_person": false}

Rules:

* Ticks count from the start of the recording; channels are 0 to 15, as on the wire.
* A part never sounds the same pitch twice at once on a channel: MIDI could not say which of the
  two a note-off means. A :class:`~lofid.session.Session` refuses it, and a journal is read by the
  ledger's rule: the second note ends the first.
* The last line may be torn. A journal without an end ends where its last line stands.
"""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from operator import index
from pathlib import Path
from typing import Any, TypeVar

from lofid.errors import RecordingError
from lofid.music import Key
from lofid.session import PlayedNote, Session, apart, check_tempo

JOURNAL_FORMAT = 1

_T = TypeVar("_T")


@dataclass(slots=True)
class _Tape:
    """Plays a journal's lines back into notes."""

    notes: list[PlayedNote] = field(default_factory=list)
    sounding: dict[tuple[int, int, bool], tuple[int, int]] = field(default_factory=dict)
    tempos: dict[int, float] = field(default_factory=dict)
    keys: dict[int, str] = field(default_factory=dict)
    end_tick: int = 0

    def on(self, tick: int, channel: int, pitch: int, velocity: int, by_person: bool) -> None:
        self.off(tick, channel, pitch, by_person)
        PlayedNote(tick, 1, channel, pitch, velocity, by_person)
        self.sounding[channel, pitch, by_person] = (tick, velocity)

    def off(self, tick: int, channel: int, pitch: int, by_person: bool) -> None:
        """End a note. One that was on before the recording began is nobody's here."""
        self.end(tick)
        onset_tick, velocity = self.sounding.pop((channel, pitch, by_person), (tick, 0))
        if velocity:
            length_ticks = max(tick - onset_tick, 1)
            self.notes.append(
                PlayedNote(onset_tick, length_ticks, channel, pitch, velocity, by_person)
            )

    def tempo(self, tick: int, bpm: float) -> None:
        check_tempo(bpm)
        self.end(tick)
        self.tempos[tick] = float(bpm)

    def key(self, tick: int, text: str) -> None:
        self.end(tick)
        self.keys[tick] = str(Key.parse(text))

    def end(self, tick: int) -> None:
        self.end_tick = max(self.end_tick, index(tick))

    def session(self, lead_channel: int, keys_channel: int) -> Session:
        """Cut what still sounds off at the end, and put everything in order."""
        for channel, pitch, by_person in list(self.sounding):
            self.off(self.end_tick, channel, pitch, by_person)
        notes = tuple(sorted(apart(self.notes)))
        tempos, keys = _from_the_start(self.tempos), _from_the_start(self.keys)
        end_tick = max([self.end_tick, *(note.end_tick for note in notes)])
        return Session(notes, tempos, keys, lead_channel, keys_channel, end_tick)


def _from_the_start(changes: dict[int, _T]) -> tuple[tuple[int, _T], ...]:
    """Order changes by tick. The first one holds from the beginning."""
    ordered = sorted(changes.items())
    return tuple((tick if index else 0, value) for index, (tick, value) in enumerate(ordered))


_READERS: dict[str, Callable[..., None]] = {
    "on": _Tape.on,
    "off": _Tape.off,
    "tempo": _Tape.tempo,
    "key": _Tape.key,
    "end": _Tape.end,
}


def journal_line(what: str, **values: object) -> str:
    """Write one line of a journal; see the module's docstring for what there is."""
    return json.dumps({"what": what, **values}) + "\n"


def read_journal(path: Path) -> Session:
    """Read a journal, also one that was torn off, into what sounded.

    RecordingError, one line, when it cannot be read, is of another format, or is damaged
    before its last line.
    """
    (_, header), *records = _records(path)
    if header.get("what") != "header" or header.get("format") != JOURNAL_FORMAT:
        theirs = f"format {header.get('format')!r} of lofid {header.get('lofid')!r}"
        raise RecordingError(f"{path}: is a journal of {theirs}; this is format {JOURNAL_FORMAT}")
    tape = _Tape()
    for number, record in records:
        with _named(path, number):
            _READERS[record.pop("what")](tape, **record)
    with _named(path, 1):
        return tape.session(header["lead_channel"], header["keys_channel"])


@contextmanager
def _named(path: Path, number: int) -> Iterator[None]:
    """Say which line it was that made no sense."""
    try:
        yield
    except (KeyError, TypeError, ValueError) as error:
        advice = "mend or remove that line"
        raise RecordingError(f"{path}, line {number}: is damaged ({error}); {advice}") from error


def _records(path: Path) -> list[tuple[int, dict[str, Any]]]:
    """Read the lines, numbered from 1. The last one may be torn and is left out then."""
    try:
        lines = path.read_bytes().split(b"\n")
    except OSError as error:
        raise RecordingError(f"{path}: cannot be read: {error.strerror}") from error
    records = []
    for number, line in enumerate(lines, 1):
        if number == len(lines) and not _is_whole(line):
            break
        with _named(path, number):
            records.append((number, dict(json.loads(line))))
    if not records:
        raise RecordingError(f"{path}: is empty; nothing was recorded")
    return records


def _is_whole(line: bytes) -> bool:
    try:
        json.loads(line)
    except ValueError:
        return False
    return True
