"""How many onsets there are to the beat at each density, with the shipped model.

    python benchmarks/densities.py [--bars 64] [--seeds 8]

One line for each density: onsets to the beat over all seeds, that beside density 1, the lowest and
highest of the seeds, the share of onsets on the grid of sixteenths, events to an onset, and the
share of events that are chords. What begins together is one onset.
"""

import argparse
from dataclasses import dataclass

from lofid.composer import Composer
from lofid.feel import Feel
from lofid.music import BAR_TICKS, BEATS_PER_BAR, TICKS_PER_QUARTER, Event
from lofid.predictor import Predictor, default_model_path

DENSITIES = (0.5, 0.6, 0.7, 0.8, 0.9, 1.0, 1.2, 1.4, 1.6, 1.8, 2.0)


@dataclass(frozen=True)
class Measured:
    """One session."""

    per_beat: float
    on_sixteenths: float
    at_once: float
    chords: float


def measure(predictor: Predictor, density: float, seed: int, bars: int) -> Measured:
    """Compose so many bars in C major."""
    events = Composer(predictor, Feel(density=density), seed).compose(bars * BAR_TICKS)
    onsets = {event.onset_ticks for event in events}
    return Measured(
        len(onsets) / (bars * BEATS_PER_BAR),
        sum(onset % (TICKS_PER_QUARTER // 4) == 0 for onset in onsets) / len(onsets),
        len(events) / len(onsets),
        sum(map(_is_chord, events)) / len(events),
    )


def _is_chord(event: Event) -> bool:
    return event.is_chord


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--bars", type=int, default=64)
    parser.add_argument("--seeds", type=int, default=8)
    given = parser.parse_args()
    predictor = Predictor(default_model_path(), "cpu")
    found = {
        density: [measure(predictor, density, seed, given.bars) for seed in range(given.seeds)]
        for density in DENSITIES
    }

    def mean(density: float, figure: str) -> float:
        return sum(getattr(each, figure) for each in found[density]) / given.seeds

    print("density  onsets/beat  times  lowest  highest  on sixteenths  events/onset  chords")
    for density, sessions in found.items():
        per_beat = [each.per_beat for each in sessions]
        print(
            f"{density:7.1f} {mean(density, 'per_beat'):12.3f}"
            f" {mean(density, 'per_beat') / mean(1.0, 'per_beat'):6.2f}"
            f" {min(per_beat):7.3f} {max(per_beat):8.3f}"
            f" {mean(density, 'on_sixteenths'):14.3f}"
            f" {mean(density, 'at_once'):13.2f} {mean(density, 'chords'):7.3f}"
        )


if __name__ == "__main__":
    main()
