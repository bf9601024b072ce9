"""Models that give no numbers: the last bar goes on, the time moves, and nothing is raised."""

from collections.abc import Callable, Collection
from dataclasses import replace
from itertools import groupby, pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lofid.chooser import MOST_AT_ONCE
from lofid.composer import Composer
from lofid.errors import ModelError
from lofid.feel import Feel
from lofid.music import BAR_GRID, BAR_TICKS, Event, Key
from lofid.refrain import Choice, NoNumbers, Refrain, numbers
from tests.fakes import CARD, FaultyModel, PoisonedModel

BEAT = 480
UNHEARD = CARD.context_length
"""So many turns a sound model has had when the first bar begins."""

C, E, G, CHORD = (60,), (64,), (67,), (48, 51, 55, 58)
QUARTERS = [(1, 1, 5), (2, 1, 5), (3, 1, 5), (4, 1, 5)]
"""C4, E4, G4 and a chord in quarters: a bar."""


def _from_turn(first: int, *kinds: str) -> Callable[[int], Collection[str]]:
    return lambda turn: kinds if turn >= UNHEARD + first else ()


def _times(events: list[Event]) -> list[tuple[tuple[int, ...], int]]:
    return [(event.pitches, event.onset_ticks) for event in events]


# What numbers are


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_one_value_that_is_not_finite_is_enough(bad: float) -> None:
    with pytest.raises(NoNumbers):
        numbers(np.array([0.0, bad, 1.0], np.float32))


def test_numbers_are_given_as_they_are() -> None:
    """As large as they come."""
    logits = np.array([0.0, 3e38, -3e38], np.float32)
    assert numbers(logits) is logits


# The bar that is kept


def _choice(token: int) -> Choice:
    return Choice(token, 1, 12, 12, 5, 70)


def _trusted(*begun: tuple[int, int]) -> Refrain:
    """A refrain of (onset, token), with numbers after each."""
    refrain = Refrain()
    for onset, token in begun:
        refrain.add(onset, _choice(token))
        refrain.trust()
    return refrain


def _next(
    refrain: Refrain, onset: int, begun: Collection[int] = (), is_full: bool = False
) -> tuple[int, int]:
    wait, choice = refrain.next(onset, begun, is_full)
    return wait, choice.token


def test_what_began_a_bar_before_begins_now_or_what_followed_it_later() -> None:
    refrain = _trusted((0, 1), (12, 2), (30, 3))
    assert _next(refrain, 48) == (0, 1)
    assert _next(refrain, 49) == (11, 2)
    assert _next(refrain, 60) == (0, 2)
    assert _next(refrain, 79) == (17, 1)


def test_only_the_last_bar_counts() -> None:
    """What began at 0 is more than a bar before what began at 60."""
    refrain = _trusted((0, 1), (12, 2), (60, 3))
    assert _next(refrain, 96) == (12, 3)


def test_what_begins_already_is_not_begun_again() -> None:
    """A note over a chord: one after the other, and then what came next a bar ago."""
    refrain = _trusted((0, 4), (0, 1), (12, 2))
    assert _next(refrain, 48) == (0, 4)
    assert _next(refrain, 48, begun=[4]) == (0, 1)
    assert _next(refrain, 48, begun=[4, 1]) == (12, 2)
    assert _next(refrain, 48, begun=[3], is_full=True) == (12, 2)


def test_what_began_twice_at_once_begins_once() -> None:
    """As it does where there is little to choose from. The later one is the one that is kept."""
    refrain = Refrain()
    for velocity in (60, 90):
        refrain.add(0, replace(_choice(1), velocity=velocity))
        refrain.trust()
    assert refrain.next(48, [], is_full=False) == (0, replace(_choice(1), velocity=90))
    assert _next(refrain, 48, begun=[1]) == (BAR_GRID, 1)


def test_one_event_comes_back_a_bar_later() -> None:
    assert _next(_trusted((0, 1)), 0, begun=[1]) == (BAR_GRID, 1)


def test_an_empty_bar_is_not_repeated() -> None:
    """Two bars of silence lie between the last event and now: the bar before them comes back."""
    assert _next(_trusted((0, 1), (12, 2)), 108) == (0, 2)


def test_what_no_numbers_came_after_is_not_repeated() -> None:
    """It may be what the model cannot bear."""
    refrain = _trusted((0, 1), (12, 2))
    refrain.add(24, _choice(3))
    assert _next(refrain, 72) == (24, 1)
    refrain.trust()
    assert _next(refrain, 72) == (0, 3)


def test_in_its_place_comes_what_was_there_before() -> None:
    """The event at 48 is doubtful: the one at 0 is still there when a bar has gone round."""
    refrain = _trusted((0, 1), (12, 2))
    refrain.add(48, _choice(3))
    wait, choice = refrain.next(60, [], is_full=False)
    assert (wait, choice.token) == (0, 2)
    refrain.repeat(60, choice)
    assert _next(refrain, 60, begun=[2]) == (36, 1)
    refrain.trust()
    assert _next(refrain, 96) == (0, 1)


def test_but_it_is_when_there_is_nothing_else() -> None:
    refrain = Refrain()
    with pytest.raises(NoNumbers):
        refrain.next(0, [], is_full=False)
    refrain.add(0, _choice(3))
    assert _next(refrain, 12) == (36, 3)


def test_the_past_is_moved_by_bars() -> None:
    refrain = _trusted((96, 1), (108, 2))
    refrain.add(120, _choice(3))
    refrain.shift(-144)
    assert _next(refrain, 0) == (0, 1)
    refrain.trust()
    assert _next(refrain, 24) == (0, 3)


# The composer


def test_the_last_bar_goes_on() -> None:
    """Numbers end with the second bar's first note: the first bar comes again, and again."""
    composer = Composer(FaultyModel(QUARTERS, _from_turn(6, "token")), Feel(), seed=1)
    events = composer.compose(4 * BAR_TICKS)
    assert _times(events) == [
        (pitches, bar * BAR_TICKS + beat * BEAT)
        for bar in range(4)
        for beat, pitches in enumerate((C, E, G, CHORD))
    ]
    assert composer.faults == 11 + 1  # one is composed and waits
    touch = [(event.velocity, event.length_ticks) for event in events]
    assert touch[5:8] == touch[1:4]
    assert touch[8:12] == touch[12:] == touch[:4]


def test_what_came_last_is_not_in_it() -> None:
    """The chord is heard, no numbers come after it, so it sounds once."""
    script = [*QUARTERS * 3, (4, 1, 5)]
    composer = Composer(FaultyModel(script, _from_turn(6, "token")), Feel(), seed=1)
    pitches = [event.pitches for event in composer.compose(3 * BAR_TICKS)]
    assert pitches == [C, E, G, CHORD, CHORD, E, G, CHORD, C, E, G, CHORD]


@pytest.mark.parametrize("kind", ["token", "rhythm", "velocity"])
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_any_of_the_three_may_be_no_numbers(kind: str, bad: float) -> None:
    model = FaultyModel(QUARTERS, _from_turn(6, kind), bad=bad)
    composer = Composer(model, Feel(), seed=1)
    pitches = [event.pitches for event in composer.compose(3 * BAR_TICKS)]
    assert pitches == [C, E, G, CHORD] * 3
    assert composer.faults == 7 + 1


def test_a_carried_state_that_went_bad_is_made_anew() -> None:
    """The window still gives numbers: nothing is repeated. Every turn but the first is a prime."""
    model = FaultyModel([(1, 1, 5)], _from_turn(1, "step"))
    composer = Composer(model, replace(Feel(), loop_guard=0), seed=1)
    primed, stepped = len(model.primed), len(model.stepped)
    assert len(composer.compose(BAR_TICKS)) == 4
    assert composer.faults == 0
    assert len(model.primed) - primed == 5
    assert len(model.stepped) - stepped == 4


def test_a_window_that_gives_none_is_not_asked_twice() -> None:
    """One step, and then one prime for each event."""
    model = FaultyModel(QUARTERS, _from_turn(6, "token"))
    composer = Composer(model, Feel(), seed=1)
    stepped = len(model.stepped)
    primed = len(model.primed)
    composer.compose(3 * BAR_TICKS)
    assert len(model.stepped) - stepped == 4 + 1
    assert len(model.primed) - primed == 1 + composer.faults


def test_what_is_repeated_is_in_the_window() -> None:
    model = FaultyModel(QUARTERS, _from_turn(6, "token"))
    Composer(model, Feel(), seed=1).compose(3 * BAR_TICKS)
    assert model.primed[-1].token.tolist() == [1, 2, 3, 4] * 2
    assert model.primed[-1].velocity.tolist() == [5] * 8
    assert model.primed[-1].phase.tolist() == [12, 24, 36, 0] * 2


def test_it_goes_on_by_the_model_when_there_are_numbers_again() -> None:
    """Two events are repeated, E and G; the model goes on where it stands by then."""
    faults: Callable[[int], Collection[str]]
    faults = lambda turn: ("token",) if UNHEARD + 6 <= turn <= UNHEARD + 8 else ()  # noqa: E731
    composer = Composer(FaultyModel(QUARTERS, faults), Feel(), seed=1)
    pitches = [event.pitches for event in composer.compose(3 * BAR_TICKS)]
    assert pitches == [C, E, G, CHORD, C, E, G, C, E, G, CHORD, C]
    assert composer.faults == 2


def test_it_is_repeated_in_the_key_and_the_swing_of_now() -> None:
    composer = Composer(FaultyModel([(1, 4, 5)], _from_turn(1, "token")), Feel(), seed=1)
    assert _times(composer.compose(BEAT)) == [((60,), 0), ((60,), 240)]
    composer.feel = replace(Feel(), key=Key.parse("F minor"))
    # The one that waits was composed before.
    assert _times(composer.compose(2 * BEAT)) == [((60,), 480), ((56,), 720)]
    sixteenths = CARD.model_copy(update={"rhythms": ((0, 0), (3, 3))})
    model = FaultyModel([(1, 1, 5)], _from_turn(1, "token"), sixteenths)
    composer = Composer(model, replace(Feel(), swing_percent=66.7), seed=1)
    assert [onset for _, onset in _times(composer.compose(BEAT))] == [0, 160, 240, 400]


def test_one_fixed_rhythm_goes_on() -> None:
    """The classic models have no heads."""
    fixed = CARD.model_copy(
        update={"rhythms": ((0, 0),), "fixed_rhythm": (6, 6), "fixed_velocity": 90}
    )
    model = FaultyModel([(1, 0, 0), (2, 0, 0)], _from_turn(3, "token"), fixed)
    model.has_heads = False
    composer = Composer(model, Feel(), seed=1)
    events = composer.compose(2 * BAR_TICKS)
    assert [event.onset_ticks for event in events] == list(range(0, 2 * BAR_TICKS, 240))
    assert {(event.length_ticks, event.velocity) for event in events} == {(240, 90)}


def test_nobody_waits_for_more_than_two_bars() -> None:
    """The E is doubtful, and two bars were to pass after it: the C does not wait for its place."""
    sparse = CARD.model_copy(update={"rhythms": ((0, 0), (12, 12), (96, 12))})
    model = FaultyModel([(1, 1, 5), (2, 2, 5)], _from_turn(3, "token"), sparse)
    events = Composer(model, Feel(), seed=1).compose(4 * BAR_TICKS)
    later = 480 + 2 * BAR_TICKS
    assert _times(events) == [(C, 0), (E, 480), (C, later), (C, later + BAR_TICKS)]


def test_a_token_that_poisons_the_window_leaves_it() -> None:
    """The chord does: it is heard once, eight events are repeated, and it is out of the window."""
    script = [(1, 1, 5), (2, 1, 5), (3, 1, 5)] * 40
    script[UNHEARD + 6] = (4, 1, 5)
    composer = Composer(PoisonedModel(script, poison=4), Feel(), seed=1)
    pitches = [event.pitches for event in composer.compose(20 * BAR_TICKS)]
    assert pitches.count(CHORD) == 1
    assert composer.faults == CARD.context_length


def test_and_so_does_one_that_a_person_played() -> None:
    """It came before the event that waits, so seven more push it out."""
    composer = Composer(PoisonedModel([(1, 1, 5), (2, 1, 5)], poison=4), Feel(), seed=1)
    composer.compose(BAR_TICKS)
    composer.hear(1, Event(CHORD, 1700, 240, 90, by_person=True))
    composer.compose(8 * BAR_TICKS)
    assert composer.faults == CARD.context_length - 1


# What a composer cannot begin with


@pytest.mark.parametrize("kind", ["token", "rhythm", "velocity", "prime"])
def test_a_model_that_never_gives_numbers_is_refused(kind: str) -> None:
    with pytest.raises(ModelError, match=r"\Athe model gives no numbers: train it again, [^\n]*\Z"):
        Composer(FaultyModel(QUARTERS, lambda _turn: (kind,)), Feel(), seed=1)


def test_one_that_has_only_its_first_event_to_repeat_is_refused() -> None:
    model = FaultyModel(QUARTERS, lambda turn: ("token",) if turn > 1 else ())
    with pytest.raises(ModelError, match="gives no numbers"):
        Composer(model, Feel(), seed=1)


def test_a_window_of_one_event_has_one_to_repeat() -> None:
    one = CARD.model_copy(update={"context_length": 1})
    model = FaultyModel(QUARTERS, lambda turn: ("token",) if turn > 1 else (), one)
    composer = Composer(model, Feel(), seed=1)
    events = composer.compose(4 * BAR_TICKS)
    assert _times(events) == [(C, bar * BAR_TICKS) for bar in range(4)]


# Laws

_rhythms = [(0, 24), (0, 1), (3, 3), (6, 6), (12, 24), (47, 1), (96, 200), (300, 3)]
_more = ("D4", "F4", "A4", "B4", "D3", "E3", "F3", "G3")
ODD = CARD.model_copy(update={"rhythms": ((0, 0), *_rhythms), "tokens": (*CARD.tokens, *_more)})
"""Twelve tokens: three that have begun and one for each row of the loop guard leave one."""
scripts = st.lists(
    st.tuples(st.integers(0, 4), st.integers(1, len(_rhythms)), st.integers(1, 8)),
    min_size=1,
    max_size=12,
)
KINDS = ("token", "rhythm", "velocity", "prime", "step")
patterns = st.lists(st.sets(st.sampled_from(KINDS)), min_size=1, max_size=12)
bads = st.sampled_from([np.nan, np.inf, -np.inf])


def _faulty(
    script: list[tuple[int, int, int]], pattern: list[set[str]], bad: float = np.nan
) -> FaultyModel:
    """The pattern goes round; its first two turns give numbers, so that there is a beginning."""
    return FaultyModel(
        script, lambda turn: pattern[turn % len(pattern)] if turn > 2 else (), ODD, bad
    )


@settings(max_examples=150)
@given(scripts, patterns, bads, st.integers(0, 2**32 - 1))
def test_whatever_fails_time_moves_on_and_the_rules_hold(
    script: list[tuple[int, int, int]], pattern: list[set[str]], bad: float, seed: int
) -> None:
    """Never back, never more than two bars on, never too many at once, nothing twice at once."""
    composer = Composer(_faulty(script, pattern, bad), Feel(), seed)
    events = composer.compose(12 * BAR_TICKS)
    onsets = [0, *(event.onset_ticks for event in events)]
    assert all(0 <= later - earlier <= 2 * BAR_TICKS for earlier, later in pairwise(onsets))
    assert all(event.length_ticks > 0 and 1 <= event.velocity <= 127 for event in events)
    for _, group in groupby(events, key=lambda event: event.onset_ticks):
        together = [event.pitches for event in group]
        assert len(together) <= MOST_AT_ONCE
        assert len(set(together)) == len(together)
    assert composer.faults <= UNHEARD + len(events) + 1
    if not any(pattern):
        assert composer.faults == 0


@settings(max_examples=60)
@given(scripts, patterns, st.lists(st.integers(1, 4000), max_size=8), st.integers(0, 2**32 - 1))
def test_the_music_is_the_same_in_whatever_pieces_it_is_asked_for(
    script: list[tuple[int, int, int]], pattern: list[set[str]], steps: list[int], seed: int
) -> None:
    whole = Composer(_faulty(script, pattern), Feel(), seed).compose(20_000)
    composer, until, parts = Composer(_faulty(script, pattern), Feel(), seed), 0, list[Event]()
    for step in steps:
        until += step
        parts += composer.compose(until)
    parts += composer.compose(20_000) if until <= 20_000 else []
    assert parts[: len(whole)] == whole


@settings(max_examples=60)
@given(scripts, st.integers(0, 40), st.sampled_from(KINDS[:3]), st.integers(0, 2**32 - 1))
def test_without_any_more_numbers_one_bar_goes_round(
    script: list[tuple[int, int, int]], first: int, kind: str, seed: int
) -> None:
    """From two bars after the last numbers on, each bar is the one before it, to the velocity."""
    model = FaultyModel(script, _from_turn(first, kind), ODD)
    composer, bar = Composer(model, Feel(), seed), 0
    while composer.faults == 0:
        bar += 1
        composer.compose(bar * BAR_TICKS)
    bars = []
    for later in range(bar + 5, bar + 8):
        composer.compose((later - 1) * BAR_TICKS)
        bars.append(composer.compose(later * BAR_TICKS))
    assert bars[0]
    for before, after in pairwise(bars):
        assert [replace(e, onset_ticks=e.onset_ticks + BAR_TICKS) for e in before] == after
