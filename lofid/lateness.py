"""Lateness: a histogram of whole microseconds, in memory that never grows.

Buckets are as narrow as a value's eight highest bits can tell: exact below 256 us, at most 1/128
(0.8 percent) wide above, as in Gil Tene's HdrHistogram.
"""

from array import array
from math import ceil

HIGHEST_BITS = 8
"""Of a value, so many are looked at; the others only say how far to shift."""

LONGEST_BITS = 36
"""19 hours: what is later still is counted with what is that late."""

_HALF = 1 << (HIGHEST_BITS - 1)
_LONGEST_US = (1 << LONGEST_BITS) - 1


class Lateness:
    """How late things were. Not thread-safe: it belongs to the engine's thread.

    ``count`` is how many were taken in; ``max`` is the greatest of them, exactly, 0 at first.
    """

    def __init__(self) -> None:
        self.count = 0
        self.max = 0
        self._buckets = array("Q", bytes(8 * (_bucket(_LONGEST_US) + 1)))

    def add(self, late_us: int) -> None:
        """Take one in. What came before its time counts as on time."""
        late_us = max(late_us, 0)
        self.count += 1
        self.max = max(self.max, late_us)
        self._buckets[_bucket(min(late_us, _LONGEST_US))] += 1

    def quantile(self, share: float) -> int:
        """Give the lateness that this share (above 0, up to 1) did not exceed; 0 where none is.

        It is the nearest rank's, in whole microseconds, to within half a bucket: 0.4 percent.
        """
        rank = ceil(share * self.count)
        if rank >= self.count:
            return self.max
        reached = 0
        for bucket, count in enumerate(self._buckets):
            reached += count
            if reached >= rank:
                return min(_middle(bucket), self.max)
        raise AssertionError("the buckets hold as many as were counted")

    @property
    def p50(self) -> int:
        """The median."""
        return self.quantile(0.5)

    @property
    def p99(self) -> int:
        """What 99 of a hundred did not exceed."""
        return self.quantile(0.99)


def _bucket(value: int) -> int:
    """Number the buckets from 0: 256 of one microsecond, then 128 for each doubling."""
    shift = max(value.bit_length() - HIGHEST_BITS, 0)
    return shift * _HALF + (value >> shift)


def _middle(bucket: int) -> int:
    """Give the value in the middle of a bucket."""
    shift = max(bucket // _HALF - 1, 0)
    lowest = (bucket - shift * _HALF) << shift
    return lowest + ((1 << shift) >> 1)
