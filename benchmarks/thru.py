"""How long thru takes: from a key's own frame at lofid's input to that at its output.

Usage: ``python benchmarks/thru.py`` (needs jackd)

500 notes at random frames, played by one JACK client and heard by another one, which reads both
lofid's input and its output; idle and with every core kept busy, for both ways to play on JACK and
for 256 and 1024 frames a period. Meanwhile lofid plays music of its own. Prints p50, p99 and the
greatest in frames of 48 kHz and in periods. AssertionError for a message that was lost, doubled or
out of order, and for a note that is held at the end.
"""

import os
import random
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tests.jackserver import (
    JackKeyboard,
    JackRecorder,
    JackServer,
    sounding,
    wait_until,
    without_repeats,
)
from tests.player.driver import PlayerProcess

NOTES, THRU, SEED = 500, 2, 7
KEYBOARD = 9
"""The channel that the keyboard plays on, 0 to 15: none that lofid plays on."""
PERIODS = (256, 1024)
BACKENDS = ("jack", "jack-rtmidi")
BUSY = [sys.executable, "-c", "while True: pass"]
GAP_FRAMES = (200, 3000)
"""Between one message and the next: 4 to 62 ms."""
MUSIC = [[60 * i, 60 * i + 50, i % 2, 40 + i % 30, 90] for i in range(4000)]


def passed(server: JackServer, backend: str) -> tuple[np.ndarray, str]:
    """Play; give each message's way in frames, and the rights that the player has."""
    ears = "lofid:in" if backend == "jack" else "lofid-in:in"
    wanted = {"thru": THRU, "transpose": 0, "channel": None}
    with PlayerProcess(server.env) as player, JackKeyboard(server) as keyboard:
        granted = player.open(backend=backend, input="virtual", keyboard=wanted)["realtime_note"]
        keyboard.connect(ears)
        with JackRecorder(server, "lofid:out") as recorder:
            recorder.listen_to(keyboard.port_name)
            recorder.wait_for_cycles()
            player.say("play", notes=MUSIC)
            player.say("start", tick=0, tempo=120.0)
            keyboard.play_at(_keys(recorder.frame_now() + server.rate))
            wait_until(lambda: len(_of(recorder, THRU)) == 2 * NOTES, "every message", 60)
            came, left = _of(recorder, KEYBOARD), _of(recorder, THRU)
            player.say("stop")
            player.hear_until("closed")
            assert not sounding(recorder.events), "a note is held"
    assert [data[1:] for _, data in came] == [data[1:] for _, data in left], "not as it was played"
    return np.array([out - at for (at, _), (out, _) in zip(came, left, strict=True)]), granted


def _keys(frame: int) -> list[tuple[int, bytes]]:
    """Strike and lift keys at random frames, some of which lie in one period."""
    dice = random.Random(SEED)  # noqa: S311 (no secret)
    timed = []
    for i in range(NOTES):
        for status, velocity in ((0x90, 1 + i % 127), (0x80, 64)):
            frame += dice.randint(*GAP_FRAMES)
            timed.append((frame, bytes((status | KEYBOARD, 30 + i % 60, velocity))))
    assert all(one < other for (one, _), (other, _) in pairwise(timed))
    return timed


def _of(recorder: JackRecorder, channel: int) -> list[tuple[int, bytes]]:
    notes = {0x80 | channel, 0x90 | channel}
    found = without_repeats(event for event in list(recorder.events) if event.data[0] in notes)
    return [(event.frame, event.data) for event in found]


def main() -> None:
    """Measure idle, then with busy cores."""
    for load in ("idle", "busy"):
        count = os.cpu_count() or 1 if load == "busy" else 0
        busy = [subprocess.Popen(BUSY) for _ in range(count)]
        try:
            for period in PERIODS:
                with JackServer(period_frames=period) as server:
                    for backend in BACKENDS:
                        _print(load, period, backend, *passed(server, backend))
        finally:
            for process in busy:
                process.kill()
                process.wait()


def _print(load: str, period: int, backend: str, ways: np.ndarray, granted: str) -> None:
    p50, p99 = np.percentile(ways, (50, 99), method="higher")
    figures = ", ".join(
        f"{name} {frames:5} frames ({frames / period:.2f} periods)"
        for name, frames in (("p50", p50), ("p99", p99), ("max", ways.max()))
    )
    print(f"{load}, {period:4} frames, {backend:11}: {len(ways)} messages, {figures} ({granted})")


if __name__ == "__main__":
    main()
