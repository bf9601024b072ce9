"""Whether what sounded is there after ``kill -9``, at random moments, while the machine is busy.

Usage: ``python benchmarks/recovered.py [TIMES] [BUSY]`` (200 times, 2 busy processes; needs jackd)

Each time lofid plays on JACK at 240 bpm into an independent client, which counts its samples, and
its engine is killed. Then what it left behind is recovered and exported, as the next start does it.
Every note-on that was heard more than a second before the kill has to be in the file, and no note
twice; the file is read by mido, music21 and symusic. How long before the kill the oldest note that
was lost was heard is told too: what a second leaves over. ``BUSY`` processes with nothing else to
do run beside it.
"""

import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import astuple, dataclass
from pathlib import Path

import mido
import numpy as np
import symusic
from music21 import converter

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from lofid.exporting import export_take
from lofid.library import Library
from lofid.recovery import cut_off, recover
from tests.jackserver import RATE, JackRecorder, JackServer, wait_until
from tests.lofidprocess import LofidProcess
from tests.lostnotes import lost_ages

TEMPO = 240.0
FAST = ("--tempo", f"{TEMPO:g}")
PATIENCE_SECONDS = 120.0
LIMIT_SECONDS = 1.0
EARLIEST_SECONDS, LATEST_SECONDS = 1.5, 6.0


def notes_in(path: Path) -> Counter[tuple[int, int, int, int]]:
    """Count a file's note-ons by tick, channel, pitch and velocity."""
    found: Counter[tuple[int, int, int, int]] = Counter()
    for track in mido.MidiFile(path).tracks:
        tick = 0
        for message in track:
            tick += message.time
            if message.type == "note_on" and message.velocity:
                found[tick, message.channel, message.note, message.velocity] += 1
    return found


@dataclass(frozen=True, slots=True)
class Outcome:
    """Of one kill: how many notes were heard in time, are missing of them, are doubled.

    ``lost_seconds`` is how long before the kill the oldest note was heard that is not in the file.
    """

    heard: int
    missing: int
    doubled: int
    lost_seconds: float


def round_of(server: JackServer, home: Path, rng: random.Random) -> Outcome:
    """Kill one, recover what it left, and compare."""
    seed = str(rng.randrange(2**32))
    with (
        LofidProcess(server, home, *FAST, "--seed", seed) as lofid,
        JackRecorder(server) as recorder,
    ):
        recorder.listen_to("lofid:out", PATIENCE_SECONDS)
        wait_until(lambda: bool(recorder.events), "music", PATIENCE_SECONDS)
        time.sleep(rng.uniform(EARLIEST_SECONDS, LATEST_SECONDS))
        killed_frame = recorder.frame_now()
        lofid.process.kill()
        events = recorder.wait_for_quiet()
    library = Library(home / "lofid" / "journals" / "lofid")
    (pieces,) = cut_off(library)
    take, _ = recover(library, pieces)
    path = home / "take.mid"
    export_take(library, take.name, path, overwrite=True)
    found = notes_in(path)
    assert symusic.Score(path).note_num() == found.total()
    assert converter.parse(path).recurse().notes
    ons = [event for event in events if event.data[0] & 0xF0 == 0x90 and event.data[2]]
    ages = lost_ages(ons, found.elements(), killed_frame, TEMPO)
    places = Counter((tick, channel, pitch) for tick, channel, pitch, _ in found.elements())
    return Outcome(
        heard=sum(event.frame < killed_frame - LIMIT_SECONDS * RATE for event in ons),
        missing=sum(age > LIMIT_SECONDS for age in ages),
        doubled=places.total() - len(places),
        lost_seconds=max(ages, default=0.0),
    )


def main() -> None:
    """Kill so many."""
    times = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    busy = int(sys.argv[2]) if len(sys.argv) > 2 else 2
    rng = random.Random(6)  # noqa: S311
    outcomes: list[Outcome] = []
    burners = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(busy)]
    try:
        with JackServer() as server:
            for number in range(times):
                with tempfile.TemporaryDirectory() as home:
                    outcomes.append(round_of(server, Path(home), rng))
                if (number + 1) % 20 == 0:
                    print(f"{number + 1} of {times}", flush=True)
                if outcomes[-1].missing or outcomes[-1].doubled:
                    print(f"kill {number + 1}: {outcomes[-1]}", flush=True)
    finally:
        for burner in burners:
            burner.kill()
            burner.wait()
    heard, missing, doubled, lost = zip(*map(astuple, outcomes), strict=True)
    print(f"{times} kills, {busy} busy processes: {sum(heard)} notes heard in time,")
    print(f"{sum(missing)} missing, {sum(doubled)} doubled")
    shares = [f"{np.percentile(lost, share):.2f}" for share in (50, 90, 100)]
    print(f"the oldest note lost, s before the kill: p50, p90, max {', '.join(shares)}")


if __name__ == "__main__":
    main()
