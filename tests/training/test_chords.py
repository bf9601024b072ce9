"""Chords: the kinds, by the notes that a pianist would play, and what sounds on the beats."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lofid.music import Event
from training.chords import KINDS, kind, on_beats, shares
from training.passage import Passage

BEAT = 480


@pytest.mark.parametrize(
    ("pitches", "expected"),
    [
        ((), "none"),
        ((60,), "other"),
        ((60, 72), "other"),
        ((60, 67), "other"),
        ((60, 61, 62, 63), "other"),
        ((60, 64, 67), "triad"),
        ((64, 67, 72), "triad"),
        ((57, 60, 64, 69), "triad"),
        ((59, 62, 65), "triad"),
        ((60, 64, 68), "triad"),
        ((60, 65, 67), "suspended"),
        ((60, 62, 67), "suspended"),
        ((60, 64, 67, 71), "rich"),
        ((55, 59, 62, 65), "rich"),
        ((57, 60, 64, 67), "rich"),
        ((59, 62, 65, 69), "rich"),
        ((59, 62, 65, 68), "rich"),
        ((60, 63, 67, 71), "rich"),
        ((60, 64, 67, 69), "rich"),
        ((62, 65, 69, 71), "rich"),
        ((60, 62, 64, 67), "rich"),
        ((48, 52, 59), "rich"),
        ((48, 58, 64), "rich"),
        ((50, 53, 60), "rich"),
        ((52, 59, 62), "rich"),
        ((53, 57, 59), "rich"),
        ((53, 59, 64), "rich"),
        ((53, 57, 60, 64), "rich"),
        ((53, 57, 59, 64), "rich"),
    ],
)
def test_kinds_of_chords(pitches: tuple[int, ...], expected: str) -> None:
    """Inversions and doublings make no difference; shells and rootless voicings are enough."""
    assert kind(pitches) == expected


@given(st.sets(st.integers(40, 80)), st.integers(-12, 12))
def test_transposing_changes_no_kind(pitches: set[int], semitones: int) -> None:
    assert kind(pitches) == kind(pitch + semitones for pitch in pitches)


@given(st.sets(st.integers(0, 11)), st.integers(0, 11))
def test_what_is_added_leaves_a_chord_rich(pitches: set[int], added: int) -> None:
    if kind(pitches) == "rich":
        assert kind({*pitches, added}) == "rich"


def session() -> Passage:
    """Six beats: C major for two, its seventh by the melody on the second; nothing; G7 shell."""
    return Passage.of_events([
        Event((48, 52, 55), 0, 2 * BEAT, 60),
        Event((71,), BEAT, BEAT, 80),
        Event((47, 53, 55), 3 * BEAT + 40, 2 * BEAT, 60),
        Event((74,), 5 * BEAT, BEAT, 80),
    ])  # fmt: skip


def test_what_sounds_on_each_beat() -> None:
    """A chord ends where its length does; one that comes late is not on its beat."""
    keys = on_beats(session(), with_lead=False).tolist()
    c_major, g7 = 0b000010010001, 0b100010100000
    assert keys == [c_major, c_major, 0, 0, g7, g7]
    both = on_beats(session(), with_lead=True).tolist()
    assert both == [c_major, c_major | 1 << 11, 0, 0, g7, g7 | 1 << 2]


def test_shares_of_beats() -> None:
    """Of six beats two are triads of the keys, one of both; a G7 is rich with or without."""
    keys, both = (shares(session(), with_lead=with_lead) for with_lead in (False, True))
    assert keys == pytest.approx(
        {"none": 2 / 6, "other": 0, "suspended": 0, "triad": 2 / 6, "rich": 2 / 6}
    )
    assert both["triad"] == pytest.approx(1 / 6)
    assert both["rich"] == pytest.approx(3 / 6)


def test_melody_alone_has_no_chords() -> None:
    passage = Passage.of_events([Event((60,), i * BEAT, BEAT, 80) for i in range(4)])
    assert shares(passage, with_lead=False)["none"] == 1


TIMES = st.tuples(
    st.integers(0, 960), st.integers(1, 960), st.sets(st.integers(40, 80), min_size=1)
)


@given(st.lists(TIMES, min_size=1, max_size=12))
def test_shares_are_shares(rows: list[tuple[int, int, set[int]]]) -> None:
    rows.sort(key=lambda row: row[0])
    events = [Event(tuple(sorted(p)), 40 * on, 40 * long, 80) for on, long, p in rows]
    found = shares(Passage.of_events(events), with_lead=True)
    assert list(found) == list(KINDS)
    assert sum(found.values()) == pytest.approx(1)
