"""Whether what sounded is there after ``kill -9``, at random moments, while the machine is busy.

Usage: ``python benchmarks/recovered.py [TIMES] [BUSY]`` (200 times, 2 busy processes; needs jackd)

Each time lofid plays on JACK at 240 bpm into an independent client, which counts its samples, and
its engine is killed. Then what it left behind is recovered and exported, as the next start does it.
Every note-on that was heard more than a second before the kill has to be in the file, and no note
twice; the file is read by mido, music21 and symusic. ``BUSY`` processes with nothing else to do run
beside it.
"""

import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import mido
import symusic
from music21 import converter

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from lofid.exporting import export_take
from lofid.library import Library
from lofid.recovery import cut_off, recover
from tests.jackserver import RATE, JackRecorder, JackServer, wait_until
from tests.lofidprocess import LofidProcess

FAST = ("--tempo", "240")
PATIENCE_SECONDS = 120.0
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


def round_of(server: JackServer, home: Path, rng: random.Random) -> tuple[int, int, int]:
    """Kill one; give how many notes were heard in time, are missing, and are doubled."""
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
    heard = Counter(
        (event.data[0] & 0x0F, event.data[1], event.data[2])
        for event in events
        if event.data[0] & 0xF0 == 0x90 and event.data[2] and event.frame < killed_frame - RATE
    )
    library = Library(home / "lofid" / "journals" / "lofid")
    (pieces,) = cut_off(library)
    take, _ = recover(library, pieces)
    path = home / "take.mid"
    export_take(library, take.name, path, overwrite=True)
    found = notes_in(path)
    assert symusic.Score(path).note_num() == found.total()
    assert len(converter.parse(path).parts) >= 2
    kept: Counter[tuple[int, int, int]] = Counter()
    for (_, *note), count in found.items():
        kept[note[0], note[1], note[2]] += count
    for event in events:
        key = (event.data[0] & 0x0F, *event.data[1:])
        if event.data[0] & 0xF0 == 0x90 and key in heard - kept:
            print(f"  {key} was heard {(killed_frame - event.frame) / RATE:.2f} s before the kill")
    places = Counter((tick, channel, pitch) for tick, channel, pitch, _ in found.elements())
    return heard.total(), (heard - kept).total(), places.total() - len(places)


def main() -> None:
    """Kill so many."""
    times = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    busy = int(sys.argv[2]) if len(sys.argv) > 2 else 2
    rng = random.Random(6)  # noqa: S311
    burners = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(busy)]
    try:
        with JackServer() as server:
            totals = [0, 0, 0]
            for number in range(times):
                with tempfile.TemporaryDirectory() as home:
                    counts = round_of(server, Path(home), rng)
                if (number + 1) % 20 == 0:
                    print(f"{number + 1} of {times}", flush=True)
                totals = [total + count for total, count in zip(totals, counts, strict=True)]
                if sum(counts[1:]):
                    print(f"kill {number}: heard {counts[0]}, missing and doubled {counts[1:]}")
    finally:
        for burner in burners:
            burner.kill()
            burner.wait()
    heard, missing, doubled = totals
    print(f"{times} kills: {heard} notes heard in time, {missing} missing, {doubled} doubled")


if __name__ == "__main__":
    main()
