"""Records: values in, bytes out, and back whatever happened to the bytes."""

import json
import zlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lofid.entries import Mark, parse
from lofid.records import MOST_BYTES, Damage, Record, decode, encode

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=4,
)  # fmt: skip
WHATS = st.sampled_from(["on", "off", "mark", "input"])
VALUES = st.dictionaries(st.text().filter("what".__ne__), JSON, max_size=3)
RECORDS = st.lists(st.tuples(WHATS, VALUES), max_size=6)


def joined(records: list[tuple[str, dict[str, Any]]]) -> tuple[bytes, list[int]]:
    """Give all records one after the other, and where each begins; also where the last ends."""
    parts = [encode(what, values) for what, values in records]
    offsets = [sum(map(len, parts[:count])) for count in range(len(parts) + 1)]
    return b"".join(parts), offsets


def read(data: bytes) -> tuple[list[dict[str, Any]], list[Damage]]:
    found = list(decode(data))
    whole = [json.loads(record.payload) for record in found if isinstance(record, Record)]
    return whole, [damage for damage in found if isinstance(damage, Damage)]


def dicts(records: list[tuple[str, dict[str, Any]]]) -> list[dict[str, Any]]:
    return [{"what": what, **values} for what, values in records]


def test_a_record_is_its_length_its_checksum_and_json() -> None:
    payload = b'{"what":"on","tick":960,"pitch":63}'
    assert encode("on", {"tick": 960, "pitch": 63}) == (
        b"\x23\x00\x00\x00" + b"\x66\x5c\x8e\x54" + payload
    )
    assert zlib.crc32(payload) == 0x548E5C66


@given(records=RECORDS)
def test_any_records_come_back(records: list[tuple[str, dict[str, Any]]]) -> None:
    data, offsets = joined(records)
    assert read(data) == (dicts(records), [])
    assert [record.offset for record in decode(data) if isinstance(record, Record)] == offsets[:-1]


@given(records=RECORDS, data=st.data())
def test_what_is_cut_off_anywhere_gives_the_records_before_the_cut(
    records: list[tuple[str, dict[str, Any]]], data: st.DataObject
) -> None:
    written, offsets = joined(records)
    cut = data.draw(st.integers(0, len(written)))
    count = sum(offset <= cut for offset in offsets) - 1
    torn = cut - offsets[count]
    expected = [Damage(offsets[count], torn, is_last=True)] if torn else []
    assert read(written[:cut]) == (dicts(records)[:count], expected)


@given(records=RECORDS.filter(bool), bit=st.integers(0, 7), data=st.data())
def test_any_flipped_bit_costs_its_own_record_and_is_told(
    records: list[tuple[str, dict[str, Any]]], bit: int, data: st.DataObject
) -> None:
    """The others are read, before it and behind it."""
    written, offsets = joined(records)
    place = data.draw(st.integers(0, len(written) - 1))
    flipped = bytearray(written)
    flipped[place] ^= 1 << bit
    hurt = sum(offset <= place for offset in offsets) - 1
    begin, end = offsets[hurt], offsets[hurt + 1]
    expected = dicts(records)
    del expected[hurt]
    assert read(bytes(flipped)) == (expected, [Damage(begin, end - begin, end == len(written))])


@given(data=st.binary(max_size=300))
def test_any_bytes_are_read_to_their_end(data: bytes) -> None:
    """What is no record is told once in one go, and never overlaps what is one."""
    found = list(decode(data))
    lengths = [len(f.payload) + 8 if isinstance(f, Record) else f.length for f in found]
    assert [f.offset for f in found] == [sum(lengths[:count]) for count in range(len(lengths))]
    assert sum(lengths) == len(data)


def test_zeros_at_the_end_are_what_a_power_cut_may_leave() -> None:
    whole = encode("end", {"tick": 5})
    assert list(decode(whole + bytes(4096))) == [
        Record(0, b'{"what":"end","tick":5}'),
        Damage(len(whole), 4096, is_last=True),
    ]


def test_a_file_made_to_keep_a_reader_busy_does_not() -> None:
    """Each 12 bytes of it seem to begin a record of a megabyte."""
    seeming = b"\x00\x00\x0f\x00" + b"????" + b"{   "
    data = seeming * (4 * 2**20 // len(seeming))
    assert list(decode(data)) == [Damage(0, len(data), is_last=True)]


@pytest.mark.parametrize(
    ("values", "error"),
    [
        ({"text": "x" * MOST_BYTES}, ValueError),
        ({"seconds": float("nan")}, ValueError),
        ({"data": b"bytes"}, TypeError),
    ],
)
def test_what_json_cannot_say_is_refused(values: dict[str, object], error: type[Exception]) -> None:
    with pytest.raises(error):
        encode("mark", values)


def test_a_text_that_is_no_unicode_is_written_as_far_as_it_is() -> None:
    """As a file's name may be, or what somebody types in another encoding."""
    (record,) = decode(encode("mark", {"tick": 0, "seconds": 0.0, "text": "caf\udce9 \u2026"}))
    assert isinstance(record, Record)
    assert parse(record.payload) == Mark(0, 0.0, "caf? \u2026")


def test_the_longest_record_comes_back() -> None:
    empty = len(encode("mark", {"text": ""})) - 8
    longest = encode("mark", {"text": "x" * (MOST_BYTES - empty)})
    assert [type(found) for found in decode(longest * 2)] == [Record, Record]
