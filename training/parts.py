"""A part as music21 has it -> its notes on the grid, with ties undone.

Everything here takes *flat* music21 streams: one part, its elements at offsets from the start.
music21 has no types, hence the ``Any``.
"""

from collections.abc import Iterable, Iterator
from fractions import Fraction
from math import floor
from typing import Any, NamedTuple

from lofid.music import GRID_PER_QUARTER

LOWEST_PITCH, HIGHEST_PITCH = 21, 108
"""The piano's keys; what lies outside is dropped."""
MAX_LENGTH_GRID = 2**15 - 1
DEFAULT_VELOCITY = 64
_DRUM_CHANNEL = 9


class Note(NamedTuple):
    """One pitch on the grid, before notes that start together become a chord."""

    onset_grid: int
    length_grid: int
    pitch: int
    velocity: int


class _Held(NamedTuple):
    """A pitch that is tied on; times in quarters."""

    start: Any
    end: Any
    velocity: int


def lines(flat: Any) -> Iterator[list[Note]]:
    """Give a part's notes, and, as if in a part of their own, its chord symbols.

    Nothing of a percussion part.
    """
    if not _is_percussion(flat):
        yield _on_keys(_notes(flat))
        yield _on_keys(_symbols(flat))


def to_grid(quarters: Any) -> int:
    """Round half up, so that a steady row of notes stays steady."""
    return floor(Fraction(quarters) * GRID_PER_QUARTER + Fraction(1, 2))


def _is_percussion(flat: Any) -> bool:
    return any(
        "UnpitchedPercussion" in instrument.classes or instrument.midiChannel == _DRUM_CHANNEL
        for instrument in flat.getElementsByClass("Instrument")
    )


def _on_keys(notes: Iterable[Note]) -> list[Note]:
    return [note for note in notes if LOWEST_PITCH <= note.pitch <= HIGHEST_PITCH]


def _notes(flat: Any) -> Iterator[Note]:
    """Walk the part pitch by pitch: of a chord, one note may be tied on and another not."""
    held: dict[int, _Held] = {}
    for element in flat.notes:
        if "Harmony" in element.classes or not {"Note", "Chord"} & set(element.classes):
            continue
        for note in element.notes if element.isChord else (element,):
            yield from _undo_tie(held, round(note.pitch.ps), note.tie, _sounding(element, note))
    for pitch, last in held.items():
        yield _note(last, pitch)


def _sounding(element: Any, note: Any) -> _Held:
    velocity = note.volume.velocity or element.volume.velocity or DEFAULT_VELOCITY
    start = element.offset
    return _Held(start, start + element.quarterLength, min(max(int(velocity), 1), 127))


def _undo_tie(held: dict[int, _Held], pitch: int, tie: Any, new: _Held) -> Iterator[Note]:
    """Lengthen the note that is held on this pitch, or begin a new one; yield what has ended."""
    kind = tie.type if tie else ""
    before = held.pop(pitch, None)
    if before and kind in ("continue", "stop") and before.end == new.start:
        new = before._replace(end=new.end)
    elif before:
        yield _note(before, pitch)
    if kind in ("start", "continue"):
        held[pitch] = new
    else:
        yield _note(new, pitch)


def _symbols(flat: Any) -> Iterator[Note]:
    """Play a lead sheet's chord symbols as block chords, each until the next one."""
    symbols = list(flat.getElementsByClass("Harmony"))
    ends = [*(symbol.offset for symbol in symbols[1:]), flat.highestTime]
    for symbol, end in zip(symbols, ends, strict=False):
        for pitch in symbol.pitches:
            yield _note(_Held(symbol.offset, end, DEFAULT_VELOCITY), round(pitch.ps))


def _note(heard: _Held, pitch: int) -> Note:
    length_grid = min(max(to_grid(heard.end - heard.start), 1), MAX_LENGTH_GRID)
    return Note(to_grid(heard.start), length_grid, pitch, heard.velocity)
