"""How soon what is played is answered, measured from outside with two JACK clients.

Usage: ``python benchmarks/answering.py [KEYS]`` (200 by default; needs jackd)

One client plays keys into a real ``lofid play`` (JACK, 256 frames, 80 bpm), the other records what
comes out, both by JACK's own frames. The model is lofid's own, changed so that an event begins on
every step of the grid and the pitch tells which key was the newest in its context
(``tests/prompt.py``); nothing is saved by that, all of it is computed. So from the frame of a key
to the frame of the first note that answers it lies what lofid needs, and the wait for the grid.
"""

import random
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from lofid.music import parse_token
from tests.jackserver import PERIOD_FRAMES, RATE, JackKeyboard, JackRecorder, JackServer
from tests.lofidprocess import LofidProcess
from tests.prompt import ANSWERS, prompt_model

TEMPO = 80.0
GRID_SECONDS = 60 / TEMPO / 12
SETTLED = ("--tempo", str(TEMPO), "--swing", "50", "--key", "C major", "--seed", "7")
FEWEST_SECONDS, MOST_SECONDS = 0.3, 0.6


def main() -> None:
    """Play keys, one after the other, and look for each one's answer."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    rng = random.Random(1)  # noqa: S311  # no secret
    pairs = [(parse_token(key)[0], parse_token(answer)[0]) for key, answer in ANSWERS.items()]
    with (
        JackServer() as server,
        tempfile.TemporaryDirectory() as folder,
        JackKeyboard(server) as keyboard,
    ):
        model = prompt_model(Path(folder) / "prompt.onnx")
        options = ("--model", str(model), "--input", "virtual", *SETTLED)
        with (
            LofidProcess(server, Path(folder), *options) as lofid,
            JackRecorder(server, "lofid:out") as recorder,
        ):
            lofid.status()
            for setting, value in (("loop_guard", "0"), ("key_lock", "off")):
                lofid.ctl("set", setting, value)
            keyboard.connect("lofid:in")
            recorder.wait_for_cycles()
            time.sleep(3)
            waits, missing = [], 0
            for number in range(count):
                key, answer = pairs[number % len(pairs)]
                at = keyboard.frame_now() + 4 * PERIOD_FRAMES + rng.randrange(PERIOD_FRAMES)
                keyboard.play_at(
                    [(at, bytes((0x90, key, 80))), (at + 4800, bytes((0x80, key, 64)))]
                )
                time.sleep(rng.uniform(FEWEST_SECONDS, MOST_SECONDS))
                found = [
                    event.frame for event in list(recorder.events)
                    if event.data[0] & 0xF0 == 0x90 and event.data[1] == answer
                    and at <= event.frame
                ]  # fmt: skip
                missing += not found
                waits += [(found[0] - at) / RATE] if found else []
            notes = lofid.status()["notes"]
    ms = 1000 * np.array(waits)
    print(f"{len(ms)} of {count} keys answered, {missing} not within the time; {notes}")
    print(
        f"key to answer: p50 {np.median(ms):.1f}, p99 {np.percentile(ms, 99):.1f}, "
        f"max {ms.max():.1f} ms; a step of the grid is {1000 * GRID_SECONDS:.1f} ms, so beyond it "
        f"p99 {np.percentile(ms, 99) - 1000 * GRID_SECONDS:+.1f} ms"
    )


if __name__ == "__main__":
    main()
