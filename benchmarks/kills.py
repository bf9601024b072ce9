"""Kills lofid's processes in the middle of chords, again and again, and looks for notes that hang.

Usage: ``python benchmarks/kills.py [TIMES]`` (50 by default; needs jackd)

Half of it kills the engine with SIGKILL while a note sounds, the other half the player. An
independent JACK client listens: every note has to end. Prints how long that took by JACK's frames,
in milliseconds.
"""

import os
import random
import signal
import statistics
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tests.jackserver import RATE, JackRecorder, JackServer, sounding, wait_until
from tests.lofidprocess import LofidProcess

FAST = ("--tempo", "240", "--seed", "7")


def _wait_for_a_chord(recorder: JackRecorder) -> None:
    wait_until(lambda: len(sounding(list(recorder.events))) > 1, "a chord that sounds")
    time.sleep(random.uniform(0.0, 0.1))  # noqa: S311 (no secret)


def _quiet_ms(recorder: JackRecorder, killed_frame: int, held: set[tuple[int, int]]) -> float:
    """Wait until every note that was held has ended; give when the last one did."""
    left = set(held)
    events = list(recorder.events)
    seen = next((i for i, e in enumerate(events) if e.frame >= killed_frame), len(events))
    frame = killed_frame

    def ended() -> bool:
        nonlocal seen, frame
        new = recorder.events[seen:]
        seen += len(new)
        for event in new:
            key = (event.data[0] & 15, event.data[1])
            if event.data[0] >> 4 == 8 and key in left:
                left.discard(key)
                frame = event.frame
        return not left

    wait_until(ended, f"the ends of {left}")
    return (frame - killed_frame) * 1000 / RATE


def kill_engine(server: JackServer) -> float:
    """Kill a daemon; its player ends the notes and leaves."""
    with (
        tempfile.TemporaryDirectory() as folder,
        LofidProcess(server, Path(folder), *FAST) as lofid,
        JackRecorder(server, "lofid:out") as recorder,
    ):
        _wait_for_a_chord(recorder)
        held, frame = sounding(list(recorder.events)), recorder.frame_now()
        lofid.process.kill()
        return _quiet_ms(recorder, frame, held)


def kill_players(server: JackServer, times: int) -> list[float]:
    """Kill one player after the other in one session; the next one ends what it held."""
    found = []
    with (
        tempfile.TemporaryDirectory() as folder,
        LofidProcess(server, Path(folder), *FAST) as lofid,
        JackRecorder(server, "lofid:out") as recorder,
    ):
        lofid.wait_for("seed")
        time.sleep(2.5)  # its connections are known
        for _ in range(times):
            _wait_for_a_chord(recorder)
            held, frame = sounding(list(recorder.events)), recorder.frame_now()
            player = lofid.player_pid()
            os.kill(player, signal.SIGKILL)
            found.append(_quiet_ms(recorder, frame, held))
            wait_until(lambda dead=player: lofid.players() - {dead}, "the next player")
            time.sleep(1.5)
        lofid.process.send_signal(signal.SIGTERM)
        assert lofid.wait() == 0
        assert not sounding(recorder.events), "notes hang at the end"
    return found


def report(what: str, found: list[float]) -> None:
    """One line of figures."""
    print(
        f"{what}: {len(found)} kills, every note ended; after p50 {statistics.median(found):.0f}, "
        f"max {max(found):.0f} ms",
        flush=True,
    )


def main() -> None:
    """Kill, and report."""
    times = int(sys.argv[1]) if len(sys.argv) > 1 else 50
    with JackServer() as server:
        report("the engine", [kill_engine(server) for _ in range(times)])
        players: list[float] = []
        while len(players) < times:
            players += kill_players(server, min(5, times - len(players)))
        report("the player", players)


if __name__ == "__main__":
    main()
