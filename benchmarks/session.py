"""A session in real time: whether lofid drifts, grows, or uses more than it may.

Usage: ``python benchmarks/session.py [MINUTES]`` (20 by default; needs jackd)

Plays at 80 bpm with MIDI clock into an independent JACK client. Every minute it prints the memory
and processor time of both processes as ``lofid ctl status`` gives them, the memory that they wrote
(the status counts their share of the libraries' pages too, which changes by tens of megabytes when
another program loads or leaves the same library), their open files and the server's MIDI ports; at
the end how far the pulses lie from the grid, in frames.
"""

import os
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tests.jackserver import RATE, JackRecorder, JackServer
from tests.lofidprocess import LofidProcess

TEMPO = 80.0
FRAMES_A_PULSE = RATE * 60 / TEMPO / 24


def open_files(lofid: LofidProcess) -> list[int]:
    """How many files the engine and its player have open."""
    pids = [lofid.process.pid, lofid.player_pid()]
    return [len(os.listdir(f"/proc/{pid}/fd")) for pid in pids]


def written_memory_mb(lofid: LofidProcess) -> float:
    """The anonymous memory of the engine and its player: no file's, so nobody shares it."""
    rollups = [
        Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii")
        for pid in (lofid.process.pid, lofid.player_pid())
    ]
    lines = [line.split() for rollup in rollups for line in rollup.splitlines()]
    return sum(int(line[1]) for line in lines if line[0] == "Anonymous:") / 2**10


def main() -> None:
    """Play for minutes."""
    minutes = int(sys.argv[1]) if len(sys.argv) > 1 else 20
    memory, written = [], []
    with (
        JackServer() as server,
        tempfile.TemporaryDirectory() as folder,
        LofidProcess(server, Path(folder), "--seed", "7", "--send-clock") as lofid,
        JackRecorder(server, "lofid:out") as recorder,
    ):
        recorder.wait_for_cycles()
        begin = time.monotonic()
        for minute in range(minutes + 1):
            time.sleep(max(0.0, begin + 60 * minute + 5 - time.monotonic()))
            status = lofid.status()
            memory.append(status["memory_mb"])
            written.append(round(written_memory_mb(lofid), 1))
            print(
                f"minute {minute:2}: {memory[-1]} MB, written {written[-1]} MB, "
                f"{status['cpu_percent']} % of a core, files {open_files(lofid)}, "
                f"ports {len(server.ports())}, "
                f"lateness {status['lateness_us']}, notes {status['notes']}",
                flush=True,
            )
        pulses = np.array([e.frame for e in recorder.events if e.data == b"\xf8"])
    off = pulses - pulses[0] - np.arange(len(pulses)) * FRAMES_A_PULSE
    first, last = off[: len(off) // 10], off[-len(off) // 10 :]
    print(
        f"{len(pulses)} pulses: {off.min():+.1f} to {off.max():+.1f} frames off the grid; "
        f"median of the first tenth {np.median(first):+.1f}, of the last {np.median(last):+.1f}; "
        f"from minute 1 on memory {min(memory[1:])} to {max(memory[1:])} MB, "
        f"written {min(written[1:])} to {max(written[1:])} MB"
    )


if __name__ == "__main__":
    main()
