"""The tune over the chords: a song's melody thinned and displaced, or a riff where there is none.

A lofi lead leaves most of a song out. Which notes stay is decided by their weight: strong beats and
long notes carry the tune. What stays may come an eighth early or a sixteenth late.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from lofid.music import BAR_GRID, GRID_PER_QUARTER
from training.comping import Span

LOWEST, HIGHEST = 62, 88
"""D4 to E6: above the chords' middle, below the shrill."""
MIDDLE = 74
SIXTEENTH, EIGHTH = GRID_PER_QUARTER // 4, GRID_PER_QUARTER // 2
LONGEST_GRID = 2 * BAR_GRID
RIFF_LOWEST = 60
PENTATONIC = (0, 2, 4, 7, 9)
"""C major's and A minor's alike."""


@dataclass(frozen=True)
class Tone:
    """One note of the lead, in grid units."""

    onset: int
    length: int
    pitch: int

    @property
    def end(self) -> int:
        """When it stops."""
        return self.onset + self.length


def thinned(tones: Sequence[Tone], keep: float, rng: np.random.Generator) -> list[Tone]:
    """Leave out light notes, one voice, in the lead's register; ``keep`` is 1 for all of them.

    The first note of a phrase and those of the most weight stay; the note before one that was
    left out is held on for up to a quarter.
    """
    line = _one_voice(tones)
    kept = [
        tone
        for before, tone in zip([None, *line], line, strict=False)
        if rng.random() < _chance(tone, before, keep)
    ]
    return _in_register([_held_on(a, b, line) for a, b in pairwise([*kept, None]) if a])


def _one_voice(tones: Sequence[Tone]) -> list[Tone]:
    """Keep the highest of what begins together, and end each note where the next begins."""
    tops: dict[int, Tone] = {}
    for tone in tones:
        other = tops.get(tone.onset)
        if other is None or tone.pitch > other.pitch:
            tops[tone.onset] = tone
    return _cut(sorted(tops.values(), key=lambda tone: tone.onset))


def _cut(line: Sequence[Tone]) -> list[Tone]:
    """End each note where the next begins, and after two bars."""
    return [
        Tone(
            a.onset, min(a.length, LONGEST_GRID, b.onset - a.onset if b else LONGEST_GRID), a.pitch
        )
        for a, b in pairwise([*line, None])
        if a
    ]


def _chance(tone: Tone, before: Tone | None, keep: float) -> float:
    """How likely a note stays: by its place in the bar and its length."""
    if before is None or tone.onset - before.end >= GRID_PER_QUARTER:
        return 1.0
    phase = tone.onset % BAR_GRID
    place = 2 if phase % 24 == 0 else 1 if phase % GRID_PER_QUARTER == 0 else 0
    weight = place + tone.length / GRID_PER_QUARTER - (tone.pitch == before.pitch)
    return float(keep ** (2 / max(weight + 1, 0.5)))


def _held_on(tone: Tone, following: Tone | None, line: Sequence[Tone]) -> Tone:
    """Fill the gap that left-out notes made, up to a quarter longer."""
    until = following.onset if following else line[-1].end
    return Tone(tone.onset, min(tone.length + GRID_PER_QUARTER, until - tone.onset), tone.pitch)


def _in_register(line: Sequence[Tone]) -> list[Tone]:
    """Move the tune by whole octaves to the lead's register, and fold what still sticks out."""
    if not line:
        return []
    middle = float(np.median([tone.pitch for tone in line]))
    octaves = 12 * round((MIDDLE - middle) / 12)
    return [Tone(t.onset, t.length, _folded(t.pitch + octaves)) for t in line]


def _folded(pitch: int) -> int:
    while pitch < LOWEST:
        pitch += 12
    while pitch > HIGHEST:
        pitch -= 12
    return pitch


def displaced(line: Sequence[Tone], chance: float, rng: np.random.Generator) -> list[Tone]:
    """Move some notes a sixteenth or an eighth, never past a neighbour or before the first bar."""
    moved: list[Tone] = []
    for tone, following in pairwise([*line, None]):
        assert tone is not None
        by = (-EIGHTH, SIXTEENTH, EIGHTH)[rng.integers(3)] if rng.random() < chance else 0
        earliest = moved[-1].onset + SIXTEENTH if moved else 0
        latest = (following.onset if following else tone.onset + BAR_GRID) - SIXTEENTH
        onset = tone.onset + by
        if not earliest <= onset <= latest:
            onset = max(tone.onset, earliest)
        moved.append(Tone(onset, max(tone.end - onset, SIXTEENTH), tone.pitch))
    return _cut(moved)


def resting(line: Iterable[Tone], share: float, rng: np.random.Generator) -> list[Tone]:
    """Leave the lead out of some groups of four bars, so that the chords are heard alone."""
    silent: dict[int, bool] = {}
    kept = []
    for tone in line:
        group = tone.onset // (4 * BAR_GRID)
        if group not in silent:
            silent[group] = rng.random() < share
        if not silent[group]:
            kept.append(tone)
    return kept


RIFFS = (
    (6, 12, 18, 36),
    (0, 18, 30),
    (12, 18, 24, 42),
    (6, 9, 18, 30, 36),
    (24, 30, 36, 42),
    (18, 24, 36),
    (3, 12, 21, 36),
    (0, 9, 18, 24),
    (12, 36),
)
"""Rhythms of a bar's riff: onsets on the grid."""


def riff(spans: Sequence[Span], rng: np.random.Generator) -> list[Tone]:
    """Make a sparse tune for bare chords: two bars that come back, bent to the chord they meet.

    Pentatonic steps; a note that is long or on the beat goes to the nearest chord tone. Of each
    four bars the last is another.
    """
    first, other = _motif(rng), _motif(rng)
    end = max(span.end for span in spans)
    line = []
    for bar in range(-(-end // BAR_GRID)):
        motif = other if bar % 4 == 3 else first
        for onset, degree in motif[bar % 2]:
            at = bar * BAR_GRID + onset
            span = next((s for s in spans if s.start <= at < s.end), None)
            if span is not None and rng.random() < 0.9:
                line.append(Tone(at, GRID_PER_QUARTER * 2, _bent(degree, at, span)))
    return _shortened(_cut(line), rng)


def _motif(rng: np.random.Generator) -> list[list[tuple[int, int]]]:
    """Two bars of (onset, pentatonic degree); the second may rest."""
    degree = int(rng.integers(3, 8))
    bars = []
    for empty in (0.0, 0.5):
        rhythm = RIFFS[rng.integers(len(RIFFS))] if rng.random() >= empty else ()
        bar = []
        for onset in rhythm:
            degree = int(np.clip(degree + rng.integers(-2, 3), 0, 9))
            bar.append((onset, degree))
        bars.append(bar)
    return bars


def _bent(degree: int, at: int, span: Span) -> int:
    octave, step = divmod(degree, len(PENTATONIC))
    pitch = RIFF_LOWEST + 12 * octave + PENTATONIC[step]
    if at % GRID_PER_QUARTER:
        return _folded(pitch)
    tones = [p for p in range(LOWEST, HIGHEST + 1) if p % 12 in span.symbol.classes]
    return min(tones, key=lambda p: (abs(p - pitch), p))


def _shortened(line: Iterable[Tone], rng: np.random.Generator) -> list[Tone]:
    """Some notes are short."""
    return [Tone(t.onset, min(t.length, (6, 12, 24)[rng.integers(3)]), t.pitch) for t in line]
