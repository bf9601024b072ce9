"""Whether a MIDI file of a journal holds what sounded, in thousands of random sessions.

Usage: ``nice -n 19 python benchmarks/round_trips.py [SESSIONS]`` (10,000 by default)

Draws sessions as ``tests/test_round_trip.py`` does: the real engine, player and journal in
simulated time, and the real export; each note and pedal of each file is compared with what the
player told, and each tempo, key and marker with what the engine did.
"""

import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tests.test_laws import Act
from tests.test_round_trip import SESSIONS, check

CHANNELS = st.sampled_from([(1, 2), (16, 1), (10, 3)])
MODES = st.sampled_from(["listen", "answer", "chords"])


def main() -> None:
    """Draw them, and say how many there were."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    notes, begin = list[int](), time.monotonic()

    @settings(
        max_examples=count,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
        phases=(Phase.generate, Phase.shrink),
    )
    @given(SESSIONS, CHANNELS, MODES)
    def trip(acts: list[Act], channels: tuple[int, int], mode: str) -> None:
        with TemporaryDirectory() as folder:
            notes.append(check(acts, channels, mode, Path(folder)))
        if len(notes) % 500 == 0:
            print(f"{len(notes)} sessions, {sum(notes)} notes", flush=True)

    trip()
    seconds = time.monotonic() - begin
    print(f"{len(notes)} sessions, {sum(notes)} notes, all as they sounded; {seconds:.0f} s")


if __name__ == "__main__":
    main()
