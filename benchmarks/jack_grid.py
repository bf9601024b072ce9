"""How exactly lofid's player keeps a grid on JACK, by an independent recorder's sample times.

Usage: ``python benchmarks/jack_grid.py`` (needs jackd)

For 256 and 1024 frames a period, with every core kept busy, and for both ways to play on JACK: 400
notes on a grid whose steps are no whole frames. Prints how far note-ons and note-offs lie from the
grid, counted from the first, in frames of 48 kHz.
"""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tests.jackserver import JackRecorder, JackServer
from tests.player.driver import PlayerProcess

NOTES, STEP_TICKS, TEMPO = 400, 40, 397.0
PERIODS = (256, 1024)
BACKENDS = ("jack", "jack-rtmidi")
BUSY = [sys.executable, "-c", "while True: pass"]


def off_grid(server: JackServer, backend: str) -> tuple[np.ndarray, str]:
    """Play the grid; give each message's distance from it in frames, and what was granted."""
    half = STEP_TICKS // 2
    notes = [[STEP_TICKS * i, STEP_TICKS * i + half, 0, 48 + i % 24, 90] for i in range(NOTES)]
    with PlayerProcess(server.env) as player:
        granted = player.open(backend=backend)["realtime_note"]
        with JackRecorder(server, "lofid:out") as recorder:
            recorder.wait_for_cycles()
            player.say("play", notes=notes)
            player.say("start", tick=0, tempo=TEMPO)
            player.hear_until("off", count=NOTES)
            frames = np.array([event.frame for event in recorder.wait_for(2 * NOTES)])
    grid = np.arange(2 * NOTES) * half * 60 / (480 * TEMPO) * server.rate
    return frames - frames[0] - grid, granted


def main() -> None:
    """Keep the cores busy and measure."""
    busy = [subprocess.Popen(BUSY) for _ in range(os.cpu_count() or 1)]
    try:
        for period in PERIODS:
            with JackServer(period_frames=period) as server:
                for backend in BACKENDS:
                    found, granted = off_grid(server, backend)
                    low, high = found.min(), found.max()
                    print(
                        f"{period:5} frames, {backend:11}: {len(found)} messages, "
                        f"{low:+8.1f} to {high:+8.1f} frames ({granted})",
                        flush=True,
                    )
    finally:
        for process in busy:
            process.kill()


if __name__ == "__main__":
    main()
