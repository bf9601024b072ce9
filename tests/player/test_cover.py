"""What is played where the engine has not come in time."""

from hypothesis import given
from hypothesis import strategies as st

from lofid.player.agenda import Note
from lofid.player.cover import Cover

BAR = [Note(0, 480, 0, 60, 100), Note(480, 960, 1, 48, 80), Note(1440, 1900, 0, 67, 90)]


def test_the_bar_is_repeated_beat_by_beat_in_its_place() -> None:
    """From tick 2400, a beat into the second bar: what begins on beats two, three, four and one."""
    cover = Cover()
    cover.take([], 2400, BAR)
    assert cover.repeat() == [Note(2400, 2880, 1, 48, 80)]
    assert cover.repeat() == []
    assert cover.repeat() == [Note(3360, 3820, 0, 67, 90)]
    assert cover.repeat() == [Note(3840, 4320, 0, 60, 100)]
    assert cover.until_tick == 4320


def test_what_comes_late_for_a_covered_beat_is_left_out() -> None:
    """The engine says the same stretch again, and a note beyond it."""
    cover = Cover()
    assert cover.take([Note(0, 9, 0, 60, 9)], 480, BAR) == [Note(0, 9, 0, 60, 9)]
    cover.repeat()
    late, beyond = Note(700, 800, 0, 62, 9), Note(960, 1000, 0, 64, 9)
    assert cover.take([late, beyond], 1200, BAR) == [beyond]
    assert cover.until_tick == 1200


def test_an_engine_that_takes_something_back_may_fill_it_anew() -> None:
    """But not where the bar was repeated meanwhile."""
    cover = Cover()
    cover.take([], 1920, BAR)
    assert cover.first_after(900) == 900
    assert cover.take([Note(900, 960, 0, 60, 9)], 1000, BAR) == [Note(900, 960, 0, 60, 9)]
    assert cover.until_tick == 1000
    cover.repeat()
    assert cover.first_after(1200) == 1480
    assert cover.take([Note(1300, 1400, 0, 60, 9)], 1920, BAR) == []


def test_nothing_is_awaited_of_an_engine_that_never_said_how_far_it_is() -> None:
    assert Cover().until_tick is None


notes = st.builds(
    lambda on, length, pitch: Note(on, on + length, 0, pitch, 64),
    st.integers(0, 1919),
    st.integers(1, 3000),
    st.integers(0, 127),
)


@given(st.lists(notes), st.integers(0, 10_000))
def test_four_beats_are_the_whole_bar_once(bar: list[Note], begin: int) -> None:
    """Every note of the bar comes once in a bar's time, in its place, of its length, in order."""
    cover = Cover()
    cover.take([], begin, bar)
    repeated = [note for _ in range(4) for note in cover.repeat()]
    assert [n.on_tick for n in repeated] == sorted(n.on_tick for n in repeated)
    assert all(begin <= note.on_tick < begin + 1920 for note in repeated)
    places = sorted((n.on_tick % 1920, n.off_tick - n.on_tick, n.pitch) for n in repeated)
    assert places == sorted((n.on_tick, n.off_tick - n.on_tick, n.pitch) for n in bar)
