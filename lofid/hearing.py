"""Hearing: what arrives from a keyboard becomes events. Pure; no clock, no I/O.

Onsets that lie within a window of each other's first make one chord. An event is handed on at the
first position after its window has closed; a note that is still held then is given the length it
has so far, at least a quarter, because the music cannot wait for its end.
"""

from dataclasses import dataclass

from lofid.music import TICKS_PER_QUARTER, Event


@dataclass(slots=True)
class _Struck:
    """A note of the open group; ``end_tick`` is None while it is held."""

    pitch: int
    velocity: int
    end_tick: int | None = None


class Hearing:
    """Gathers one person's notes. Called from the engine's thread, in the order of ticks."""

    def __init__(self) -> None:
        self._first_tick = 0
        self._group: list[_Struck] = []

    def note_on(self, tick: int, pitch: int, velocity: int, window_ticks: int) -> Event | None:
        """Take a note-on; give the group before it when this one begins a new group."""
        finished = None
        if self._group and tick - self._first_tick > window_ticks:
            finished = self._finish(tick)
        if not self._group:
            self._first_tick = tick
        self._group.append(_Struck(pitch, velocity))
        return finished

    def note_off(self, tick: int, pitch: int) -> None:
        """Take a note-off; one that belongs to no open note is of a group handed on before."""
        for struck in self._group:
            if struck.pitch == pitch and struck.end_tick is None:
                struck.end_tick = tick

    def position(self, tick: int, window_ticks: int) -> Event | None:
        """Tell the time; give the open group if its window has closed."""
        if self._group and tick - self._first_tick > window_ticks:
            return self._finish(tick)
        return None

    def _finish(self, tick: int) -> Event:
        group, self._group = self._group, []
        held_till = max(tick, self._first_tick + TICKS_PER_QUARTER)
        end_tick = max(held_till if s.end_tick is None else s.end_tick for s in group)
        return Event(
            pitches=tuple(sorted({struck.pitch for struck in group})),
            onset_ticks=self._first_tick,
            length_ticks=max(1, end_tick - self._first_tick),
            velocity=max(struck.velocity for struck in group),
            by_person=True,
        )
