"""The tune: what stays of a melody, and the riff where there is none."""

from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from training.comping import Span
from training.harmony import Symbol
from training.tune import HIGHEST, LOWEST, RIFFS, Tone, displaced, resting, riff, thinned

C_MAJOR = Symbol(0, "major", frozenset({0, 4, 7}))
lines = st.lists(
    st.builds(Tone, st.integers(0, 60).map(lambda n: 3 * n), st.integers(1, 30),
              st.integers(40, 100)),
    min_size=1,
    max_size=24,
)  # fmt: skip
seeds = st.integers(0, 999)


def _rng(seed: int = 1) -> np.random.Generator:
    return np.random.default_rng(seed)


def test_all_is_kept_where_all_is_wanted() -> None:
    line = [Tone(0, 12, 72), Tone(12, 6, 74), Tone(18, 6, 76), Tone(24, 24, 72)]
    assert thinned(line, 1.0, _rng()) == line


def test_light_notes_go_first() -> None:
    """Over many draws the half note on the beat stays more often than the sixteenth off it."""
    line = [Tone(0, 12, 72), Tone(12, 9, 74), Tone(21, 3, 76), Tone(24, 24, 72), Tone(48, 12, 71)]
    kept = [tone.pitch for seed in range(200) for tone in thinned(line, 0.6, _rng(seed))]
    assert kept.count(76) < kept.count(74) < 200
    assert kept.count(71) > 120


def test_a_tune_moves_to_its_register_by_octaves() -> None:
    low = [Tone(0, 12, 48), Tone(12, 12, 50), Tone(24, 12, 52)]
    assert [tone.pitch for tone in thinned(low, 1.0, _rng())] == [72, 74, 76]


@given(lines, st.floats(0.1, 1), seeds)
def test_one_voice_in_the_register(line: list[Tone], keep: float, seed: int) -> None:
    """Thinned and displaced: in order, one at a time, longer than nothing, at least one note."""
    for made in (thinned(line, keep, _rng(seed)),
                 displaced(thinned(line, keep, _rng(seed)), 0.8, _rng(seed))):  # fmt: skip
        assert made
        assert all(tone.length > 0 and tone.onset >= 0 for tone in made)
        assert all(LOWEST <= tone.pitch <= HIGHEST for tone in made)
        assert all(a.end <= b.onset for a, b in pairwise(made))


def test_notes_move_by_no_more_than_an_eighth() -> None:
    line = [Tone(24 * i, 12, 72) for i in range(40)]
    moves = [b.onset - a.onset for a, b in zip(line, displaced(line, 0.5, _rng()), strict=True)]
    assert set(moves) == {-6, 0, 3, 6}


def test_rests_last_four_bars() -> None:
    """Each group of four bars is there or is not."""
    line = [Tone(12 * i, 12, 72) for i in range(4 * 4 * 40)]
    bars = {tone.onset // 48 for tone in resting(line, 0.5, _rng())}
    assert 20 < len(bars) < 140
    assert all({4 * (bar // 4) + i for i in range(4)} <= bars for bar in bars)


@given(seeds)
def test_a_riff_comes_back_and_fits_its_chord(seed: int) -> None:
    """On the beat it has the chord's own notes, and between them the pentatonic scale's."""
    spans = [Span(0, 48 * 8, C_MAJOR)]
    line = riff(spans, _rng(seed))
    assert all(tone.pitch % 12 in {0, 4, 7} for tone in line if tone.onset % 12 == 0)
    assert all(tone.pitch % 12 in {0, 2, 4, 7, 9} for tone in line)
    assert all(a.end <= b.onset for a, b in pairwise(line))
    first = {tone.onset for tone in line if tone.onset < 48}
    third = {tone.onset - 96 for tone in line if 96 <= tone.onset < 144}
    assert any(first | third <= set(rhythm) for rhythm in RIFFS)  # one rhythm, thinned twice
