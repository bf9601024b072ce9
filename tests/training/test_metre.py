"""Every metre in four beats, or not at all."""

import pytest

from training.metre import in_four, in_fours
from training.reader import Sound


def _beats(onsets: list[int], bar_grid: int, length: int = 12) -> list[Sound]:
    return [Sound(onset, (60,), length, 64, onset % bar_grid) for onset in onsets]


def test_a_waltz_has_a_longer_first_beat() -> None:
    """Quarters of two bars of 3/4: the first lasts two beats."""
    moved = in_four(_beats([0, 12, 24, 36, 48, 60], 36), "3/4")
    assert moved is not None
    assert [(s.onset_grid, s.length_grid, s.phase_grid) for s in moved] == [
        (0, 24, 0), (24, 12, 24), (36, 12, 36), (48, 24, 0), (72, 12, 24), (84, 12, 36),
    ]  # fmt: skip


def test_eighths_of_six_become_triplets() -> None:
    moved = in_four(_beats([0, 6, 12, 18, 24, 30, 36], 36, 6), "6/8")
    assert moved is not None
    assert [s.onset_grid for s in moved] == [0, 4, 8, 12, 16, 20, 24]
    assert {s.length_grid for s in moved} == {4}


def test_two_short_bars_are_one() -> None:
    moved = in_four(_beats([0, 24, 36], 24), "2/4")
    assert moved is not None
    assert [s.phase_grid for s in moved] == [0, 24, 36]


@pytest.mark.parametrize("metre", ["5/4", "9/8", "3/2"])
def test_others_are_left_out(metre: str) -> None:
    assert in_four(_beats([0], 48), metre) is None


def test_a_piece_that_leaves_its_metre_is_left_out() -> None:
    """The third note says that its bar began elsewhere."""
    sounds = [Sound(0, (60,), 12, 64, 0), Sound(48, (60,), 12, 64, 12)]
    assert in_four(sounds, "4/4") is None


def test_what_counts_as_rewritten() -> None:
    assert [m for m in ("4/4", "2/2", "2/4", "3/4", "6/8", "5/4") if in_fours(m)] == [
        "4/4", "2/2", "2/4",
    ]  # fmt: skip
