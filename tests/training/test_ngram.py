"""The rival, against probabilities worked out by hand."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.ngram import NGram

START = 0
SYMBOLS = 3
PIECES = st.lists(
    st.lists(st.integers(1, SYMBOLS), min_size=1, max_size=12).map(lambda ids: [START, *ids]),
    min_size=1,
    max_size=4,
)


def bigram() -> NGram:
    """Two symbols, learnt from 1 2 1 1."""
    model = NGram(2, 2)
    model.learn([START, 1, 2, 1, 1])
    return model


@pytest.mark.parametrize(
    ("symbol", "before", "expected"),
    [
        (1, [], (3 + 2 / 2) / 6),
        (2, [], (1 + 2 / 2) / 6),
        (1, [START], (1 + 2 / 3) / 2),
        (2, [START], (0 + 1 / 3) / 2),
        (1, [1], (1 + 2 * 2 / 3) / 4),
        (2, [1], (1 + 2 * 1 / 3) / 4),
        (1, [2], (1 + 2 / 3) / 2),
        (2, [1, 2], (0 + 1 / 3) / 2),
    ],
)
def test_witten_bell_by_hand(symbol: int, before: list[int], expected: float) -> None:
    """(seen + kinds x P of the shorter history) / (total + kinds), down to uniform."""
    assert bigram().probability(symbol, before) == pytest.approx(expected, abs=1e-15)


def test_an_unseen_history_is_as_its_longest_seen_end() -> None:
    """3 never came: what it is followed by is foretold from no history."""
    model = NGram(3, 3)
    model.learn([START, 1, 2, 1, 1])
    assert model.probability(1, [2, 3]) == model.probability(1, [])
    assert model.probability(2, [3, 1]) == model.probability(2, [1])


def test_nats_by_hand() -> None:
    """The mean of -log P over every symbol but the first."""
    expected = -sum(map(math.log, (5 / 6, 5 / 12, 5 / 6, 7 / 12))) / 4
    assert bigram().nats([[START, 1, 2, 1, 1]]) == pytest.approx(expected, abs=1e-15)


def test_top1_by_hand() -> None:
    """After *start*, 1 and 2 the likeliest is 1: three of four are right."""
    assert bigram().top1([[START, 1, 2, 1, 1]]) == 3 / 4


def test_what_never_followed_can_be_the_likeliest() -> None:
    """1 is nine tenths of all but never follows 2, which is followed by 2, 3 and 4, once each."""
    model = NGram(2, 4)
    model.learn([START] + 70 * [1])
    model.learn([START, 2, 2])
    model.learn([START, 3, 2, 3])
    model.learn([START, 4, 2, 4])
    assert model.probability(1, [2]) > max(model.probability(s, [2]) for s in (2, 3, 4))
    assert model.top1([[2, 1]]) == 1


def test_learning_more_changes_the_likeliest() -> None:
    """Nothing that was found before is kept."""
    model = bigram()
    assert model.top1([[START, 2, 2]]) == 0
    model.learn([START, *[2] * 20])
    assert model.top1([[START, 2, 2]]) == 1


@given(PIECES, st.integers(1, 4), st.lists(st.integers(0, SYMBOLS), max_size=6))
def test_probabilities_sum_to_one(pieces: list[list[int]], order: int, before: list[int]) -> None:
    """After any history, seen or not; and each is above zero."""
    model = NGram(order, SYMBOLS)
    for piece in pieces:
        model.learn(piece)
    chances = [model.probability(symbol, before) for symbol in range(1, SYMBOLS + 1)]
    assert abs(sum(chances) - 1) < 1e-9
    assert min(chances) > 0


@given(PIECES, st.integers(1, 4), st.lists(st.integers(1, SYMBOLS), min_size=1, max_size=6))
def test_the_likeliest_is_the_likeliest_of_all(
    pieces: list[list[int]], order: int, heard: list[int]
) -> None:
    """As if every symbol were tried; of equals the lowest."""
    model = NGram(order, SYMBOLS)
    for piece in pieces:
        model.learn(piece)
    sequence = [START, *heard]
    right = [
        max(range(1, SYMBOLS + 1), key=lambda s: (model.probability(s, sequence[:i]), -s))
        == sequence[i]
        for i in range(1, len(sequence))
    ]
    assert model.top1([sequence]) == sum(right) / len(right)


@given(PIECES, PIECES)
def test_one_model_is_all_lower_orders_too(learnt: list[list[int]], heard: list[list[int]]) -> None:
    """Counting for order 4 counts for orders 1 to 3."""
    highest = NGram(4, SYMBOLS)
    for piece in learnt:
        highest.learn(piece)
    for order, nats in enumerate(highest.nats_by_order(heard), start=1):
        alone = NGram(order, SYMBOLS)
        for piece in learnt:
            alone.learn(piece)
        assert nats == pytest.approx(alone.nats(heard))
        assert highest.of_order(order).top1(heard) == alone.top1(heard)
