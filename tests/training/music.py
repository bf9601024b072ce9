"""Small music files for the tests, written as a person's programs write them."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import mido

TICKS_PER_QUARTER = 480

Played = tuple[int, int, int]
"""Pitch, onset and length, in ticks."""

C_MAJOR: tuple[Played, ...] = tuple(
    (pitch, 480 * i, 480) for i, pitch in enumerate((60, 64, 67, 72, 67, 64, 60))
)


def write_midi(
    path: Path,
    *tracks: Iterable[Played],
    channel: int = 0,
    metre: tuple[int, int] | None = None,
    kind: int = 1,
) -> Path:
    """Write each track's notes, with velocity 80, after a track with the metre."""
    file = mido.MidiFile(type=kind, ticks_per_beat=TICKS_PER_QUARTER)
    if metre:
        meta = mido.MetaMessage("time_signature", numerator=metre[0], denominator=metre[1])
        file.tracks.append(mido.MidiTrack([meta]))
    file.tracks.extend(track_of(notes, channel) for notes in tracks)
    file.save(path)
    return path


def track_of(notes: Iterable[Played], channel: int = 0) -> Any:
    """Turn notes into a track: offs before ons."""
    return track_of_channels({channel: tuple(notes)})


def track_of_channels(by_channel: dict[int, Sequence[Played]]) -> Any:
    """Turn notes of several channels into one track."""
    timed = []
    for channel, notes in by_channel.items():
        for pitch, onset, length in notes:
            timed.append((onset, 1, _message("note_on", pitch, channel, 80)))
            timed.append((onset + length, 0, _message("note_off", pitch, channel, 0)))
    track, before = mido.MidiTrack(), 0
    for ticks, _, message in sorted(timed, key=lambda each: each[:2]):
        track.append(message.copy(time=ticks - before))
        before = ticks
    return track


def _message(kind: str, pitch: int, channel: int, velocity: int) -> Any:
    return mido.Message(kind, note=pitch, channel=channel, velocity=velocity)
