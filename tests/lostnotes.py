"""Which note-ons that were heard are not in a file, and how long before its end."""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Sequence

from tests.jackserver import RATE, Recorded

FileNote = tuple[int, int, int, int]
"""Tick, channel, pitch, velocity."""
SLACK_FRAMES = RATE // 50
"""Within so much a note is heard where the file has it; two of a voice are farther apart."""


def lost_ages(
    ons: Sequence[Recorded], kept: Iterable[FileNote], end_frame: int, tempo: float
) -> list[float]:
    """Give how long before ``end_frame``, in seconds, each note-on was heard that was not kept.

    The file is of one ``tempo``, so a note's tick says which one that was heard it is; when tick 0
    was heard is where the most notes agree.
    """
    frames_a_tick = RATE * 60 / tempo / 480
    begins: defaultdict[bytes, list[float]] = defaultdict(list)
    for tick, *note in sorted(kept):
        begins[bytes(note)].append(tick * frames_a_tick)
    first = _first_frame([on.frame - begin for on in ons for begin in begins[_note(on)]])
    ages = []
    for on in ons:
        left, at = begins[_note(on)], on.frame - first
        here = next((begin for begin in left if 0 <= at - begin <= SLACK_FRAMES), None)
        if here is None:
            ages.append((end_frame - on.frame) / RATE)
        else:
            left.remove(here)
    return ages


def _note(on: Recorded) -> bytes:
    return bytes([on.data[0] & 0x0F, *on.data[1:]])


def _first_frame(frames: list[float]) -> float:
    """Find from where on the most of them are, within the slack."""
    frames = sorted(frames)
    counts = [bisect_right(frames, at + SLACK_FRAMES) - i for i, at in enumerate(frames)]
    return frames[counts.index(max(counts))] if frames else 0.0
