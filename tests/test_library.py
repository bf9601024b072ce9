"""Takes outlive the journal, are cut where they were marked, and are told by their names."""

import os
import shutil
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from lofid.errors import ControlError, RecordingError
from lofid.library import Kept, Library, kept_line, span_take
from lofid.span import Span
from tests.journals import Desk

SECONDS = 20
"""A note each second, at 640 ticks to the second."""


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """A session in pieces of a few notes each."""
    desk = Desk(tmp_path, piece_bytes=1200)
    for second in range(SECONDS):
        note = {"tick": second * 640, "channel": 0, "pitch": 40 + second}
        desk.holds["tick"] = second * 640
        desk.scribe.write("on", **note, seconds=float(second), velocity=80)
        desk.scribe.write("off", **note | {"tick": second * 640 + 320}, seconds=second + 0.5)
        desk.flush()
    return desk


def kept(desk: Desk, begin: float, end: float | None, **values: Any) -> Kept:
    what = {"name": "take", "session": desk.scribe.session, "unit": "seconds", "made": "record"}
    return Kept(**{**what, "begin": begin, "end": end, "wall_seconds": 5.0, **values})


def pitches(library: Library, name: str) -> list[int]:
    return [note.pitch - 40 for note in library.transcript(name).notes]


def test_a_take_is_what_sounded_between_two_moments(desk: Desk, tmp_path: Path) -> None:
    """While the session goes on; by seconds, or by ticks, or to the end."""
    library = Library(tmp_path)
    assert library.keep(kept(desk, 4.75, 7.25)).name == "take"
    assert pitches(library, "take") == [5, 6, 7]
    ticks = kept(desk, 4.75 * 640, 7.25 * 640, unit="ticks", name="ticks")
    assert library.keep(ticks).name == "ticks"
    assert pitches(library, "ticks") == [5, 6, 7]
    library.keep(kept(desk, 17.75, None, name="end"))
    assert pitches(library, "end") == [18, 19]
    assert pitches(library, desk.scribe.session) == list(range(SECONDS))


def test_a_take_has_the_pieces_that_hold_it_and_no_more(desk: Desk, tmp_path: Path) -> None:
    """As links; and only their owner may read them."""
    library = Library(tmp_path)
    assert len(desk.pieces()) > 4
    library.keep(kept(desk, 9.0, 10.0))
    files = sorted((tmp_path / "takes" / "take").glob("*.journal"))
    assert 1 <= len(files) < len(desk.pieces()) - 1
    assert all(path.stat().st_nlink == 2 for path in files)
    if os.name == "posix":
        assert [path.stat().st_mode & 0o777 for path in (tmp_path / "takes").rglob("*")] == [
            0o700, *[0o600] * (len(files) + 1)
        ]  # fmt: skip


def test_a_take_outlives_the_journal(desk: Desk, tmp_path: Path) -> None:
    """It is the same when the journal has let its pieces go."""
    library = Library(tmp_path)
    library.keep(kept(desk, 4.75, 7.25))
    for piece in desk.pieces():
        piece.path.unlink()
    assert pitches(library, "take") == [5, 6, 7]


def test_a_file_system_without_links(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """There it is a copy."""

    def no_link(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "link", no_link)
    Library(tmp_path).keep(kept(desk, 4.75, 7.25))
    assert pitches(Library(tmp_path), "take") == [5, 6, 7]
    assert all(path.stat().st_mode & 0o777 == 0o600 for path in (tmp_path / "takes/take").iterdir())


def test_no_take_takes_anothers_name(desk: Desk, tmp_path: Path) -> None:
    library = Library(tmp_path)
    names = [library.keep(kept(desk, n, n + 2.5, wall_seconds=9.0 - n)).name for n in (1, 2, 3)]
    assert names == ["take", "take-2", "take-3"]
    assert [take.name for take in library.takes()] == ["take-3", "take-2", "take"]
    library.delete("take-2")
    assert [take.name for take in library.takes()] == ["take-3", "take"]
    assert library.keep(kept(desk, 5.0, 6.0)).name == "take-2"


@pytest.mark.parametrize("name", ["", ".hidden", "-x", "a/b", "..", "a\nb", "caf\udce9", "x" * 121])
def test_what_no_take_can_be_called(desk: Desk, tmp_path: Path, name: str) -> None:
    """To keep, to read or to delete; the journal is not touched."""
    library = Library(tmp_path)
    for what in (
        lambda: library.keep(kept(desk, 1.0, 2.0, name=name)),
        lambda: library.transcript(name),
        lambda: library.delete(name),
    ):
        with pytest.raises(RecordingError, match="a take cannot be called") as caught:
            what()
        assert str(caught.value).count("\n") == 0
    assert len(list(tmp_path.iterdir())) == len(desk.pieces())


def test_what_is_not_there(tmp_path: Path) -> None:
    library = Library(tmp_path / "nowhere")
    assert (library.takes(), library.sessions()) == ([], {})
    for what in (library.transcript, library.delete):
        with pytest.raises(RecordingError, match=r"no take is called 'take': see 'lofid takes'"):
            what("take")


def test_what_is_no_take_is_told_and_hides_no_other(desk: Desk, tmp_path: Path) -> None:
    """Damaged, half there, or something of another kind."""
    library, folder = Library(tmp_path), tmp_path / "takes"
    for name in ("damaged", "good", "half"):
        library.keep(kept(desk, 1.0, 2.0, name=name))
    (folder / "damaged" / "take.json").write_text("{}")
    (folder / "half" / "take.json").unlink()
    (folder / "notes.txt").touch()
    told: list[str] = []
    assert [take.name for take in library.takes(told.append)] == ["good"]
    assert told == [
        f"{folder}/damaged/take.json: is damaged; 'lofid takes --delete'",
        f"{folder}/half/take.json: is missing; 'lofid takes --delete'",
        f"{folder}/notes.txt/take.json: cannot be read: Not a directory",
    ]
    library.delete("damaged")
    library.delete("half")
    assert sorted(path.name for path in folder.iterdir()) == ["good", "notes.txt"]


def test_a_link_is_deleted_and_not_what_it_leads_to(desk: Desk, tmp_path: Path) -> None:
    library = Library(tmp_path)
    library.keep(kept(desk, 1.0, 2.0))
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "mine").touch()
    (tmp_path / "takes" / "link").symlink_to(tmp_path / "elsewhere")
    library.delete("link")
    assert [path.name for path in (tmp_path / "takes").iterdir()] == ["take"]
    assert (tmp_path / "elsewhere" / "mine").exists()


def test_a_take_is_deleted_at_once(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed before all its files are gone, it is none any more, and hides no other."""
    library = Library(tmp_path)
    library.keep(kept(desk, 1.0, 2.0))

    def killed(_path: Path) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(shutil, "rmtree", killed)
        with pytest.raises(KeyboardInterrupt):
            library.delete("take")
    told: list[str] = []
    assert (library.takes(told.append), told) == ([], [])


def test_nothing_unfinished_is_left(desk: Desk, tmp_path: Path) -> None:
    """Neither by a session that nobody wrote, nor by a crash once the next one tidies up.

    What is new may be another process's work.
    """
    library, takes = Library(tmp_path), tmp_path / "takes"
    with pytest.raises(RecordingError, match="nothing of the session other was written"):
        library.keep(kept(desk, 1.0, 2.0, session="other"))
    for name in (".new", ".old"):
        (takes / name).mkdir(parents=True)
    os.utime(takes / ".old", (0.0, 0.0))
    library.tidy()
    assert [path.name for path in takes.iterdir()] == [".new"]


def test_what_a_crash_left_is_kept_for_a_time(desk: Desk, tmp_path: Path) -> None:
    """As long as the journal; what a person made is kept for ever."""
    library = Library(tmp_path)
    for name in ("old", "new"):
        for made in ("crash", "keep", "record"):
            library.keep(kept(desk, 1.0, 2.0, name=f"{name}-{made}", made=made))
            if name == "old":
                os.utime(tmp_path / "takes" / f"old-{made}" / "take.json", (50.0, 50.0))
    library.forget_crashes(100.0)
    assert sorted(take.name for take in library.takes()) == [
        "new-crash", "new-keep", "new-record", "old-keep", "old-record",
    ]  # fmt: skip


ACTS = st.lists(
    st.tuples(
        st.sampled_from(["on", "off", "control"]),
        st.integers(60, 61),
        st.booleans(),
        st.sampled_from([0.0, 0.5]),
        st.sampled_from([0, 320]),
    ),
    max_size=12,
)


WHOLE = ("5m", "99 bars")
"""Longer than any of these."""


def performed(desk: Desk, acts: list[Any]) -> None:
    """Tell of what is played, some of it while the music stands."""
    for what, pitch, by_person, seconds, ticks in acts:
        desk.clock.seconds += seconds + ticks / 640
        desk.holds["tick"] += ticks
        values: dict[str, Any] = {"channel": 0, "pitch": pitch, "by_person": by_person}
        values |= {"velocity": 80} if what == "on" else {}
        values = {"data": [0xB0, pitch, 1]} if what == "control" else values
        desk.scribe.write(what, tick=desk.holds["tick"], **values)
    desk.flush(0.0)


@example(before=[("control", 60, False, 0.5, 0)], after=[], length="99 bars")
@example(before=[("control", 60, False, 0.0, 0)] * 2, after=[], length="5m")
@given(before=ACTS, after=ACTS, length=st.sampled_from([*WHOLE, "4s", "1 bar", "0.25 bars"]))
def test_what_was_kept_is_all_that_sounded_until_then_and_stays_so(
    tmp_path_factory: pytest.TempPathFactory, before: list[Any], after: list[Any], length: str
) -> None:
    """Also what was played while the music stood, and what still sounds; whatever follows."""
    desk = Desk(tmp_path_factory.mktemp("journal"))
    library = Library(desk.folder)
    performed(desk, before)
    desk.clock.seconds += 3.0
    tick, seconds = desk.holds["tick"], desk.scribe.seconds
    desk.scribe.write("take", tick=tick, seconds=seconds, action="stop", name="take")
    desk.flush(0.25)
    whole = library.transcript(desk.scribe.session)
    library.keep(span_take(Span.parse(length), desk.scribe.session, tick, seconds, 0.0, "take"))
    now = library.transcript("take")
    performed(desk, after)
    later = library.transcript("take")
    assert (now.end.tick, now.end.seconds) == (tick, seconds)
    for name in ("begin", "end", "notes", "controls", "tempos", "keys"):
        assert getattr(now, name) == getattr(later, name)
    if length in WHOLE:
        assert (now.notes, now.controls) == (whole.notes, whole.controls)


@pytest.mark.parametrize(
    ("text", "span", "said"),
    [
        ("5m", Span(seconds=300), "5 min 0 s"),
        ("90s", Span(seconds=90), "1 min 30 s"),
        (" 1.5 H ", Span(seconds=5400), "1 h 30 min 0 s"),
        ("1h30m", Span(seconds=5400), "1 h 30 min 0 s"),
        ("2m 5s", Span(seconds=125), "2 min 5 s"),
        ("40 s", Span(seconds=40), "40 s"),
        ("16 bars", Span(bars=16), "16 bars"),
        ("1bar", Span(bars=1), "1 bar"),
    ],
)
def test_a_span(text: str, span: Span, said: str) -> None:
    assert (Span.parse(text), str(span)) == (span, said)


@pytest.mark.parametrize(
    "text",
    [
        *("", "5", "m", "-5m", "0s", "5 minutes ago", "\u0665m", "1e9s"),
        *("30s5m", "5m5m", "1h 2 bars"),
        *("9" * 400 + "h", "9" * 309 + " bars", "0.0001 bars", "0.0001s"),
    ],
)
def test_what_is_no_span(text: str) -> None:
    with pytest.raises(ControlError, match="is no length: give one such as 90s"):
        Span.parse(text)


def test_the_last_so_much() -> None:
    """As far back as the session goes."""
    seconds = span_take(Span.parse("5m"), "s", 6400, 400.0, 0.0, "a")
    assert (seconds.unit, seconds.begin, seconds.end) == ("seconds", 100.0, 400.0)
    bars = span_take(Span.parse("2 bars"), "s", 6400, 10.0, 0.0, "a")
    assert (bars.unit, bars.begin, bars.end) == ("ticks", 2560.0, 6400.0)
    assert span_take(Span.parse("5m"), "s", 6400, 10.0, 0.0, "a").begin == 0.0
    assert kept_line(bars) == (
        "kept the last 2 bars as the take 'a'; 'lofid export a OUT.mid' makes a file of it"
    )
