"""A session holds what a MIDI file can say, and its swing can be taken out again."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lofid.music import GRID_TICKS, swung
from lofid.session import Control, PlayedNote, Session, apart
from lofid.straight import straightened, straightened_by_ear, unswung

LEGAL = PlayedNote(0, 10, 0, 60, 80)
SWINGS = st.floats(50, 75)


def session(*notes: PlayedNote, swings: tuple[tuple[int, float], ...] = ()) -> Session:
    return Session(notes, (), (), 0, 1, 9600, swings=swings)


@pytest.mark.parametrize(
    ("field", "value"),
    [("tick", -1), ("length_ticks", 0), ("channel", 16), ("pitch", 128), ("velocity", 0)],
)
def test_midi_has_no_such_note(field: str, value: int) -> None:
    with pytest.raises(ValueError, match="MIDI has no such note"):
        replace(LEGAL, **{field: value})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("tick", "data"),
    [
        pytest.param(-1, (0xB0, 64, 127), id="before the beginning"),
        pytest.param(0, (), id="nothing"),
        pytest.param(0, (0x90, 60, 80), id="a note"),
        pytest.param(0, (0xF2, 0, 0), id="no channel's"),
        pytest.param(0, (0xB0, 64), id="too short"),
        pytest.param(0, (0xC0, 1, 2), id="too long"),
        pytest.param(0, (0xB0, 64, 128), id="above seven bits"),
        pytest.param(0, (0x1B0, 64, 1), id="above eight bits"),
    ],
)
def test_midi_has_no_such_controller(tick: int, data: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="MIDI has no such controller"):
        Control(tick, data)


def test_a_controller_knows_its_channel() -> None:
    assert Control(0, (0xBF, 64, 127)).channel == 15


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"notes": (LEGAL, PlayedNote(9, 1, 0, 60, 80))}, "begins while"),
        ({"end_tick": 9, "notes": (LEGAL,)}, "before what sounds in it"),
        ({"marks": ((100, "late"),)}, "before what sounds in it"),
        ({"controls": (Control(100, (0xB0, 64, 0)),)}, "before what sounds in it"),
        ({"tempos": ((5, 80.0), (5, 81.0))}, "out of order"),
        ({"tempos": ((-5, 80.0),)}, "out of order"),
        ({"swings": ((6, 50.0), (5, 60.0))}, "out of order"),
        ({"marks": ((6, "b"), (5, "a"))}, "out of order"),
        ({"controls": (Control(6, (0xB0, 64, 0)), Control(5, (0xB0, 64, 0)))}, "out of order"),
        ({"tempos": ((0, 3.0),)}, "outside 4 to 1000"),
        ({"swings": ((0, 76.0),)}, "outside 50 to 75"),
        ({"keys": ((0, "H"),)}, "not a key"),
        ({"marks": ((0, "half a letter: \ud800"),)}, "surrogates not allowed"),
        ({"keys_channel": 0}, "share channel 0"),
    ],
)
def test_a_midi_file_could_not_say_this(values: dict[str, object], message: str) -> None:
    legal: dict[str, object] = {
        "notes": (), "tempos": (), "keys": (), "lead_channel": 0, "keys_channel": 1, "end_tick": 99
    }  # fmt: skip
    with pytest.raises(ValueError, match=message):
        Session(**legal | values)  # type: ignore[arg-type]


def test_two_marks_at_one_tick() -> None:
    """Setting changes come in bunches; each of them is kept."""
    assert replace(session(), marks=((5, "b"), (5, "a"))).marks == ((5, "b"), (5, "a"))


@given(st.integers(0, 10_000), SWINGS)
def test_the_swing_comes_out_exactly(grid: int, percent: float) -> None:
    """Every tick of the model's grid, at every swing."""
    assert unswung(swung(grid * GRID_TICKS, percent), percent) == grid * GRID_TICKS


@pytest.mark.parametrize("tenths", range(500, 751))
def test_the_swing_comes_out_at_each_percent_that_can_be_set(tenths: int) -> None:
    percent = tenths / 10
    grid = [n * GRID_TICKS for n in range(13)]
    assert [unswung(swung(tick, percent), percent) for tick in grid] == grid


@given(st.integers(0, 5000), st.integers(0, 300), SWINGS)
def test_taking_the_swing_out_keeps_order(tick: int, later: int, percent: float) -> None:
    """Also between the places of the grid; eighths stay where they are."""
    assert unswung(tick, percent) <= unswung(tick + later, percent)
    assert unswung(tick * 240, percent) == tick * 240


def test_straight_word_for_word() -> None:
    """At 66.7 the second sixteenth lies at 160; a note's end is moved as its beginning is."""
    swings = ((0, 66.7),)
    taken = session(PlayedNote(160, 240, 0, 60, 80), PlayedNote(640, 80, 1, 48, 9), swings=swings)
    assert straightened(taken) == session(
        PlayedNote(120, 240, 0, 60, 80), PlayedNote(600, 120, 1, 48, 9)
    )


def test_what_a_person_played_keeps_its_timing() -> None:
    """Straight or not; only notation writes it as it would be written."""
    played = PlayedNote(160, 240, 0, 60, 80, by_person=True)
    taken = session(played, swings=((0, 66.7),))
    assert straightened(taken).notes == (played,)
    assert straightened_by_ear(taken).notes == (replace(played, tick=120),)


def test_notes_composed_before_the_swing_was_set() -> None:
    """They lie on its old grid after the change: 160 is of 66.7, 168 of 70 and 144 of 60."""
    swings = ((0, 66.7), (400, 70.0), (470, 60.0))
    places = ((144, 60), (160, 61), (168, 62))
    notes = [PlayedNote(480 + tick, 20, 0, pitch, 80) for tick, pitch in places]
    straight = straightened(session(*notes, swings=swings)).notes
    assert [note.tick for note in straight] == [600, 600, 600]


def test_long_after_a_change_the_old_swing_is_forgotten() -> None:
    """A note that was cut off short is moved by the swing that holds."""
    taken = session(PlayedNote(4800 + 160, 40, 0, 60, 80), swings=((0, 66.7), (480, 50.0)))
    assert straightened(taken).notes == taken.notes


@given(st.lists(st.tuples(st.integers(0, 200), st.integers(1, 24), st.integers(60, 64))), SWINGS)
def test_what_was_composed_on_the_grid_lies_there_again(
    composed: list[tuple[int, int, int]], percent: float
) -> None:
    """Any lines of notes: swung and taken straight they are what they were."""
    ends: dict[int, int] = {}
    notes = []
    for grid, length, pitch in sorted(composed):
        if grid >= ends.get(pitch, 0):
            ends[pitch] = grid + length
            notes.append(PlayedNote(grid * GRID_TICKS, length * GRID_TICKS, 0, pitch, 80))
    heard = [_swung(note, percent) for note in notes]
    straight = straightened(session(*heard, swings=((0, percent),)))
    assert straight.notes == tuple(sorted(notes))


def _swung(note: PlayedNote, percent: float) -> PlayedNote:
    tick, end_tick = swung(note.tick, percent), swung(note.end_tick, percent)
    return replace(note, tick=tick, length_ticks=end_tick - tick)


@given(st.lists(st.builds(
    PlayedNote, st.integers(0, 9), st.integers(1, 9), st.just(0), st.integers(60, 61),
    st.integers(1, 127), st.booleans(),
)))  # fmt: skip
def test_apart_none_is_lost(notes: list[PlayedNote]) -> None:
    """Each voice has all its notes in order, none over another, each where it was if there is room.

    And none is longer, but for the tick that each has.
    """
    parted = list(apart(notes))
    Session(tuple(sorted(parted)), (), (), 0, 1, 99)
    for voice in {note.voice for note in notes}:
        before = sorted((n for n in notes if n.voice == voice), key=lambda note: note.tick)
        after = [note for note in parted if note.voice == voice]
        assert [note.velocity for note in after] == [note.velocity for note in before]
        free_tick = 0
        for note, written in zip(after, before, strict=True):
            assert note.tick == max(written.tick, free_tick)
            assert note.end_tick <= max(written.end_tick, note.tick + 1)
            free_tick = note.tick + 1
