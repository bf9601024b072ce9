"""Comping: when the chords of a lead sheet are struck, and how hard.

Figures are one bar long, on the grid of 1/12 of a quarter note: onset, length, accent. A style
plays one figure for three bars and another in the fourth; an off-beat hit just before a change
already has the new chord (an anticipation).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from lofid.music import BAR_GRID, GRID_PER_QUARTER
from training.harmony import Symbol

EIGHTH_GRID = GRID_PER_QUARTER // 2
SHORTEST_GRID = 3

Figure = tuple[tuple[int, int, int], ...]
"""(onset, length, accent in MIDI velocity), within one bar."""

FIGURES: dict[str, Figure] = {
    "held": ((0, 48, 0),),
    "halves": ((0, 24, 0), (24, 24, -5)),
    "charleston": ((0, 18, 3), (18, 30, 0)),
    "lazy": ((0, 21, 0), (21, 27, -4)),
    "pushed": ((0, 24, 0), (42, 6, 4)),
    "two pushes": ((0, 18, 2), (18, 24, -3), (42, 6, 5)),
    "off the beat": ((6, 18, 2), (30, 18, -2)),
    "stumble": ((0, 9, 3), (9, 12, -12), (21, 27, -2)),
    "stab": ((0, 15, 4), (18, 6, -10), (24, 24, 0)),
    "three three two": ((0, 18, 2), (18, 18, -4), (36, 12, -1)),
    "answer": ((0, 12, 2), (30, 18, -4)),
    "late": ((3, 45, 0),),
}
STEADY = ("held", "halves", "charleston", "lazy", "pushed", "late", "answer", "three three two")
"""Figures that carry a song; any of them may end a group of four bars."""


@dataclass(frozen=True)
class Span:
    """A chord of the lead sheet and the time it holds, in grid units from the first bar."""

    start: int
    end: int
    symbol: Symbol


@dataclass(frozen=True)
class Hit:
    """One strike of the chord: which span it belongs to, when, how long and how hard."""

    onset: int
    length: int
    accent: int
    span: Span


def strike(spans: Sequence[Span], rng: np.random.Generator) -> list[Hit]:
    """Give the hits of a whole song in order; each chord is struck at least once. Never overlaps.

    ``spans`` are in order and do not overlap; between them may be silence.
    """
    figures = _figures(rng)
    end = max(span.end for span in spans)
    bars = range(min(span.start for span in spans) // BAR_GRID, -(-end // BAR_GRID))
    struck: dict[int, Hit] = {}
    for bar in bars:
        for onset, length, accent in figures[bar % 4]:
            at = bar * BAR_GRID + onset
            if span := _span_for(at, spans):
                struck[at] = Hit(at, length, accent, span)
    for span in spans:
        if not any(hit.span is span and hit.onset <= span.start + SHORTEST_GRID
                   for hit in struck.values()):  # fmt: skip
            struck[span.start] = Hit(span.start, span.end - span.start, 0, span)
    return _fitted(sorted(struck.values(), key=lambda hit: hit.onset))


def _figures(rng: np.random.Generator) -> list[Figure]:
    """Choose a style: the figures of bars 1 to 4."""
    main = FIGURES[STEADY[rng.integers(len(STEADY))]]
    other = FIGURES[list(FIGURES)[rng.integers(len(FIGURES))]]
    second = other if rng.random() < 0.4 else main
    return [main, second, main, other]


def _span_for(at: int, spans: Sequence[Span]) -> Span | None:
    """Find the chord that sounds at a hit: the coming one when it is struck just before it."""
    off_beat = at % GRID_PER_QUARTER != 0
    for span in spans:
        if off_beat and at < span.start <= at + EIGHTH_GRID:
            return span
        if span.start <= at < span.end:
            following = _following(span, spans)
            is_near = off_beat and following and following.start <= at + EIGHTH_GRID
            return following if is_near else span
    return None


def _following(span: Span, spans: Sequence[Span]) -> Span | None:
    after = [each for each in spans if each.start == span.end]
    return after[0] if after else None


def _fitted(hits: list[Hit]) -> list[Hit]:
    """Shorten what would overlap; lengthen what leaves less than a quarter of silence."""
    result = []
    for hit, following in pairwise([*hits, None]):
        assert hit is not None
        limit = following.onset - hit.onset if following else hit.length
        gap = limit - hit.length
        length = limit if gap < 0 or gap < GRID_PER_QUARTER else hit.length
        result.append(Hit(hit.onset, max(length, 1), hit.accent, hit.span))
    return result
