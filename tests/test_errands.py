"""Errands: what controllers ask for is done in order, the newest of each, at a bearable rate."""

import asyncio
from typing import Any

import pytest

from lofid.deeds import Command
from lofid.errands import PAUSE_SECONDS, Errands
from lofid.errors import ControlError


class Doer:
    """Does what it is asked for, on a clock that goes when it is slept on."""

    def __init__(self, refuses: str = "") -> None:
        self.done: list[Command] = []
        self.said: list[str] = []
        self.seconds = 0.0
        self.ends = asyncio.Event()
        self._refuses = refuses
        self._rounds: list[list[Command]] = []
        self._over = asyncio.Event()
        self.errands = Errands(self._obey, self.said.append, lambda: self.seconds, self._sleep)

    async def _obey(self, name: str, arguments: list[str]) -> Any:
        self.done.append((name, arguments))
        if name == self._refuses:
            raise ControlError(f"no {arguments[0]}")
        if arguments == ["stop"]:
            await self.ends.wait()
        return f"{name} is done"

    async def _sleep(self, seconds: float) -> None:
        """Let what was begun be done; then what comes next is asked for."""
        for _ in range(5):
            await asyncio.sleep(0)
        self.seconds += seconds
        if not self._rounds:
            self._over.set()
            return
        self._ask()

    def _ask(self) -> None:
        for command in self._rounds.pop(0):
            self.errands.add(command)

    async def run(self, *rounds: list[Command]) -> None:
        """Ask for each round's commands, a pause apart."""
        self._rounds = list(rounds)
        self._ask()
        running = asyncio.create_task(self.errands.run())
        await asyncio.wait_for(self._over.wait(), 10)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


def tempo(text: str) -> Command:
    return "set", ["tempo", text]


async def _done(*rounds: list[Command], refuses: str = "") -> Doer:
    doer = Doer(refuses)
    await doer.run(*rounds)
    return doer


def test_only_the_newest_of_each_setting_is_carried_out() -> None:
    """In the order of the newest: a thousand moves of a knob are one command."""
    moves = [tempo(str(n)) for n in range(60, 100)]
    doer = asyncio.run(_done([*moves, ("set", ["swing", "60"]), ("panic", []), tempo("101")]))
    assert doer.done == [("set", ["swing", "60"]), ("panic", []), tempo("101")]


def test_changes_are_not_told_and_actions_are() -> None:
    doer = asyncio.run(_done([tempo("90"), ("panic", [])]))
    assert doer.said == ["panic is done"]


def test_an_action_that_bounces_is_done_once() -> None:
    """Within 0.3 s after the last press; a setting is set each time."""
    press: list[Command] = [("record", ["toggle"]), tempo("90")]
    pause: list[Command] = [("set", ["swing", "50"])]
    doer = asyncio.run(_done(press, press, *[pause] * 7, press))
    assert doer.done.count(press[0]) == 2
    assert doer.done.count(press[1]) == 3
    assert doer.seconds == pytest.approx(10 * PAUSE_SECONDS)


def test_what_is_refused_is_told_once_a_second() -> None:
    """One line for forty refusals in two seconds is too few, and forty are too many."""
    doer = asyncio.run(_done(*[[tempo(str(n))] for n in range(40)], refuses="set"))
    assert len(doer.done) == 40
    assert doer.said == ["a controller asked in vain: no tempo"] * 2


def test_none_waits_for_a_take_to_be_written() -> None:
    """The end of a take lasts; the music does not wait for it, and lofid can leave meanwhile."""
    doer = asyncio.run(_done([("record", ["stop"]), tempo("90")], [tempo("91")]))
    assert doer.done == [("record", ["stop"]), tempo("90"), tempo("91")]
    assert doer.said == []
