"""Notes are brought to the grid of notation, and every bar is full."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lofid.session import PlayedNote
from lofid.written import MOST_VOICES, Beats, Chord, bars_of, chords_of, voices_of

WRITABLE = {3, 4, 6, 8, 9, 12, 18, 24, 36, 48}
"""From a sixteenth to a whole note, in twelfths of a quarter."""
SPANS = st.tuples(st.integers(0, 7000), st.integers(1, 2500), st.integers(55, 65))


def played(*spans: tuple[int, int, int]) -> list[PlayedNote]:
    return [PlayedNote(tick, length, 0, pitch, 80) for tick, length, pitch in spans]


def written(*spans: tuple[int, int, int]) -> list[tuple[int, int, tuple[int, ...]]]:
    notes = played(*spans)
    return [(c.start, c.end, c.pitches) for c in chords_of(notes, Beats(notes))]


@pytest.mark.parametrize(
    ("spans", "chords"),
    [
        pytest.param([(7, 470, 60)], [(0, 12, (60,))], id="a quarter, somewhat late"),
        pytest.param([(125, 100, 60)], [(3, 6, (60,))], id="a sixteenth"),
        pytest.param([(165, 150, 60), (320, 160, 62)], [(4, 8, (60,)), (8, 12, (62,))],
                     id="triplets"),
        pytest.param([(240, 240, 60)], [(6, 12, (60,))], id="an eighth is no triplet"),
        pytest.param([(0, 20, 60)], [(0, 3, (60,))], id="as short as can be written"),
        pytest.param([(470, 20, 60)], [(12, 15, (60,))], id="late in a beat is the next beat"),
        pytest.param([(0, 480, 60), (9, 470, 64)], [(0, 12, (60, 64))], id="a chord, spread"),
        pytest.param([(0, 480, 60), (0, 960, 64)], [(0, 12, (60,)), (0, 24, (64,))],
                     id="ends that differ"),
        pytest.param([(0, 235, 60), (235, 240, 60)], [(0, 6, (60,)), (6, 12, (60,))],
                     id="struck again"),
        pytest.param([(0, 30, 60), (40, 440, 60)], [(0, 12, (60,))], id="twice at one place"),
    ],
)  # fmt: skip
def test_what_is_written(
    spans: list[tuple[int, int, int]], chords: list[tuple[int, int, tuple[int, ...]]]
) -> None:
    """(tick, length, pitch) to (start, end, pitches), in twelfths of a quarter."""
    assert written(*spans) == chords


@pytest.mark.parametrize(
    ("span", "pieces"),
    [
        pytest.param((0, 12), [12], id="a quarter"),
        pytest.param((0, 18), [18], id="a dotted quarter on the beat"),
        pytest.param((6, 24), [6, 12], id="an offbeat shows the beat"),
        pytest.param((3, 48), [9, 36], id="a dotted eighth, then whole beats"),
        pytest.param((8, 28), [4, 12, 4], id="from triplet to triplet"),
        pytest.param((0, 45), [36, 9], id="whole beats first"),
        pytest.param((36, 72), [12, 24], id="over the bar line"),
    ],
)
def test_a_note_is_cut_where_it_hides_the_beat(span: tuple[int, int], pieces: list[int]) -> None:
    """The pieces are tied, the first not before and the last not after."""
    cut = [c for bar in bars_of([Chord(*span, (60,))], 2) for c in bar if c.pitches]
    assert [c.end - c.start for c in cut] == pieces
    assert [c.is_tied_before for c in cut] == [False] + [True] * (len(cut) - 1)
    assert [c.is_tied_after for c in cut] == [True] * (len(cut) - 1) + [False]


def test_a_fifth_voice_ends_the_first_that_would_end() -> None:
    """Or joins the shortest, where all begin together: nothing is left out."""
    ends = [24, 30, 36, 42, 48]
    late = [Chord(n, end, (60 + n,)) for n, end in zip(range(0, 15, 3), ends, strict=True)]
    assert voices_of(late)[0] == [Chord(0, 12, (60,)), Chord(12, 48, (72,))]
    together = [Chord(0, end, (60 + index,)) for index, end in enumerate(ends)]
    pitches = sorted(p for voice in voices_of(together) for c in voice for p in c.pitches)
    assert (pitches, len(voices_of(together))) == ([60, 61, 62, 63, 64], 4)


@given(st.lists(SPANS, max_size=30))
def test_every_bar_is_full_of_what_can_be_written(spans: list[tuple[int, int, int]]) -> None:
    """Any notes: each voice fills its bars without a gap, in note values that exist."""
    notes = played(*spans)
    voices = voices_of(chords_of(notes, Beats(notes)))
    assert len(voices) <= MOST_VOICES
    for voice in voices:
        for number, bar in enumerate(bars_of(voice, 6)):
            for chord, following in pairwise(bar):
                assert chord.end == following.start
            assert not bar or (bar[0].start, bar[-1].end) == (number * 48, number * 48 + 48)
            assert {chord.end - chord.start for chord in bar} <= WRITABLE


@given(st.lists(SPANS, max_size=30))
def test_every_onset_is_written(spans: list[tuple[int, int, int]]) -> None:
    """Within half a beat's third of where it was played, in some voice."""
    notes = played(*spans)
    begun = {
        (pitch, chord.start)
        for voice in voices_of(chords_of(notes, Beats(notes)))
        for chord in voice
        for pitch in chord.pitches
    }
    for note in notes:
        starts = [start for pitch, start in begun if pitch == note.pitch]
        assert min(abs(start * 40 - note.tick) for start in starts) <= 80
