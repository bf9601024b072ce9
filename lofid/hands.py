"""The hands: keys and pedals of a MIDI file become events. Pure; no I/O.

A file is heard as a keyboard is: keys of one track and channel that are struck close together are
one chord, and a pedal holds. A tune and chords that have a channel each stay a tune and chords.
Channel 10, the drums, is left out.
"""

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from lofid.music import TICKS_PER_QUARTER, Event

CHORD_TICKS = 32
"""Keys that lie closer to a chord's first belong to it: 50 ms at 80 beats per minute."""
DRUM_CHANNEL = 9
SUSTAIN, PEDAL_DOWN = 64, 64

Part = tuple[int, int]
"""(track, channel): who plays."""


@dataclass(slots=True)
class Struck:
    """A key that was struck, in the file's ticks; ``end_tick`` is not known before it ends."""

    tick: int
    part: Part
    pitch: int
    velocity: int
    end_tick: int = -1


@dataclass(slots=True)
class Hands:
    """What is held while a file goes by: keys of each part, and pedals of each channel.

    Where a key is struck again before it was let go, the first end is that of the first note.
    """

    struck: list[Struck] = field(default_factory=list)
    _down: dict[tuple[Part, int], deque[Struck]] = field(default_factory=dict)
    _sustained: dict[int, dict[tuple[Part, int], Struck]] = field(default_factory=dict)

    def take(self, tick: int, track: int, message: Any) -> None:
        """Take a message of whatever kind; ticks never go back."""
        kind = message.type
        if kind == "note_on" and message.velocity > 0:
            self._press(tick, (track, message.channel), message.note, message.velocity)
        elif kind in ("note_on", "note_off"):
            self._release(tick, (track, message.channel), message.note)
        elif kind == "control_change" and message.control == SUSTAIN:
            if message.value >= PEDAL_DOWN:
                self._sustained.setdefault(message.channel, {})
            else:
                _end(self._sustained.pop(message.channel, {}).values(), tick)

    def lift(self, tick: int) -> list[Struck]:
        """End what is still held, and give all that was struck, in the order of time."""
        for held in self._down.values():
            _end(held, tick)
        for sustained in self._sustained.values():
            _end(sustained.values(), tick)
        return self.struck

    def _press(self, tick: int, part: Part, pitch: int, velocity: int) -> None:
        if part[1] == DRUM_CHANNEL:
            return
        self._damp(tick, part, pitch)
        struck = Struck(tick, part, pitch, velocity)
        self._down.setdefault((part, pitch), deque()).append(struck)
        self.struck.append(struck)

    def _release(self, tick: int, part: Part, pitch: int) -> None:
        held = self._down.get((part, pitch))
        if not held:
            return
        struck = held.popleft()
        if part[1] in self._sustained:
            self._damp(tick, part, pitch)
            self._sustained[part[1]][part, pitch] = struck
        else:
            struck.end_tick = tick

    def _damp(self, tick: int, part: Part, pitch: int) -> None:
        """End what a pedal holds of this key: its string is struck again."""
        sustained = self._sustained.get(part[1], {}).pop((part, pitch), None)
        _end([] if sustained is None else [sustained], tick)


def _end(notes: Iterable[Struck], tick: int) -> None:
    for note in notes:
        note.end_tick = tick


def events_of(struck: Iterable[Struck], ticks_per_quarter: int) -> list[Event]:
    """Make events, in the order of their onsets, of what was struck, in the order of time.

    Where chords and notes begin together the chords come first, as the training has it.
    """
    events = [_event(chord, ticks_per_quarter) for chord in _chords(struck, ticks_per_quarter)]
    return sorted(events, key=lambda event: (event.onset_ticks, not event.is_chord, event.pitches))


def _chords(struck: Iterable[Struck], ticks_per_quarter: int) -> Iterator[list[Struck]]:
    """Gather what each part strikes within CHORD_TICKS of a chord's first key."""
    window_ticks = CHORD_TICKS * ticks_per_quarter / TICKS_PER_QUARTER
    open_chords: dict[Part, list[Struck]] = {}
    for note in struck:
        chord = open_chords.get(note.part)
        if chord is not None and note.tick - chord[0].tick <= window_ticks:
            chord.append(note)
            continue
        if chord is not None:
            yield chord
        open_chords[note.part] = [note]
    yield from open_chords.values()


def _event(chord: list[Struck], ticks_per_quarter: int) -> Event:
    def ticks(file_ticks: int) -> int:
        return round(file_ticks * TICKS_PER_QUARTER / ticks_per_quarter)

    onset = ticks(chord[0].tick)
    return Event(
        pitches=tuple(sorted({note.pitch for note in chord})),
        onset_ticks=onset,
        length_ticks=max(1, ticks(max(note.end_tick for note in chord)) - onset),
        velocity=max(note.velocity for note in chord),
    )
