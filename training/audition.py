"""Pieces as MIDI files, to hear what a network will be taught: keys and lead on a channel each."""

from collections.abc import Iterable
from pathlib import Path, PurePosixPath

import mido

from lofid.errors import CorpusError
from lofid.music import GRID_TICKS, TICKS_PER_QUARTER, swung
from training.arranged import Named
from training.reader import Piece

TEMPO, SWING_PERCENT = 80, 58
LEAD_CHANNEL, KEYS_CHANNEL = 0, 1
"""As lofid plays by default."""


def write(pieces: Iterable[Named], folder: Path) -> int:
    """Write each piece as ``song-arranged-1.mid``; give their number.

    CorpusError when the folder cannot be written.
    """
    count = 0
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, _, piece in pieces:
            path = PurePosixPath(name)
            midi_file(piece).save(folder / f"{path.stem}-{path.parent.name}.mid")
            count += 1
    except OSError as fault:
        raise CorpusError(f"{folder}: cannot be written: {fault.strerror}") from fault
    return count


def midi_file(piece: Piece) -> mido.MidiFile:
    """Make a MIDI file of a piece at lofid's own tempo and swing."""
    beat = mido.MetaMessage("set_tempo", tempo=mido.bpm2tempo(TEMPO))
    file = mido.MidiFile(type=1, ticks_per_beat=TICKS_PER_QUARTER)
    file.tracks.append(mido.MidiTrack([beat]))
    for name, channel, is_keys in (("lead", LEAD_CHANNEL, False), ("keys", KEYS_CHANNEL, True)):
        file.tracks.append(_track(piece, name, channel, is_keys=is_keys))
    return file


def _track(piece: Piece, name: str, channel: int, *, is_keys: bool) -> mido.MidiTrack:
    """Offs before ons at equal times."""
    timed = []
    for sound in piece.sounds:
        if (len(sound.pitches) > 1) == is_keys:
            on, off = _tick(sound.onset_grid), _tick(sound.onset_grid + sound.length_grid)
            for pitch in sound.pitches:
                timed.append((off, 0, pitch, 0))
                timed.append((on, 1, pitch, sound.velocity))
    track, before = mido.MidiTrack([mido.MetaMessage("track_name", name=name)]), 0
    for tick, is_on, pitch, velocity in sorted(timed):
        kind = "note_on" if is_on else "note_off"
        message = mido.Message(kind, channel=channel, note=pitch, velocity=velocity)
        track.append(message.copy(time=tick - before))
        before = tick
    return track


def _tick(grid: int) -> int:
    return swung(grid * GRID_TICKS, SWING_PERCENT)
