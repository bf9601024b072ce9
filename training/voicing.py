"""Voicings: where a chord's tones lie on the keyboard, and how one chord moves to the next.

Shell voicings have the root and the guide tones, rootless ones leave the root to a bass and put a
ninth in its place (Bill Evans's left hand; Levine, *The Jazz Piano Book*, chapters 3 and 7). From
one chord to the next, tones in common stay where they are and the others move as little as they
can.
"""

from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import pairwise

from training.harmony import Colour

LOWEST, HIGHEST = 45, 69
"""A2 to A4: the middle of the keyboard. No voice of a chord lies outside."""
CENTRE = 57
LOW_LIMIT, LOW_INTERVAL = 50, 5
"""Below D3, neighbours closer than a fourth are mud."""
WIDEST = 19

Voicing = tuple[int, ...]
"""MIDI pitches from low to high, all different."""

KINDS = ("shell", "rootless", "full", "drop two")


@lru_cache(maxsize=4096)
def voicings(root: int, colour: Colour, kind: str) -> tuple[Voicing, ...]:
    """Give every voicing of one kind inside the register, low ones first."""
    stacks = {
        "shell": _shells,
        "rootless": _rootless,
        "full": _full,
        "drop two": _drop_two,
    }[kind](colour)
    found = {_stacked(root, stack, bass) for stack in stacks for bass in range(LOWEST, HIGHEST)}
    return tuple(sorted(v for v in found if v and _sounds_well(v)))


def _shells(colour: Colour) -> list[tuple[int, ...]]:
    """Root and guides; with a sixth for a seventh, a fourth note says that it is no inversion."""
    third, seventh = colour.guides
    tops = [(colour.fifth,) if seventh == 9 else (), *((t,) for t in colour.tensions)]
    return [(0, *order, *top) for order in ((third, seventh), (seventh, third)) for top in tops]


def _rootless(colour: Colour) -> list[tuple[int, ...]]:
    """A: the third at the bottom; B: the seventh. Without a ninth the root takes its place."""
    third, seventh = colour.guides
    ninth = colour.tensions[0] if colour.tensions else 0
    sixth = colour.tensions[1] if len(colour.tensions) > 1 else colour.fifth
    return [(third, sixth, seventh, ninth), (seventh, ninth, third, sixth)]


def _full(colour: Colour) -> list[tuple[int, ...]]:
    """The four-note chord with its root, in every inversion."""
    third, seventh = colour.guides
    close = (0, third, colour.fifth, seventh)
    return [close[i:] + close[:i] for i in range(4)]


def _drop_two(colour: Colour) -> list[tuple[int, ...]]:
    """Close positions with their second voice from the top an octave down."""
    ninth = colour.tensions[0] if colour.tensions else 0
    third, seventh = colour.guides
    tones = sorted(t % 12 for t in (ninth, third, colour.fifth, seventh))
    closes = [tones[i:] + tones[:i] for i in range(4)]
    return [(close[2], close[0], close[1], close[3]) for close in closes]


def _stacked(root: int, stack: Sequence[int], bass: int) -> Voicing:
    """Stack tones upwards from ``bass``; nothing where the first tone does not lie on it."""
    if (root + stack[0] - bass) % 12:
        return ()
    pitches = [bass]
    for interval in stack[1:]:
        pitches.append(pitches[-1] + (root + interval - pitches[-1] - 1) % 12 + 1)
    return tuple(pitches)


def _sounds_well(voicing: Voicing) -> bool:
    """Inside the register, no mud at the bottom, no bare semitone at the top, not too wide."""
    if voicing[-1] > HIGHEST or voicing[-1] - voicing[0] > WIDEST:
        return False
    if voicing[-1] - voicing[-2] == 1:
        return False
    return all(b - a >= LOW_INTERVAL for a, b in pairwise(voicing) if a < LOW_LIMIT)


def plain(classes: Iterable[int]) -> tuple[Voicing, ...]:
    """Give the close positions of a chord as its symbol has it."""
    tones = sorted(set(classes))[:5]
    rotations = [tones[i:] + tones[:i] for i in range(len(tones))]
    found = {_stacked(0, r, bass) for r in rotations for bass in range(LOWEST, HIGHEST)}
    inside = sorted(v for v in found if v and v[-1] <= HIGHEST)
    return tuple(v for v in inside if len(v) > 2 and _sounds_well(v)) or tuple(inside)


def clashes(voicing: Voicing, melody: Iterable[int], symbol: frozenset[int]) -> bool:
    """Tell whether a voice and a melody note make a minor ninth (or second) that nobody wrote.

    One that the symbol has, such as a melody's F over C major's E, is the song's own.
    """
    return any(
        (upper - lower) % 12 == 1
        for note in melody
        for voice in voicing
        if voice % 12 not in symbol
        for lower, upper in [sorted((voice, note))]
    )


def nearest(before: Voicing | None, choices: Sequence[Voicing]) -> Voicing:
    """Choose what follows ``before``: common tones stay, then the smallest movement.

    At the start, and among equals, the voicing nearest the middle of the keyboard is taken.
    ValueError without choices.
    """
    return min(choices, key=lambda v: (moved_common_tones(before, v), _movement(before, v), v))


def moved_common_tones(before: Voicing | None, after: Voicing) -> int:
    """Count pitch classes of both chords that are not on one and the same key in both."""
    if before is None:
        return 0
    common = {p % 12 for p in before} & {p % 12 for p in after}
    kept = {p % 12 for p in set(before) & set(after)}
    return len(common - kept)


def _movement(before: Voicing | None, after: Voicing) -> float:
    """Semitones that all voices move, and a pull towards the middle, so that nothing drifts."""
    pull = abs(sum(after) / len(after) - CENTRE) / 2
    if before is None:
        return pull
    onward = sum(min(abs(a - b) for b in before) for a in after)
    back = sum(min(abs(a - b) for a in after) for b in before)
    return onward + back + pull
