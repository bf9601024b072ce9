"""What was heard and is not in a file is known by when it was heard."""

import pytest

from tests.jackserver import RATE, Recorded
from tests.lostnotes import lost_ages

TEMPO = 240.0
TICKS_A_SECOND = 1920


def _heard(seconds: float, pitch: int = 60) -> Recorded:
    return Recorded(1_000_000 + round(seconds * RATE), bytes([0x90, pitch, 80]))


def _kept(seconds: float, pitch: int = 60) -> tuple[int, int, int, int]:
    return round(seconds * TICKS_A_SECOND), 0, pitch, 80


END = _heard(10.0).frame


def _ages(heard: list[Recorded], kept: list[tuple[int, int, int, int]]) -> list[float]:
    return lost_ages(heard, kept, END, TEMPO)


def test_an_early_loss_is_no_late_one() -> None:
    """Of the same note, heard at 1 s and at 9.8 s, the file lacks the first."""
    heard = [_heard(1.0), _heard(3.0, 62), _heard(5.0, 64), _heard(9.8)]
    kept = [_kept(3.0, 62), _kept(5.0, 64), _kept(9.8)]
    assert _ages(heard, kept) == pytest.approx([9.0])


def test_a_tail_that_is_lost_is_as_old_as_its_first_note() -> None:
    heard = [_heard(second) for second in (1.0, 2.0, 9.6, 9.9)]
    assert _ages(heard, [_kept(1.0), _kept(2.0)]) == pytest.approx([0.4, 0.1])


def test_a_file_may_begin_elsewhere_and_have_more() -> None:
    """Heard are notes from when the recorder listened; a period may come between each."""
    heard = [_heard(2.0), _heard(3.004), _heard(4.0, 67)]
    kept = [_kept(second + 0.25) for second in (1.0, 2.0, 3.0)]
    assert _ages(heard, kept) == pytest.approx([6.0])


def test_of_an_empty_file_all_is_lost() -> None:
    assert _ages([_heard(9.0)], []) == pytest.approx([1.0])
    assert _ages([], []) == []
