"""The transcript: what was told becomes notes, and the tempo, the key and all else in order."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lofid.entries import Control, End, Gap, KeyChange, Mark, Set, Take, Tempo, Transport
from lofid.errors import RecordingError
from lofid.excerpt import between_seconds, between_ticks
from lofid.pieces import Piece
from lofid.reading import last_moment, reaching_back
from lofid.timemap import TimeMap
from lofid.transcript import Moment, Note, Transcript, read_transcript
from tests.journals import Desk

TICKS_A_SECOND = 640
"""At 80 beats per minute."""


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def on(desk: Desk, tick: int, pitch: int = 60, velocity: int = 80, **values: Any) -> None:
    """Tell of a note-on at a tick, and at its second in the tempo of the session."""
    rest = {"tick": tick, "seconds": tick / TICKS_A_SECOND, "channel": 0, **values}
    desk.scribe.write("on", pitch=pitch, velocity=velocity, **rest)


def off(desk: Desk, tick: int, pitch: int = 60, **values: Any) -> None:
    rest = {"tick": tick, "seconds": tick / TICKS_A_SECOND, "channel": 0, **values}
    desk.scribe.write("off", pitch=pitch, **rest)


def tell(desk: Desk, what: str, tick: int, **values: Any) -> None:
    desk.scribe.write(what, tick=tick, seconds=tick / TICKS_A_SECOND, **values)


def transcript(desk: Desk) -> Transcript:
    desk.flush()
    found = read_transcript(desk.pieces())
    assert found.faults == ()
    return found


def lengths(found: Transcript) -> list[tuple[int, int]]:
    return [(note.tick, note.end_tick - note.tick) for note in found.notes]


def test_a_note_is_what_lies_between_on_and_off_in_ticks_and_in_seconds(desk: Desk) -> None:
    on(desk, 640, 63, 90)
    on(desk, 960, 48, 70, channel=1, by_person=True)
    off(desk, 1280, 63)
    off(desk, 1600, 48, channel=1, by_person=True)
    assert transcript(desk).notes == (
        Note(640, 1.0, 1280, 2.0, 0, 63, 90),
        Note(960, 1.5, 1600, 2.5, 1, 48, 70, by_person=True),
    )


@pytest.mark.parametrize(
    ("told", "sounded"),
    [
        pytest.param([(on, 5), (off, 9)], [(5, 4)], id="on and off"),
        pytest.param([(on, 5), (on, 6, 61)], [(5, 1), (6, 0)], id="killed while they sounded"),
        pytest.param([(off, 3), (on, 5), (off, 9), (off, 9)], [(5, 4)], id="offs of nobody"),
        pytest.param([(on, 5), (on, 8), (off, 9)], [(5, 3), (8, 1)], id="struck again"),
        pytest.param([(on, 5), (off, 5), (on, 5), (off, 9)], [(5, 0), (5, 4)], id="in no time"),
        pytest.param([(on, 8), (on, 5, 61), (off, 9), (off, 9, 61)], [(5, 4), (8, 1)],
                     id="out of order"),
        pytest.param([(on, 5), (off, 9), (on, 7), (off, 8)], [(5, 2), (7, 1)], id="told too late"),
        pytest.param([(on, 5), (off, 3)], [(5, 0)], id="an end before its begin"),
    ],
)  # fmt: skip
def test_a_voice_sounds_once(desk: Desk, told: list[Any], sounded: list[tuple[int, int]]) -> None:
    """The ledger's rule: struck again, it ends first. (tick, length) of each note."""
    for how, *arguments in told:
        how(desk, *arguments)
    assert lengths(transcript(desk)) == sounded


def test_a_person_and_lofid_may_play_the_same_pitch(desk: Desk) -> None:
    on(desk, 5)
    on(desk, 6, by_person=True)
    off(desk, 8, by_person=True)
    off(desk, 9)
    assert [(note.tick, note.end_tick, note.by_person) for note in transcript(desk).notes] == [
        (5, 9, False),
        (6, 8, True),
    ]


def test_all_else_is_in_lists_of_its_own(desk: Desk) -> None:
    tell(desk, "tempo", 640, bpm=90)
    tell(desk, "key", 640, text="F minor")
    tell(desk, "key", 640, text="Eb major")
    tell(desk, "set", 700, name="swing", text="60")
    tell(desk, "mark", 710, text="seed 7")
    tell(desk, "control", 720, data=[0xB0, 64, 127])
    tell(desk, "take", 730, action="start", name="one")
    tell(desk, "transport", 740, moving=False)
    desk.scribe.write("input", seconds=1.2, data={"is": "position"})
    tell(desk, "end", 1280)
    found = transcript(desk)
    place = (640, 1.0)
    assert found.tempos == (Tempo(0, 0.0, 80.0), Tempo(*place, 90.0))
    assert found.keys == (KeyChange(0, 0.0, "A minor"), KeyChange(*place, "Eb major"))
    assert found.sets == (Set(700, 1.09375, "swing", "60"),)
    assert found.marks == (Mark(710, 1.109375, "seed 7"),)
    assert found.controls == (Control(720, 1.125, (0xB0, 64, 127)),)
    assert found.takes == (Take(730, 1.140625, "start", "one"),)
    assert found.transports == (
        Transport(0, 0.0, moving=True),
        Transport(740, 1.15625, moving=False),
    )
    assert (found.begin, found.end) == (Moment(0, 0.0), Moment(1280, 2.0))
    assert (found.is_ended, found.notes, found.gaps) == (True, (), ())
    assert found.header.seed == 7


def test_a_session_that_was_cut_off_has_no_end(desk: Desk) -> None:
    on(desk, 5)
    assert not transcript(desk).is_ended


def test_nothing_to_be_read_is_one_line(tmp_path: Path) -> None:
    session = "20261126T090000Z-00000001"
    path = tmp_path / f"{session}-000001.journal"
    path.write_bytes(b"no journal")
    with pytest.raises(RecordingError) as caught:
        read_transcript([Piece(session, 1, path), Piece(session, 2, tmp_path / "gone")])
    assert str(caught.value) == (
        f"nothing was recorded: {tmp_path / 'gone'}: cannot be read: No such file or directory"
    )
    with pytest.raises(RecordingError, match="nothing was recorded: no piece begins as it should"):
        read_transcript([Piece(session, 1, path)])


def test_a_piece_that_is_read_alone_has_the_parts_of_notes_inside(tmp_path: Path) -> None:
    """And the pedal, where it stands."""
    desk = Desk(tmp_path, piece_bytes=800)
    on(desk, 100, 50)
    on(desk, 200, 60)
    off(desk, 300, 50)
    tell(desk, "control", 300, data=[0xB0, 64, 127])
    tell(desk, "mark", 300, text="x" * 300)
    desk.clock.seconds = 1001.0
    desk.holds |= {"tick": 640, "key": "F minor"}
    desk.flush(0.0)
    off(desk, 960, 60)
    on(desk, 1000, 62)
    tell(desk, "mark", 1100, text="x" * 300)
    desk.flush()
    assert len(desk.pieces()) == 2
    found = read_transcript(desk.pieces()[1:])
    assert found.notes == (
        Note(640, 1.0, 960, 1.5, 0, 60, 80),
        Note(1000, 1.5625, 1100, 1.71875, 0, 62, 80),
    )
    assert found.begin == Moment(640, 1.0)
    assert found.controls == (Control(640, 1.0, (0xB0, 64, 127)),)
    assert found.keys == (KeyChange(640, 1.0, "F minor"),)


def test_what_was_lost_between_pieces_is_put_right(tmp_path: Path) -> None:
    """By the next header: who has ended, who has begun, and the tempo by then."""
    desk = Desk(tmp_path, piece_bytes=700)
    on(desk, 100, 50)
    on(desk, 110, 51)
    tell(desk, "mark", 120, text="x" * 300)
    desk.flush()
    off(desk, 200, 50)
    off(desk, 210, 51)
    on(desk, 300, 51)
    on(desk, 310, 52)
    tell(desk, "tempo", 320, bpm=100)
    tell(desk, "mark", 330, text="x" * 300)
    desk.clock.seconds = 1001.0
    desk.holds |= {"tick": 640, "tempo": 100.0}
    desk.flush(0.0)
    off(desk, 960, 51)
    off(desk, 970, 52)
    tell(desk, "mark", 980, text="x" * 300)
    desk.flush()
    first, _, third = desk.pieces()
    found = read_transcript([first, third])
    assert [(note.tick, note.end_tick, note.pitch) for note in found.notes] == [
        (100, 640, 50),  # it ended somewhere in what is lost
        (110, 300, 51),
        (300, 960, 51),
        (310, 970, 52),
    ]
    assert found.tempos == (Tempo(0, 0.0, 80.0), Tempo(640, 1.0, 100.0))
    assert len(found.faults) == 1


def test_a_gap_is_told(desk: Desk) -> None:
    desk.scribe.write("gap", seconds=2.0, from_seconds=1.0, records=3, why="no space")
    assert transcript(desk).gaps == (Gap(2.0, 1.0, 3, "no space"),)


VOICES = st.tuples(st.integers(60, 62), st.booleans())
ACTS = st.lists(st.tuples(st.integers(0, 3), VOICES, st.booleans(), st.booleans()), max_size=40)


def performed(desk: Desk, acts: list[Any]) -> list[Note]:
    """Tell of ons and offs, some seconds apart, with cuts between; give what sounded."""
    tick, notes = 0, []
    sounding: dict[tuple[int, bool], int] = {}

    def end(voice: tuple[int, bool]) -> None:
        if voice in sounding:
            begin = sounding.pop(voice)
            seconds = (begin / TICKS_A_SECOND, tick / TICKS_A_SECOND)
            notes.append(Note(begin, seconds[0], tick, seconds[1], 0, voice[0], 80, voice[1]))

    for step, voice, is_on, is_cut in acts:
        tick += step * TICKS_A_SECOND
        end(voice)
        if is_on:
            sounding[voice] = tick
        (on if is_on else off)(desk, tick, voice[0], by_person=voice[1])
        if is_cut:
            desk.clock.seconds = 1000.0 + tick / TICKS_A_SECOND
            desk.holds["tick"] = tick
            desk.flush(0.0)
    for voice in list(sounding):
        end(voice)
    desk.flush(0.0)
    return sorted(notes)


@given(acts=ACTS.filter(bool))
def test_whatever_is_played_is_read_as_it_sounded(
    tmp_path_factory: pytest.TempPathFactory, acts: list[Any]
) -> None:
    """Wherever the pieces are cut."""
    desk = Desk(tmp_path_factory.mktemp("pieces"), piece_bytes=900)
    notes = performed(desk, acts)
    assert list(read_transcript(desk.pieces()).notes) == notes


@given(acts=ACTS.filter(bool))
def test_where_a_session_ends_is_known_without_reading_it_all(
    tmp_path_factory: pytest.TempPathFactory, acts: list[Any]
) -> None:
    desk = Desk(tmp_path_factory.mktemp("pieces"), piece_bytes=900)
    performed(desk, acts)
    end = read_transcript(desk.pieces()).end
    assert last_moment(desk.pieces()) == (end.tick, end.seconds)


def test_a_session_ends_with_the_latest_that_happened_in_it(desk: Desk) -> None:
    """Which need not be told last."""
    tell(desk, "mark", 640, text="a")
    on(desk, 6400)
    off(desk, 5440)
    desk.flush()
    assert last_moment(desk.pieces()) == (6400, 10.0)


@given(acts=ACTS.filter(bool), data=st.data())
def test_the_last_pieces_alone_give_what_sounded_from_there_on(
    tmp_path_factory: pytest.TempPathFactory, acts: list[Any], data: st.DataObject
) -> None:
    desk = Desk(tmp_path_factory.mktemp("pieces"), piece_bytes=900)
    performed(desk, acts)
    whole = read_transcript(desk.pieces())
    since = data.draw(st.floats(0, max(whole.end.seconds, 0.1)))
    part = read_transcript(reaching_back(desk.pieces(), since))
    assert part.begin.seconds <= since
    for found in (whole, part):
        assert found.end == whole.end
    if since < whole.end.seconds:
        ends = (since, whole.end.seconds)
        assert between_seconds(part, *ends).notes == between_seconds(whole, *ends).notes


@given(acts=ACTS.filter(bool), data=st.data())
def test_excerpts_side_by_side_hold_every_note_with_all_its_parts(
    tmp_path_factory: pytest.TempPathFactory, acts: list[Any], data: st.DataObject
) -> None:
    """By seconds and by ticks: nothing is in both, and nothing in neither."""
    desk = Desk(tmp_path_factory.mktemp("pieces"))
    performed(desk, acts)
    whole = read_transcript(desk.pieces())
    if whole.end.tick == 0:
        return
    cut = data.draw(st.integers(1, whole.end.tick - 1))
    for halves in (
        [between_ticks(whole, 0, cut), between_ticks(whole, cut, cut + 2**40)],
        [
            between_seconds(whole, -5.0, cut / TICKS_A_SECOND),
            between_seconds(whole, cut / TICKS_A_SECOND, 2.0**40),
        ],
    ):
        parts = [note for half in halves for note in half.notes]
        assert sum(note.end_tick - note.tick for note in parts) == sum(
            note.end_tick - note.tick for note in whole.notes
        )
        crossing = sum(note.tick < cut < note.end_tick for note in whole.notes)
        assert len(parts) == len(whole.notes) + crossing
        assert halves[0].end == halves[1].begin


def test_an_excerpt_keeps_the_part_inside_and_says_what_holds(desk: Desk) -> None:
    on(desk, 0, 50)
    tell(desk, "control", 10, data=[0xB0, 64, 127])
    tell(desk, "control", 20, data=[0xB0, 1, 5])
    tell(desk, "control", 30, data=[0xB0, 1, 6])
    tell(desk, "key", 40, text="F minor")
    tell(desk, "mark", 50, text="before")
    on(desk, 640, 60)
    tell(desk, "mark", 640, text="inside")
    off(desk, 1280, 50)
    off(desk, 1920, 60)
    tell(desk, "key", 1600, text="G major")
    on(desk, 1920, 70)
    off(desk, 2000, 70)
    tell(desk, "end", 2560)
    whole = transcript(desk)
    place = (320, 0.5)
    for part in (between_ticks(whole, 320, 1600), between_seconds(whole, 0.5, 2.5)):
        assert (part.begin, part.end) == (Moment(*place), Moment(1600, 2.5))
        assert part.notes == (
            Note(320, 0.5, 1280, 2.0, 0, 50, 80),
            Note(640, 1.0, 1600, 2.5, 0, 60, 80),
        )
        assert part.tempos == (Tempo(*place, 80.0),)
        assert part.keys == (KeyChange(*place, "F minor"),)
        assert part.transports == (Transport(*place, moving=True),)
        assert part.controls == (
            Control(*place, (0xB0, 64, 127)),
            Control(*place, (0xB0, 1, 6)),
        )
        assert [mark.text for mark in part.marks] == ["inside"]
        assert not part.is_ended
    last = between_seconds(whole, 2.9, 99.0)
    assert [(note.tick, note.end_tick) for note in last.notes] == [(1856, 1920), (1920, 2000)]
    assert (last.end, last.is_ended) == (Moment(2560, 4.0), True)


def test_an_excerpt_of_an_excerpt_is_one_of_the_whole(desk: Desk) -> None:
    on(desk, 0, 50)
    off(desk, 6400, 50)
    tell(desk, "key", 40, text="F minor")
    whole = transcript(desk)
    twice = between_ticks(between_ticks(whole, 100, 5000), 200, 4000)
    assert twice == between_ticks(whole, 200, 4000)


@pytest.mark.parametrize(("begin", "end"), [(5, 5), (6, 5)])
def test_an_excerpt_has_a_length(desk: Desk, begin: int, end: int) -> None:
    on(desk, 0)
    found = transcript(desk)
    with pytest.raises(ValueError, match=f"an excerpt from {begin} to {end} is none"):
        between_ticks(found, begin, end)
    with pytest.raises(ValueError, match=f"an excerpt from {begin} to {end} is none"):
        between_seconds(found, begin, end)


def test_what_is_played_while_the_music_stands_has_its_seconds(desk: Desk) -> None:
    """All of it at one tick."""
    tell(desk, "transport", 640, moving=False)
    for begin, pitch in ((2.0, 60), (3.0, 61)):
        on(desk, 640, pitch, seconds=begin, by_person=True)
        off(desk, 640, pitch, seconds=begin + 0.5, by_person=True)
    desk.scribe.write("transport", tick=1920, seconds=5.0, moving=True)
    on(desk, 1920, 64, seconds=5.0)
    off(desk, 2560, 64, seconds=6.0)
    whole = transcript(desk)
    part = between_seconds(whole, 2.9, 4.0)
    assert [(note.pitch, note.seconds, note.end_seconds) for note in part.notes] == [(61, 3.0, 3.5)]
    assert [note.pitch for note in between_ticks(whole, 640, 641).notes] == [60, 61]
    assert [note.pitch for note in between_ticks(whole, 641, 9999).notes] == [64]


def timed(*pairs: tuple[int, float]) -> TimeMap:
    times = TimeMap()
    for tick, seconds in pairs:
        times.add(tick, seconds)
    return times


def test_a_time_map_goes_evenly_between_what_it_was_told() -> None:
    times = timed((0, 0.0), (640, 1.0), (640, 2.0), (640, 3.0), (1280, 4.0))
    assert [times.tick_at(s) for s in (-1.0, 0.0, 0.5, 1.0, 2.5, 3.25, 4.0, 9.0)] == [
        0, 0, 320, 640, 640, 800, 1280, 1280,
    ]  # fmt: skip
    assert [times.seconds_at(t) for t in (-1, 0, 160, 640, 960, 1280, 9999)] == [
        0.0, 0.0, 0.25, 3.0, 3.5, 4.0, 4.0,
    ]  # fmt: skip


@given(
    pairs=st.lists(st.tuples(st.integers(-50, 50), st.floats(-50, 50)), min_size=1),
    places=st.lists(st.floats(-60, 60), min_size=2),
)
def test_time_never_goes_back(pairs: list[tuple[int, float]], places: list[float]) -> None:
    """Whatever order it was told in."""
    times = timed(*pairs)
    ticks = [times.tick_at(place) for place in sorted(places)]
    seconds = [times.seconds_at(round(place)) for place in sorted(places)]
    assert (ticks, seconds) == (sorted(ticks), sorted(seconds))


def test_an_empty_time_map_has_no_time() -> None:
    with pytest.raises(ValueError, match="nothing was recorded"):
        TimeMap().tick_at(1.0)


def test_an_end_is_where_the_session_ends(desk: Desk) -> None:
    tell(desk, "end", 640)
    assert desk.read()[0] == []
    desk.flush()
    assert desk.read()[0][-1] == End(640, 1.0)
