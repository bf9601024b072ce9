"""Notes as they are written down: on the grid of notation, in voices, in bars. No I/O.

Places are counted in the model's grid, twelve to the quarter note, which holds sixteenths (3) and
eighth triplets (4). Every beat is of one kind: triplets only where its onsets lie nearer to them.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import zip_longest

from lofid.music import BAR_GRID, GRID_PER_QUARTER, GRID_TICKS, TICKS_PER_QUARTER
from lofid.session import PlayedNote

SIXTEENTH, TRIPLET = GRID_PER_QUARTER // 4, GRID_PER_QUARTER // 3
MOST_VOICES = 4
"""In one staff, as MuseScore has it."""
_WHOLE_BEATS = (BAR_GRID, 3 * GRID_PER_QUARTER, 2 * GRID_PER_QUARTER, GRID_PER_QUARTER)
_DOTTED_QUARTER = 3 * GRID_PER_QUARTER // 2


@dataclass(frozen=True, slots=True, order=True)
class Chord:
    """What begins and ends together, one note or several; ``start`` and ``end`` in the grid.

    Without ``pitches`` it is a rest. Ties tell that it sounds on from before, or on after.
    """

    start: int
    end: int
    pitches: tuple[int, ...] = ()
    is_tied_before: bool = False
    is_tied_after: bool = False


class Beats:
    """The grid of each beat of a part."""

    def __init__(self, notes: Iterable[PlayedNote]) -> None:
        onsets = defaultdict(list)
        for note in notes:
            onsets[note.tick // TICKS_PER_QUARTER].append(note.tick % TICKS_PER_QUARTER)
        self._triplets = {beat for beat, ticks in onsets.items() if _is_triplet(ticks)}

    def unit(self, tick: int) -> int:
        """Give the grid of the beat that ``tick`` lies in: SIXTEENTH or TRIPLET."""
        return TRIPLET if tick // TICKS_PER_QUARTER in self._triplets else SIXTEENTH

    def nearest(self, tick: int) -> int:
        """Give the place that is nearest to ``tick``, in the grid."""
        return round(tick / (self.unit(tick) * GRID_TICKS)) * self.unit(tick)


def _is_triplet(ticks: Sequence[int]) -> bool:
    def distance(unit: int) -> float:
        step = unit * GRID_TICKS
        return sum(abs(tick - round(tick / step) * step) for tick in ticks)

    return distance(TRIPLET) < distance(SIXTEENTH)


def chords_of(notes: Sequence[PlayedNote], beats: Beats) -> list[Chord]:
    """Bring a staff's notes to the grid, in order; what begins and ends together is one chord.

    A pitch that is struck again ends first; one that is struck twice at one place is one note.
    """
    spans: dict[int, dict[int, int]] = defaultdict(dict)
    for note in notes:
        start = beats.nearest(note.tick)
        end = max(beats.nearest(note.end_tick), start + beats.unit(start * GRID_TICKS))
        spans[note.pitch][start] = max(end, spans[note.pitch].get(start, 0))
    pitches: dict[tuple[int, int], list[int]] = defaultdict(list)
    for pitch, found in sorted(spans.items()):
        for (start, end), after in zip_longest(sorted(found.items()), sorted(found)[1:]):
            pitches[start, end if after is None else min(end, after)].append(pitch)
    return sorted(Chord(*span, tuple(together)) for span, together in pitches.items())


def voices_of(chords: Iterable[Chord]) -> list[list[Chord]]:
    """Share out a staff's chords, in order, among as few voices as hold them side by side."""
    voices: list[list[Chord]] = []
    for chord in chords:
        free = next((voice for voice in voices if voice[-1].end <= chord.start), None)
        if free is not None:
            free.append(chord)
        elif len(voices) < MOST_VOICES:
            voices.append([chord])
        else:
            _squeeze_in(voices, chord)
    return voices


def _squeeze_in(voices: list[list[Chord]], chord: Chord) -> None:
    """End what ends first; or, where all begin at this very place, join the shortest."""
    voice = min(voices, key=lambda voice: (voice[-1].start == chord.start, voice[-1].end))
    last = voice.pop()
    if last.start < chord.start:
        voice += [replace(last, end=chord.start), chord]
    else:
        voice.append(replace(last, pitches=tuple(sorted({*last.pitches, *chord.pitches}))))


def bars_of(voice: Iterable[Chord], bar_count: int) -> list[list[Chord]]:
    """Cut a voice at the bar lines, fill it with rests, and cut what no single note can say.

    Bars in which a voice has nothing are empty.
    """
    bars: list[list[Chord]] = [[] for _ in range(bar_count)]
    for chord in voice:
        for piece in _cut(chord):
            bars[piece.start // BAR_GRID].append(piece)
    return [list(_filled(bar, number * BAR_GRID)) for number, bar in enumerate(bars)]


def _filled(bar: Sequence[Chord], start: int) -> Iterator[Chord]:
    """Set rests between what sounds in a bar, and around it."""
    at = start
    for chord in bar:
        yield from _cut(Chord(at, chord.start))
        yield chord
        at = chord.end
    if bar:
        yield from _cut(Chord(at, start + BAR_GRID))


def _cut(chord: Chord) -> Iterator[Chord]:
    """Cut what no single note value says, or hides the beat, into tied pieces."""
    at = chord.start
    while at < chord.end:
        end = at + _longest(at, chord.end)
        before, after = chord.is_tied_before or at > chord.start, end < chord.end
        yield Chord(at, end, chord.pitches, before, chord.is_tied_after or after)
        at = end


def _longest(at: int, end: int) -> int:
    """How long a note at ``at`` that sounds until ``end`` can be written, in the grid."""
    within_beat, room = at % GRID_PER_QUARTER, BAR_GRID - at % BAR_GRID
    left = min(end - at, room)
    if within_beat:
        return min(left, GRID_PER_QUARTER - within_beat)
    if left == _DOTTED_QUARTER:
        return left
    return next((length for length in _WHOLE_BEATS if length <= left), left)
