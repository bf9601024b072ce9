"""The loop guard: what is free, what it costs, and the rule that no bar goes on and on."""

from dataclasses import replace
from itertools import groupby

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from lofid.composer import Composer
from lofid.feel import Feel
from lofid.guard import (
    FREE_BARS,
    FREE_HABIT_BARS,
    HABIT_COST,
    LONGEST_ROW,
    MOST_ROUNDS,
    REMEMBERED,
    ROUND_COST,
    LoopGuard,
)
from lofid.music import BAR_GRID, BAR_TICKS, Event, Key
from lofid.predictor import Floats, Prediction
from tests.fakes import CARD, ScriptedModel

TOKENS = ("start", *(f"{name}{octave}" for octave in (3, 4) for name in "CDEFGAB"))
WIDE = CARD.model_copy(
    update={
        "tokens": (*TOKENS, "C3.E3.G3.B3", "D3.F3.A3.C4"),
        "rhythms": ((0, 0), (12, 12), (0, 24), (24, 12), (6, 6), (48, 48), (96, 96), (36, 36)),
    }
)
CHORD, OTHER_CHORD = 15, 16
QUARTER, TOGETHER, EIGHTH, BAR, TWO_BARS = 1, 2, 4, 5, 6
Loop = list[tuple[int, int]]
"""(token, rhythm), as ids of WIDE."""

ONE_NOTE: Loop = [(3, QUARTER)]
ONE_BAR: Loop = [(1, QUARTER), (3, EIGHTH), (5, EIGHTH), (3, QUARTER), (2, QUARTER)]
TWO_BAR_LOOP: Loop = [*ONE_BAR, *[(token + 1, rhythm) for token, rhythm in ONE_BAR]]
STACKED: Loop = [(CHORD, TOGETHER), (8, TOGETHER), (10, QUARTER), (9, QUARTER)] * 2
CHORD_A_BAR: Loop = [(CHORD, BAR)]
CHORD_EVERY_TWO_BARS: Loop = [(CHORD, TWO_BARS)]
TWO_CHORDS: Loop = [(CHORD, BAR), (OTHER_CHORD, BAR)]
LOOPS = {
    "one note": ONE_NOTE,
    "one bar": ONE_BAR,
    "two bars": TWO_BAR_LOOP,
    "notes together": STACKED,
    "a chord a bar": CHORD_A_BAR,
    "a chord every two bars": CHORD_EVERY_TWO_BARS,
    "two chords": TWO_CHORDS,
}


def _guard() -> LoopGuard:
    return LoopGuard(len(WIDE.tokens))


def _play(guard: LoopGuard, loop: Loop, bars: int, onset: int = 0) -> tuple[int, float]:
    """Have the guard take a loop of so many bars; give the next onset and the dearest step."""
    end, dearest, i = onset + bars * BAR_GRID, 0.0, 0
    while onset < end:
        token, rhythm = loop[i % len(loop)]
        dearest = max(dearest, guard.costs(onset)[token])
        step, length = WIDE.rhythms[rhythm]
        guard.add(onset, token, rhythm, length, (token,))
        onset, i = onset + step, i + 1
    return onset, dearest


# What is free, and what it costs


@pytest.mark.parametrize("loop", LOOPS.values(), ids=LOOPS.keys())
def test_a_vamp_of_four_bars_costs_nothing(loop: Loop) -> None:
    guard = _guard()
    onset, dearest = _play(guard, loop, 4)
    assert dearest == 0
    assert not list(guard.closing(onset))


def test_four_bars_of_a_vamp_come_back_for_nothing_after_other_music() -> None:
    guard = _guard()
    onset, _ = _play(guard, ONE_BAR, 4)
    onset, _ = _play(guard, [(token + 7, rhythm) for token, rhythm in ONE_BAR], 4, onset)
    costs = guard.costs(onset)
    assert costs[ONE_BAR[0][0]] == 0


@pytest.mark.parametrize(("bars", "cost"), [(4, 0), (5, 1), (6, 2), (7, 3)])
def test_each_further_bar_of_a_bar_costs_more(bars: int, cost: int) -> None:
    """After so many bars the loop's next token costs this often; no other costs anything."""
    guard = _guard()
    onset, _ = _play(guard, CHORD_A_BAR, bars)
    costs = guard.costs(onset)
    assert costs[CHORD] == cost * ROUND_COST
    assert costs.sum() == costs[CHORD]


def test_an_ostinato_is_free_for_four_bars_however_fast_it_goes_round() -> None:
    guard = _guard()
    onset, dearest = _play(guard, [(3, EIGHTH)], FREE_BARS)
    assert dearest == 0
    onset, _ = _play(guard, [(3, EIGHTH)], 1, onset)
    assert guard.costs(onset)[3] == ROUND_COST


def test_a_loop_of_two_bars_is_free_for_four_rounds() -> None:
    guard = _guard()
    onset, _ = _play(guard, TWO_CHORDS, 8)
    assert guard.costs(onset)[CHORD] == 0
    onset, _ = _play(guard, TWO_CHORDS, 2, onset)
    assert guard.costs(onset)[CHORD] == ROUND_COST


def test_a_habit_costs_more_with_each_doubling_of_its_bars() -> None:
    """The same four tokens in ever other rhythm and company are no exact loop."""
    guard, onset = _guard(), 0
    for bar in range(2 * FREE_HABIT_BARS):
        for token in (1, 2, 3, 4):
            guard.add(onset, token, bar, 6, (token,))
            onset += 6
        guard.add(onset, 5 + bar, bar, 24, (5 + bar,))
        onset += 24
    for token in (1, 2, 3):
        guard.add(onset, token, 9, 6, (token,))
        onset += 6
    costs = guard.costs(onset)
    assert costs[4] == HABIT_COST
    assert costs.sum() == costs[4]


def test_what_is_long_past_is_forgotten() -> None:
    """The memory is bounded, and what left it costs nothing."""
    guard = _guard()
    onset, _ = _play(guard, ONE_BAR, 7)
    rng = np.random.default_rng(1)
    for token in rng.integers(6, 17, REMEMBERED):
        guard.add(onset, int(token), QUARTER, 12, (int(token),))
        onset += 12
    for token, rhythm in ONE_BAR:
        assert guard.costs(onset)[token] == 0
        guard.add(onset, token, rhythm, 6, (token,))
        onset += 6


# The rule on bars


def test_the_order_of_what_begins_together_makes_no_other_bar() -> None:
    guard = _guard()
    for bar in range(MOST_ROUNDS):
        for token in (1, 2) if bar % 2 else (2, 1):
            guard.add(BAR_GRID * bar, token, BAR, 48, (token,))
    onset = BAR_GRID * MOST_ROUNDS
    assert not list(guard.closing(onset))
    guard.add(onset, 2, TOGETHER, 48, (2,))
    assert list(guard.closing(onset)) == [(1,)]


def test_a_bar_that_is_another_already_may_go_on() -> None:
    guard = _guard()
    onset, _ = _play(guard, [(1, QUARTER)], MOST_ROUNDS)
    for token in (1, 1, 2):
        guard.add(onset, token, QUARTER, 12, (token,))
        onset += 12
    assert not list(guard.closing(onset))


def _bars(events: list[Event], bars: int) -> list[frozenset[tuple[int, tuple[int, ...], int]]]:
    begun: dict[int, set[tuple[int, tuple[int, ...], int]]] = {}
    for event in events:
        bar, place = divmod(event.onset_ticks, BAR_TICKS)
        begun.setdefault(bar, set()).add((place, event.pitches, event.length_ticks))
    return [frozenset(begun.get(bar, ())) for bar in range(bars)]


def _rounds(bars: list[frozenset[tuple[int, tuple[int, ...], int]]], row: int) -> int:
    """How often a row of so many bars is heard in a row, at most."""
    equal = [earlier == later for earlier, later in zip(bars, bars[row:], strict=False)]
    return max((sum(1 for _ in run) for same, run in groupby(equal) if same), default=0) // row + 1


def _session(loop: Loop, feel: Feel, seed: int, bars: int) -> list[Event]:
    script = [(token, rhythm, 5) for token, rhythm in loop]
    return Composer(ScriptedModel(script, WIDE), feel, seed).compose(bars * BAR_TICKS)


_loops = st.lists(
    st.tuples(st.integers(1, len(WIDE.tokens) - 1), st.integers(1, len(WIDE.rhythms) - 1)),
    min_size=1,
    max_size=12,
)
_feels = st.builds(
    Feel,
    key=st.sampled_from([Key.parse("C major"), Key.parse("F# minor")]),
    swing_percent=st.floats(50, 75),
    temperature=st.floats(0.2, 2),
    top_p=st.floats(0.1, 1),
    key_lock=st.sampled_from(["off", "soft", "hard"]),
    loop_guard=st.floats(0.01, 2),
)


@settings(max_examples=60, deadline=None)
@given(_loops, _feels, st.integers(0, 2**32 - 1))
@example(ONE_NOTE, Feel(temperature=0.2), 1)
@example(ONE_BAR, Feel(temperature=0.2), 1)
@example(TWO_BAR_LOOP, Feel(temperature=0.2), 1)
@example(STACKED, Feel(temperature=0.2), 1)
@example(CHORD_A_BAR, Feel(temperature=0.2), 1)
@example(CHORD_EVERY_TWO_BARS, Feel(temperature=0.2), 1)
@example(TWO_CHORDS, Feel(temperature=2.0, loop_guard=0.01), 1)
def test_no_bar_goes_on_and_on_whatever_the_model_wants(loop: Loop, feel: Feel, seed: int) -> None:
    """The model never has a doubt; a bar sounds seven times, a longer row eight times at most."""
    bars = _bars(_session(loop, feel, seed, 80), 80)
    assert _rounds(bars, 1) <= MOST_ROUNDS
    for row in range(2, LONGEST_ROW + 1):
        assert _rounds(bars, row) <= MOST_ROUNDS + 1


@pytest.mark.parametrize("loop", LOOPS.values(), ids=LOOPS.keys())
def test_without_the_guard_loops_run(loop: Loop) -> None:
    bars = _bars(_session(loop, Feel(loop_guard=0), 1, 40), 40)
    assert _rounds(bars, 2) == 20


class Steadfast(ScriptedModel):
    """Goes on in its script with each event, however often it has to hear the last ones again."""

    def _say(self) -> Prediction:
        self._said -= 1
        return super()._say()

    def velocity_logits(self, prediction: Prediction, token: int, rhythm: int) -> Floats:
        logits = super().velocity_logits(prediction, token, rhythm)
        self._said += 1
        return logits


@pytest.mark.parametrize("loop", [ONE_BAR, CHORD_A_BAR], ids=["one bar", "a chord a bar"])
def test_what_a_person_plays_is_not_held_against_the_music(loop: Loop) -> None:
    """Whoever plays the very loop that the model wants brings no break in it nearer."""
    script, events = [(token, rhythm, 5) for token, rhythm in loop], list[Event]()
    composer = Composer(Steadfast(script, WIDE), Feel(), 1)
    alone = Composer(Steadfast(script, WIDE), Feel(), 1).compose(30 * BAR_TICKS)
    for bar in range(30):
        now = composer.compose((bar + 1) * BAR_TICKS)
        events += now
        for event in now:
            composer.hear(len(events), replace(event, by_person=True))
    assert events == alone


def test_a_new_key_makes_another_bar() -> None:
    """What counts is what is heard: the rule follows the pitches into the key that is played."""
    script = [(token, rhythm, 5) for token, rhythm in CHORD_A_BAR]
    feel = Feel(loop_guard=0.01)
    composer, events = Composer(ScriptedModel(script, WIDE), feel, 1), list[Event]()
    for bar in range(1, 61):
        composer.feel = replace(feel, key=Key(bar // 10 % 3, is_minor=False))
        events += composer.compose(bar * BAR_TICKS)
    assert _rounds(_bars(events, 60), 1) <= MOST_ROUNDS
