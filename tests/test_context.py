"""The rolling window: order, length, what the model is given."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from lofid.context import Context, Entry, Window
from tests.fakes import CARD

VOCABULARY = CARD.vocabulary()


def _rows(window: Window) -> list[list[int]]:
    rows = (window.token, window.rhythm, window.velocity, window.phase)
    return [np.asarray(row).tolist() for row in rows]


def test_a_window_holds_start_until_the_context_is_full() -> None:
    """Phase is the following event's place in the bar: 0, then 12 and 24 of 48."""
    context = Context(VOCABULARY, 4)
    context.add(Entry(0, 12, 1, 5))
    context.add(Entry(12, 12, 2, 6))
    assert _rows(context.window(24)) == [[0, 1, 2], [0, 1, 1], [0, 5, 6], [0, 12, 24]]


def test_padding_fills_the_window_with_start() -> None:
    context = Context(VOCABULARY, 4, pad=True)
    context.add(Entry(6, 12, 1, 5))
    assert _rows(context.window(18)) == [[0, 0, 0, 1], [0, 0, 0, 1], [0, 0, 0, 5], [6, 6, 6, 18]]


def test_a_full_context_forgets_the_oldest_and_start() -> None:
    context = Context(VOCABULARY, 2)
    for i in range(5):
        context.add(Entry(12 * i, 12, 1 + i % 3, 5))
    assert _rows(context.window(60))[0] == [1, 2]


def test_what_a_person_played_earlier_takes_its_place() -> None:
    """It is not the newest, and the steps around it are counted anew."""
    context = Context(VOCABULARY, 8)
    for onset, token in ((0, 1), (24, 2)):
        context.add(Entry(onset, 12, token, 5))
    context.hear(1, Entry(12, 12, 3, 5))
    assert _rows(context.window(36))[:2] == [[0, 1, 3, 2], [0, 1, 1, 1]]


def test_shifting_moves_the_phase_but_not_the_steps() -> None:
    context = Context(VOCABULARY, 8)
    context.add(Entry(0, 12, 1, 5))
    context.shift(-24)
    assert _rows(context.window(-12)) == [[0, 1], [0, 1], [0, 5], [24, 36]]


def test_of_what_begins_together_the_persons_comes_first() -> None:
    context = Context(VOCABULARY, 8)
    context.add(Entry(0, 12, 1, 5))
    context.hear(1, Entry(0, 24, 2, 5))
    assert _rows(context.window(12))[0] == [0, 2, 1]


def test_what_is_heard_again_under_its_number_takes_its_place() -> None:
    """A chord that grows, a note that ends."""
    context = Context(VOCABULARY, 8)
    context.hear(1, Entry(0, 12, 1, 5))
    context.hear(2, Entry(12, 12, 1, 5))
    context.hear(1, Entry(0, 12, 2, 5))
    assert _rows(context.window(24))[0] == [0, 2, 1]
    assert context.heard == 2


def test_what_was_composed_can_be_taken_back_and_what_was_heard_stays() -> None:
    """And an old event is in the window again."""
    context = Context(VOCABULARY, 2)
    for i in range(4):
        context.add(Entry(12 * i, 12, 1 + i, 5))
    context.hear(1, Entry(30, 12, 1, 5))
    context.take_back(24)
    assert _rows(context.window(48))[0] == [2, 1]


@given(st.lists(st.tuples(st.integers(0, 200), st.integers(1, 4), st.booleans()), max_size=40))
def test_the_window_is_the_latest_events_by_onset(played: list[tuple[int, int, bool]]) -> None:
    """What is composed goes forward; a person's is put where it was played."""
    context, now, expected = Context(VOCABULARY, 1000), 0, list[tuple[int, bool, int]]()
    for number, (onset, token, is_composed) in enumerate(played):
        if is_composed:
            now = max(now, onset)
            context.add(Entry(now, 12, token, 5))
            expected.append((now, is_composed, token))
        else:
            context.hear(number, Entry(onset, 12, token, 5))
            expected.append((onset, is_composed, token))
    tokens = [token for _, _, token in sorted(expected, key=lambda each: each[:2])]
    assert _rows(context.window(400))[0] == [0, *tokens]
