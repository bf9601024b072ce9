"""What lofid composed, to look at: piano rolls with the chords' symbols above them.

Usage: ``python benchmarks/examples.py OUT.png FILE.mid…``, files as ``lofid render`` writes them.

Keys are blue and the lead is orange, darker where it is louder. A symbol stands where the keys
change: music21's name for what they hold; for shells and rootless voicings, which it does not know,
the chord that they stand for; else the notes.
"""

import sys
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

import matplotlib as mpl
import mido
from music21 import chord, harmony, pitch

mpl.use("Agg")
from matplotlib import pyplot

BAR_QUARTERS = 4
ROW_BARS = 16
LEAD_CHANNEL = 0
NAMES = ("C", "D-", "D", "E-", "E", "F", "G-", "G", "A-", "A", "B-", "B")
"""As flat keys spell them, lofid's C minor among them."""
COLOURS = ("#d9822b", "#2f6f8f")


@dataclass(frozen=True)
class Sounded:
    """A note in quarters, by part: 0 is the lead, 1 the keys."""

    onset: float
    length: float
    pitch: int
    velocity: int
    part: int


def notes_of(path: Path) -> list[Sounded]:
    """Read a file's notes in order of onset."""
    file = mido.MidiFile(path)
    found: list[Sounded] = []
    for track in file.tracks:
        now, begun = 0, dict[tuple[int, int], tuple[int, int]]()
        for message in track:
            now += message.time
            if message.type not in ("note_on", "note_off"):
                continue
            key = (message.channel, message.note)
            if key in begun:
                on, velocity = begun.pop(key)
                times = (on / file.ticks_per_beat, (now - on) / file.ticks_per_beat)
                found.append(Sounded(*times, key[1], velocity, int(key[0] != LEAD_CHANNEL)))
            if message.type == "note_on" and message.velocity:
                begun[key] = (now, message.velocity)
    return sorted(found, key=lambda note: note.onset)


def symbols(notes: list[Sounded]) -> list[tuple[float, str]]:
    """Name each chord of the keys, where it differs from the one before: (quarter, symbol)."""
    keys = [note for note in notes if note.part == 1]
    struck = [(at, tuple(n.pitch for n in group)) for at, group in groupby(keys, lambda n: n.onset)]
    named = [(at, symbol(pitches)) for at, pitches in struck]
    return [new for i, new in enumerate(named) if i == 0 or new[1] != named[i - 1][1]]


def symbol(pitches: tuple[int, ...]) -> str:
    """Name a chord: as music21 does, else as a shell or rootless voicing, else by its notes."""
    spelled = [pitch.Pitch(f"{NAMES[p % 12]}{p // 12 - 1}") for p in sorted(pitches)]
    found = str(harmony.chordSymbolFigureFromChord(chord.Chord(spelled)))
    if "Cannot" in found:
        found = shell({p % 12 for p in pitches}) or " ".join(p.name for p in spelled)
    return found.replace("-", "♭")


def shell(classes: set[int]) -> str | None:
    """Name what holds a root's third and seventh, and only its scale's tensions beside them.

    A root that sounds is preferred to one that is left out.
    """
    for root in sorted(range(12), key=lambda r: r not in classes):
        above = {(p - root) % 12 for p in classes}
        third = "m" if 3 in above else "" if 4 in above else None
        seventh = "maj" if 11 in above else "" if 10 in above else None
        if third is None or seventh is None or above - {0, 2, 3, 4, 5, 7, 9, 10, 11}:
            continue
        if {3, 4} <= above or {10, 11} <= above or (5 in above and third == ""):
            continue
        highest = 13 if 9 in above else 11 if 5 in above else 9 if 2 in above else 7
        return f"{NAMES[root]}{third}{seventh}{highest}"
    return None


def draw(axes: Any, notes: list[Sounded], first_bar: int) -> None:
    """Draw one row of bars; symbols alternate between two heights to leave each other room."""
    begin, end = first_bar * BAR_QUARTERS, (first_bar + ROW_BARS) * BAR_QUARTERS
    for note in notes:
        if begin <= note.onset < end:
            axes.barh(
                note.pitch, note.length, left=note.onset, height=0.9, color=COLOURS[note.part],
                alpha=min(1.0, 0.25 + note.velocity / 127), edgecolor="white", linewidth=0.3,
            )  # fmt: skip
    top = max(note.pitch for note in notes) + 2
    shown = [each for each in symbols(notes) if begin <= each[0] < end]
    for i, (at, name) in enumerate(shown):
        axes.text(at, top + 4 * (i % 3), name, fontsize=6.5, color="#333")
    axes.set(xlim=(begin, end), ylim=(min(n.pitch for n in notes) - 2, top + 13))
    axes.set_xticks(range(begin, end, BAR_QUARTERS), range(first_bar + 1, first_bar + ROW_BARS + 1))
    axes.set_yticks(range(36, 97, 12), [f"C{octave}" for octave in range(2, 8)])
    axes.grid(visible=True, axis="x", color="#ddd")
    axes.set_axisbelow(True)


def main(out: str, *files: str) -> None:
    """Draw two rows for each file."""
    figure, rows = pyplot.subplots(2 * len(files), 1, figsize=(15, 4.4 * len(files)), squeeze=False)
    for i, file in enumerate(files):
        notes = notes_of(Path(file))
        for half in (0, 1):
            draw(rows[2 * i + half][0], notes, half * ROW_BARS)
        rows[2 * i][0].set_title(Path(file).stem, loc="left")
    figure.tight_layout()
    figure.savefig(out, dpi=100)


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit("usage: python benchmarks/examples.py OUT.png FILE.mid…")
    main(*sys.argv[1:])
