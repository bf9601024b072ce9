"""A session as a MIDI file, through music21.

Rules:

* Ticks, channels and velocities in the file are exactly the session's. music21 writes 10080
  ticks to the quarter, channels of its own choice, programs twice and pitch bends nobody asked
  for; what it wrote is read back and put right. It writes no controllers and no markers: those
  are set among its notes afterwards.
* Equal sessions give equal bytes, and a file appears whole or not at all.
* music21 is slow to import and holds the interpreter: :mod:`lofid.exporting` does it in a process
  of its own.
"""

import io
from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction
from itertools import chain
from pathlib import Path
from typing import Any

import mido

from lofid.music import BEATS_PER_BAR, TICKS_PER_QUARTER, Key
from lofid.parts import PIANO, Part, parts_of
from lofid.session import PlayedNote, Session
from lofid.wholefile import write_whole

PIECE_NOTES = 250
CHARSET = "utf-8"
_ORDER = {"note_off": 1, "control": 2, "note_on": 3}
"""What comes first at one tick: what ends, then a pedal, then what begins."""
Timed = tuple[int, Any]
"""A message and its tick."""


def midi_bytes(session: Session) -> bytes:
    """Write a session as a MIDI file, format 1, 480 ticks to the quarter note.

    Imports music21 and holds the interpreter for about a third of a second per thousand notes.
    """
    file = mido.MidiFile(type=1, ticks_per_beat=TICKS_PER_QUARTER, charset=CHARSET)
    parts = parts_of(session)
    conductor, *tracks = _joined(_pieces(session, parts), len(parts) + 1)
    file.tracks.append(_delta_coded(_conducted(conductor, session), session.end_tick))
    for part, messages in zip(parts, tracks, strict=True):
        file.tracks.append(_delta_coded(_put_right(messages, part), session.end_tick))
        messages.clear()
    data = io.BytesIO()
    file.save(file=data)
    return data.getvalue()


def _pieces(session: Session, parts: Sequence[Part]) -> Iterator[bytes]:
    """Have music21 write the session, a number of notes at a time.

    It compares each note with every one before it: 40,000 notes in one piece cost minutes.
    """
    longest = max(len(part.notes) for part in parts)
    for start in range(0, max(longest, 1), PIECE_NOTES):
        part_notes = [part.notes[start : start + PIECE_NOTES] for part in parts]
        yield _music21_bytes(session if start == 0 else None, parts, part_notes)


def _music21_bytes(
    session: Session | None, parts: Sequence[Part], part_notes: Sequence[Sequence[PlayedNote]]
) -> bytes:
    """Write one piece through music21; ``session`` gives its tempos and keys where wanted."""
    from music21 import midi, stream  # noqa: PLC0415 (half a second, in the engine's process)

    score = stream.Score()
    for part, notes in zip(parts, part_notes, strict=True):
        score.insert(0, _music21_part(part, notes))
    for tick, change in [] if session is None else _changes(session):
        score.parts[0].insert(Fraction(tick, TICKS_PER_QUARTER), change)
    return bytes(midi.translate.streamToMidiFile(score, addEndDelay=False).writestr())


def _music21_part(part: Part, notes: Iterable[PlayedNote]) -> Any:
    from music21 import instrument, note, stream  # noqa: PLC0415

    sound = instrument.instrumentFromMidiProgram(PIANO if part.program is None else part.program)
    sound.partName = part.name
    placed: list[Any] = [0, sound]
    for played in notes:
        written = note.Note(quarterLength=Fraction(played.length_ticks, TICKS_PER_QUARTER))
        written.pitch.midi = played.pitch
        written.volume.velocity = played.velocity
        written.volume.velocityIsRelative = False
        placed += (Fraction(played.tick, TICKS_PER_QUARTER), written)
    written_part = stream.Part()
    # Otherwise music21 looks for the end of the part before each note: the most of its time.
    written_part.insert(placed, ignoreSort=True)
    return written_part


def _changes(session: Session) -> Iterator[tuple[int, Any]]:
    """Give what the conductor says, in music21's terms."""
    from music21 import meter, tempo  # noqa: PLC0415

    yield 0, meter.TimeSignature(f"{BEATS_PER_BAR}/4")
    for tick, bpm in session.tempos:
        yield tick, tempo.MetronomeMark(number=bpm)
    for tick, text in session.keys:
        yield tick, key_signature(text)


def key_signature(text: str) -> Any:
    """Give a key such as ``F minor`` to music21, with the fewest sharps or flats it can have.

    Six sharps are as many as six flats: there it has what its own name has.
    """
    from music21 import key  # noqa: PLC0415

    parsed = Key.parse(text)
    major_tonic = parsed.tonic + (3 if parsed.is_minor else 0)
    sharps = (major_tonic * 7 + 5) % 12 - 5
    if sharps == 6 and text.strip()[1:].lstrip().startswith(("b", "-", "flat")):
        sharps = -6
    return key.KeySignature(sharps).asKey("minor" if parsed.is_minor else "major")


def _joined(pieces: Iterable[bytes], track_count: int) -> list[list[Timed]]:
    """Read the pieces back: for each track its messages at the session's ticks.

    Only the first piece's conductor counts; the others' is music21's default.
    """
    tracks: list[list[Timed]] = [[] for _ in range(track_count)]
    for index, piece in enumerate(pieces):
        file = mido.MidiFile(file=io.BytesIO(piece))
        for number, (track, messages) in enumerate(zip(tracks, file.tracks, strict=True)):
            if index == 0 or number > 0:
                track.extend(_timed(messages, file.ticks_per_beat))
    return tracks


def _timed(messages: Iterable[Any], ticks_per_quarter: int) -> Iterator[Timed]:
    at = 0
    for message in messages:
        at += message.time
        yield at * TICKS_PER_QUARTER // ticks_per_quarter, message


def _conducted(conductor: list[Timed], session: Session) -> list[Timed]:
    """Set the marks among the conductor's messages, as MIDI's markers, and the tempos right.

    A quarter note lasts whole microseconds. Rounded down, 84 beats a minute are a trifle more in
    a file; rounded to the nearest, Rosegarden shows them as 83.
    """
    bpm_at = dict(session.tempos)
    for tick, message in conductor:
        if message.type == "set_tempo" and tick in bpm_at:
            message.tempo = int(60_000_000 / bpm_at[tick])
    marks = [(tick, mido.MetaMessage("marker", text=text)) for tick, text in session.marks]
    return sorted(conductor + marks, key=lambda timed: timed[0])


def _put_right(messages: Iterable[Timed], part: Part) -> list[Timed]:
    """Give the notes their channel back, and what music21 leaves out."""
    channel = part.channel
    start: list[Timed] = [(0, mido.MetaMessage("track_name", name=part.name))]
    if part.program is not None:
        program = mido.Message("program_change", channel=channel, program=part.program)
        start.append((0, program))
    notes = [(t, _ORDER[m.type], _on(m, channel)) for t, m in messages if m.type in _ORDER]
    moved = [(c.tick, _ORDER["control"], mido.Message.from_bytes(c.data)) for c in part.controls]
    ordered = sorted(chain(notes, moved), key=lambda timed: timed[:2])
    return start + [(tick, message) for tick, _, message in ordered]


def _on(message: Any, channel: int) -> Any:
    return message.copy(channel=channel)


def _delta_coded(messages: Iterable[Timed], end_tick: int) -> Any:
    """Turn ticks into steps, and end the track where the session ends."""
    track = mido.MidiTrack()
    before = 0
    for tick, message in messages:
        if message.type != "end_of_track":
            message.time = tick - before
            track.append(message)
            before = tick
    track.append(mido.MetaMessage("end_of_track", time=end_tick - before))
    return track


def write_midi(session: Session, path: Path) -> None:
    """Write the session's MIDI file; the file appears whole or not at all.

    RecordingError when the folder is missing or cannot be written, or the disk is full. Blocks
    for as long as music21 takes: not for the engine's process.
    """
    write_whole(path, midi_bytes(session))
