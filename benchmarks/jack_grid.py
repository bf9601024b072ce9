"""How exactly lofid's player keeps a grid on JACK, by an independent recorder's sample times.

Usage: ``python benchmarks/jack_grid.py`` (needs jackd)

For 256 and 1024 frames a period, with every core kept busy, and for both ways to play on JACK: 400
notes on a grid whose steps are no whole frames, with MIDI clock. Prints how far note-ons and
note-offs lie from the grid, counted from the first, in frames of 48 kHz, and how far the pulses do.
"""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tests.jackserver import JackRecorder, JackServer, wait_until, without_repeats
from tests.player.driver import PlayerProcess

NOTES, STEP_TICKS, TEMPO = 400, 40, 397.0
PERIODS = (256, 1024)
BACKENDS = ("jack", "jack-rtmidi")
BUSY = [sys.executable, "-c", "while True: pass"]


def off_grid(server: JackServer, backend: str) -> tuple[np.ndarray, np.ndarray, str]:
    """Play the grid; give the notes' and the pulses' distances from it in frames, and the rights.

    AssertionError for a note that was lost.
    """
    half = STEP_TICKS // 2
    notes = [[STEP_TICKS * i, STEP_TICKS * i + half, 0, 48 + i % 24, 90] for i in range(NOTES)]
    with PlayerProcess(server.env) as player:
        granted = player.open(backend=backend, sends_clock=True, tempo=TEMPO)["realtime_note"]
        with JackRecorder(server, "lofid:out") as recorder:
            recorder.wait_for_cycles()
            player.say("play", notes=notes)
            player.say("start", tick=0, tempo=TEMPO)
            player.hear_until("off", count=NOTES)
            wait_until(lambda: len(notes_of(recorder)) == 2 * NOTES, "every note-on and note-off")
            frames = np.array(notes_of(recorder))
            pulses = np.array([e.frame for e in recorder.events if e.data == b"\xf8"])
    step = half * 60 / (480 * TEMPO) * server.rate  # a pulse is half a step of the notes' grid
    counted = pulses[np.searchsorted(pulses, frames[0] - step / 2) :][: 2 * NOTES]
    return (
        frames - frames[0] - np.arange(len(frames)) * step,
        counted - frames[0] - np.arange(len(counted)) * step,
        granted,
    )


def notes_of(recorder: JackRecorder) -> list[int]:
    """When notes began and ended."""
    found = [event for event in list(recorder.events) if event.data[0] in (0x80, 0x90)]
    return [event.frame for event in without_repeats(found)]


def main() -> None:
    """Keep the cores busy and measure."""
    busy = [subprocess.Popen(BUSY) for _ in range(os.cpu_count() or 1)]
    try:
        for period in PERIODS:
            with JackServer(period_frames=period) as server:
                for backend in BACKENDS:
                    notes, pulses, granted = off_grid(server, backend)
                    print(
                        f"{period:5} frames, {backend:11}: {len(notes)} note messages "
                        f"{notes.min():+7.1f} to {notes.max():+7.1f} frames, {len(pulses)} pulses "
                        f"{pulses.min():+7.1f} to {pulses.max():+7.1f} ({granted})",
                        flush=True,
                    )
    finally:
        for process in busy:
            process.kill()


if __name__ == "__main__":
    main()
