"""Takes outlive the journal, are cut where they were marked, and are told by their names."""

import os
from pathlib import Path
from typing import Any

import pytest

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


@pytest.mark.parametrize("name", ["", ".hidden", "a/b", "..", "a\nb", "x" * 121])
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


def test_a_take_that_is_damaged_is_told(desk: Desk, tmp_path: Path) -> None:
    library = Library(tmp_path)
    library.keep(kept(desk, 1.0, 2.0))
    (tmp_path / "takes" / "take" / "take.json").write_text("{}")
    with pytest.raises(RecordingError, match=r"take\.json: is damaged; 'lofid takes --delete'"):
        library.takes()
    library.delete("take")
    assert library.takes() == []


def test_nothing_unfinished_is_left(desk: Desk, tmp_path: Path) -> None:
    """Neither by a session that nobody wrote, nor by a crash once the next one tidies up."""
    library = Library(tmp_path)
    with pytest.raises(RecordingError, match="nothing of the session other was written"):
        library.keep(kept(desk, 1.0, 2.0, session="other"))
    (tmp_path / "takes" / ".abcd").mkdir(parents=True)
    library.tidy()
    assert list((tmp_path / "takes").iterdir()) == []


@pytest.mark.parametrize(
    ("text", "span", "said"),
    [
        ("5m", Span(seconds=300), "5 min 0 s"),
        ("90s", Span(seconds=90), "1 min 30 s"),
        (" 1.5 H ", Span(seconds=5400), "1 h 30 min 0 s"),
        ("40 s", Span(seconds=40), "40 s"),
        ("16 bars", Span(bars=16), "16 bars"),
        ("1bar", Span(bars=1), "1 bar"),
    ],
)
def test_a_span(text: str, span: Span, said: str) -> None:
    assert (Span.parse(text), str(span)) == (span, said)


@pytest.mark.parametrize(
    "text", ["", "5", "m", "-5m", "0s", "5 minutes ago", "5m30s", "\u0665m", "1e9s"]
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
