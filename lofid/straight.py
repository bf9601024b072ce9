"""The swing taken out of a session again: what the composer had on its grid lies there once more.

Notes are composed ahead, so those about a change of the swing may still have one from before it.
A note lies exactly on the grid of the swing it was composed with; by that it is told.
"""

from bisect import bisect_right
from dataclasses import replace

from lofid.music import GRID_TICKS, TICKS_PER_QUARTER, swung
from lofid.session import LEAST_SWING, PlayedNote, Session, apart

MOST_AHEAD_TICKS = 8 * TICKS_PER_QUARTER
"""So far ahead of what is heard the composer works at most (``engine.horizon``)."""
_EIGHTH_TICKS = TICKS_PER_QUARTER // 2


def straightened(session: Session) -> Session:
    """Give the session as if lofid had not swung. What a person played keeps its own timing."""
    swings = _Swings(session)
    notes = [note if note.by_person else _moved(note, swings) for note in session.notes]
    return replace(session, notes=tuple(sorted(apart(notes))), swings=())


def straightened_by_ear(session: Session) -> Session:
    """Give the session straight, the person's notes too: for notation, which nobody reads swung."""
    swings = _Swings(session)
    notes = [_moved(note, swings) for note in session.notes]
    return replace(session, notes=tuple(sorted(apart(notes))), swings=())


def unswung(tick: int, swing_percent: float) -> int:
    """Give the tick that :func:`~lofid.music.swung` moved here.

    Exact for every tick of the model's grid, at every swing from 50 to 75. Between those it is
    the nearest, and order is kept. Like :func:`~lofid.music.swung` it leaves eighths alone.
    """
    start, within = divmod(tick, _EIGHTH_TICKS)
    middle, half = _EIGHTH_TICKS * swing_percent / 100, _EIGHTH_TICKS / 2
    if within <= middle:
        moved = within * half / middle
    else:
        moved = half + (within - middle) * half / (_EIGHTH_TICKS - middle)
    grid_tick = start * _EIGHTH_TICKS + round(moved / GRID_TICKS) * GRID_TICKS
    if swung(grid_tick, swing_percent) == tick:
        return grid_tick
    return start * _EIGHTH_TICKS + round(moved)


class _Swings:
    """Which swing a note was composed with."""

    def __init__(self, session: Session) -> None:
        self._ticks = [tick for tick, _ in session.swings]
        self._percents = [percent for _, percent in session.swings] or [LEAST_SWING]

    def of(self, tick: int) -> float:
        """Give the swing that has a place of the grid at ``tick``, of those it may have had.

        Where none has, as where a note was cut off, it is the one that holds at ``tick``. The
        first one holds from the beginning.
        """
        oldest, newest = self._index(tick - MOST_AHEAD_TICKS), self._index(tick)
        possible = self._percents[oldest : newest + 1][::-1]
        return next((percent for percent in possible if _is_on_grid(tick, percent)), possible[0])

    def _index(self, tick: int) -> int:
        return max(bisect_right(self._ticks, tick) - 1, 0)


def _is_on_grid(tick: int, swing_percent: float) -> bool:
    straight = unswung(tick, swing_percent)
    return straight % GRID_TICKS == 0 and swung(straight, swing_percent) == tick


def _moved(note: PlayedNote, swings: _Swings) -> PlayedNote:
    """Move both ends by the onset's swing, as the composer did. A note keeps some length."""
    percent = swings.of(note.tick)
    tick, end_tick = unswung(note.tick, percent), unswung(note.end_tick, percent)
    return replace(note, tick=tick, length_ticks=max(end_tick - tick, 1))
