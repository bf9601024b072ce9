"""What a disk that is full, or can only be read, does to the music: nothing is to be heard of it.

Usage: ``python benchmarks/full_disk.py [SECONDS] [ROUNDS]`` (60 s, 2 rounds; needs jackd and root)

lofid's state lies on a tmpfs of 256 kB. In each round it plays the same music three times on JACK,
to the sample and by RtMidi:

* with room;
* on a disk that is full from a quarter of the time on, read-only too from the half on, and has room
  again in the last quarter;
* on a disk that is read-only at the start, and can be written from the half on.

In each the status is asked for as often, which is work too. Told are the lateness of ``lofid ctl
status``, in microseconds; what else the status says; how many of the notes that an independent
client heard are in the journal at the end, and how far apart those lie from their ticks, in frames.
"""

import subprocess
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import groupby
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from lofid.library import Library
from lofid.music import TICKS_PER_QUARTER
from lofid.transcript import Note
from tests.jackserver import RATE, JackRecorder, JackServer, Recorded
from tests.lofidprocess import LofidProcess

SIZE = "size=256k"
TEMPO = 80
FRAMES_A_TICK = RATE * 60 // (TEMPO * TICKS_PER_QUARTER)
MOUNT, UMOUNT = "/usr/bin/mount", "/usr/bin/umount"
NOTICED_SECONDS = 7.0
"""lofid tries every five seconds."""
Acts = list[Callable[[], None]]


class Disk:
    """A small one, mounted at ``path``."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._ballast = path / "ballast"

    def fill(self) -> None:
        """Leave not a byte of room."""
        with self._ballast.open("wb", buffering=0) as ballast:
            try:
                while True:
                    ballast.write(bytes(4096))
            except OSError:
                return

    def clear(self) -> None:
        """Make room again."""
        self._ballast.unlink()

    def mend(self) -> None:
        """Let it be written, and make room."""
        self.allow("rw")
        self.clear()

    def allow(self, how: str) -> None:
        """Mount it anew, ``ro`` or ``rw``."""
        subprocess.run([MOUNT, "-o", f"remount,{how}", str(self._path)], check=True)


def nothing() -> None:
    """What is done to a disk that is well."""


@contextmanager
def small_disk(path: Path) -> Iterator[Disk]:
    """Mount one there."""
    path.mkdir()
    subprocess.run([MOUNT, "-t", "tmpfs", "-o", SIZE, "tmpfs", str(path)], check=True)
    try:
        yield Disk(path)
    finally:
        subprocess.run([UMOUNT, "--lazy", str(path)], check=True)


def ons(events: list[Recorded]) -> list[Recorded]:
    """Pick the note-ons."""
    return [event for event in events if event.data[0] & 0xF0 == 0x90 and event.data[2]]


def fault(lofid: LofidProcess) -> str | None:
    """Ask why the recording stands, if it does."""
    found = lofid.status()["recording_fault"]
    return None if found is None else str(found)


def played(
    server: JackServer, home: Path, backend: str, seconds: float, acts: Acts
) -> tuple[list[Recorded], str]:
    """Play, and do these things at their moments; give what was heard, and what was said."""
    faults: list[str | None] = []
    same = ("--seed", "7", "--tempo", str(TEMPO), "--fresh", "--backend", backend)
    with (
        LofidProcess(server, home, *same) as lofid,
        JackRecorder(server) as ears,
    ):
        ears.listen_to("lofid:out")
        begin = time.monotonic()
        faults.append(fault(lofid))
        for number, act in enumerate(acts, 1):
            time.sleep(max(0.0, begin + number * seconds / 4 - time.monotonic()))
            act()
            time.sleep(NOTICED_SECONDS)
            faults.append(fault(lofid))
        time.sleep(max(0.0, begin + seconds - time.monotonic()))
        status = lofid.status()
        lofid.process.terminate()
        assert lofid.wait() == 0, lofid.said
        events = list(ears.events)
    counts = {name: status["notes"][name] for name in ("played", "dropped", "underruns")}
    print(f"  lateness {status['lateness_us']}, {counts}")
    for each, _ in groupby(faults):
        print(f"  recording_fault: {each and each.split(': ', 1)[1]}")
    return events, lofid.said


def told(home: Path) -> tuple[Note, ...]:
    """Read the notes that the journal has."""
    library = Library(home / "lofid" / "journals" / "lofid")
    (session,) = library.sessions()
    return library.transcript(session).notes


def off_grid(events: list[Recorded], notes: tuple[Note, ...]) -> int:
    """Give how far apart, in frames, notes that were heard lie from their ticks at most.

    Counted from the end, since a note may have sounded before somebody listened.
    """
    left: defaultdict[bytes, list[int]] = defaultdict(list)
    for note in notes:
        left[bytes([0x90 | note.channel, note.pitch, note.velocity])].append(note.tick)
    phases = [e.frame - FRAMES_A_TICK * left[e.data].pop() for e in reversed(ons(events))]
    return max(phases) - min(phases)


def one_session(server: JackServer, backend: str, seconds: float, how: str) -> None:
    """Play one on a disk of its own."""
    print(f"{backend}, {how}", flush=True)
    with tempfile.TemporaryDirectory() as home, small_disk(Path(home) / "lofid") as disk:
        acts: dict[str, Acts] = {
            "with room": [nothing, nothing, nothing],
            "full, then read-only, then room": [disk.fill, lambda: disk.allow("ro"), disk.mend],
            "read-only, then not": [nothing, lambda: disk.allow("rw"), nothing],
        }
        if how == "read-only, then not":
            disk.allow("ro")
        events, said = played(server, Path(home), backend, seconds, acts[how])
        notes = told(Path(home))
        heard = Counter(event.data for event in ons(events))
        kept = Counter(bytes([0x90 | n.channel, n.pitch, n.velocity]) for n in notes)
        lost, more = (heard - kept).total(), (kept - heard).total()
        print(f"  {heard.total()} notes heard; not in the journal {lost}, in it only {more}")
        if not lost:
            print(f"  at most {off_grid(events, notes)} frames from each other's grid")
        print("\n".join(f"  said: {line}" for line in said.splitlines() if "recording" in line))


def main() -> None:
    """Play so long, so often."""
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 60.0
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 2
    with JackServer() as server:
        for backend in ("jack", "jack-rtmidi") * rounds:
            for how in ("with room", "full, then read-only, then room", "read-only, then not"):
                one_session(server, backend, seconds, how)


if __name__ == "__main__":
    main()
