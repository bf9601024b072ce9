"""A transcript as a session: what was told is in the file, at its tick from the bar line on."""

import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from lofid.account import session_of
from lofid.entries import Set
from lofid.excerpt import between_seconds, between_ticks
from lofid.session import Control, PlayedNote, Session
from lofid.transcript import Transcript, read_transcript
from tests.journals import Desk, held

TICKS_A_SECOND = 640
"""At 80 beats per minute."""


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def tell(desk: Desk, what: str, tick: int, **values: Any) -> None:
    desk.scribe.write(what, tick=tick, seconds=tick / TICKS_A_SECOND, **values)


def read(desk: Desk) -> Transcript:
    desk.flush()
    desk.scribe.close()
    return read_transcript(desk.pieces())


def test_a_whole_session(desk: Desk) -> None:
    """Notes, controllers, tempo, key, swing and marks; the seed is a mark at the beginning."""
    tell(desk, "on", 10, channel=0, pitch=60, velocity=80)
    tell(desk, "on", 20, channel=2, pitch=60, velocity=81, by_person=True)
    tell(desk, "control", 30, data=[0xB2, 64, 127])
    tell(desk, "off", 490, channel=0, pitch=60)
    tell(desk, "off", 500, channel=2, pitch=60, velocity=5, by_person=True)
    tell(desk, "set", 960, name="swing", text="60")
    tell(desk, "set", 960, name="tempo", text="90")
    tell(desk, "tempo", 960, bpm=90.0)
    tell(desk, "key", 1920, text="F minor")
    tell(desk, "mark", 1920, text="goes on from a.mid")
    tell(desk, "end", 3840)
    assert session_of(read(desk)) == Session(
        notes=(PlayedNote(10, 480, 0, 60, 80), PlayedNote(20, 480, 2, 60, 81, True)),
        tempos=((0, 80.0), (960, 90.0)),
        keys=((0, "A minor"), (1920, "F minor")),
        lead_channel=0,
        keys_channel=1,
        end_tick=3840,
        controls=(Control(30, (0xB2, 64, 127)),),
        marks=((0, "seed 7"), (960, "swing = 60"), (1920, "goes on from a.mid")),
        swings=((0, 60.0),),
    )


def test_the_swing_of_the_settings_holds_from_the_beginning(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.holds = held(settings={"music": {"swing": 66.7}})
    desk.scribe.cut()
    tell(desk, "set", 960, name="swing", text="50")
    assert session_of(read(desk)).swings == ((0, 66.7), (960, 50.0))


@pytest.mark.parametrize("text", ["lots", "nan", ""])
def test_a_swing_that_is_no_number_is_only_marked(desk: Desk, text: str) -> None:
    tell(desk, "set", 960, name="swing", text=text)
    tell(desk, "set", 1920, name="swing", text="1e9")
    found = session_of(read(desk))
    assert found.swings == ((0, 75.0),)
    assert found.marks[1:] == ((960, f"swing = {text}"), (1920, "swing = 1e9"))


def test_a_part_begins_at_a_bar_line(desk: Desk) -> None:
    """What held before is said there; a setting changed before is no mark of it."""
    tell(desk, "set", 100, name="swing", text="60")
    tell(desk, "tempo", 100, bpm=70.0)
    for tick in range(0, 7680, 480):
        tell(desk, "on", tick, channel=0, pitch=60, velocity=80)
        tell(desk, "off", tick + 240, channel=0, pitch=60)
    found = session_of(between_ticks(read(desk), 1920 + 480, 5760))
    assert [note.tick for note in found.notes] == list(range(480, 3840, 480))
    assert (found.tempos, found.swings, found.end_tick) == (((0, 70.0),), ((0, 60.0),), 3840)
    assert found.marks == ((480, "seed 7"),)


def test_a_sweep_is_marked_where_it_rests(desk: Desk) -> None:
    """Of changes of one setting within a beat, the last."""
    for tick, text in ((100, "0.6"), (200, "0.7"), (300, "0.8"), (900, "0.9")):
        tell(desk, "set", tick, name="temperature", text=text)
    tell(desk, "set", 250, name="mode", text="answer")
    marks = session_of(read(desk)).marks
    assert marks[1:] == ((250, "mode = answer"), (300, "temperature = 0.8"),
                         (900, "temperature = 0.9"))  # fmt: skip


def test_a_knob_that_is_turned_for_hours_costs_little(desk: Desk) -> None:
    """So many changes of one setting once took half a minute; what a sweep is, is the same."""
    changes = [Set(tick * 100, tick / 6, "temperature", str(tick)) for tick in range(100_000)]
    tell(desk, "end", 480)
    whole = replace(read(desk), sets=tuple(changes))
    began = time.process_time()
    marks = session_of(whole).marks
    assert time.process_time() - began < 5
    assert marks == ((0, "seed 7"), (9_999_900, "temperature = 99999"))


def test_what_is_played_while_the_music_stands_has_a_tick(desk: Desk) -> None:
    """All of it lies where the music stands; a key struck again there comes a tick later."""
    for seconds, pitch in ((3.0, 60), (4.0, 62), (5.0, 60), (6.0, 60)):
        rest = {"tick": 960, "channel": 0, "pitch": pitch, "by_person": True}
        desk.scribe.write("on", **rest, seconds=seconds, velocity=80 + int(seconds))
        desk.scribe.write("off", **rest, seconds=seconds + 0.5)
    found = session_of(between_seconds(read(desk), 2.0, 9.0))
    assert [(n.tick, n.length_ticks, n.pitch, n.velocity) for n in found.notes] == [
        (960, 1, 60, 83), (960, 1, 62, 84), (961, 1, 60, 85), (962, 1, 60, 86)
    ]  # fmt: skip


def test_what_was_moved_where_a_cut_begins_is_in_order(desk: Desk) -> None:
    """Though the music stood then, and the cut's first tick is thought to be between two others."""
    for seconds, tick, number in ((0.0, 0, 7), (0.5, 0, 11), (1.5, 320, 64)):
        desk.scribe.write("control", tick=tick, seconds=seconds, data=[0xB0, number, 1])
    tell(desk, "end", 1280)
    found = session_of(between_seconds(read(desk), 0.5, 1.75))
    assert [control.data[1] for control in found.controls] == [7, 11, 64]
    assert len({control.tick for control in found.controls[:2]}) == 1


def test_a_tempo_that_no_file_can_say(desk: Desk) -> None:
    """Another's clock may be anything."""
    tell(desk, "tempo", 0, bpm=1.0)
    tell(desk, "tempo", 9, bpm=5000.0)
    assert session_of(read(desk)).tempos == ((0, 4), (9, 1000))


def test_what_a_full_disk_lost_is_marked(desk: Desk) -> None:
    """Where it goes on."""
    tell(desk, "on", 0, channel=0, pitch=60, velocity=80)
    desk.scribe.write("gap", seconds=1.0, from_seconds=0.5, records=3, why="No space left")
    tell(desk, "end", 1280)
    assert session_of(read(desk)).marks == (
        (0, "seed 7"), (640, "3 records are missing: No space left")
    )  # fmt: skip
