"""The transcript: what happened in a session, read from the pieces of its journal.

Rules:

* A voice (who, channel, pitch) sounds once at a time: struck again, it ends first, as by the
  player's ledger. An end that nothing began is nobody's. What still sounds at the end is cut off.
* Each piece says what holds where it begins. What is known already is confirmed by that; after
  pieces or records that are missing, it is put right.
* What cannot be read is told in ``faults``, a line each, with its place; the rest is read. What a
  crash tore off at a session's end is no fault.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import zip_longest
from operator import attrgetter
from typing import Any, TypeVar

from lofid.entries import (
    Control,
    End,
    Entry,
    Gap,
    Header,
    Input,
    KeyChange,
    Mark,
    Off,
    On,
    Set,
    Take,
    Tempo,
    Transport,
)
from lofid.errors import RecordingError
from lofid.holding import controller
from lofid.pieces import Piece
from lofid.reading import entries_in
from lofid.timemap import TimeMap

Voice = tuple[bool, int, int]
"""Who plays (a person or lofid), the channel, the pitch: what a note-off names."""


@dataclass(frozen=True, slots=True, order=True)
class Note:
    """One note as it sounded. Its end is not before its begin.

    It may be at the same tick: while the music stands, time goes on without ticks.
    """

    tick: int
    seconds: float
    end_tick: int
    end_seconds: float
    channel: int
    pitch: int
    velocity: int
    by_person: bool = False

    @property
    def voice(self) -> Voice:
        """Who plays it, and what a note-off for it names."""
        return self.by_person, self.channel, self.pitch


@dataclass(frozen=True, slots=True)
class Moment:
    """A place in a session, in both its times."""

    tick: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Transcript:
    """What happened between two moments of a session, each list in the order of its ticks.

    The first tempo, key and transport hold from the beginning. ``header`` is that of the first
    piece that was read.
    """

    header: Header
    begin: Moment
    end: Moment
    notes: tuple[Note, ...]
    tempos: tuple[Tempo, ...]
    keys: tuple[KeyChange, ...]
    controls: tuple[Control, ...]
    transports: tuple[Transport, ...]
    sets: tuple[Set, ...]
    marks: tuple[Mark, ...]
    takes: tuple[Take, ...]
    gaps: tuple[Gap, ...]
    times: TimeMap
    is_ended: bool
    """Whether the session said that it ends; else it goes on, or was cut off."""
    faults: tuple[str, ...]

    def at_seconds(self, seconds: float) -> Moment:
        """The moment at this second of the session; within what was read."""
        seconds = min(max(seconds, self.begin.seconds), self.end.seconds)
        return Moment(self.times.tick_at(seconds), seconds)

    def at_tick(self, tick: int) -> Moment:
        """The moment at this tick of the session; within what was read."""
        tick = min(max(tick, self.begin.tick), self.end.tick)
        return Moment(tick, self.times.seconds_at(tick))


def read_transcript(pieces: Sequence[Piece]) -> Transcript:
    """Read pieces of one session, in order: all of them, or those from any piece on.

    Blocks: 100,000 records take about a second. RecordingError, one line, when there is nothing
    to be read; what else is wrong is told in the transcript's ``faults``.
    """
    faults: list[str] = []
    tape = _Tape()
    for entry in entries_in(pieces, faults.append):
        tape.follow(entry)
    if tape.header is None:
        why = faults[0] if faults else "no piece begins as it should"
        raise RecordingError(f"nothing was recorded: {why}")
    return tape.transcript(tape.header, tuple(faults))


_TIMED = (Tempo, KeyChange, Transport, Control, Set, Mark, Take)
_BY_TIME = attrgetter("tick", "seconds")
_Change = TypeVar("_Change", Tempo, KeyChange, Transport)


@dataclass(slots=True)
class _Tape:
    """Plays entries back into notes."""

    header: Header | None = None
    notes: list[Note] = field(default_factory=list)
    sounding: dict[Voice, On] = field(default_factory=dict)
    times: TimeMap = field(default_factory=TimeMap)
    others: dict[type, list[Any]] = field(default_factory=lambda: {k: [] for k in (*_TIMED, Gap)})
    begun_before: set[On] = field(default_factory=set)
    """What sounded already where the first piece that was read begins."""
    held: dict[Any, Any] = field(default_factory=dict)
    """The tempo, key and transport that hold, and the controllers: by what each of them is."""
    first: Moment = Moment(0, 0.0)
    last: Moment = Moment(0, 0.0)
    is_ended: bool = False

    def follow(self, entry: Entry) -> None:
        """Take one entry in."""
        if isinstance(entry, On):
            self._on(entry)
        elif isinstance(entry, Off):
            self._off(entry.tick, entry.seconds, (entry.by_person, entry.channel, entry.pitch))
        elif isinstance(entry, Header):
            self._header(entry)
        elif not isinstance(entry, Input | End):
            self.others[type(entry)].append(entry)
            self.held[what_changes(entry)] = entry
        if not isinstance(entry, Input | Gap):
            self._reach(entry)
        self.is_ended |= isinstance(entry, End)

    def _reach(self, entry: Any) -> None:
        tick, seconds, last = entry.tick, entry.seconds, self.last
        if tick > last.tick or seconds > last.seconds:
            self.last = Moment(max(last.tick, tick), max(last.seconds, seconds))
        if tick < self.first.tick or seconds < self.first.seconds:
            self.first = Moment(min(self.first.tick, tick), min(self.first.seconds, seconds))
        if not getattr(entry, "by_person", False) and not isinstance(entry, Control):
            self.times.add(tick, seconds)

    def _on(self, on: On) -> None:
        voice = (on.by_person, on.channel, on.pitch)
        self._off(on.tick, on.seconds, voice)
        self.sounding[voice] = on

    def _off(self, tick: int, seconds: float, voice: Voice) -> None:
        if (on := self.sounding.pop(voice, None)) is None:
            return
        onset = self.begin if on in self.begun_before else Moment(on.tick, on.seconds)
        ends = (max(tick, onset.tick), max(seconds, onset.seconds))
        whose = (on.velocity, on.by_person)
        self.notes.append(Note(onset.tick, onset.seconds, *ends, on.channel, on.pitch, *whose))

    @property
    def begin(self) -> Moment:
        assert self.header is not None, "the first entry is a header"
        return Moment(self.header.tick, self.header.seconds)

    def _header(self, header: Header) -> None:
        """Begin, or confirm what is known: what was lost before a piece is put right there."""
        if self.header is None:
            self.header = header
            self.first = self.last = self.begin
            self.begun_before = set(header.sounding)
        told = {(on.by_person, on.channel, on.pitch): on for on in header.sounding}
        for voice in [voice for voice, on in self.sounding.items() if told.get(voice) != on]:
            self._off(header.tick, header.seconds, voice)
        self.sounding |= told
        for change in _said_by(header):
            known = self.held.get(what_changes(change))
            if known is None or replace(known, tick=change.tick, seconds=change.seconds) != change:
                self.follow(change)

    def transcript(self, header: Header, faults: tuple[str, ...]) -> Transcript:
        """Cut what still sounds off at the end, and put everything in order."""
        for voice in list(self.sounding):
            self._off(self.last.tick, self.last.seconds, voice)
        self.times.add(self.last.tick, self.last.seconds)
        tempos, keys, transports, controls, sets, marks, takes = (
            tuple(sorted(self.others[kind], key=_BY_TIME)) for kind in _TIMED
        )
        return Transcript(
            header=header,
            begin=self.first,
            end=self.last,
            notes=tuple(sorted(_apart(self.notes))),
            tempos=_from_the_start(tempos, self.first),
            keys=_from_the_start(keys, self.first),
            transports=_from_the_start(transports, self.first),
            controls=controls,
            sets=sets,
            marks=marks,
            takes=takes,
            gaps=tuple(self.others[Gap]),
            times=self.times,
            is_ended=self.is_ended,
            faults=faults,
        )


def what_changes(entry: Any) -> object:
    """What an entry says something new of."""
    if isinstance(entry, Set):
        return entry.name
    return controller(entry.data) if isinstance(entry, Control) else type(entry)


def _said_by(header: Header) -> Iterator[Tempo | KeyChange | Transport | Control]:
    """Give the changes that a header stands for, if they are news."""
    tick, seconds = header.tick, header.seconds
    yield Tempo(tick, seconds, header.tempo)
    yield KeyChange(tick, seconds, header.key)
    yield Transport(tick, seconds, header.moving)
    for control in header.controls:
        yield replace(control, tick=tick, seconds=seconds)


def _from_the_start(changes: Sequence[_Change], begin: Moment) -> tuple[_Change, ...]:
    """Let the first change hold from the beginning, and drop what others at its tick undo."""
    last = {change.tick: change for change in changes}
    first, *others = last.values()
    return replace(first, tick=begin.tick, seconds=begin.seconds), *others


def _apart(notes: Iterable[Note]) -> Iterator[Note]:
    """Let each note end, at the latest, where the next of its voice begins."""
    ordered = sorted(notes, key=lambda note: (note.voice, note.seconds, note.tick))
    for note, following in zip_longest(ordered, ordered[1:]):
        if following is None or note.voice != following.voice or _is_before(note, following):
            yield note
        else:
            end_tick = max(note.tick, min(note.end_tick, following.tick))
            end_seconds = min(note.end_seconds, following.seconds)
            yield replace(note, end_tick=end_tick, end_seconds=end_seconds)


def _is_before(note: Note, following: Note) -> bool:
    return note.end_tick <= following.tick and note.end_seconds <= following.seconds
