"""What sounded in a session, as frozen values: what every file that is made of it is made from.

Rules:

* Ticks count from the session's beginning, 480 to the quarter note; channels are 0 to 15, as on
  the wire. Everything lies at or before ``end_tick``.
* A part never sounds the same pitch twice at once on a channel: MIDI could not say which of the
  two a note-off means.
* Values that a MIDI file cannot say are refused with a ValueError when they are made.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain, groupby, pairwise, zip_longest

from lofid.music import Key

SLOWEST_BPM, FASTEST_BPM = 4, 1000
"""A file's tempo has three bytes of microseconds, which end at 3.6 beats per minute."""
LEAST_SWING, MOST_SWING = 50, 75
"""In percent, as the setting has it; 50 is straight."""
_DATA_BYTES = {0xA0: 2, 0xB0: 2, 0xC0: 1, 0xD0: 1, 0xE0: 2}
"""Channel messages that are no notes: pressure of a key, controller, program, pressure, bend."""


@dataclass(frozen=True, slots=True, order=True)
class PlayedNote:
    """One note as it sounded. Ticks from the start of the file; ``channel`` is 0 to 15."""

    tick: int
    length_ticks: int
    channel: int
    pitch: int
    velocity: int
    by_person: bool = False

    def __post_init__(self) -> None:
        ranges = ((self.channel, 0, 15), (self.pitch, 0, 127), (self.velocity, 1, 127))
        if self.tick < 0 or self.length_ticks < 1 or any(not a <= v <= b for v, a, b in ranges):
            raise ValueError(f"MIDI has no such note: {self}")

    @property
    def end_tick(self) -> int:
        """Where its note-off stands."""
        return self.tick + self.length_ticks

    @property
    def voice(self) -> tuple[bool, int, int]:
        """What sounds one note at a time: a part's channel and pitch."""
        return (self.by_person, self.channel, self.pitch)


@dataclass(frozen=True, slots=True)
class Control:
    """What a person moved: a pedal, a wheel, a knob. ``data`` is the MIDI message, status first."""

    tick: int
    data: tuple[int, ...]

    def __post_init__(self) -> None:
        controller_bytes(self.data)
        if self.tick < 0:
            raise ValueError(f"MIDI has no such controller: {self}")

    @property
    def channel(self) -> int:
        """0 to 15."""
        return self.data[0] & 0x0F


@dataclass(frozen=True, slots=True)
class Session:
    """What sounded: notes, and ``(tick, value)`` changes in the order of their ticks, and the end.

    ``tempos`` are in beats per minute, ``swings`` in percent (none: straight), ``keys`` such as
    ``F minor``; of each there is at most one change at a tick. ``marks`` are lines of text, as
    many at a tick as there are. ``lead_channel`` and ``keys_channel`` are 0 to 15 and say which
    of lofid's notes are whose. ValueError for what a MIDI file cannot say.
    """

    notes: tuple[PlayedNote, ...]
    tempos: tuple[tuple[int, float], ...]
    keys: tuple[tuple[int, str], ...]
    lead_channel: int
    keys_channel: int
    end_tick: int
    controls: tuple[Control, ...] = ()
    marks: tuple[tuple[int, str], ...] = ()
    swings: tuple[tuple[int, float], ...] = ()

    def __post_init__(self) -> None:
        check_parts(self.lead_channel, self.keys_channel)
        _check_changes(self)
        if self.end_tick < _last_tick(self):
            raise ValueError(f"the session ends at {self.end_tick}, before what sounds in it")
        for note, following in pairwise(sorted(self.notes, key=_in_voice)):
            if note.voice == following.voice and note.end_tick > following.tick:
                raise ValueError(f"{following} begins while {note} sounds")


def apart(notes: Iterable[PlayedNote]) -> Iterator[PlayedNote]:
    """Let each note end where the next of its voice begins.

    None is lost: those that begin at one tick begin a tick after each other, in the order in which
    they are given.
    """
    for _, line in groupby(sorted(notes, key=_in_voice), key=lambda note: note.voice):
        yield from _cut_off(list(_successive(line)))


def _successive(line: Iterable[PlayedNote]) -> Iterator[PlayedNote]:
    """Let each note of a voice begin a tick after the one before, at least."""
    first_tick = 0
    for note in line:
        tick = max(note.tick, first_tick)
        yield replace(note, tick=tick, length_ticks=max(note.end_tick - tick, 1))
        first_tick = tick + 1


def _cut_off(line: Sequence[PlayedNote]) -> Iterator[PlayedNote]:
    for note, following in zip_longest(line, line[1:]):
        room_ticks = note.length_ticks if following is None else following.tick - note.tick
        yield replace(note, length_ticks=min(note.length_ticks, room_ticks))


def controller_bytes(data: tuple[int, ...]) -> tuple[int, ...]:
    """Give a message's bytes back. ValueError unless it is MIDI, a channel's, and no note."""
    status, *values = data or (0,)
    is_whole = 0 <= status <= 0xEF and len(values) == _DATA_BYTES.get(status & 0xF0)
    if not is_whole or any(not 0 <= value <= 127 for value in values):
        raise ValueError(f"MIDI has no such controller: {list(data)}")
    return data


def check_parts(lead_channel: int, keys_channel: int) -> None:
    """ValueError unless lofid's two parts can be told by their channels."""
    if lead_channel == keys_channel:
        raise ValueError(f"lead and keys share channel {lead_channel}")


def check_tempo(bpm: float) -> None:
    """ValueError for a tempo that a MIDI file cannot say."""
    if not SLOWEST_BPM <= bpm <= FASTEST_BPM:
        raise ValueError(f"a tempo of {bpm} bpm is outside {SLOWEST_BPM} to {FASTEST_BPM}")


def _check_changes(session: Session) -> None:
    for changes in (session.tempos, session.keys, session.swings):
        _check_order([tick for tick, _ in changes], least_step=1)
    _check_order([tick for tick, _ in session.marks])
    _check_order([control.tick for control in session.controls])
    for _, bpm in session.tempos:
        check_tempo(bpm)
    for _, text in session.keys:
        Key.parse(text)
    for _, text in session.marks:
        text.encode()
    for _, percent in session.swings:
        if not LEAST_SWING <= percent <= MOST_SWING:
            raise ValueError(f"a swing of {percent} is outside {LEAST_SWING} to {MOST_SWING}")


def _check_order(ticks: Sequence[int], least_step: int = 0) -> None:
    for before, tick in pairwise([-least_step, *ticks]):
        if tick < max(before + least_step, 0):
            raise ValueError(f"changes are out of order: one at tick {tick} after {max(before, 0)}")


def _in_voice(note: PlayedNote) -> tuple[tuple[bool, int, int], int]:
    return (note.voice, note.tick)


def _last_tick(session: Session) -> int:
    changes: Iterable[tuple[int, object]] = chain(
        session.tempos, session.keys, session.swings, session.marks
    )
    ticks = chain((tick for tick, _ in changes), (control.tick for control in session.controls))
    return max(chain(ticks, (note.end_tick for note in session.notes)), default=0)
