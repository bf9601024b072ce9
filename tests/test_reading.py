"""Reading pieces: what is whole is read, what is not is told with its place."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lofid.entries import Control, Entry, Header, Input, KeyChange, Mark, Off, On, parse
from lofid.pieces import Piece
from lofid.reading import entries_in, first_header, is_ended, reaching_back, reaching_tick
from lofid.records import encode
from tests.journals import WALL, Desk, held

SESSION = "20261126T090000Z-00000001"


def header(session: str = SESSION, **values: object) -> bytes:
    whose = {"format": 2, "lofid": "0.2.0", "session": session, "wall_seconds": WALL}
    rest = {"seconds": 0.0, **held(), "sounding": [], "controls": []}
    return encode("header", {**whose, **rest, **values})


def mark(text: str) -> bytes:
    return encode("mark", {"tick": 1, "seconds": 0.5, "text": text})


def gap() -> bytes:
    return encode("gap", {"seconds": 1, "from_seconds": 1, "records": 0, "why": "no space"})


def written(folder: Path, *pieces: bytes, first: int = 1) -> list[Piece]:
    paths = [folder / f"{SESSION}-{first + n:06}.journal" for n in range(len(pieces))]
    for path, data in zip(paths, pieces, strict=True):
        path.write_bytes(data)
    return [Piece(SESSION, first + n, path) for n, path in enumerate(paths)]


def read(pieces: list[Piece]) -> tuple[list[str], list[str]]:
    """Give all entries in short, a header as ``|``, and the faults without their folder."""
    faults: list[str] = []
    texts = [getattr(e, "text", "|" if e.what == "header" else e.what)
             for e in entries_in(pieces, faults.append)]  # fmt: skip
    return texts, [line.rsplit("/", 1)[-1].removeprefix(SESSION) for line in faults]


@pytest.mark.parametrize(
    ("payload", "entry"),
    [
        (
            b'{"what":"on","tick":960,"seconds":1.5,"channel":0,"pitch":63,"velocity":90}',
            On(960, 1.5, 0, 63, 90),
        ),
        (
            b'{"what":"off","tick":960,"seconds":2,"channel":0,"pitch":63,"by_person":true}',
            Off(960, 2.0, 0, 63, 64, by_person=True),
        ),
        (
            b'{"what":"control","tick":1,"seconds":2,"data":[176,64,127]}',
            Control(1, 2.0, (0xB0, 64, 127)),
        ),
        (b'{"what":"control","tick":1,"seconds":2,"data":[192,5]}', Control(1, 2.0, (0xC0, 5))),
        (b'{"what":"key","tick":1,"seconds":2,"text":"F minor"}', KeyChange(1, 2.0, "F minor")),
        (b'{"what":"input","seconds":2,"data":{"is":[1,null]}}', Input(2.0, {"is": [1, None]})),
    ],
)
def test_a_record_is_an_entry(payload: bytes, entry: Entry) -> None:
    assert parse(payload) == entry


@pytest.mark.parametrize(
    ("payload", "message"),
    [
        (b'{"what":"on","tick":1,"seconds":1,"channel":0,"pitch":128,"velocity":90}',
         "on.pitch Input should be less than or equal to 127"),
        (b'{"what":"on","tick":1,"seconds":1,"channel":0,"pitch":12,"velocity":0}',
         "on.velocity Input should be greater than or equal to 1"),
        (b'{"what":"on","tick":1.5,"seconds":1,"channel":0,"pitch":12,"velocity":1}',
         "on.tick Input should be a valid integer"),
        (b'{"what":"end","tick":1,"seconds":NaN}', "end.seconds Input should be a finite number"),
        (b'{"what":"key","tick":1,"seconds":1,"text":"H"}',
         "key.text 'H' is not a key such as 'F minor' or 'Eb major'"),
        (b'{"what":"tempo","tick":1,"seconds":1,"bpm":0}',
         "tempo.bpm Input should be greater than 0"),
        (b'{"what":"control","tick":1,"seconds":1,"data":[176,5]}',
         "control.data MIDI has no such controller: [176, 5]"),
        (b'{"what":"control","tick":1,"seconds":1,"data":[192,5,5]}',
         "control.data MIDI has no such controller: [192, 5, 5]"),
        (b'{"what":"control","tick":1,"seconds":1,"data":[144,5,5]}',
         "control.data MIDI has no such controller: [144, 5, 5]"),
        (b'{"tick":1}', "Unable to extract tag using discriminator 'what'"),
        (b'{"what":"end"', "Invalid JSON: EOF while parsing an object at line 1 column 13"),
        (b"[" * 100_000, "Invalid JSON: recursion limit exceeded at line 1 column 202"),
    ],
)  # fmt: skip
def test_what_is_no_entry_is_said_in_one_line(payload: bytes, message: str) -> None:
    with pytest.raises(ValueError, match=r".") as caught:
        parse(payload)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"channels": {"lead": 0}}, "header.channels lacks keys"),
        ({"channels": {}}, "header.channels lacks keys, lead"),
        ({"channels": {"lead": 3, "keys": 3}}, "header.channels lead and keys share channel 3"),
        ({"settings": {"music": 7}}, "header.settings.music Input should be an object"),
    ],
)
def test_what_is_no_header_is_said_in_one_line(
    tmp_path: Path, values: dict[str, Any], message: str
) -> None:
    """And a piece that begins so is read no further."""
    _, faults = read(written(tmp_path, header(**values) + mark("unread")))
    assert len(faults) == 1
    assert message in faults[0]


HURT = mark("hurt").replace(b"hurt", b"hurl")
SIZE = len(header())


@pytest.mark.parametrize(
    ("pieces", "texts", "faults"),
    [
        pytest.param([header() + mark("a"), header() + mark("b")], "|a|b", [], id="whole"),
        pytest.param([header() + mark("a") + b"\x20\0"], "|a", [], id="torn at the end"),
        pytest.param([header() + mark("a") + HURT], "|a", [], id="damaged at the end"),
        pytest.param(
            [header() + HURT + mark("a"), header() + mark("b")],
            "|a|b",
            [f"-000001.journal, byte {SIZE}: 60 bytes are damaged or torn off; they are left out"],
            id="damaged within",
        ),
        pytest.param(
            [header() + mark("a")[:30], header() + mark("b")],
            "||b",
            [f"-000001.journal, byte {SIZE}: 30 bytes are damaged or torn off; they are left out"],
            id="torn in the middle",
        ),
        pytest.param(
            [header() + mark("a")[:30], header() + gap() + mark("b")], "||gapb", [],
            id="torn by a disk that was full",
        ),
        pytest.param([header() + mark("a"), b""], "|a", [], id="killed before the header"),
        pytest.param([header() + mark("a"), header()[:50]], "|a", [], id="killed in the header"),
        pytest.param(
            [b"x" + header()[1:] + mark("a"), header() + mark("b")],
            "|b",
            [f"-000001.journal, byte 0: {SIZE} bytes are damaged or torn off; they are left out"],
            id="the first header is damaged",
        ),
        pytest.param(
            [header() + mark("a"), b"x" + header()[1:] + mark("b")],
            "|ab",
            [f"-000002.journal, byte 0: {SIZE} bytes are damaged or torn off; they are left out"],
            id="another header is damaged",
        ),
        pytest.param(
            [header(format=3) + mark("a"), header() + mark("b")],
            "|b",
            ["-000001.journal, byte 0: header.format is 3; this lofid knows 2; "
             "the piece is left out"],
            id="another format",
        ),
        pytest.param(
            [header() + encode("dance", {"tick": 1}) + mark("a")],
            "|a",
            [f"-000001.journal, byte {SIZE}: Input tag 'dance' found using 'what' does not match "
             "any of the expected tags: 'header', 'on', 'off', 'control', 'tempo', 'key', 'set', "
             "'mark', 'transport', 'take', 'end', 'input', 'gap'; it is left out"],
            id="an unknown kind",
        ),
        pytest.param(
            [header() + mark("a"), header("20261126T090000Z-00000002") + mark("b")],
            "|a",
            ["-000002.journal, byte 0: is of session '20261126T090000Z-00000002'; "
             "the piece is left out"],
            id="another session's",
        ),
        pytest.param([b""], "", [], id="empty"),
    ],
)  # fmt: skip
def test_what_is_whole_is_read_and_what_is_not_is_told(
    tmp_path: Path, pieces: list[bytes], texts: str, faults: list[str]
) -> None:
    found, told = read(written(tmp_path, *pieces))
    assert ("".join(found), told) == (texts, faults)


def test_a_piece_that_is_missing_is_told(tmp_path: Path) -> None:
    pieces = written(tmp_path, *(header() + mark(text) for text in "abcd"))
    assert read([pieces[0], *pieces[2:]]) == (
        ["|", "a", "|", "c", "|", "d"],
        ["-000003.journal: is the session's piece 3, after 1"],
    )


def test_pieces_that_went_for_their_age_are_not_missed(tmp_path: Path) -> None:
    assert read(written(tmp_path, header() + mark("a"), first=7)) == (["|", "a"], [])


def test_a_piece_that_goes_while_it_is_read_is_told(tmp_path: Path) -> None:
    pieces = written(tmp_path, header() + mark("a"), header() + mark("b"))
    pieces[0].path.unlink()
    assert read(pieces) == (
        ["|", "b"],
        ["-000001.journal: cannot be read: No such file or directory"],
    )


def test_what_is_too_large_for_a_piece_is_left_out(tmp_path: Path) -> None:
    (piece,) = written(tmp_path, b"")
    with piece.path.open("wb") as file:
        file.truncate(2**26 + 1)
    assert read([piece]) == (
        [],
        ["-000001.journal: is too large for a piece of a journal; it is left out"],
    )


@given(data=st.data())
def test_whatever_is_cut_off_a_piece_a_prefix_is_read(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    """Without a word, as that is what a crash leaves."""
    texts = [f"{number}" for number in range(5)]
    whole = header() + b"".join(map(mark, texts))
    cut = data.draw(st.integers(0, len(whole)))
    found, faults = read(written(tmp_path_factory.mktemp("piece"), whole[:cut]))
    assert found == ["|", *texts][: len(found)]
    assert faults == []
    assert (len(found) == 6) == (cut == len(whole))


@given(place=st.integers(0, len(header()) + 5 * len(mark("0")) - 1), bit=st.integers(0, 7))
def test_whatever_bit_flips_is_told_or_costs_only_the_last_record(
    tmp_path_factory: pytest.TempPathFactory, place: int, bit: int
) -> None:
    whole = bytearray(header() + b"".join(mark(f"{number}") for number in range(5)))
    whole[place] ^= 1 << bit
    pieces = written(tmp_path_factory.mktemp("pieces"), header(), bytes(whole), header() + gap())
    found, faults = read(pieces)
    hurt = 0 if place < SIZE else 1 + (place - SIZE) // len(mark("0"))
    expected = ["|", *"01234"]
    del expected[hurt]
    assert found == ["|", *expected, "|", "gap"]
    assert len(faults) == (hurt < 5)


@pytest.mark.parametrize(
    ("reach", "at", "first"),
    [
        (reaching_back, -1.0, 1),
        (reaching_back, 12.0, 1),
        (reaching_back, 12.1, 2),
        (reaching_back, 25.0, 3),
        (reaching_back, 999.0, 3),
        (reaching_tick, 4800 + 1920, 1),
        (reaching_tick, 4801 + 1920, 2),
    ],
)
def test_the_last_minutes_need_the_last_pieces_only(
    tmp_path: Path, reach: Callable[..., list[Piece]], at: int, first: int
) -> None:
    pieces = written(tmp_path, *(header(seconds=10 * n, tick=4800 * n) for n in range(3)))
    assert reach(pieces, at) == pieces[first - 1 :]


def test_a_header_can_be_read_alone(tmp_path: Path) -> None:
    whole, torn, gone = written(tmp_path, header(tick=7) + mark("a"), header()[:-1], b"")
    gone.path.unlink()
    found = first_header(whole)
    assert isinstance(found, Header)
    assert found.tick == 7
    assert (first_header(torn), first_header(gone)) == (None, None)


@pytest.mark.parametrize(
    ("last", "ended"),
    [
        (header() + mark("a") + encode("end", {"tick": 1, "seconds": 1}), True),
        (header() + mark("a") + encode("end", {"tick": 1, "seconds": 1})[:-1], False),
        (header() + mark("a"), False),
        (b"", False),
    ],
)
def test_a_session_that_was_cut_off_is_known_by_its_last_piece(
    tmp_path: Path, last: bytes, ended: bool
) -> None:
    assert is_ended(written(tmp_path, header() + mark("a"), last)) == ended


def test_a_journal_is_read_while_it_is_written(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    for number in range(3):
        desk.mark(f"{number}")
        desk.flush()
        assert desk.read()[0][-1] == Mark(0, float(number), f"{number}")
