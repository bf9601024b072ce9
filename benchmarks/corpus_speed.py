"""How long the corpus builder takes, against music21 alone over the same files, one by one.

Usage: ``python benchmarks/corpus_speed.py FOLDER [JOBS]``. Prints the median of three runs of
each, taken in turns, and their ratio. The builder reads without a cache, and does more: it checks
every file, finds its key and writes the corpus. Where other programs keep the cores busy the clock
says little; the processor time, shared out over the workers, then says more.
"""

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

RUNS = 3
PLAIN = """
import sys
from pathlib import Path
from music21 import converter
notes = 0
for path in sorted(Path(sys.argv[1]).rglob("*.mid")):
    score = converter.parse(path, quantizePost=False, forceSource=True)
    for element in score.recurse().notes:
        notes += 1
print(notes, "elements")
"""
BUILDER = "from training.cli import main; main()"


def main() -> None:
    """Measure both, each in a process of its own, imports included."""
    folder, jobs = sys.argv[1], sys.argv[2:3]
    with tempfile.TemporaryDirectory() as scratch:
        build = ["corpus", folder, "--no-cache", "--quiet", "--out", str(Path(scratch, "c.npz"))]
        build += ["--jobs", *jobs] if jobs else []
        rounds = [(_seconds(PLAIN, folder), _seconds(BUILDER, *build)) for _ in range(RUNS)]
    plain, built = (_medians(column) for column in zip(*rounds, strict=True))
    print(f"music21 alone, one by one: {plain[0]:.1f} s, {plain[1]:.1f} s of processor time")
    print(f"lofid-train corpus:        {built[0]:.1f} s, {built[1]:.1f} s of processor time")
    print(f"ratio: {plain[0] / built[0]:.2f}")


def _seconds(code: str, *arguments: str) -> tuple[float, float]:
    """Run a program; give its seconds on the clock and of the processor, workers included."""
    started, used = time.monotonic(), _used()
    subprocess.run([sys.executable, "-c", code, *arguments], check=True, capture_output=True)
    return time.monotonic() - started, _used() - used


def _used() -> float:
    children = os.times()
    return children.children_user + children.children_system


def _medians(rows: Sequence[tuple[float, float]]) -> tuple[float, float]:
    walls, used = zip(*rows, strict=True)
    return statistics.median(walls), statistics.median(used)


if __name__ == "__main__":
    main()
