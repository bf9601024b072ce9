"""Texture: harmony, pace and touch of a passage as a few plain numbers, and their usual range."""

from collections.abc import Callable, Iterable

import numpy as np

from lofid.music import BAR_GRID, GRID_PER_QUARTER
from training.chords import shares
from training.passage import Passage

FEWEST_EVENTS = 16
"""A shorter piece says little about what is usual."""

STRETCH_EVENTS = 128

LOW_PERCENT, HIGH_PERCENT = 5, 95

Measures = dict[str, float]


def in_scale(passage: Passage) -> float:
    """Give the share of note time (length x pitches) in the home scale; 0 of silence."""
    time = (passage.length * passage.sizes).sum()
    inside = passage.voicings.in_scale[passage.voicing]
    return float((passage.length * inside).sum() / max(time, 1))


def events_a_beat(passage: Passage) -> float:
    """Notes and chords that begin, a beat."""
    return len(passage) * GRID_PER_QUARTER / passage.span_grid


def chords_a_bar(passage: Passage) -> float:
    """Chords that begin, a bar of four beats."""
    return float((passage.sizes > 1).sum()) * BAR_GRID / passage.span_grid


def length_in_beats(passage: Passage) -> float:
    """How long a note or chord lasts, in the mean."""
    return float(passage.length.mean()) / GRID_PER_QUARTER


def velocity_spread(passage: Passage) -> float:
    """Standard deviation of velocities, over stretches about as long as a piece, in the mean.

    A session is many pieces long, some louder than others; a piece is only itself.
    """
    stretches = np.array_split(passage.velocity, max(1, round(len(passage) / STRETCH_EVENTS)))
    return float(np.mean([stretch.std() for stretch in stretches]))


PACE: dict[str, Callable[[Passage], float]] = {
    "events a beat": events_a_beat,
    "chords a bar": chords_a_bar,
    "length in beats": length_in_beats,
    "velocity spread": velocity_spread,
}
"""What a session is to have in common with the music that was learnt."""


def measure(passage: Passage) -> Measures:
    """Measure everything: the kinds of chords on the beats, with and without the lead, and pace."""
    keys, both = (shares(passage, with_lead=with_lead) for with_lead in (False, True))
    return {
        **{f"{kind} chords": share for kind, share in keys.items()},
        **{f"{kind} chords with the lead": share for kind, share in both.items()},
        "in the scale": in_scale(passage),
        **{name: function(passage) for name, function in PACE.items()},
    }


def usual_range(passages: Iterable[Passage]) -> dict[str, tuple[float, float]]:
    """Give each measure's 5th and 95th percentile over pieces of 16 events and more."""
    found = [measure(passage) for passage in passages if len(passage) >= FEWEST_EVENTS]
    if not found:
        return {}
    table = {name: [row[name] for row in found] for name in found[0]}
    edges = (LOW_PERCENT, HIGH_PERCENT)
    return {name: tuple(np.percentile(row, edges).tolist()) for name, row in table.items()}
