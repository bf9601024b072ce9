"""How well the music keeps to a held chord, with the shipped model.

    python benchmarks/held_chords.py [--seeds 2] [--key "C minor"] [--temperature 1] [--lock soft]

Chords of ten qualities on all twelve roots are held for four bars each, in an order drawn for each
seed, and once more nothing is steered. For each quality, as shares of sounding note time while the
chord is held (what still sounds from before included): the notes of the chord, and of its scale, of
all parts, of the keys and of the lead; then the share of the chord's classes that the keys sound in
those four bars; events to the beat, the share of them that are chords, and how many different
events there are in four bars.
"""

import argparse
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, fields, replace

import numpy as np

from lofid.composer import Composer
from lofid.feel import Feel
from lofid.harmony import Classes, chord_scale
from lofid.keylock import HOME_CLASSES
from lofid.music import BAR_TICKS, BEATS_PER_BAR, Event, Key
from lofid.predictor import Predictor, default_model_path

QUALITIES = {
    "maj": (0, 4, 7),
    "min": (0, 3, 7),
    "7": (0, 4, 7, 10),
    "maj7": (0, 4, 7, 11),
    "m7": (0, 3, 7, 10),
    "sus4": (0, 5, 7),
    "dim": (0, 3, 6),
    "m7b5": (0, 3, 6, 10),
    "aug": (0, 4, 8),
    "6/9": (0, 2, 4, 7, 9),
}
BARS = 4


@dataclass
class Sums:
    """Note time in ticks, and counts, over some held chords."""

    held: int = 0
    time: dict[str, int] = field(default_factory=lambda: dict.fromkeys(("lead", "keys"), 0))
    on_chord: dict[str, int] = field(default_factory=lambda: dict.fromkeys(("lead", "keys"), 0))
    on_scale: dict[str, int] = field(default_factory=lambda: dict.fromkeys(("lead", "keys"), 0))
    sounded: float = 0
    events: int = 0
    chords: int = 0
    distinct: int = 0

    def add(self, events: Sequence[Event], begin: int, chord: Classes, scale: Classes) -> None:
        """Take the music in which a chord was held from ``begin`` for BARS bars."""
        end = begin + BARS * BAR_TICKS
        heard: set[int] = set()
        for event in events:
            time = min(event.onset_ticks + event.length_ticks, end) - max(event.onset_ticks, begin)
            if time <= 0:
                continue
            part = "keys" if event.is_chord else "lead"
            classes = [pitch % 12 for pitch in event.pitches]
            self.time[part] += time * len(classes)
            self.on_chord[part] += time * sum(each in chord for each in classes)
            self.on_scale[part] += time * sum(each in scale for each in classes)
            if event.is_chord:
                heard |= set(classes) & chord
        begun = [event for event in events if begin <= event.onset_ticks < end]
        self.held += 1
        self.sounded += len(heard) / len(chord)
        self.events += len(begun)
        self.chords += sum(event.is_chord for event in begun)
        self.distinct += len({event.pitches for event in begun})

    def line(self) -> str:
        """Give the figures, in the order of the heading."""

        def share(of: dict[str, int], *parts: str) -> str:
            total = sum(self.time[part] for part in parts)
            return f"{sum(of[part] for part in parts) / total:6.3f}" if total else "     -"

        return " ".join(
            [
                *(share(of, "lead", "keys") for of in (self.on_chord, self.on_scale)),
                *(
                    share(of, part)
                    for part in ("keys", "lead")
                    for of in (self.on_chord, self.on_scale)
                ),
                f"{self.sounded / self.held:7.3f}",
                f"{self.events / self.held / BARS / BEATS_PER_BAR:7.2f}",
                f"{self.chords / max(self.events, 1):6.2f}",
                f"{self.distinct / self.held:8.1f}",
            ]
        )


def together(several: Iterable[Sums]) -> Sums:
    """Add sums up."""
    total = Sums()
    for one in several:
        for each in fields(Sums):
            mine, theirs = getattr(total, each.name), getattr(one, each.name)
            both = (
                {k: mine[k] + theirs[k] for k in mine} if isinstance(mine, dict) else mine + theirs
            )
            setattr(total, each.name, both)
    return total


def measure(predictor: Predictor, feel: Feel, seeds: int, is_steered: bool) -> dict[str, Sums]:
    """Hold every chord once for each seed, in a session of its own."""
    found = {quality: Sums() for quality in QUALITIES}
    key = frozenset((each + feel.key.shift_semitones) % 12 for each in HOME_CLASSES)
    held = [(quality, root) for quality in QUALITIES for root in range(12)]
    for seed in range(seeds):
        composer = Composer(predictor, feel, seed)
        events: list[Event] = []
        for turn, place in enumerate(np.random.default_rng(seed).permutation(len(held))):
            quality, root = held[place]
            chord = frozenset((root + step) % 12 for step in QUALITIES[quality])
            if is_steered:
                composer.feel = replace(feel, chord=chord)
            begin = turn * BARS * BAR_TICKS
            events = [e for e in events if e.onset_ticks + e.length_ticks > begin]
            events += composer.compose(begin + BARS * BAR_TICKS)
            found[quality].add(events, begin, chord, chord_scale(chord, key))
    return found


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--key", type=Key.parse, default=Key.parse("C minor"))
    parser.add_argument("--temperature", type=float, default=1.0)
    parser.add_argument("--lock", choices=("off", "soft", "hard"), default="soft")
    parser.add_argument("--brief", action="store_true", help="only the lines over all chords")
    given = parser.parse_args()
    feel = Feel(key=given.key, temperature=given.temperature, key_lock=given.lock, swing_percent=58)
    predictor = Predictor(default_model_path(), "cpu")
    print(f"{given.key}, temperature {given.temperature}, key lock {given.lock}")
    print(
        f"{'':17}    all: -      -  keys: -      - lead: -      - sounded  events chords distinct"
    )
    for name, is_steered in (("unsteered", False), ("steered", True)):
        found = measure(predictor, feel, given.seeds, is_steered)
        if not given.brief:
            for quality, sums in found.items():
                print(f"{name:10} {quality:6} {sums.line()}", flush=True)
        print(f"{name:10} all    {together(found.values()).line()}", flush=True)


if __name__ == "__main__":
    main()
