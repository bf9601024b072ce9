"""A master's MIDI clock in simulated time: when its pulses are, and when they are heard."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from random import Random

from lofid.player.follower import Follower, Line

JITTER_SECONDS = 0.003
QUARTER, BAR = 24, 96


def pulses(*passages: tuple[float, int], start: float = 1000.0) -> list[float]:
    """When the pulses are: passages of (tempo, pulses). A tempo holds up to its last pulse."""
    times = [start]
    for tempo, count in passages:
        times += [times[-1] + 60 / (tempo * 24) * step for step in range(1, count + 1)]
    return times


@dataclass(frozen=True)
class Heard:
    """A moment at which a pulse was heard: the master had sent ``sent`` by then."""

    sent: int
    seconds: float


def heard(
    times: Sequence[float], seed: int, jitter: float = JITTER_SECONDS, missing: Iterable[int] = ()
) -> list[Heard]:
    """Each pulse some milliseconds early or late, but in order; those that are missing are not."""
    random, lost = Random(seed), set(missing)
    arrivals = sorted(seconds + random.uniform(-jitter, jitter) for seconds in times)
    return [Heard(n, at) for n, at in enumerate(arrivals, start=1) if n not in lost]


def with_also(arrivals: Sequence[Heard], after: int, seconds: float) -> list[Heard]:
    """Let one more message be heard, so long after the pulse ``after``."""
    first = next(each for each in arrivals if each.sent == after)
    also = Heard(after, first.seconds + seconds)
    return sorted([*arrivals, also], key=lambda each: each.seconds)


def held_back(arrivals: Sequence[Heard], first: int, last: int) -> list[Heard]:
    """Let the machine stand still: all from ``first`` to ``last`` are heard when ``last`` is.

    They come 0.1 ms apart; by then the master has sent them all.
    """
    until = next(each.seconds for each in arrivals if each.sent == last)
    return [
        Heard(last, until + (each.sent - first) * 1e-4) if first <= each.sent <= last else each
        for each in arrivals
    ]


@dataclass(frozen=True)
class Found:
    """What the follower makes of an arrival, and how far its line is from the truth.

    ``ahead_ms`` is the error of the next pulse, as foretold.
    """

    sent: int
    count: int
    phase_ms: float
    ahead_ms: float
    tempo_percent: float


def follow(follower: Follower, times: Sequence[float], arrivals: Iterable[Heard]) -> list[Found]:
    """Hear the arrivals; after each, once locked, compare the line with all the pulses' times."""
    found = []
    for each in arrivals:
        follower.pulse(each.seconds)
        line = follower.line
        if line is not None and each.sent < len(times):
            found.append(compare(line, times, each.sent))
    return found


def compare(line: Line, times: Sequence[float], sent: int) -> Found:
    """Compare a line with the truth, pulse ``sent`` being the last that the master sent."""
    now, ahead = times[sent - 1], times[sent]
    return Found(
        sent,
        line.number,
        (line.seconds_at(sent) - now) * 1000,
        (line.seconds_at(sent + 1) - ahead) * 1000,
        ((ahead - now) / line.seconds_per_pulse - 1) * 100,
    )


def percentile(errors: Iterable[float], percent: float) -> float:
    """How large errors are, whatever their sign: ``percent`` of them are no larger."""
    ordered = sorted(abs(error) for error in errors)
    return ordered[max(0, math.ceil(len(ordered) * percent / 100) - 1)]
