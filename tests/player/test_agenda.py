"""The laws of the agenda, first as literal timelines, then over any sequence of calls."""

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lofid.player.agenda import Note, NoteOff, NoteOn, Score

Messages = list[NoteOn | NoteOff]


def score_of(*notes: tuple[int, int, int, int, int]) -> Score:
    score = Score()
    score.add(Note(*note) for note in notes)
    return score


@pytest.mark.parametrize(
    ("rule", "notes", "messages"),
    [
        (
            "offs come before ons at the same tick",
            [(0, 10, 0, 60, 9), (10, 20, 0, 62, 9)],
            [NoteOn(0, 0, 60, 9), NoteOff(10, 0, 60), NoteOn(10, 0, 62, 9), NoteOff(20, 0, 62)],
        ),
        (
            "also the off of a note struck again, before every on of that tick",
            [(0, 90, 0, 60, 7), (9, 20, 0, 62, 8), (9, 30, 0, 60, 9)],
            [
                NoteOn(0, 0, 60, 7),
                NoteOff(9, 0, 60),
                NoteOn(9, 0, 62, 8),
                NoteOn(9, 0, 60, 9),
                NoteOff(20, 0, 62),
                NoteOff(30, 0, 60),
            ],
        ),
        (
            "ties keep the order they were added in",
            [(5, 9, 0, 64, 1), (5, 9, 0, 60, 2), (5, 9, 1, 62, 3)],
            [
                NoteOn(5, 0, 64, 1),
                NoteOn(5, 0, 60, 2),
                NoteOn(5, 1, 62, 3),
                NoteOff(9, 0, 64),
                NoteOff(9, 0, 60),
                NoteOff(9, 1, 62),
            ],
        ),
        (
            "a note struck again ends first, and its older off is forgotten",
            [(0, 50, 0, 60, 7), (20, 80, 0, 60, 8)],
            [NoteOn(0, 0, 60, 7), NoteOff(20, 0, 60), NoteOn(20, 0, 60, 8), NoteOff(80, 0, 60)],
        ),
        (
            "a shorter note struck again forgets the longer one's off",
            [(0, 90, 0, 60, 7), (20, 30, 0, 60, 8)],
            [NoteOn(0, 0, 60, 7), NoteOff(20, 0, 60), NoteOn(20, 0, 60, 8), NoteOff(30, 0, 60)],
        ),
        (
            "the same pitch on another channel is another note",
            [(0, 20, 0, 60, 7), (10, 30, 1, 60, 8)],
            [NoteOn(0, 0, 60, 7), NoteOn(10, 1, 60, 8), NoteOff(20, 0, 60), NoteOff(30, 1, 60)],
        ),
        (
            "the same note twice is struck once and lasts as long as the longer one",
            [(0, 20, 0, 60, 7), (0, 30, 0, 60, 8)],
            [NoteOn(0, 0, 60, 7), NoteOff(30, 0, 60)],
        ),
        (
            "also when the shorter one comes second",
            [(0, 30, 0, 60, 7), (0, 20, 0, 60, 8)],
            [NoteOn(0, 0, 60, 7), NoteOff(30, 0, 60)],
        ),
    ],
)
def test_timeline(
    rule: str, notes: list[tuple[int, int, int, int, int]], messages: Messages
) -> None:
    """What is added comes out as it should, whatever it is called with."""
    assert score_of(*notes).due(1000) == messages, rule


def test_due_stops_at_its_tick() -> None:
    """Nothing leaves early, and next_tick says when to come back."""
    score = score_of((10, 20, 0, 60, 9))
    assert score.next_tick() == 10
    assert score.due(9) == []
    assert score.due(10) == [NoteOn(10, 0, 60, 9)]
    assert score.held == [(0, 60)]
    assert score.next_tick() == 20
    assert score.due(20) == [NoteOff(20, 0, 60)]
    assert score.next_tick() is None


def test_release_forgets_the_pending_offs() -> None:
    """After a release nothing sounds and no second off comes; the queue stays."""
    score = score_of((0, 50, 0, 60, 9), (0, 60, 1, 48, 9), (70, 80, 0, 62, 9))
    score.due(0)
    assert score.release(30) == [NoteOff(30, 0, 60), NoteOff(30, 1, 48)]
    assert score.held == []
    assert score.next_tick() == 70
    assert score.due(80) == [NoteOn(70, 0, 62, 9), NoteOff(80, 0, 62)]


def test_release_leaves_no_note_without_length() -> None:
    """A note released in the tick it began ends one tick later on paper."""
    score = score_of((5, 50, 0, 60, 9))
    score.due(5)
    assert score.release(5) == [NoteOff(6, 0, 60)]


def test_a_dropped_note_never_gets_an_off() -> None:
    """Too late to begin: neither on nor off, and what sounds is left alone."""
    score = score_of((0, 50, 0, 60, 9))
    score.due(0)
    score.add([Note(10, 90, 0, 60, 8), Note(11, 90, 0, 64, 8), Note(12, 90, 0, 65, 8)])
    assert score.drop_before(12) == [Note(10, 90, 0, 60, 8), Note(11, 90, 0, 64, 8)]
    assert score.due(1000) == [NoteOn(12, 0, 65, 8), NoteOff(50, 0, 60), NoteOff(90, 0, 65)]


@pytest.mark.parametrize(
    "note",
    [(5, 5, 0, 60, 9), (5, 9, 16, 60, 9), (5, 9, 0, 128, 9), (5, 9, 0, 60, 0), (5, 9, 0, -1, 9)],
)
def test_notes_that_midi_cannot_say(note: tuple[int, int, int, int, int]) -> None:
    """No length, no such channel, no such pitch, or velocity 0, which would mean a note-off."""
    with pytest.raises(ValueError, match=r"Note\("):
        Note(*note)


@st.composite
def some_note(draw: st.DrawFn) -> Note:
    on_tick = draw(st.integers(0, 60))
    length = draw(st.integers(1, 30))
    return Note(
        on_tick,
        on_tick + length,
        draw(st.integers(0, 1)),
        draw(st.integers(60, 62)),
        draw(st.integers(1, 127)),
    )


@dataclass(frozen=True)
class Step:
    """One call of the score: add, due, release or drop."""

    call: str
    notes: tuple[Note, ...] = ()
    tick: int = 0

    def apply(self, score: Score) -> Messages:
        if self.call == "due":
            return score.due(self.tick)
        if self.call == "release":
            return list(score.release(self.tick))
        if self.call == "drop":
            score.drop_before(self.tick)
        else:
            score.add(self.notes)
        return []


steps = st.builds(
    Step,
    st.sampled_from(["add", "add", "due", "due", "release", "drop"]),
    st.lists(some_note(), max_size=5).map(tuple),
    st.integers(0, 100),
)


@given(st.lists(steps, max_size=30))
def test_every_on_has_exactly_one_off(sequence: list[Step]) -> None:
    """After any sequence of calls: no off without its on, no on over a sounding note, none left."""
    score = Score()
    sent = [message for step in sequence for message in step.apply(score)]
    sent += score.release(200)
    begun: dict[tuple[int, int], int] = {}
    for message in sent:
        key = (message.channel, message.pitch)
        if isinstance(message, NoteOn):
            assert key not in begun
            begun[key] = message.tick
        else:
            assert message.tick > begun.pop(key)
    assert begun == {}
    assert score.held == []


@given(st.lists(some_note()))
def test_the_order_is_lawful_and_stable(notes: list[Note]) -> None:
    """Ticks ascend; at one tick offs come first, and ons keep the order they were added in."""
    score = Score()
    score.add(notes)
    sent = score.due(1000)
    ranks = [(message.tick, isinstance(message, NoteOn)) for message in sent]
    assert ranks == sorted(ranks)
    for tick in {note.on_tick for note in notes}:
        ons = [(m.channel, m.pitch) for m in sent if isinstance(m, NoteOn) and m.tick == tick]
        added = dict.fromkeys((n.channel, n.pitch) for n in notes if n.on_tick == tick)
        assert ons == list(added)


@given(st.lists(some_note()), st.lists(st.integers(0, 120)))
def test_asking_more_often_changes_nothing(notes: list[Note], ticks: list[int]) -> None:
    """The same messages leave whether they are taken in one go or in many."""
    at_once, bit_by_bit = Score(), Score()
    at_once.add(notes)
    bit_by_bit.add(notes)
    pieces = [message for tick in [*sorted(ticks), 1000] for message in bit_by_bit.due(tick)]
    assert pieces == at_once.due(1000)


def test_what_was_to_begin_is_replaced_and_what_sounds_goes_on() -> None:
    """From tick 10 on: the note that sounds ends as it was to end; the one before 10 stays."""
    score = Score()
    score.add([Note(0, 20, 0, 60, 80), Note(8, 12, 0, 64, 80), Note(10, 30, 0, 67, 80)])
    score.due(0)
    assert score.replace(10, [Note(11, 15, 0, 72, 80)]) == []
    assert score.due(30) == [
        NoteOn(8, 0, 64, 80),
        NoteOn(11, 0, 72, 80),
        NoteOff(12, 0, 64),
        NoteOff(15, 0, 72),
        NoteOff(20, 0, 60),
    ]


def test_what_comes_too_late_to_replace_is_given_back() -> None:
    """A note has begun at 12 already: what should begin there or before would sound beside it."""
    score = Score()
    score.add([Note(12, 20, 0, 60, 80), Note(14, 20, 0, 62, 80)])
    score.due(12)
    late, on_time = Note(12, 20, 0, 72, 80), Note(13, 20, 0, 74, 80)
    assert score.replace(10, [late, on_time]) == [late]
    assert score.due(13) == [NoteOn(13, 0, 74, 80)]


NOTES = st.lists(
    st.builds(
        lambda on, length, pitch: Note(on, on + length, 0, pitch, 80),
        st.integers(0, 60),
        st.integers(1, 30),
        st.integers(60, 63),
    ),
    max_size=8,
)


@given(st.lists(st.tuples(st.integers(0, 20), st.integers(0, 30), NOTES), max_size=8))
def test_however_often_it_is_replaced_every_on_has_one_off(
    plans: list[tuple[int, int, list[Note]]],
) -> None:
    """And nothing begins at a tick that is past."""
    score, now, sounding = Score(), 0, set[int]()
    messages: list[NoteOn | NoteOff] = []
    for wait, ahead, notes in plans:
        now += wait
        messages += score.due(now)
        first = now + 1 + ahead
        score.replace(first, [note for note in notes if note.on_tick >= first])
    messages += score.due(1000)
    for message in messages:
        if isinstance(message, NoteOn):
            assert message.pitch not in sounding
            sounding.add(message.pitch)
        else:
            sounding.remove(message.pitch)
    assert not sounding
    assert [message.tick for message in messages] == sorted(message.tick for message in messages)
