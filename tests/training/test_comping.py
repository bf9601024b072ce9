"""Comping: when chords are struck."""

from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from training.comping import FIGURES, Hit, Span, strike
from training.harmony import Symbol

C, F, G = (Symbol(root, "major", frozenset({root})) for root in (0, 5, 7))


@st.composite
def songs(draw: st.DrawFn) -> list[Span]:
    """Chords of one sixteenth to two bars, some with silence after them."""
    start, spans = 0, []
    for length in draw(st.lists(st.integers(1, 32), min_size=1, max_size=12)):
        symbol = draw(st.sampled_from([C, F, G]))
        spans.append(Span(start, start + 3 * length, symbol))
        start += 3 * length + draw(st.sampled_from([0, 0, 0, 24]))
    return spans


def _hits(spans: list[Span], seed: int) -> list[Hit]:
    return strike(spans, np.random.default_rng(seed))


def test_figures_lie_within_their_bar_and_do_not_overlap() -> None:
    for figure in FIGURES.values():
        ends = [onset + length for onset, length, _ in figure]
        assert all(end <= onset for end, (onset, _, _) in zip(ends, figure[1:], strict=False))
        assert ends[-1] <= 48


def test_an_off_beat_hit_before_a_change_has_the_new_chord() -> None:
    """Some style plays the and of four, and there the next bar's chord is heard already."""
    spans = [Span(48 * i, 48 * i + 48, symbol) for i, symbol in enumerate((C, F, G, C))]
    pushed = [hit for seed in range(30) for hit in _hits(spans, seed) if hit.onset % 48 == 42]
    assert pushed
    assert all(hit.span.start == hit.onset + 6 for hit in pushed if hit.onset < 144)


@given(songs(), st.integers(0, 999))
def test_every_chord_is_struck_and_none_overlap(spans: list[Span], seed: int) -> None:
    """In order, longer than nothing; from an eighth before its chord begins to its end."""
    hits = _hits(spans, seed)
    assert {id(hit.span) for hit in hits} == {id(span) for span in spans}
    for hit, following in pairwise(hits):
        assert hit.onset + hit.length <= following.onset
    for hit in hits:
        assert hit.length > 0
        assert hit.span.start - 6 <= hit.onset < hit.span.end
