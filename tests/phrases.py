"""Recorded phrases: two bars each, as a person plays them, in all 12 major and 12 minor keys.

Three base phrases for each mode, in C major and A minor, transposed into the other keys and moved
by octaves into the middle of a keyboard. Notes begin off the grid by up to 30 ticks, chords are
rolled a little, velocities and lengths are uneven.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from lofid.music import BAR_TICKS, Event, Key

PHRASE_TICKS = 2 * BAR_TICKS
LOWEST, HIGHEST = 48, 84
"""C3 to C6: three octaves, so that a phrase of up to two fits in every key."""

NOTE_ON, NOTE_OFF = 0x90, 0x80
MAJOR_SCALE = (0, 2, 4, 5, 7, 9, 11)
CHORD_TICKS = 60
"""Onsets of one chord lie within this of its first."""

Note = tuple[int, int, int, int]
"""(tick, length in ticks, pitch, velocity); 480 ticks to the quarter."""


@dataclass(frozen=True)
class Phrase:
    """Two bars that a person played in a key; ticks count from the phrase's first bar line."""

    name: str
    key: Key
    notes: tuple[Note, ...]

    @property
    def pitches(self) -> list[int]:
        """All pitches in the order they were struck."""
        return [pitch for _, _, pitch, _ in self.notes]

    def messages(self, start_tick: int = 0, channel: int = 0) -> list[tuple[int, bytes]]:
        """Give raw MIDI by tick, in order: at one tick note-offs before note-ons."""
        ons = [
            (start_tick + tick, bytes((NOTE_ON | channel, pitch, velocity)))
            for tick, _, pitch, velocity in self.notes
        ]
        offs = [
            (start_tick + tick + length, bytes((NOTE_OFF | channel, pitch, 64)))
            for tick, length, pitch, _ in self.notes
        ]
        return sorted([*offs, *ons], key=lambda timed: (timed[0], timed[1][0] & 0xF0))

    def events(self, start_tick: int = 0) -> list[Event]:
        """Give its notes and chords as they would be heard; a chord is as long as its longest."""
        groups: list[list[Note]] = []
        for note in self.notes:
            if groups and note[0] - groups[-1][0][0] <= CHORD_TICKS:
                groups[-1].append(note)
            else:
                groups.append([note])
        return [_event(group, start_tick) for group in groups]


def _event(group: list[Note], start_tick: int) -> Event:
    begin = group[0][0]
    return Event(
        tuple(sorted({pitch for _, _, pitch, _ in group})),
        start_tick + begin,
        max(tick + length for tick, length, _, _ in group) - begin,
        max(velocity for _, _, _, velocity in group),
        by_person=True,
    )


def scale_of(key: Key) -> frozenset[int]:
    """Give the pitch classes of a key's scale; a minor key's is the natural one."""
    return frozenset((step + key.shift_semitones) % 12 for step in MAJOR_SCALE)


def share_on_scale(notes: Iterable[tuple[int, int]], key: Key) -> float:
    """Of all note time, the share on the key's scale; ``notes`` are (length, pitch).

    ValueError for silence.
    """
    found, scale = list(notes), scale_of(key)
    if not (whole := sum(length for length, _ in found)):
        raise ValueError("there is no note time to share")
    return sum(length for length, pitch in found if pitch % 12 in scale) / whole


ON_THE_PORCH: tuple[Note, ...] = (
    (8, 205, 64, 74),
    (247, 190, 67, 80),
    (474, 430, 72, 92),
    (968, 212, 71, 77),
    (1196, 198, 69, 70),
    (1447, 420, 67, 84),
    (1926, 214, 69, 79),
    (2151, 205, 67, 73),
    (2411, 402, 64, 82),
    (2874, 221, 62, 71),
    (3127, 186, 65, 76),
    (3351, 388, 60, 86),
)
"""C major, a melody up to the tonic and back down to it."""

SUNDAY_CHORDS: tuple[Note, ...] = (
    (3, 880, 48, 66),
    (11, 868, 52, 61),
    (19, 872, 55, 63),
    (214, 210, 67, 82),
    (489, 418, 64, 78),
    (953, 906, 53, 68),
    (962, 894, 57, 62),
    (969, 899, 60, 64),
    (1203, 188, 69, 84),
    (1452, 405, 72, 90),
    (1916, 890, 50, 64),
    (1928, 871, 55, 60),
    (1937, 866, 59, 65),
    (2168, 223, 71, 83),
    (2395, 431, 67, 79),
    (2884, 915, 48, 69),
    (2891, 902, 52, 62),
    (2903, 897, 55, 66),
    (3109, 196, 64, 80),
    (3363, 402, 60, 87),
)
"""C major, a melody over rolled chords: C, F, G, C."""

HUMMED: tuple[Note, ...] = (
    (12, 318, 67, 76),
    (372, 96, 67, 64),
    (478, 336, 69, 81),
    (845, 104, 67, 69),
    (966, 690, 65, 88),
    (1688, 208, 64, 72),
    (1915, 342, 64, 79),
    (2292, 100, 62, 66),
    (2405, 330, 64, 83),
    (2762, 112, 65, 68),
    (2869, 244, 67, 85),
    (3134, 196, 59, 74),
    (3357, 430, 60, 90),
)
"""C major, around the fifth in dotted rhythm, closing by the leading note."""

RAIN: tuple[Note, ...] = (
    (6, 222, 57, 78),
    (236, 198, 60, 72),
    (486, 440, 64, 91),
    (961, 204, 62, 76),
    (1209, 189, 60, 70),
    (1434, 434, 59, 83),
    (1931, 206, 60, 77),
    (2158, 199, 59, 71),
    (2396, 216, 57, 80),
    (2645, 184, 53, 73),
    (2883, 408, 52, 86),
    (3364, 426, 57, 89),
)
"""A minor, a melody to the fifth and back, with the minor sixth."""

LAMPLIGHT_CHORDS: tuple[Note, ...] = (
    (5, 902, 57, 64),
    (13, 890, 60, 59),
    (24, 881, 64, 62),
    (239, 214, 69, 81),
    (472, 430, 72, 86),
    (958, 894, 50, 65),
    (966, 889, 53, 60),
    (977, 879, 57, 63),
    (1212, 197, 69, 78),
    (1438, 424, 65, 82),
    (1923, 886, 52, 66),
    (1930, 879, 55, 61),
    (1942, 868, 59, 62),
    (2164, 205, 67, 80),
    (2409, 396, 71, 84),
    (2876, 912, 57, 67),
    (2889, 897, 60, 62),
    (2897, 886, 64, 64),
    (3118, 222, 72, 79),
    (3356, 418, 69, 88),
)
"""A minor, a melody over rolled chords: Am, Dm, Em, Am."""

NIGHT_TRAM: tuple[Note, ...] = (
    (9, 330, 69, 84),
    (369, 98, 67, 66),
    (481, 214, 69, 79),
    (714, 190, 72, 75),
    (957, 440, 71, 88),
    (1441, 206, 69, 74),
    (1688, 194, 65, 70),
    (1917, 424, 64, 85),
    (2402, 201, 65, 77),
    (2641, 188, 64, 72),
    (2871, 203, 62, 80),
    (3119, 186, 59, 73),
    (3353, 438, 57, 90),
)
"""A minor, from the tonic down an octave over every step of the natural scale."""

MAJOR = {"porch": ON_THE_PORCH, "sunday": SUNDAY_CHORDS, "hummed": HUMMED}
MINOR = {"rain": RAIN, "lamplight": LAMPLIGHT_CHORDS, "tram": NIGHT_TRAM}
KEYS = tuple(Key(tonic, is_minor) for is_minor in (False, True) for tonic in range(12))


def in_key(name: str, key: Key) -> Phrase:
    """Give the base phrase of that name in a key of its mode. KeyError if the mode has none."""
    base = (MINOR if key.is_minor else MAJOR)[name]
    pitches = [pitch + key.shift_semitones for _, _, pitch, _ in base]
    pitches = _folded(pitches)
    notes = zip(base, pitches, strict=True)
    moved = tuple((tick, length, p, velocity) for (tick, length, _, velocity), p in notes)
    return Phrase(f"{name} in {key}", key, moved)


def _folded(pitches: list[int]) -> list[int]:
    """Move a phrase, whole, by octaves until it lies in the middle of a keyboard."""
    while min(pitches) < LOWEST:
        pitches = [pitch + 12 for pitch in pitches]
    while max(pitches) > HIGHEST:
        pitches = [pitch - 12 for pitch in pitches]
    return pitches


def phrases_in(key: Key) -> tuple[Phrase, ...]:
    """Give all phrases of a key; the first of each key are 24 phrases."""
    return tuple(in_key(name, key) for name in (MINOR if key.is_minor else MAJOR))


PHRASES = tuple(phrase for key in KEYS for phrase in phrases_in(key))
"""All 72."""
