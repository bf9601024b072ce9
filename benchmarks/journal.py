"""The journal of a long session: its size, what writing costs, and what reading it back costs.

Usage: ``python benchmarks/journal.py [HOURS] [FOLDER]`` (8 hours by default, in a new folder)

The session is told of as fast as it can be, by a clock of its own: 250 notes a minute, each with
its end, as the default model plays at 80 bpm, and two positions of the player a beat as inputs for
a replay. It is cut and flushed once for each of its seconds. Then it is read back by a process of
its own, whole and from five minutes before its end.
"""

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from lofid.pieces import Bounds, pieces_in
from lofid.scribe import Scribe
from lofid.settings import Settings

TEMPO = 80.0
TICKS_A_SECOND = TEMPO / 60 * 480
NOTES_A_MINUTE = 250
POSITIONS_A_SECOND = 2 * TEMPO / 60
SYNCS = 500

READER = """
import json, resource, sys, time
from pathlib import Path
from lofid.excerpt import between_seconds
from lofid.pieces import pieces_in
from lofid.reading import reaching_back
from lofid.transcript import read_transcript

def memory_mb():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024

folder, since = Path(sys.argv[1]), float(sys.argv[2])
before, begin = memory_mb(), time.perf_counter()
pieces = pieces_in(folder)
if since > 0:
    pieces = reaching_back(pieces, since)
found = read_transcript(pieces)
if since > 0:
    found = between_seconds(found, since, found.end.seconds)
took = time.perf_counter() - begin
print(json.dumps([took, before, memory_mb(), len(found.notes), found.faults]))
"""


class Times:
    """How long calls took, in seconds."""

    def __init__(self) -> None:
        self.seconds: list[float] = []

    def of(self, work: Callable[..., object], *arguments: Any, **values: Any) -> None:
        """Call, and take the time."""
        begin = time.perf_counter()
        work(*arguments, **values)
        self.seconds.append(time.perf_counter() - begin)

    def __str__(self) -> str:
        ordered = sorted(self.seconds)
        places = {"median": 0.5, "p99": 0.99, "p99.9": 0.999, "max": 1.0}
        values = {name: ordered[int(share * (len(ordered) - 1))] for name, share in places.items()}
        told = ", ".join(f"{name} {value * 1e6:.0f}" for name, value in values.items())
        return f"{told} microseconds ({len(ordered)} calls)"


class Session:
    """Tells a scribe of music, second by second."""

    def __init__(self, folder: Path) -> None:
        self.seconds = 0.0
        self.settings = Settings()
        bounds = Bounds(total_bytes=2**40)
        self.scribe = Scribe(folder, self.held, bounds, lambda: self.seconds)
        self.times = {name: Times() for name in ("write", "cut", "flush", "sync")}
        self._notes = self._positions = 0
        self._ends: list[tuple[float, int]] = []

    def held(self) -> dict[str, Any]:
        """What an engine says that holds."""
        return {
            "tick": round(self.seconds * TICKS_A_SECOND),
            "tempo": TEMPO,
            "moving": True,
            "key": "A minor",
            "seed": 2**32 - 1,
            "channels": {"lead": 0, "keys": 1},
            "model": {"recipe": "default", "vocabulary": "0" * 64},
            "settings": self.settings.model_dump(mode="json"),
        }

    def write(self, what: str, **values: Any) -> None:
        """Tell of one thing, and take the time."""
        self.times["write"].of(self.scribe.write, what, **values)

    def second(self) -> None:
        """Tell of what happens within a second."""
        end = self.seconds + 1.0
        while self._notes * 60 / NOTES_A_MINUTE < end:
            at = self._notes * 60 / NOTES_A_MINUTE + 0.0001234
            pitch = 48 + self._notes * 7 % 36
            place = {"tick": round(at * TICKS_A_SECOND), "seconds": at, "channel": self._notes % 2}
            self.write("on", **place, pitch=pitch, velocity=60 + self._notes % 40)
            self._ends.append((at + 0.5, self._notes))
            self._notes += 1
        while self._ends and self._ends[0][0] < end:
            at, number = self._ends.pop(0)
            place = {"tick": round(at * TICKS_A_SECOND), "seconds": at, "channel": number % 2}
            self.write("off", **place, pitch=48 + number * 7 % 36)
        while self._positions / POSITIONS_A_SECOND < end:
            at = self._positions / POSITIONS_A_SECOND
            data = {"is": "position", "tick": 240 * self._positions, "tempo": TEMPO}
            self.write("input", seconds=at, data=data)
            self._positions += 1
        self.seconds = end


def read(folder: Path, since: float) -> str:
    """Read it back in a process of its own."""
    arguments = [sys.executable, "-c", READER, str(folder), str(since)]
    done = subprocess.run(arguments, check=True, capture_output=True, text=True)
    seconds, before, after, notes, faults = json.loads(done.stdout)
    return f"{seconds:.2f} s, {before:.0f} -> {after:.0f} MB, {notes} notes, faults: {faults}"


def main() -> None:
    """Tell, flush, read."""
    hours = float(sys.argv[1]) if len(sys.argv) > 1 else 8.0
    folder = Path(sys.argv[2] if len(sys.argv) > 2 else tempfile.mkdtemp()) / "journal"
    session = Session(folder)
    for number in range(round(hours * 3600)):
        session.second()
        session.times["cut"].of(session.scribe.cut)
        session.times["flush"].of(session.scribe.flush)
        if number < SYNCS:
            session.times["sync"].of(session.scribe.sync)
    session.scribe.close()
    sizes = [piece.path.stat().st_size for piece in pieces_in(folder)]
    print(
        f"{sum(sizes)} bytes in {len(sizes)} pieces for {hours:g} h; fault: {session.scribe.fault}"
    )
    for name, times in session.times.items():
        print(f"{name}: {times}")
    print("read whole:", read(folder, 0.0))
    print("read the last five minutes:", read(folder, hours * 3600 - 300))


if __name__ == "__main__":
    main()
