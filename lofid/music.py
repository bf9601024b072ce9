"""Musical values: ticks, pitches and their spelling, keys, events. Plain data, no I/O.

A *token* is how an event's pitches are spelled, in music21's terms. Three spellings exist and
one parser, :func:`parse_token`, reads them all:

* a note is its pitch name: ``E-5`` (flats are ``-``; middle C is ``C4``, MIDI note 60);
* a chord as a *voicing* is its pitch names from low to high: ``C3.E-3.G3.B-3``;
* a chord as a *normal order* is its pitch classes: ``0.3.7``. It forgets the voicing and is
  realised upwards from around middle C.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

TICKS_PER_QUARTER = 480
GRID_TICKS = 40
"""The model's grid: a twelfth of a quarter note holds sixteenths and triplets alike."""
GRID_PER_QUARTER = TICKS_PER_QUARTER // GRID_TICKS
BEATS_PER_BAR = 4
BAR_TICKS = BEATS_PER_BAR * TICKS_PER_QUARTER
BAR_GRID = BEATS_PER_BAR * GRID_PER_QUARTER

LOWEST_PITCH, HIGHEST_PITCH = 12, 127
"""C0 to G9. Below C0 a name such as ``C-1`` could also be read as C flat in octave 1."""

_PITCH_CLASS_NAMES = ("C", "C#", "D", "E-", "E", "F", "F#", "G", "G#", "A", "B-", "B")
_STEP_SEMITONES = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
_PITCH = re.compile(r"([A-G])(#{1,2}|-{1,2})?([0-9])")
_NORMAL_ORDER = re.compile(r"\d{1,2}(\.\d{1,2})*")
_KEY = re.compile(r"([A-Ga-g])\s*(#|b|-|sharp|flat)?\s*(major|minor|maj|min|m)?")


@dataclass(frozen=True, slots=True)
class Event:
    """One note or one chord, as it sounds: the unit of the context and of the model.

    ``pitches`` are MIDI note numbers from low to high, ``onset_ticks`` counts from the start of
    the session, ``length_ticks`` is above zero, ``velocity`` is 1 to 127. ``by_person`` tells
    what was played from what was composed.
    """

    pitches: tuple[int, ...]
    onset_ticks: int
    length_ticks: int
    velocity: int
    by_person: bool = False

    @property
    def is_chord(self) -> bool:
        """Chords are the *keys* part, single notes the *lead* part."""
        return len(self.pitches) > 1


def pitch_name(number: int) -> str:
    """Spell a MIDI note number as music21 does: 63 is ``E-4``. ValueError outside C0 to G9."""
    if not LOWEST_PITCH <= number <= HIGHEST_PITCH:
        raise ValueError(f"MIDI note {number} is outside {LOWEST_PITCH} to {HIGHEST_PITCH}")
    return f"{_PITCH_CLASS_NAMES[number % 12]}{number // 12 - 1}"


def pitch_number(name: str) -> int:
    """Read a pitch name, any spelling of it: ``E-4`` and ``D#4`` are 63. ValueError if none."""
    match = _PITCH.fullmatch(name)
    if match is None:
        raise ValueError(f"{name!r} is not a pitch name such as E-4")
    step, accidental, octave = match.groups()
    alteration = (accidental or "").count("#") - (accidental or "").count("-")
    return 12 * (int(octave) + 1) + _STEP_SEMITONES[step] + alteration


def spell_voicing(pitches: Iterable[int]) -> str:
    """Spell a note, or a chord as its voicing: (48, 51, 55) is ``C3.E-3.G3``."""
    return ".".join(pitch_name(pitch) for pitch in sorted(set(pitches)))


def spell_normal_order(pitches: Iterable[int]) -> str:
    """Spell a note by name, a chord by its normal order: (48, 51, 55) is ``0.3.7``."""
    numbers = sorted(set(pitches))
    if len(numbers) == 1:
        return pitch_name(numbers[0])
    return ".".join(str(pitch_class) for pitch_class in normal_order(numbers))


def normal_order(pitches: Iterable[int]) -> tuple[int, ...]:
    """Arrange pitch classes in their most compact rotation.

    The smallest span wins; ties go to the rotation packed to the left, then to the lowest first
    pitch class (Allen Forte, *The Structure of Atonal Music*, 1973; as music21 has it).
    """
    classes = sorted({pitch % 12 for pitch in pitches})
    rotations = [classes[i:] + classes[:i] for i in range(len(classes))]

    def spans(rotation: list[int]) -> tuple[int, ...]:
        distances = [(pitch_class - rotation[0]) % 12 for pitch_class in rotation]
        return (distances[-1], *distances)

    best = min(rotations, key=lambda rotation: (spans(rotation), rotation[0]))
    return tuple(best)


@lru_cache(maxsize=65536)
def parse_token(token: str) -> tuple[int, ...]:
    """Read any of the three spellings into MIDI note numbers, low to high.

    ValueError if it is none of them.
    """
    if _NORMAL_ORDER.fullmatch(token):
        return _realise([int(part) for part in token.split(".")])
    return tuple(sorted({pitch_number(name) for name in token.split(".")}))


def _realise(classes: list[int]) -> tuple[int, ...]:
    """Stack pitch classes upwards, the first one as near to middle C as it can be."""
    if max(classes) > 11:
        raise ValueError(f"{max(classes)} is not a pitch class from 0 to 11")
    pitches = [60 + (classes[0] + 6) % 12 - 6]
    for pitch_class in classes[1:]:
        pitches.append(pitches[-1] + (pitch_class - pitches[-1] - 1) % 12 + 1)
    return tuple(pitches)


def into_range(pitches: tuple[int, ...], low: int, high: int) -> tuple[int, ...]:
    """Move pitches by whole octaves, together where they fit, into ``low`` to ``high``."""
    while pitches[0] < low and pitches[-1] + 12 <= high:
        pitches = tuple(pitch + 12 for pitch in pitches)
    while pitches[-1] > high and pitches[0] - 12 >= low:
        pitches = tuple(pitch - 12 for pitch in pitches)
    folded = {
        low + (p - low) % 12 if p < low else high - (high - p) % 12 if p > high else p
        for p in pitches
    }
    return tuple(sorted(folded))


@dataclass(frozen=True, slots=True)
class Key:
    """A major or minor key. The model thinks in C major and A minor, its *home* keys."""

    tonic: int
    is_minor: bool

    @classmethod
    def parse(cls, text: str) -> "Key":
        """Read ``F minor``, ``Eb major``, ``E- major``, ``f# minor`` or ``Am``. Else ValueError."""
        match = _KEY.fullmatch(text.strip())
        if match is None:
            raise ValueError(f"{text!r} is not a key such as 'F minor' or 'Eb major'")
        step, accidental, mode = match.groups()
        alteration = {"#": 1, "sharp": 1, "b": -1, "-": -1, "flat": -1}.get(accidental or "", 0)
        tonic = (_STEP_SEMITONES[step.upper()] + alteration) % 12
        return cls(tonic, mode in ("minor", "min", "m"))

    def __str__(self) -> str:
        name = _PITCH_CLASS_NAMES[self.tonic].replace("-", "b")
        return f"{name} {'minor' if self.is_minor else 'major'}"

    @property
    def shift_semitones(self) -> int:
        """How far this key lies from home, from 6 down to 5 up: F minor is 4 below A minor."""
        return (self.tonic - (9 if self.is_minor else 0) + 6) % 12 - 6


def from_home(pitches: tuple[int, ...], key: Key) -> tuple[int, ...]:
    """Bring pitches from C major, or A minor, to a key; into the range of names where need be."""
    shifted = tuple(pitch + key.shift_semitones for pitch in pitches)
    return into_range(shifted, LOWEST_PITCH, HIGHEST_PITCH)


def to_home(pitches: tuple[int, ...], key: Key) -> tuple[int, ...]:
    """Bring pitches from a key to C major, or A minor."""
    shifted = tuple(pitch - key.shift_semitones for pitch in pitches)
    return into_range(shifted, LOWEST_PITCH, HIGHEST_PITCH)


def swung(onset_ticks: int, swing_percent: float) -> int:
    """Delay the second sixteenth of each eighth: 50 is straight, 66.7 a triplet.

    Time between the sixteenths is stretched in proportion, so that order is kept.
    """
    eighth = TICKS_PER_QUARTER // 2
    start, within = divmod(onset_ticks, eighth)
    middle = eighth * swing_percent / 100
    half = eighth / 2
    if within <= half:
        moved = within * middle / half
    else:
        moved = middle + (within - half) * (eighth - middle) / half
    return start * eighth + round(moved)


def place_ticks(grid: int, swing_percent: float) -> int:
    """When a place of the grid sounds."""
    return swung(grid * GRID_TICKS, swing_percent)


def first_place(from_ticks: int, swing_percent: float) -> int:
    """Find the first place of the grid that, swung, lies at or after ``from_ticks``."""
    grid = max(from_ticks // GRID_TICKS - 1, 0)
    while place_ticks(grid, swing_percent) < from_ticks:
        grid += 1
    return grid


def last_place(until_ticks: int, swing_percent: float) -> int:
    """Find the last place of the grid that, swung, lies at or before ``until_ticks``."""
    return first_place(until_ticks + 1, swing_percent) - 1


def nearest_place(ticks: int, swing_percent: float) -> int:
    """Find the place of the grid that, swung, is nearest; of two the earlier one."""
    following = first_place(ticks, swing_percent)
    before = max(following - 1, 0)
    to_before = ticks - place_ticks(before, swing_percent)
    return before if to_before <= place_ticks(following, swing_percent) - ticks else following
