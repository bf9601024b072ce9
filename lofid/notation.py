"""A session as notation: MusicXML, through music21.

Rules:

* What is written is straight and on the grid of notation (:mod:`lofid.written`); a part that
  goes below the treble staff has two, and what sounds together is one chord.
* The bars are built here, note for note: music21's own ``makeNotation`` hides the beat under long
  notes and loses overlapping ones. It writes beams, accidentals, tuplets and the file.
* Imports music21, which takes a second and holds the interpreter: import it where it is used,
  and never in the engine's process.
"""

from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction
from itertools import groupby
from typing import Any

from music21 import chord as music21_chord
from music21 import clef, duration, instrument, layout, metadata, meter, note, stream, tempo, tie
from music21.musicxml.m21ToXml import GeneralObjectExporter

from lofid.errors import RecordingError
from lofid.midifile import key_signature
from lofid.music import (
    BAR_GRID,
    BAR_TICKS,
    BEATS_PER_BAR,
    GRID_PER_QUARTER,
    TICKS_PER_QUARTER,
)
from lofid.parts import ELECTRIC_PIANO, PIANO, Part, parts_of
from lofid.session import Session
from lofid.straight import straightened_by_ear
from lofid.written import TRIPLET, Beats, Chord, bars_of, chords_of, voices_of

MIDDLE_C = 60
LOWEST_TREBLE = 55
"""Below this G a part gets a bass staff."""
_FLATS = ("C", "D-", "D", "E-", "E", "F", "G-", "G", "A-", "A", "B-", "B")
_EITHER = ("C", "C#", "D", "E-", "E", "F", "F#", "G", "G#", "A", "B-", "B")
_SHARPS = ("C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B")
Tempo = tuple[int, int, int]
"""Its bar, the beat within it, and beats per minute."""


def musicxml_bytes(session: Session, title: str) -> bytes:
    """Write a session down. RecordingError when it holds no note."""
    if not session.notes:
        raise RecordingError("there is no note in it that could be written down")
    score = _score(straightened_by_ear(session), title)
    return bytes(GeneralObjectExporter(score).parse())


def _score(session: Session, title: str) -> Any:
    score = stream.Score()
    score.metadata = metadata.Metadata(title=title, composer="lofid")
    parts = [(part, _staves(part)) for part in parts_of(session) if part.notes]
    # What is brought to the grid may end after the last bar line.
    ends = [chord.end for _, staves in parts for chords in staves for chord in chords]
    bar_count = max(-(-session.end_tick // BAR_TICKS), -(-max(ends) // BAR_GRID))
    keys = _keys(session)
    for part, staves in parts:
        written = list(_written_staves(part, staves, keys, bar_count))
        for staff in written:
            score.insert(0, staff)
        if len(written) > 1:
            score.insert(0, layout.StaffGroup(written, name=part.name, symbol="brace"))
    for bar, beat, bpm in _tempos(session):
        mark = tempo.MetronomeMark(number=bpm)
        mark.placement = "above"
        score.parts[0].measure(bar + 1).insert(beat, mark)
    return score


def _keys(session: Session) -> dict[int, str]:
    """Give each change of key to the bar line that is nearest."""
    return {round(tick / BAR_TICKS): text for tick, text in session.keys}


def _tempos(session: Session) -> Iterator[Tempo]:
    """Give a bar at most one tempo, and none that reads as the one before it."""
    shown = 0
    inside = (change for change in session.tempos if change[0] < session.end_tick)
    for bar, changes in groupby(inside, key=lambda change: change[0] // BAR_TICKS):
        tick, bpm = list(changes)[-1]
        if round(bpm) != shown:
            shown = round(bpm)
            yield bar, tick // TICKS_PER_QUARTER % BEATS_PER_BAR, shown


def _staves(part: Part) -> list[list[Chord]]:
    """Give a part one staff, or two about middle C where it is keys or goes low."""
    beats = Beats(part.notes)
    lowest = min(played.pitch for played in part.notes)
    if part.program != ELECTRIC_PIANO and lowest >= LOWEST_TREBLE:
        return [chords_of(part.notes, beats)]
    high = [played for played in part.notes if played.pitch >= MIDDLE_C]
    low = [played for played in part.notes if played.pitch < MIDDLE_C]
    return [chords_of(high, beats), chords_of(low, beats)]


def _written_staves(
    part: Part, staves: Sequence[Sequence[Chord]], keys: dict[int, str], bar_count: int
) -> Iterator[Any]:
    kind = stream.Part if len(staves) == 1 else stream.PartStaff
    for chords, sign in zip(staves, (clef.TrebleClef(), clef.BassClef()), strict=False):
        staff = kind()
        staff.append(list(_measures(chords, keys, bar_count)))
        staff.measure(1).insert(0, sign)
        staff.insert(0, instrument.instrumentFromMidiProgram(part.program or PIANO))
        staff.partName = part.name
        yield staff


def _measures(chords: Sequence[Chord], keys: dict[int, str], bar_count: int) -> Iterator[Any]:
    voices = [bars_of(voice, bar_count) for voice in voices_of(chords)]
    names = _names(0)
    for number in range(bar_count):
        measure = stream.Measure(number=number + 1)
        if number == 0:
            measure.insert(0, meter.TimeSignature(f"{BEATS_PER_BAR}/4"))
        if number in keys:
            signature = key_signature(keys[number])
            names = _names(signature.sharps)
            measure.insert(0, signature)
        _fill(measure, [bars[number] for bars in voices if bars[number]], names)
        yield measure


def _names(sharps: int) -> Sequence[str]:
    if sharps == 0:
        return _EITHER
    return _SHARPS if sharps > 0 else _FLATS


def _fill(measure: Any, voices: Sequence[Sequence[Chord]], names: Sequence[str]) -> None:
    """Set a bar's voices, the highest first; a bar without any is a rest."""
    if not voices:
        rest = note.Rest(quarterLength=BEATS_PER_BAR)
        rest.fullMeasure = True
        measure.insert(0, rest)
    elif len(voices) == 1:
        measure.append([_written(chord, names, True) for chord in voices[0]])
    else:
        for index, chords in enumerate(sorted(voices, key=_height, reverse=True)):
            voice = stream.Voice(id=str(index + 1))
            voice.append([_written(chord, names, index == 0) for chord in chords])
            measure.insert(0, voice)


def _height(chords: Iterable[Chord]) -> int:
    return max(pitch for chord in chords for pitch in chord.pitches)


def _written(chord: Chord, names: Sequence[str], is_first_voice: bool) -> Any:
    """Write a note, a chord or a rest. Other voices' rests take room, and are not seen."""
    value = _value(chord)
    if not chord.pitches:
        rest = note.Rest(duration=value)
        rest.style.hideObjectOnPrint = not is_first_voice
        return rest
    pitches = [f"{names[pitch % 12]}{pitch // 12 - 1}" for pitch in chord.pitches]
    if len(pitches) == 1:
        written = note.Note(pitches[0], duration=value)
    else:
        written = music21_chord.Chord(pitches, duration=value)
    if chord.is_tied_before or chord.is_tied_after:
        how = {(True, True): "continue", (True, False): "stop", (False, True): "start"}
        written.tie = tie.Tie(how[chord.is_tied_before, chord.is_tied_after])
    return written


def _value(chord: Chord) -> Any:
    """Give the note value. A beat of triplets has one bracket, from where it begins to its end.

    music21 sets brackets too, wrong ones where a beat's first note is two thirds of it.
    """
    length = chord.end - chord.start
    if length not in (TRIPLET, 2 * TRIPLET):
        return duration.Duration(Fraction(length, GRID_PER_QUARTER))
    value = duration.Duration(type="eighth" if length == TRIPLET else "quarter")
    triplet = duration.Tuplet(3, 2, "eighth")
    ends = {chord.start % GRID_PER_QUARTER: "start", -chord.end % GRID_PER_QUARTER: "stop"}
    triplet.type = ends.get(0)
    value.appendTuplet(triplet)
    return value
