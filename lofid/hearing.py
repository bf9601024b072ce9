"""Hearing: what arrives from a keyboard becomes events. Pure; no clock, no I/O.

A key that is struck soon after the last one, while all of the chord is still held, joins that
chord, rolled ones included. Nothing is waited for: an event is given as it is known, at first with
one note, and given again under its number when another joins it or when its end is known. A note
that is held, by its key or by the pedal, counts as a quarter long until it has ended.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from lofid.music import TICKS_PER_QUARTER, Event

LONGEST_ROLL = 4
"""A chord may be rolled for so many windows in all: what takes longer is a melody."""


@dataclass(slots=True)
class _Struck:
    """A note of an event; ``end_tick`` is None while it is held."""

    pitch: int
    velocity: int
    end_tick: int | None = None


@dataclass(slots=True)
class _Group:
    """The notes of one event to be, and when the first and the last were struck."""

    number: int
    tick: int
    first_seconds: float
    last_seconds: float
    notes: list[_Struck] = field(default_factory=list)

    @property
    def is_held(self) -> bool:
        return all(note.end_tick is None for note in self.notes)

    @property
    def has_ended(self) -> bool:
        return all(note.end_tick is not None for note in self.notes)

    def event(self) -> Event:
        """What it is as far as is known."""
        ends = [note.end_tick for note in self.notes if note.end_tick is not None]
        if not self.has_ended:
            ends.append(self.tick + TICKS_PER_QUARTER)
        return Event(
            pitches=tuple(sorted({note.pitch for note in self.notes})),
            onset_ticks=self.tick,
            length_ticks=max(1, max(ends) - self.tick),
            velocity=max(note.velocity for note in self.notes),
            by_person=True,
        )


Heard = tuple[int, Event]
"""An event with its number: another one of the same number takes its place."""


class Hearing:
    """Gathers one person's notes. Called from the engine's thread, in the order of time."""

    def __init__(self, window_seconds: float, numbers: Iterator[int]) -> None:
        """``numbers`` gives each event its own; two of one person's hearings may share them."""
        self._window_seconds = window_seconds
        self._numbers = numbers
        self._newest: _Group | None = None
        self._open: list[_Group] = []

    def note_on(self, tick: int, seconds: float, pitch: int, velocity: int) -> Heard:
        """Take a note-on; give the event that it begins or joins."""
        group = self._newest
        if group is None or not self._joins(group, seconds, pitch):
            group = self._newest = _Group(next(self._numbers), tick, seconds, seconds)
            self._open.append(group)
        group.last_seconds = seconds
        group.notes.append(_Struck(pitch, velocity))
        return group.number, group.event()

    def _joins(self, group: _Group, seconds: float, pitch: int) -> bool:
        window = self._window_seconds
        is_soon = seconds - group.last_seconds <= window
        is_roll = seconds - group.first_seconds <= LONGEST_ROLL * window
        is_new = pitch not in [note.pitch for note in group.notes]
        return group.is_held and is_soon and is_roll and is_new

    def note_off(self, tick: int, pitch: int) -> Heard | None:
        """Take the end of a note, by its key or by the pedal; give the event that it ends."""
        for group in self._open:
            for note in group.notes:
                if note.pitch == pitch and note.end_tick is None:
                    note.end_tick = max(tick, group.tick)
                    return self._ended(group)
        return None

    def _ended(self, group: _Group) -> Heard | None:
        if not group.has_ended:
            return None
        self._open.remove(group)
        return group.number, group.event()
