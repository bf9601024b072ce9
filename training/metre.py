"""Every metre in four beats, or not at all."""

from collections.abc import Callable, Sequence

from lofid.music import GRID_PER_QUARTER
from training.reader import Sound

QUARTER = GRID_PER_QUARTER


def _as_it_is(grid: int) -> int:
    return grid


def _from_waltz(grid: int) -> int:
    """Three beats to four: the first is twice as long."""
    bar, within = divmod(grid, 3 * QUARTER)
    return bar * 4 * QUARTER + (2 * within if within < QUARTER else within + QUARTER)


def _from_compound(grid: int) -> int:
    """Each beat of three eighths becomes a quarter of three triplets."""
    return round(grid * 2 / 3)


REWRITTEN: dict[str, tuple[int, Callable[[int], int]]] = {
    "4/4": (4 * QUARTER, _as_it_is),
    "2/2": (4 * QUARTER, _as_it_is),
    "2/4": (2 * QUARTER, _as_it_is),
    "3/4": (3 * QUARTER, _from_waltz),
    "6/8": (3 * QUARTER, _from_compound),
    "12/8": (6 * QUARTER, _from_compound),
}
"""Each metre's bar on the grid, and where its onsets go. Two short bars make one of four beats."""


def in_fours(metre: str) -> bool:
    """Tell whether a metre's bars are two or four beats as they stand."""
    return metre in REWRITTEN and REWRITTEN[metre][1] is _as_it_is


def in_four(sounds: Sequence[Sound], metre: str) -> list[Sound] | None:
    """Give the same sounds in bars of four beats; None for a metre that has none.

    A piece whose bars do not follow its first metre from the start (it changes, or has an upbeat
    that was not filled up) has none either.
    """
    if metre not in REWRITTEN:
        return None
    bar_grid, moved = REWRITTEN[metre]
    if any(sound.phase_grid != sound.onset_grid % bar_grid for sound in sounds):
        return None
    return [_moved(sound, moved) for sound in sounds]


def _moved(sound: Sound, moved: Callable[[int], int]) -> Sound:
    onset = moved(sound.onset_grid)
    end = moved(sound.onset_grid + sound.length_grid)
    return sound._replace(
        onset_grid=onset, length_grid=max(1, end - onset), phase_grid=onset % (4 * QUARTER)
    )
