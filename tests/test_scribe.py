"""The scribe: what is told is in the pieces, once, and each piece can be read alone."""

import os
import threading
from dataclasses import asdict
from pathlib import Path

import pytest

from lofid import __version__
from lofid.entries import Control, Header, On
from lofid.pieces import is_being_written
from lofid.records import MOST_BYTES
from lofid.scribe import Scribe
from tests.journals import WALL, Desk, held


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path / "studio")


def test_nothing_touches_the_disk_before_a_flush(desk: Desk) -> None:
    desk.mark("one")
    desk.scribe.cut()
    assert not desk.folder.exists()
    desk.flush()
    assert desk.told() == ["|", "one"]


def test_a_session_in_which_nothing_happens_leaves_no_piece(desk: Desk) -> None:
    desk.flush()
    desk.scribe.sync()
    desk.scribe.close()
    assert not desk.folder.exists()


def test_a_piece_begins_with_what_holds(desk: Desk) -> None:
    desk.clock.seconds += 2.5
    desk.scribe.write("on", tick=5, seconds=2.4999999, channel=0, pitch=60, velocity=90)
    desk.scribe.write("control", tick=6, data=[0xB0, 64, 127])
    desk.flush()
    header, on, control = desk.read()[0]
    assert isinstance(header, Header)
    assert asdict(header) == {
        "what": "header",
        "format": 2,
        "lofid": __version__,
        "session": desk.scribe.session,
        "seconds": 0.0,
        "wall_seconds": WALL,
        **held(),
        "sounding": (),
        "controls": (),
    }
    assert on == On(tick=5, seconds=2.5, channel=0, pitch=60, velocity=90)
    assert control == Control(tick=6, seconds=2.5, data=(0xB0, 64, 127))


def test_a_header_says_what_sounds_and_where_controllers_stand(tmp_path: Path) -> None:
    """As the records before it have it: whoever ended before is not in it."""
    desk = Desk(tmp_path, piece_bytes=600)
    for pitch in (60, 62, 64):
        desk.scribe.write("on", tick=pitch, channel=0, pitch=pitch, velocity=90, by_person=True)
    desk.scribe.write("off", tick=70, channel=0, pitch=62, by_person=True)
    desk.scribe.write("off", tick=70, channel=0, pitch=64)  # lofid's own of that pitch
    for value in (10, 127):
        desk.scribe.write("control", tick=72, data=[0xB0, 64, value])
    desk.scribe.write("control", tick=72, data=[0xB0, 1, 5])
    desk.flush()
    desk.mark("x" * 600)
    desk.flush()
    last = [entry for entry in desk.read()[0] if isinstance(entry, Header)][-1]
    assert [(on.tick, on.pitch, on.by_person) for on in last.sounding] == [
        (60, 60, True),
        (64, 64, True),
    ]
    assert [control.data for control in last.controls] == [(0xB0, 64, 127), (0xB0, 1, 5)]


def test_a_new_piece_begins_with_what_held_before_its_first_record(tmp_path: Path) -> None:
    """Not with what holds when the disk has come to it."""
    desk = Desk(tmp_path, piece_bytes=700)
    desk.mark("one")
    desk.holds["tick"] = 480
    desk.flush()
    desk.mark("x" * 700)
    desk.holds["tick"] = 960
    desk.flush()
    headers = [entry for entry in desk.read()[0] if isinstance(entry, Header)]
    assert [(header.tick, header.seconds) for header in headers] == [(0, 0.0), (480, 1.0)]
    assert headers[1].wall_seconds == WALL + 1.0


def test_a_piece_is_full_before_it_is_too_large(tmp_path: Path) -> None:
    desk = Desk(tmp_path, piece_bytes=2000)
    for number in range(100):
        desk.mark(f"{number}")
        desk.flush()
    sizes = [piece.path.stat().st_size for piece in desk.pieces()]
    assert len(sizes) == 5
    assert max(sizes) <= 2000
    assert [text for text in desk.told() if text != "|"] == [f"{n}" for n in range(100)]


def test_a_piece_is_an_hour_long_at_most(desk: Desk) -> None:
    for text in ("0:00:00", "0:59:59"):
        desk.mark(text)
        desk.flush(3599.0)
    desk.mark("1:59:58")
    desk.flush()
    assert desk.told() == ["|", "0:00:00", "0:59:59", "|", "1:59:58"]


def test_the_oldest_pieces_go_and_all_together_keep_the_bound(tmp_path: Path) -> None:
    desk = Desk(tmp_path, total_bytes=5000, piece_bytes=1000)
    for number in range(60):
        desk.mark(f"{number}")
        desk.flush()
        assert sum(piece.path.stat().st_size for piece in desk.pieces()) <= 5000
    texts = [text for text in desk.told() if text != "|"]
    assert 10 < len(texts) < 60
    assert texts == [f"{n}" for n in range(60)][-len(texts) :]


def test_pieces_go_when_they_are_too_old(tmp_path: Path) -> None:
    old, young = (tmp_path / f"2026080{n}T090000Z-00000001-000001.journal" for n in (1, 2))
    for path, days in ((old, 91), (young, 89)):
        path.touch()
        os.utime(path, (WALL - days * 86400, WALL - days * 86400))
    desk = Desk(tmp_path)
    desk.mark("one")
    desk.flush()
    assert (old.exists(), young.exists()) == (False, True)


def test_a_clock_that_is_set_ahead_makes_nothing_old(tmp_path: Path) -> None:
    young = tmp_path / "20261120T090000Z-00000001-000001.journal"
    young.touch()
    os.utime(young, (WALL - 86400, WALL - 86400))
    desk = Desk(tmp_path, piece_bytes=1000)
    for number in range(3):
        desk.mark(f"{number}" + "x" * 900)
        desk.flush()
        desk.clock.ahead_seconds = 100 * 86400.0
    assert young.exists()
    assert len(desk.pieces()) == 3


def test_two_scribes_in_one_folder_never_share_a_piece(tmp_path: Path) -> None:
    desks = [Desk(tmp_path), Desk(tmp_path)]
    for number in range(10):
        for desk, name in zip(desks, "ab", strict=True):
            desk.mark(f"{name}{number}")
            desk.flush()
    assert [desk.told() for desk in desks] == [
        ["|", *(f"{name}{number}" for number in range(10))] for name in "ab"
    ]


def test_a_scribe_never_removes_what_another_is_writing(tmp_path: Path) -> None:
    first = Desk(tmp_path)
    first.mark("kept")
    first.flush()
    second = Desk(tmp_path, total_bytes=2, piece_bytes=1)
    second.mark("one")
    second.flush()
    assert first.told() == ["|", "kept"]


def test_a_piece_is_given_back_at_the_close(desk: Desk) -> None:
    desk.mark("one")
    desk.flush()
    (piece,) = desk.pieces()
    assert is_being_written(piece.path)
    desk.mark("told last")
    desk.scribe.close()
    assert not is_being_written(piece.path)
    assert desk.told() == ["|", "one", "told last"]


def test_flushes_and_syncs_in_other_threads_lose_nothing(tmp_path: Path) -> None:
    """While the engine goes on telling and cutting."""
    desk = Desk(tmp_path, piece_bytes=20_000)
    is_over = threading.Event()

    def work() -> None:
        while not is_over.is_set():
            desk.scribe.flush()
            desk.scribe.sync()

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for number in range(2000):
        desk.mark(f"{number}")
        if number % 7 == 0:
            desk.scribe.cut()
    is_over.set()
    for thread in threads:
        thread.join()
    desk.scribe.close()
    assert desk.scribe.fault is None
    assert [text for text in desk.told() if text != "|"] == [f"{n}" for n in range(2000)]
    assert len(desk.pieces()) > 5


def test_what_json_cannot_say_is_its_tellers_fault(desk: Desk) -> None:
    with pytest.raises(ValueError, match="longer than"):
        desk.mark("x" * MOST_BYTES)
    with pytest.raises(TypeError):
        desk.scribe.write("mark", tick=0, text=b"bytes")
    with pytest.raises(TypeError):
        Scribe(desk.folder, lambda: {"model": object()})


def test_a_header_that_nobody_could_read_is_refused_before_anything_plays(desk: Desk) -> None:
    with pytest.raises(ValueError, match=r"header\.moving Field required"):
        Scribe(desk.folder, lambda: {k: v for k, v in held().items() if k != "moving"})
