"""Who plays on is heard before the answer goes on; but the music is composed all the same."""

import asyncio
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

from lofid.config import load
from lofid.daemon import Daemon


class Room:
    """An engine whose answers are five messages long, and a player that always has more to say."""

    def __init__(self, daemon: Any, has_more: bool) -> None:
        self.sent: list[int] = []
        self.has_more = has_more
        daemon._maybe_engine = SimpleNamespace(answer=self.answer)
        daemon._troupe = self

    def answer(self) -> Iterator[int]:
        yield from range(5)

    def send(self, messages: list[int]) -> None:
        self.sent += messages


def _answered(has_more: bool, times: int, is_heard: bool = True) -> list[int]:
    daemon: Any = Daemon(load(None, {}), None, print)
    room = Room(daemon, has_more)

    async def answer() -> None:
        for _ in range(times):
            daemon._is_heard = is_heard
            await daemon._answer()

    asyncio.run(answer())
    return room.sent


def test_an_answer_is_left_three_times_in_a_row_at_most() -> None:
    """A flood of messages would otherwise starve the composing."""
    assert _answered(True, 4) == [0, 0, 0, 0, 1, 2, 3, 4]
    assert _answered(True, 6) == [0, 0, 0, 0, 1, 2, 3, 4, 0, 0]


def test_what_is_no_key_may_always_come_between() -> None:
    """Of such there is no flood, for it comes of the notes that were composed."""
    assert _answered(True, 6, is_heard=False) == [0] * 6


def test_nobody_plays_on_and_all_of_it_is_sent() -> None:
    assert _answered(False, 2) == [0, 1, 2, 3, 4, 0, 1, 2, 3, 4]
