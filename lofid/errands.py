"""The errands: commands that the keyboard's controllers ask for, carried out at a bearable rate.

Rules:

* A knob says a hundred things a second, of which only the newest counts: what waits for the same
  setting is replaced. So a take holds no more than twenty changes of a tempo a second.
* The same action twice within a blink is a contact that bounces, and is done once.
* What is refused is told in one line, at most once a second.

Called from the engine's event loop only.
"""

import asyncio
import math
import time
from collections.abc import Awaitable, Callable
from typing import Any

from lofid.deeds import Command
from lofid.errors import LofidError

PAUSE_SECONDS = 0.05
"""Between two rounds; the first move after a pause waits for nothing."""
BOUNCE_SECONDS = 0.3
COMPLAINT_SECONDS = 1.0
Obey = Callable[[str, list[str]], Awaitable[Any]]


class Errands:
    """What waits to be done. ``obey`` does it, ``say`` gets a line for each action.

    ``now`` is a monotonic clock in seconds, ``sleep`` waits on it.
    """

    def __init__(
        self,
        obey: Obey,
        say: Callable[[str], None],
        now: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        self._obey = obey
        self._say = say
        self._now = now
        self._sleep = sleep
        self._waiting: dict[tuple[str, ...], Command] = {}
        self._any = asyncio.Event()
        self._done_seconds: dict[tuple[str, ...], float] = {}
        self._complained_seconds = -math.inf

    def add(self, command: Command) -> None:
        """Have a command carried out soon, in the order of the newest of each kind."""
        kind = _kind(command)
        self._waiting.pop(kind, None)
        self._waiting[kind] = command
        self._any.set()

    async def run(self) -> None:
        """Carry out what comes, for ever. None waits for another's end, such as a take's."""
        async with asyncio.TaskGroup() as group:
            while True:
                await self._any.wait()
                self._any.clear()
                waiting, self._waiting = self._waiting, {}
                for command in waiting.values():
                    if not self._bounces(command):
                        group.create_task(self._carry_out(*command))
                await self._sleep(PAUSE_SECONDS)

    def _bounces(self, command: Command) -> bool:
        name, kind = command[0], _kind(command)
        if name == "set":
            return False
        before, now = self._done_seconds.get(kind, -math.inf), self._now()
        self._done_seconds[kind] = now
        return now - before < BOUNCE_SECONDS

    async def _carry_out(self, name: str, arguments: list[str]) -> None:
        """Do one. A take that is being written is written, also when lofid leaves meanwhile."""
        try:
            answer = await asyncio.shield(asyncio.ensure_future(self._obey(name, arguments)))
        except (LofidError, OSError, ValueError) as error:
            self._complain(f"a controller asked in vain: {error}")
        else:
            if name != "set":
                self._say(str(answer))

    def _complain(self, line: str) -> None:
        if self._now() - self._complained_seconds >= COMPLAINT_SECONDS:
            self._complained_seconds = self._now()
            self._say(line)


def _kind(command: Command) -> tuple[str, ...]:
    """What a newer command must be equal in to take an older one's place."""
    name, arguments = command
    return (name, arguments[0]) if name == "set" else (name, *arguments)
