"""A session as a MIDI file, through music21.

Rules:

* Ticks, channels and velocities in the file are exactly the session's. music21 writes 10080
  ticks to the quarter, channels of its own choice, programs twice and pitch bends nobody asked
  for; what it wrote is read back and put right.
* Equal sessions give equal bytes, and a file appears whole or not at all.
* music21 is slow to import and holds the interpreter: ``python -m lofid.midifile JOURNAL OUT.mid``
  converts a recorder's journal in a process of its own.
"""

import io
import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import mido

from lofid.errors import RecordingError
from lofid.journal import PlayedNote, Session, read_journal
from lofid.music import BEATS_PER_BAR, TICKS_PER_QUARTER, Key

VIBRAPHONE, ELECTRIC_PIANO, PIANO = 11, 4, 0
"""General MIDI programs, counted from 0: of the lead, the keys, and everyone else."""
PIECE_NOTES = 500
LOWEST_PRIORITY = 19
_NOTE_ORDER = {"note_off": 1, "note_on": 2}


@dataclass(frozen=True, slots=True)
class _Track:
    """One track to be: ``program`` is None where another track has chosen the channel's."""

    name: str
    channel: int
    program: int | None
    notes: tuple[PlayedNote, ...]


def _tracks(session: Session) -> list[_Track]:
    """Sort the notes into tracks: lead and keys always, then whatever else there is."""
    lead, keys = (False, session.lead_channel), (False, session.keys_channel)
    notes: dict[tuple[bool, int], list[PlayedNote]] = {lead: [], keys: []}
    for note in sorted(session.notes):
        notes.setdefault((note.by_person, note.channel), []).append(note)
    tracks: list[_Track] = []
    for who in (lead, keys, *sorted(notes.keys() - {lead, keys})):
        program = {lead: VIBRAPHONE, keys: ELECTRIC_PIANO}.get(who, PIANO)
        is_taken = any(track.channel == who[1] for track in tracks)
        name = {lead: "lead", keys: "keys"}.get(who) or _name(*who, notes)
        tracks.append(_Track(name, who[1], None if is_taken else program, tuple(notes[who])))
    return tracks


def _name(by_person: bool, channel: int, used: Iterable[tuple[bool, int]]) -> str:
    """``played``; with its channel, 1 to 16, where the person used several."""
    if not by_person:
        return f"channel {channel + 1}"
    is_alone = [person for person, _ in used].count(True) == 1
    return "played" if is_alone else f"played {channel + 1}"


def midi_bytes(session: Session) -> bytes:
    """Write a session as a MIDI file, format 1, 480 ticks to the quarter note.

    Imports music21 and holds the interpreter for about half a second per thousand notes.
    """
    file = mido.MidiFile(type=1, ticks_per_beat=TICKS_PER_QUARTER)
    tracks = _tracks(session)
    conductor, *parts = _joined(_pieces(session, tracks), len(tracks) + 1)
    file.tracks.append(_delta_coded(conductor, session.end_tick))
    for track, messages in zip(tracks, parts, strict=True):
        file.tracks.append(_delta_coded(_put_right(messages, track), session.end_tick))
    data = io.BytesIO()
    file.save(file=data)
    return data.getvalue()


def _pieces(session: Session, tracks: Sequence[_Track]) -> Iterator[bytes]:
    """Have music21 write the session, a number of notes at a time.

    It compares each note with every one before it: 40,000 notes in one piece cost minutes.
    """
    longest = max(len(track.notes) for track in tracks)
    for start in range(0, max(longest, 1), PIECE_NOTES):
        part_notes = [track.notes[start : start + PIECE_NOTES] for track in tracks]
        yield _music21_bytes(session if start == 0 else None, tracks, part_notes)


def _music21_bytes(
    session: Session | None, tracks: Sequence[_Track], part_notes: Sequence[Sequence[PlayedNote]]
) -> bytes:
    """Write one piece through music21; ``session`` gives its tempos and keys where wanted."""
    from music21 import midi, stream  # noqa: PLC0415 (half a second, in the engine's process)

    score = stream.Score()
    for track, notes in zip(tracks, part_notes, strict=True):
        score.insert(0, _part(track, notes))
    for tick, mark in [] if session is None else _marks(session):
        score.parts[0].insert(Fraction(tick, TICKS_PER_QUARTER), mark)
    return bytes(midi.translate.streamToMidiFile(score, addEndDelay=False).writestr())


def _part(track: _Track, notes: Iterable[PlayedNote]) -> Any:
    from music21 import instrument, note, stream  # noqa: PLC0415

    sound = instrument.instrumentFromMidiProgram(PIANO if track.program is None else track.program)
    sound.partName = track.name
    part = stream.Part()
    part.insert(0, sound)
    for played in notes:
        written = note.Note(quarterLength=Fraction(played.length_ticks, TICKS_PER_QUARTER))
        written.pitch.midi = played.pitch
        written.volume.velocity = played.velocity
        written.volume.velocityIsRelative = False
        part.insert(Fraction(played.tick, TICKS_PER_QUARTER), written)
    return part


def _marks(session: Session) -> Iterator[tuple[int, Any]]:
    """Give the conductor's marks. A key gets the fewest sharps or flats it can have."""
    from music21 import key, meter, tempo  # noqa: PLC0415

    yield 0, meter.TimeSignature(f"{BEATS_PER_BAR}/4")
    for tick, bpm in session.tempos:
        yield tick, tempo.MetronomeMark(number=bpm)
    for tick, text in session.keys:
        parsed = Key.parse(text)
        major_tonic = parsed.tonic + (3 if parsed.is_minor else 0)
        sharps = (major_tonic * 7 + 5) % 12 - 5
        yield tick, key.KeySignature(sharps).asKey("minor" if parsed.is_minor else "major")


def _joined(pieces: Iterable[bytes], track_count: int) -> list[list[Any]]:
    """Read the pieces back: for each track its messages, whose ``time`` is the session's tick.

    Only the first piece's conductor counts; the others' is music21's default.
    """
    tracks: list[list[Any]] = [[] for _ in range(track_count)]
    for index, piece in enumerate(pieces):
        file = mido.MidiFile(file=io.BytesIO(piece))
        for number, (track, messages) in enumerate(zip(tracks, file.tracks, strict=True)):
            if index == 0 or number > 0:
                track.extend(_timed(messages, file.ticks_per_beat))
    return tracks


def _timed(messages: Iterable[Any], ticks_per_quarter: int) -> Iterator[Any]:
    at = 0
    for message in messages:
        at += message.time
        yield message.copy(time=at * TICKS_PER_QUARTER // ticks_per_quarter)


def _put_right(messages: Iterable[Any], track: _Track) -> list[Any]:
    """Give the notes their channel back, and set before them the track's name and program."""
    start = [mido.MetaMessage("track_name", name=track.name, time=0)]
    if track.program is not None:
        start.append(_program(track.channel, track.program))
    notes = [m.copy(channel=track.channel) for m in messages if m.type in _NOTE_ORDER]
    return start + sorted(notes, key=lambda m: (m.time, _NOTE_ORDER[m.type]))


def _program(channel: int, program: int) -> Any:
    return mido.Message("program_change", channel=channel, program=program, time=0)


def _delta_coded(messages: Iterable[Any], end_tick: int) -> Any:
    """Turn ticks into steps, and end the track where the session ends."""
    track = mido.MidiTrack()
    before = 0
    for message in [m for m in messages if m.type != "end_of_track"]:
        track.append(message.copy(time=message.time - before))
        before = message.time
    track.append(mido.MetaMessage("end_of_track", time=end_tick - before))
    return track


def write_midi(session: Session, path: Path) -> None:
    """Write the session's MIDI file; the file appears whole or not at all.

    RecordingError when the folder is missing or cannot be written, or the disk is full. Blocks
    for as long as music21 takes: not for the engine's process.
    """
    data = midi_bytes(session)
    # Not with the file's own name in it: that may be as long as names can be.
    unfinished = path.with_name(f".lofid-{os.getpid()}.part")
    try:
        with unfinished.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(path)
    except OSError as error:
        with suppress(OSError):
            unfinished.unlink(missing_ok=True)
        raise RecordingError(f"{path}: cannot be written: {error.strerror}") from error


def main(arguments: Sequence[str]) -> int:
    """``python -m lofid.midifile JOURNAL OUT.mid``: convert, at the lowest priority there is."""
    if len(arguments) != 2:
        print("give two files: python -m lofid.midifile JOURNAL OUT.mid", file=sys.stderr)
        return 1
    if hasattr(os, "nice"):
        os.nice(LOWEST_PRIORITY)
    try:
        write_midi(read_journal(Path(arguments[0])), Path(arguments[1]))
    except RecordingError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
