"""Recital: shared runs by hand, and beside a search that tries everything."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.passage import Ints
from training.recital import LONGEST_OWN, compare, shared_runs


def rows(*sequences: list[int]) -> list[Ints]:
    return [np.array(sequence, np.int64) for sequence in sequences]


def test_runs_by_hand() -> None:
    """1 2 3 is in the first piece, 3 4 in the second; 9 is in none."""
    (found,) = shared_runs(rows([9, 1, 2, 3, 4, 9]), rows([1, 2, 3, 5], [7, 3, 4]))
    assert found.tolist() == [0, 3, 3, 3, 2, 0]


def test_no_run_goes_from_one_piece_into_the_next() -> None:
    """Nor from one session into the next."""
    assert [row.tolist() for row in shared_runs(rows([1, 2]), rows([1], [2]))] == [[1, 1]]
    made = shared_runs(rows([1], [2]), rows([1, 2]))
    assert [row.tolist() for row in made] == [[1], [1]]


def test_sixteen_is_one_s_own_and_seventeen_is_recited() -> None:
    piece = list(range(100, 200))
    made = [*piece[:LONGEST_OWN], 0, *piece[: LONGEST_OWN + 1], 0]
    found = compare(rows(made), rows(piece))
    assert found.longest_run == 17
    assert found.own_share == pytest.approx(18 / 35)
    assert found.lengths[0] == 2


def test_a_vamp_counts() -> None:
    """Twenty times the same chord, which a piece holds for twenty, too."""
    assert compare(rows([5] * 20), rows([5] * 20)).own_share == 0


IDS = st.lists(st.integers(0, 2), min_size=1, max_size=30)


@given(IDS, st.lists(IDS, max_size=3))
def test_a_piece_recites_itself(piece: list[int], others: list[list[int]]) -> None:
    (found,) = shared_runs(rows(piece), rows(*others, piece))
    assert found.tolist() == [len(piece)] * len(piece)


@given(st.lists(IDS, min_size=1, max_size=3), st.lists(IDS, min_size=1, max_size=3))
def test_as_a_search_that_tries_everything(made: list[list[int]], known: list[list[int]]) -> None:
    for session, found in zip(made, shared_runs(rows(*made), rows(*known)), strict=True):
        assert found.tolist() == slowly(session, known)
    assert 0 <= compare(rows(*made), rows(*known)).own_share <= 1


def slowly(session: list[int], known: list[list[int]]) -> list[int]:
    grams = {tuple(p[i:j]) for p in known for i in range(len(p)) for j in range(i + 1, len(p) + 1)}
    longest = [0] * len(session)
    for i in range(len(session)):
        for j in range(i + 1, len(session) + 1):
            if tuple(session[i:j]) in grams:
                for place in range(i, j):
                    longest[place] = max(longest[place], j - i)
    return longest
