"""Records: what a journal is made of, as bytes. Pure: no file, no clock.

A record is, one after the other:

* the payload's length in bytes, 32 bits, little-endian;
* the payload's CRC-32 (that of zlib and IEEE 802.3), 32 bits, little-endian;
* the payload: a JSON object in UTF-8 without spaces, whose ``what`` says which kind it is.

Rules:

* A record is never empty and never longer than :data:`MOST_BYTES`, so the fourth byte of its length
  is zero. JSON holds no zero byte. So a record cannot seem to begin within another one's payload,
  and after damage the next whole record is found.
* What was cut off anywhere gives the records before the cut. Damage costs the records that it lies
  in, and is told with its place.
"""

import json
import struct
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

MOST_BYTES = 2**20
"""The longest payload. What is written once a second is some ten records of a hundred bytes."""
MOST_CHECKED_BYTES = 2**26
"""So much is summed up in the search for the next whole record, and then no more: a file can be
made such that every byte of it seems to begin a long one."""

_FRAME = struct.Struct("<II")
FRAME_BYTES = _FRAME.size
"""What stands before each payload."""
_ENCODER = json.JSONEncoder(separators=(",", ":"), allow_nan=False, ensure_ascii=False)


class Record(NamedTuple):
    """One whole record: where it begins, and its payload."""

    offset: int
    payload: bytes


@dataclass(frozen=True, slots=True)
class Damage:
    """Bytes that are no record: where they begin, how many, and whether no record follows them.

    One that ``is_last`` is what a crash or a full disk leaves behind: a record torn off.
    """

    offset: int
    length: int
    is_last: bool


def encode(what: str, values: Mapping[str, object]) -> bytes:
    """Write one record. TypeError or ValueError for what JSON cannot say, or is too long.

    Of a text that is no Unicode, as a file's name may be, nobody could read the record: what is
    wrong in it becomes ``?``.
    """
    payload = _ENCODER.encode({"what": what, **values}).encode("utf-8", "replace")
    if len(payload) > MOST_BYTES:
        raise ValueError(f"a record of {len(payload)} bytes is longer than {MOST_BYTES}")
    return _FRAME.pack(len(payload), zlib.crc32(payload)) + payload


def decode(data: bytes) -> Iterator[Record | Damage]:
    """Give the records in ``data`` in their order, and what is none."""
    offset = 0
    while offset < len(data):
        found = _record_at(data, offset)
        if found is None:
            end = _next_record(data, offset + 1)
            yield Damage(offset, end - offset, is_last=end == len(data))
        else:
            payload, end = found
            yield Record(offset, payload)
        offset = end


def _record_at(data: bytes, offset: int) -> tuple[bytes, int] | None:
    """Give the payload of the record that begins here, and where it ends; None if none does."""
    start, end, checksum = _frame_at(data, offset)
    payload = data[start:end]
    if end > len(data) or not payload.startswith(b"{") or zlib.crc32(payload) != checksum:
        return None
    return payload, end


def _frame_at(data: bytes, offset: int) -> tuple[int, int, int]:
    """Give where a payload would begin and end, and its checksum; one too long never ends."""
    start = offset + FRAME_BYTES
    if start > len(data):
        return start, len(data) + 1, 0
    length, checksum = _FRAME.unpack_from(data, offset)
    return start, start + length if length <= MOST_BYTES else len(data) + 1, checksum


def _next_record(data: bytes, offset: int) -> int:
    """Give where the next whole record begins, from ``offset`` on; the end if there is none."""
    left = MOST_CHECKED_BYTES
    while left > 0 and (zero := data.find(b"\0", offset + 3)) >= 0:
        offset = zero - 3
        start, end, _ = _frame_at(data, offset)
        if end <= len(data):
            if _record_at(data, offset) is not None:
                return offset
            left -= end - start
        offset += 1
    return len(data)
