"""One file of music -> its pieces: notes and chords on the model's grid, in the home key.

music21 does the reading. Importing it takes 0.4 s, so it is imported where it is used: the
process that only hands out the work never needs it.
"""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from lofid.music import BAR_GRID, Key
from training.parts import Note, lines, to_grid
from training.preflight import MAX_QUARTERS, check_midi
from training.unreadable import UnreadableFile

READER_VERSION = 1
"""Raise it whenever the same file would be read differently: it is part of the cache's key."""

MIDI_SUFFIXES = frozenset({".mid", ".midi"})
SCORE_SUFFIXES = frozenset(
    {".abc", ".capx", ".krn", ".mei", ".musedata", ".musicxml", ".mxl", ".nwctxt", ".xml"}
    | {".rntext", ".rntxt", ".romantext", ".rtxt", ".tinynotation", ".tntxt"}
)
"""What music21 reads with rhythm. Not its .md (MuseData): here it is always a README."""
SUFFIXES = MIDI_SUFFIXES | SCORE_SUFFIXES

MAX_PITCHES = 8
MIN_SOUNDS = 4
PHASES_GRID = 48
DEFAULT_METRE = "4/4"


class Sound(NamedTuple):
    """One note or chord as read: grid units from the start, MIDI pitches low to high.

    ``phase_grid`` is 0 to 47: where in its bar the onset lies.
    """

    onset_grid: int
    pitches: tuple[int, ...]
    length_grid: int
    velocity: int
    phase_grid: int = 0


class Piece(NamedTuple):
    """One piece in its home key (C major or A minor); ``key`` is the one it was written in."""

    key: str
    metre: str
    sounds: tuple[Sound, ...]


def read_pieces(path: Path) -> tuple[Piece, ...]:
    """Read every piece of a file, in order: one, except in tune books (ABC).

    Raises UnreadableFile. Blocks for as long as music21 takes: call it in a process that may be
    killed.
    """
    by_bars = path.suffix.lower() not in MIDI_SUFFIXES
    pieces = (_piece(score, by_bars=by_bars) for score in _scores(path))
    kept = tuple(piece for piece in pieces if len(piece.sounds) >= MIN_SOUNDS)
    if not kept:
        raise UnreadableFile("too short", f"fewer than {MIN_SOUNDS} notes and chords")
    return kept


def _scores(path: Path) -> list[Any]:
    from music21 import stream  # noqa: PLC0415 (see above)

    parsed = _parse(path)
    return list(parsed.scores) if isinstance(parsed, stream.Opus) else [parsed]


def _parse(path: Path) -> Any:
    """Parse with music21; whatever it raises over a damaged file becomes UnreadableFile."""
    from music21 import converter  # noqa: PLC0415 (see above)

    is_midi = path.suffix.lower() in MIDI_SUFFIXES
    data = check_midi(path) if is_midi else None
    try:
        if data is not None:
            return converter.parse(data, format="midi", quantizePost=False)
        score = converter.parse(path, quantizePost=False, forceSource=True)
        return score if is_midi else score.toSoundingPitch()
    except MemoryError:
        raise
    except Exception as fault:
        detail = " ".join(f"{type(fault).__name__}: {fault}".split())
        raise UnreadableFile("music21 cannot read it", detail[:100]) from fault


def _piece(score: Any, *, by_bars: bool) -> Piece:
    parts = [part.flatten() for part in score.parts or [score]]
    notes = [line for part in parts for line in lines(part)]
    _check_length(notes)
    key = _key(notes)
    bars = _bars(score) if by_bars else _metres(parts)
    sounds = _without_doubles(sound for line in notes for sound in _gather(line, key))
    placed = [sound._replace(phase_grid=_phase_grid(sound.onset_grid, bars)) for sound in sounds]
    return Piece(str(key), _metre(parts), tuple(sorted(placed, key=_order)))


def _order(sound: Sound) -> tuple[int, bool, tuple[int, ...]]:
    """Chords before notes, so that a note sounds over its harmony."""
    return sound.onset_grid, len(sound.pitches) == 1, sound.pitches


def _check_length(notes: Iterable[Sequence[Note]]) -> None:
    ends = [note.onset_grid for line in notes for note in line]
    if not ends:
        raise UnreadableFile("no notes")
    if max(ends) > to_grid(MAX_QUARTERS):
        raise UnreadableFile("absurdly long")


def _key(notes: Iterable[Sequence[Note]]) -> Key:
    """Find the key by the Krumhansl-Schmuckler profiles (Krumhansl 1990), over the whole piece.

    They weigh how long each pitch class sounds in all; so music21 is given twelve notes, as long
    as that, and not the piece again.
    """
    from music21 import note, stream  # noqa: PLC0415 (see above)
    from music21.analysis.discrete import KrumhanslSchmuckler  # noqa: PLC0415 (see above)

    sums = [0] * 12
    for line in notes:
        for each in line:
            sums[each.pitch % 12] += each.length_grid
    totals = stream.Stream()
    for pitch_class, length_grid in enumerate(sums):
        totals.append(note.Note(pitch_class, quarterLength=length_grid))
    (tonic, mode, _correlation), _colour = KrumhanslSchmuckler().process(totals)
    return Key(tonic.pitchClass, mode == "minor")


def _gather(line: Iterable[Note], key: Key) -> Iterator[Sound]:
    """Make one sound of the notes of one part that start together, in the home key."""
    by_onset: dict[int, list[Note]] = {}
    for note in line:
        by_onset.setdefault(note.onset_grid, []).append(note)
    for onset_grid, group in by_onset.items():
        pitches = sorted({note.pitch - key.shift_semitones for note in group})
        yield Sound(
            onset_grid,
            (pitches[0], *pitches[1:][1 - MAX_PITCHES :]),
            max(note.length_grid for note in group),
            max(note.velocity for note in group),
        )


def _without_doubles(sounds: Iterable[Sound]) -> Iterable[Sound]:
    """Two parts in unison are heard once: the longer and the louder of both."""
    kept: dict[tuple[int, tuple[int, ...]], Sound] = {}
    for sound in sounds:
        place = (sound.onset_grid, sound.pitches)
        other = kept.get(place, sound)
        kept[place] = sound._replace(
            length_grid=max(sound.length_grid, other.length_grid),
            velocity=max(sound.velocity, other.velocity),
        )
    return kept.values()


class _Bars(NamedTuple):
    """From ``start_grid`` on, bars of ``length_grid``, until the next such stretch."""

    start_grid: int
    length_grid: int


def _phase_grid(onset_grid: int, bars: Sequence[_Bars]) -> int:
    """Where in its bar an onset lies, 0 to 47."""
    here = bisect_right(bars, onset_grid, key=lambda stretch: stretch.start_grid)
    start_grid, length_grid = bars[max(here - 1, 0)]
    return (onset_grid - start_grid) % length_grid % PHASES_GRID


def _bars(score: Any) -> list[_Bars]:
    """Take the bars as they are printed, with the upbeat as the end of a bar."""
    first = next(iter(score.parts), score)
    bars = [
        _Bars(to_grid(bar.offset - bar.paddingLeft), _bar_grid(bar))
        for bar in first.getElementsByClass("Measure")
    ]
    return bars or [_Bars(0, BAR_GRID)]


def _metres(parts: Iterable[Any]) -> list[_Bars]:
    """Count bars from each time signature on; MIDI has no barlines of its own."""
    stretches = {0: BAR_GRID}
    stretches |= {to_grid(metre.offset): _bar_grid(metre) for metre in _signatures(parts)}
    return [_Bars(*stretch) for stretch in sorted(stretches.items())]


def _bar_grid(of: Any) -> int:
    return max(1, to_grid(of.barDuration.quarterLength))


def _signatures(parts: Iterable[Any]) -> list[Any]:
    return [metre for part in parts for metre in part.getElementsByClass("TimeSignature")]


def _metre(parts: Iterable[Any]) -> str:
    """Give the first time signature."""
    first = min(_signatures(parts), key=lambda metre: metre.offset, default=None)
    return str(first.ratioString) if first else DEFAULT_METRE
