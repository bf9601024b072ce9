"""The composer under a scripted model: literal timelines, and its law of pure function."""

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from lofid.chooser import MOST_AT_ONCE
from lofid.composer import Composer
from lofid.feel import Feel
from lofid.music import BAR_TICKS, Event, Key
from lofid.recollection import FEW, STEPS_BETWEEN_PRIMES
from tests.fakes import CARD, PureModel, ScriptedModel

PLAIN = Feel()
QUARTERS = [(1, 1, 5), (2, 1, 5)]
"""C4 and E4 in quarters."""


def _times(events: list[Event]) -> list[tuple[tuple[int, ...], int, int]]:
    return [(event.pitches, event.onset_ticks, event.length_ticks) for event in events]


def test_a_scripted_bar() -> None:
    """Quarter notes of the script, from a bar line at tick 0 on."""
    composer = Composer(ScriptedModel(QUARTERS), PLAIN, seed=1)
    assert _times(composer.compose(1920)) == [
        ((60,), 0, 480),
        ((64,), 480, 480),
        ((60,), 960, 480),
        ((64,), 1440, 480),
    ]


def test_a_chord_under_a_note() -> None:
    """A step of zero makes the next event begin with this one."""
    composer = Composer(ScriptedModel([(4, 2, 5), (1, 1, 5)]), PLAIN, seed=1)
    assert _times(composer.compose(960)) == [
        ((48, 51, 55, 58), 0, 960),
        ((60,), 0, 480),
        ((48, 51, 55, 58), 480, 960),
        ((60,), 480, 480),
    ]


def test_the_key_moves_the_pitches_and_swing_the_second_sixteenth() -> None:
    feel = replace(PLAIN, key=Key.parse("F minor"), swing_percent=66.7)
    composer = Composer(ScriptedModel([(1, 4, 5)]), feel, seed=1)
    onsets = [(event.pitches, event.onset_ticks) for event in composer.compose(960)]
    assert onsets == [((56,), 0), ((56,), 240), ((56,), 480), ((56,), 720)]
    sixteenths = CARD.model_copy(update={"rhythms": ((0, 0), (3, 3))})
    composer = Composer(ScriptedModel([(1, 1, 5)], sixteenths), feel, seed=1)
    assert [event.onset_ticks for event in composer.compose(480)] == [0, 160, 240, 400]


def test_velocities_lie_in_their_class_and_follow_the_part() -> None:
    """Class 5 is 64 to 79; at 200 percent it would be above 127, which is the most there is."""
    composer = Composer(ScriptedModel(QUARTERS), PLAIN, seed=1)
    velocities = [event.velocity for event in composer.compose(1920 * 8)]
    assert min(velocities) >= 64
    assert max(velocities) <= 79
    assert len(set(velocities)) > 4
    composer.feel = replace(PLAIN, lead_velocity_percent=200)
    assert max(event.velocity for event in composer.compose(1920 * 16)) == 127


def test_a_model_that_never_moves_on_is_moved_on() -> None:
    """With only zero steps to choose from the script, time still passes, and no chord repeats."""
    model = ScriptedModel([(4, 2, 5)])
    events = Composer(model, PLAIN, seed=1).compose(1920)
    assert len(events) < 40
    for event in events:
        together = [e for e in events if e.onset_ticks == event.onset_ticks]
        assert len(together) <= MOST_AT_ONCE
        assert len({e.pitches for e in together}) == len(together)


def test_a_vocabulary_of_one_repeats_itself_rather_than_say_start() -> None:
    """Four may begin together and there is one to begin; *start* is wanted, and never said."""
    small = CARD.model_copy(update={"tokens": ("start", "C4"), "rhythms": ((0, 0), (0, 6), (6, 6))})
    events = Composer(ScriptedModel([(0, 1, 5)], small), PLAIN, seed=1).compose(480)
    assert {event.pitches for event in events} == {(60,)}
    assert [event.onset_ticks for event in events] == [0] * 4 + [240] * 4


def test_the_context_is_full_when_the_first_bar_begins() -> None:
    """What was drawn unheard fills the context; the first heard event is primed on all of it."""
    model = ScriptedModel(QUARTERS)
    Composer(model, PLAIN, seed=1).compose(1)
    assert len(model.primed[-1]) == CARD.context_length
    assert model.primed[-1].token.tolist() == [1, 2] * 4
    assert model.primed[-1].phase.tolist()[-1] == 0


def test_stepping_is_primed_anew_every_so_often() -> None:
    model = ScriptedModel(QUARTERS)
    composer = Composer(model, PLAIN, seed=1)
    before = len(model.primed)
    composer.compose(480 * 3 * (STEPS_BETWEEN_PRIMES + 1))
    assert len(model.primed) - before == 3 + 1


def test_what_is_heard_is_in_the_next_window() -> None:
    """A played chord is heard as the nearest known, in its place, with what sounded after it."""
    model = ScriptedModel(QUARTERS)
    composer = Composer(model, PLAIN, seed=1)
    composer.compose(960)
    primed, stepped = len(model.primed), len(model.stepped)
    heard = composer.hear(1, Event((48, 51, 55), 700, 400, 90, by_person=True))
    assert heard[0] == "C3.E-3.G3.B-3"
    composer.compose(1920)
    assert len(model.primed) == primed
    tokens = [window.token.tolist() for window in model.stepped[stepped:]]
    assert tokens[0] == [2, 4, 1]


def test_a_length_is_heard_after_the_answer_that_somebody_waits_for() -> None:
    """The first event after a key follows from it; the next one also from how long the last was."""
    model = PureModel()
    composer = Composer(model, PLAIN, seed=1)
    composer.hear(1, Event((60,), 960, 40, 90, by_person=True))
    composer.compose(2880)
    composer.hear(1, Event((60,), 960, 480, 90, by_person=True))
    composer.take_back(1930)
    composer.hear(2, Event((64,), 1920, 40, 90, by_person=True))

    def known() -> list[int]:
        return [e.length_grid for e in composer.context if (e.onset_grid, e.token_id) == (24, 1)]

    before = model.heard
    assert composer.compose_one(9600) is not None
    assert model.heard - before <= FEW + 1
    assert known() == [1]
    composer.compose_one(9600)
    assert known() == [12]


def test_what_is_played_to_the_swing_is_heard_on_the_grid() -> None:
    """Triplet swing: the second sixteenth, place 3, sounds at 160 and ends, swung too, at 400."""
    composer = Composer(ScriptedModel(QUARTERS), replace(PLAIN, swing_percent=200 / 3), seed=1)
    composer.hear(1, Event((60,), 162, 241, 90, by_person=True))
    heard = [entry for entry in composer.context if entry.onset_grid == 3]
    assert [(entry.length_grid, entry.token_id) for entry in heard] == [(6, 1)]


def test_what_is_heard_is_brought_home_from_the_key() -> None:
    """In E flat major, an E flat is the model's C."""
    composer = Composer(ScriptedModel(QUARTERS), replace(PLAIN, key=Key.parse("Eb major")), seed=1)
    assert composer.hear(1, Event((63,), 0, 480, 90, by_person=True))[0] == "C4"


@settings(max_examples=30)
@given(st.lists(st.integers(1, 3000), max_size=8), st.integers(0, 2**32 - 1))
def test_the_music_is_the_same_in_whatever_pieces_it_is_asked_for(
    steps: list[int], seed: int
) -> None:
    model = [(1, 1, 5), (4, 2, 3), (3, 4, 7), (2, 3, 5)]
    whole = Composer(ScriptedModel(model), PLAIN, seed).compose(20_000)
    composer, until, parts = Composer(ScriptedModel(model), PLAIN, seed), 0, []
    for step in steps:
        until += step
        parts += composer.compose(until)
    parts += composer.compose(20_000) if until <= 20_000 else []
    assert parts[: len(whole)] == whole


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=20)
def test_onsets_never_go_back_and_lengths_are_above_zero(seed: int) -> None:
    model = ScriptedModel([(1, 4, 5), (4, 2, 3), (3, 4, 7), (2, 3, 1)])
    events = Composer(model, replace(PLAIN, swing_percent=75), seed).compose(1920 * 8)
    onsets = [event.onset_ticks for event in events]
    assert onsets == sorted(onsets)
    assert all(event.length_ticks > 0 and 1 <= event.velocity <= 127 for event in events)


TWO_KEYS = CARD.model_copy(
    update={"tokens": ("start", "C4", "F#4", "D4", "C#4"), "rhythms": ((0, 0), (12, 12))}
)


def test_the_key_lock_is_live() -> None:
    """The model wants F sharp: hard leaves it out, soft leaves a model without a doubt alone."""
    composer = Composer(ScriptedModel([(2, 1, 5)], TWO_KEYS), replace(PLAIN, loop_guard=0), seed=1)
    assert {event.pitches for event in composer.compose(BAR_TICKS)} == {(66,)}
    composer.feel = replace(composer.feel, key_lock="hard")
    assert {event.pitches for event in composer.compose(8 * BAR_TICKS)} == {(66,), (60,), (62,)}


def test_the_loop_guard_is_live() -> None:
    """Off, a bar goes round for ever; on, it is broken in the very next one."""
    composer = Composer(ScriptedModel(QUARTERS), replace(PLAIN, loop_guard=0), seed=1)
    assert {event.pitches for event in composer.compose(20 * BAR_TICKS)} == {(60,), (64,)}
    composer.feel = PLAIN
    broken = composer.compose(21 * BAR_TICKS)
    assert [event.pitches for event in broken] != [(60,), (64,)] * 2


_longs = [(step, length) for step in (0, 1, 47, 95, 96, 97, 300) for length in (1, 3, 200)]
SPARSE = CARD.model_copy(update={"rhythms": ((0, 0), *_longs)})
FIXED = CARD.model_copy(
    update={"rhythms": ((0, 0),), "fixed_rhythm": (300, 1), "fixed_velocity": 90}
)


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.tuples(st.integers(1, 4), st.integers(1, len(_longs)), st.just(5)), min_size=1),
    st.floats(50, 75),
    st.integers(0, 2**32 - 1),
)
def test_silence_never_lasts_two_bars(
    script: list[tuple[int, int, int]], swing: float, seed: int
) -> None:
    """Whatever the model wants: the next event begins within two bars, and every event sounds."""
    assert _longest_silence(ScriptedModel(script, SPARSE), swing, seed) < 2 * BAR_TICKS


def test_nor_does_it_with_one_fixed_rhythm() -> None:
    model = ScriptedModel([(1, 0, 5)], FIXED)
    model.has_heads = False
    assert _longest_silence(model, 50, 1) == 2 * BAR_TICKS - 40


def _longest_silence(model: ScriptedModel, swing: float, seed: int) -> int:
    """The longest time, from tick 0 on, in which nothing that was composed sounds."""
    events = Composer(model, replace(PLAIN, swing_percent=swing), seed).compose(40 * BAR_TICKS)
    sounding, longest = 0, 0
    for event in events:
        longest = max(longest, event.onset_ticks - sounding)
        sounding = max(sounding, event.onset_ticks + event.length_ticks)
    return longest


def _pure(seed: int = 7, feel: Feel = PLAIN) -> Composer:
    return Composer(PureModel(), feel, seed)


@settings(max_examples=60)
@given(st.lists(st.tuples(st.integers(1, 3000), st.integers(0, 3000)), max_size=8))
def test_what_is_taken_back_is_composed_the_same_again(cuts: list[tuple[int, int]]) -> None:
    """However often, and from wherever: with nothing heard meanwhile it is the same music."""
    whole = _pure().compose(20_000)
    composer, until, events = _pure(), 0, list[Event]()
    for forward, back in cuts:
        until += forward
        events += composer.compose(until)
        from_ticks = max(until - back, 0)
        composer.take_back(from_ticks)
        events = [event for event in events if event.onset_ticks < from_ticks]
        until = min(until, from_ticks)
    events += composer.compose(20_000)
    assert events == whole


@settings(max_examples=60)
@given(
    st.lists(st.tuples(st.integers(60, 900), st.integers(0, 4), st.integers(0, 400)), max_size=8),
    st.integers(1, 900),
)
def test_what_is_heard_changes_only_what_follows(
    keys: list[tuple[int, int, int]], horizon: int
) -> None:
    """Nothing is composed to begin before what it was taken back from, nor out of order."""
    composer, now, events = _pure(), 0, list[Event]()
    for number, (wait, key, length) in enumerate(keys):
        now += wait
        events += composer.compose(now + horizon)
        composer.hear(number, Event((60 + key,), now, length + 1, 80, by_person=True))
        before = [event for event in events if event.onset_ticks <= now]
        composer.take_back(now + 1)
        composer.come_in(now + 1)
        after = composer.compose(now + horizon)
        assert all(event.onset_ticks > now for event in after)
        events = before + after
    assert [e.onset_ticks for e in events] == sorted(e.onset_ticks for e in events)


def test_a_long_silence_of_the_music_ends_when_something_is_played() -> None:
    """Two quarters were to come in two beats; a key is answered as the model answers a key."""
    slow = CARD.model_copy(update={"rhythms": ((0, 0), (24, 24), (6, 6))})
    composer = Composer(ScriptedModel([(1, 1, 5)], slow), PLAIN, seed=1)
    composer.compose(970)
    composer.hear(1, Event((64,), 975, 200, 80, by_person=True))
    composer.take_back(1000)
    assert composer.compose(1921)[0].onset_ticks == 1920
    composer.take_back(1000)
    composer.come_in(1000)
    assert composer.compose(1921)[0].onset_ticks == 1200


def test_it_goes_on_where_it_is_told_to() -> None:
    composer = Composer(ScriptedModel(QUARTERS), PLAIN, seed=1)
    composer.compose(481)
    composer.take_back(900)
    composer.go_on_at(2010)
    assert [event.onset_ticks for event in composer.compose(2900)] == [2040, 2520]


def test_another_key_understands_what_was_played_anew() -> None:
    """An E is the model's C in E major; what was composed moves along."""
    composer = Composer(ScriptedModel(QUARTERS), PLAIN, seed=1)
    composer.compose(481)
    composer.hear(1, Event((64,), 470, 240, 80, by_person=True))
    assert [entry.token_id for entry in composer.context][-4:] == [1, 2, 2, 1]
    composer.feel = replace(PLAIN, key=Key.parse("E major"))
    assert [entry.token_id for entry in composer.context][-4:] == [1, 1, 2, 1]
    assert composer.heard == 1


def test_a_memory_is_taken_up_again() -> None:
    """Onsets count from the bar line to come; in another session it is the same past."""
    composer = _pure()
    composer.compose(3000)
    rows = composer.memory()
    assert len(rows) == CARD.context_length
    other = _pure(seed=8)
    other.recall(rows)
    assert other.memory() == rows
    other.forget()
    assert other.memory() == []
