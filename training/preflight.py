"""A quick look at a MIDI file before music21 gets it.

music21 reads a truncated file without a word, and a 47-byte file with one huge delta keeps it
busy for over a minute. mido reads the same bytes in milliseconds and complains, so it goes first.
"""

import io
from pathlib import Path
from typing import Any

import mido

from lofid.errors import MaterialError
from lofid.material import midi_in
from training.unreadable import UnreadableFile

MAX_BYTES = 16 * 2**20
MAX_QUARTERS = 4 * 60 * 120
"""Four hours at 120 beats a minute."""
MAX_NOTES = 50_000
DRUM_CHANNEL = 9


def check_midi(path: Path) -> bytes | None:
    """Raise UnreadableFile if music21 must not have this file.

    Return None if it may have the file as it is, and a better one if tracks mix channels: where
    a drum and a note start together on one track, music21 makes a percussion chord of both.
    """
    midi = _parse(_bytes_of(path))
    _check_length(midi)
    _check_notes(midi)
    return _unmixed(midi) if any(len(_channels(track)) > 1 for track in midi.tracks) else None


def _bytes_of(path: Path) -> bytes:
    try:
        if path.stat().st_size > MAX_BYTES:
            raise UnreadableFile("absurdly long", f"over {MAX_BYTES // 2**20} MiB")
        return path.read_bytes()
    except OSError as fault:
        raise UnreadableFile("cannot be opened", fault.strerror or str(fault)) from fault


def _parse(data: bytes) -> mido.MidiFile:
    try:
        midi: mido.MidiFile = midi_in(data)
    except MaterialError as error:
        reason, _, detail = str(error).removeprefix("is ").partition(": ")
        raise UnreadableFile(reason, detail) from error
    return midi


def _check_length(midi: mido.MidiFile) -> None:
    ticks = max((sum(message.time for message in track) for track in midi.tracks), default=0)
    quarters = ticks / midi.ticks_per_beat
    if quarters > MAX_QUARTERS:
        raise UnreadableFile("absurdly long", f"{quarters:.0f} quarter notes")


def _check_notes(midi: mido.MidiFile) -> None:
    channels = [channel for track in midi.tracks for channel in _channels(track)]
    if not channels:
        raise UnreadableFile("no notes")
    if set(channels) == {DRUM_CHANNEL}:
        raise UnreadableFile("drums only")
    notes = sum(_is_note(message) for track in midi.tracks for message in track)
    if notes > MAX_NOTES:
        raise UnreadableFile("absurdly long", f"{notes} notes")


def _is_note(message: Any) -> bool:
    return bool(message.type == "note_on" and message.velocity)


def _channels(track: mido.MidiTrack) -> set[int]:
    return {message.channel for message in track if _is_note(message)}


def _unmixed(midi: mido.MidiFile) -> bytes:
    """Write the file anew with one channel a track and without drums."""
    clean = mido.MidiFile(type=1, ticks_per_beat=midi.ticks_per_beat)
    for track in midi.tracks:
        clean.tracks.append(_only(track, "time_signature"))
        for channel in sorted(_channels(track) - {DRUM_CHANNEL}):
            clean.tracks.append(_only(track, "note_on", "note_off", channel=channel))
    file = io.BytesIO()
    clean.save(file=file)
    return file.getvalue()


def _only(track: mido.MidiTrack, *types: str, channel: int | None = None) -> mido.MidiTrack:
    """Keep the messages of these types and this channel at their times."""
    kept, ticks, written_ticks = mido.MidiTrack(), 0, 0
    for message in track:
        ticks += message.time
        if message.type in types and (channel is None or message.channel == channel):
            kept.append(message.copy(time=ticks - written_ticks))
            written_ticks = ticks
    return kept
