"""How closely lofid follows a MIDI clock that comes in with 3 ms of jitter, in simulated time.

Usage: ``python benchmarks/clock_in.py [SEEDS]`` (100 unless given)

Each pulse is heard up to 3 ms early or late, evenly spread. An error of phase is the filtered time
of a pulse, or the foretold time of the next one, less the true time. p99 and max are over all
pulses of all seeds; the spread is the lowest and the highest p99 of one seed's run. The count is
that of runs which end with another count than the master's.
"""

import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from time import thread_time

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from lofid.player.follower import Follower
from tests.player.masterclock import (
    BAR,
    QUARTER,
    Found,
    Heard,
    follow,
    heard,
    held_back,
    percentile,
    pulses,
    with_also,
)

CHANGE = 200
JUMPS = ((80, 120), (120, 80), (160, 80), (80, 160), (60, 180), (180, 60), (80, 82), (82, 80))
FAULTS: dict[str, Callable[[list[Heard]], list[Heard]]] = {
    "one missing": lambda all_: [each for each in all_ if each.sent != 300],
    "two missing": lambda all_: [each for each in all_ if each.sent not in (300, 301)],
    "doubled": lambda all_: with_also(all_, 300, 0.001),
    "one midway": lambda all_: with_also(all_, 300, 60 / 24 / 80 / 2),
    "burst of ten": lambda all_: held_back(all_, 300, 309),
}


def runs(
    seeds: range, times: Sequence[float], edit: Callable[[list[Heard]], list[Heard]] = list
) -> tuple[list[list[Found]], int]:
    """Follow once for each seed; give what was found, and how many counts were wrong at the end."""
    all_found, wrong = [], 0
    for seed in seeds:
        follower = Follower()
        all_found.append(follow(follower, times, edit(heard(times, seed))))
        wrong += follower.count != len(times)
    return all_found, wrong


def report(name: str, found: tuple[list[list[Found]], int], first: int, last: int) -> None:
    """Print the errors of the pulses from ``first`` to ``last``."""
    chosen = [[each for each in run if first <= each.sent <= last] for run in found[0]]
    phases = [[error for e in run for error in (e.phase_ms, e.ahead_ms)] for run in chosen]
    flat = [error for run in phases for error in run]
    tempo = percentile((each.tempo_percent for run in chosen for each in run), 99)
    each_p99 = [percentile(run, 99) for run in phases]
    print(
        f"{name:42} {percentile(flat, 99):6.2f} {percentile(flat, 100):6.2f}"
        f"   {min(each_p99):5.2f} to {max(each_p99):5.2f} {tempo:9.2f} {found[1]:6}",
        flush=True,
    )


def steady(seeds: range) -> None:
    """Report steady tempos from the second bar on, and when the slowest run locked."""
    for tempo in (40, 80, 120, 200):
        found = runs(seeds, pulses((tempo, 20 * BAR)))
        locked = max(run[0].sent for run in found[0])
        report(f"{tempo} bpm, locked by pulse {locked}, from bar 2", found, BAR, 20 * BAR)


def changes(seeds: range) -> None:
    """Report jumps a beat after they came and a bar after that, and ramps while they last."""
    for before, after in JUMPS:
        found = runs(seeds, pulses((before, CHANGE), (after, 5 * BAR)))
        there = CHANGE + 1 + QUARTER
        report(f"{before} to {after} bpm, a beat on", found, there, there)
        report(f"{before} to {after} bpm, from a bar later", found, there + BAR, CHANGE + 5 * BAR)
    steps = 4 * BAR
    for before, after in ((80, 100), (100, 80)):
        slope = [(before + (after - before) * step / steps, 1) for step in range(steps)]
        found = runs(seeds, pulses((before, CHANGE), *slope, (after, 2 * BAR)))
        report(f"{before} to {after} bpm in four bars, meanwhile", found, CHANGE, CHANGE + steps)


def faults(seeds: range) -> None:
    """Report a beat that begins with a fault, at 80 bpm."""
    for name, edit in FAULTS.items():
        found = runs(seeds, pulses((80, 500)), edit)
        report(f"80 bpm, {name}, the beat from there", found, 300, 300 + QUARTER)


def cost() -> None:
    """Print how much processor time one pulse takes, through many changes of tempo."""
    arrivals = heard(pulses(*[(80, 2000), (160, 2000)] * 10), seed=1)
    follower = Follower()
    spent = []
    for each in arrivals:
        begin = thread_time()
        follower.pulse(each.seconds)
        spent.append((thread_time() - begin) * 1e6)
    print(
        f"\none pulse takes {percentile(spent, 50):.1f} µs of processor time, "
        f"p99.9 {percentile(spent, 99.9):.1f} µs"
    )


def main(seeds: int = 100) -> None:
    """Print the table."""
    print(f"{seeds} seeds; phase in ms{'p99':>24} {'max':>6}   spread of p99   tempo p99 %  count")
    for part in (steady, changes, faults):
        part(range(seeds))
    cost()


if __name__ == "__main__":
    main(*map(int, sys.argv[1:2]))
