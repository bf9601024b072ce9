"""What waits: in order, bounded, and what is lost is counted."""

from hypothesis import given
from hypothesis import strategies as st

from lofid.waiting import MOST_WAITING_BYTES, Batch, Waiting

PART = MOST_WAITING_BYTES // 4
DEEDS = st.lists(st.sampled_from(["add", "add", "take", "written", "kept"]), max_size=60)


def batch(number: int) -> Batch:
    """A fourth of what may wait, in two records."""
    size = PART // 2 - 50
    return Batch(float(number), b"%100d" % number, [bytes(size), bytes(size)])


def all_of(waiting: Waiting) -> list[tuple[int, int, float]]:
    """Take all out: which each was, how many records were lost before it, and since when."""
    found = []
    while (first := waiting.take()) is not None:
        found.append((int(first.header), first.lost, first.lost_from))
        waiting.put_back(is_written=True)
    return found


def test_the_oldest_is_lost_and_said_with_the_next() -> None:
    waiting = Waiting()
    for number in range(7):
        waiting.add(batch(number))
    assert all_of(waiting) == [(3, 6, 0.0), (4, 0, 0.0), (5, 0, 0.0), (6, 0, 0.0)]


def test_what_is_being_written_is_never_lost() -> None:
    waiting = Waiting()
    waiting.add(batch(0))
    waiting.take()
    for number in range(1, 7):
        waiting.add(batch(number))
    waiting.put_back(is_written=True)
    assert all_of(waiting) == [(4, 6, 1.0), (5, 0, 0.0), (6, 0, 0.0)]


def test_one_that_is_too_large_alone_waits_all_the_same() -> None:
    waiting = Waiting()
    waiting.add(Batch(0.0, b"0", [bytes(MOST_WAITING_BYTES)]))
    assert all_of(waiting) == [(0, 0, 0.0)]


@given(deeds=DEEDS)
def test_each_batch_is_written_once_or_counted_as_lost(deeds: list[str]) -> None:
    waiting, told, in_hand = Waiting(), 0, None
    written: list[tuple[int, int, float]] = []
    for deed in deeds:
        if deed == "add":
            waiting.add(batch(told))
            told += 1
        elif deed == "take" and in_hand is None:
            in_hand = waiting.take()
        elif deed in ("written", "kept") and in_hand is not None:
            if deed == "written":
                written.append((int(in_hand.header), in_hand.lost, in_hand.lost_from))
            waiting.put_back(is_written=deed == "written")
            in_hand = None
    if in_hand is not None:
        waiting.put_back(is_written=False)
    left = all_of(waiting)
    assert len(left) <= 4
    expected = 0
    for number, lost, lost_from in written + left:
        assert lost == 2 * (number - expected)
        assert lost_from == (float(expected) if lost else 0.0)
        expected = number + 1
    assert expected == told
