"""The commands: what ``lofid ctl``, and a controller, may ask of a session that plays.

Everything here is called in the event loop.
"""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from lofid.desk import Desk
from lofid.engine import Engine
from lofid.errors import ControlError
from lofid.meter import Meter
from lofid.player.wire import Message
from lofid.seeding import Seeding
from lofid.takes import Takes
from lofid.troupe import Troupe

ANYTIME = ("panic", "forget")
"""What can be done while a player is replaced, too."""
LONGEST_SETTING = 200
"""What no setting's name and value come to, in characters."""
_OPENED = ("backend", "output", "input", "clock", "latency_ms", "realtime", "realtime_note")


class Commands:
    """Carries out commands on one session; ``leave`` ends it."""

    def __init__(
        self,
        engine: Engine,
        troupe: Troupe,
        takes: Takes,
        desk: Desk,
        seeding: Seeding,
        leave: Callable[[], None],
    ) -> None:
        self._engine = engine
        self._troupe = troupe
        self._takes = takes
        self._desk = desk
        self._seeding = seeding
        self._leave = leave
        self._meter = Meter()
        self._started = time.monotonic()

    def start(self) -> None:
        """Count time and cost from here on: starting up does not count."""
        self._meter.start(self._troupe.pid)
        self._started = time.monotonic()

    async def obey(self, command: str, arguments: list[str]) -> Any:
        """Do what is asked; give the answer. LofidError with the reason when it cannot be done."""
        match command, arguments:
            case "status", []:
                return self._status()
            case "set", [name, text] if len(name) + len(text) > LONGEST_SETTING:
                raise ControlError(f"no setting is longer than {LONGEST_SETTING} characters")
            case "set", [name, text]:
                self._troupe.send(self._engine.set(name, text))
                return f"{name} = {text}"
            case ("stop" | "start" | "continue" | "toggle" | "panic" | "forget") as what, []:
                return self._conduct(what)
            case "quit", []:
                self._leave()
                return "leaving"
        return await self._attend(command, arguments)

    async def _attend(self, command: str, arguments: list[str]) -> str:
        """Do what may take a while."""
        match command, arguments:
            case "record", ["start"] | ["start", _] | ["toggle"] | ["stop"]:
                return await self._takes.obey(*arguments)
            case "keep", [length, *name] if len(name) <= 1:
                return await self._takes.keep(length, *name)
            case "seed", [file]:
                messages, answer = await self._seeding.seed(Path(file))
                self._troupe.send(messages)
                return answer
            case "learn" | "unlearn", _:
                return await self._teach(command, " ".join(arguments))
        raise ControlError(f"unknown command {command!r} with {len(arguments)} arguments")

    async def _teach(self, command: str, what: str) -> str:
        """Learn, or forget, what a controller does; ``learn`` alone calls a lesson off."""
        if command == "unlearn":
            return await self._desk.forget(what)
        return await self._desk.learn(what) if what else self._desk.stop_learning()

    def _conduct(self, what: str) -> str:
        engine = self._engine
        if what == "toggle":
            what = "stop" if engine.is_moving else "continue"
        deeds: dict[str, tuple[Callable[[], list[Message]], str]] = {
            "stop": (engine.halt, "stopped"),
            "start": (engine.start, "playing from the next bar line"),
            "continue": (engine.go_on, "playing"),
            "panic": (lambda: [{"do": "panic"}], "all notes off"),
            "forget": (self._forget, "forgotten: what comes next begins anew"),
        }
        deed, answer = deeds[what]
        if what not in ANYTIME and not self._troupe.is_playing:
            what_for = self._troupe.waits_for or "another player process"
            raise ControlError(f"lofid waits for {what_for}: '{what}' when it plays again")
        self._troupe.send(deed())
        return answer

    def _forget(self) -> list[Message]:
        self._seeding.call_off()
        return self._engine.forget()

    def _status(self) -> dict[str, Any]:
        opened, pid = self._troupe.opened, self._troupe.pid
        seconds = time.monotonic() - self._started
        return {
            **self._engine.status(),
            **self._takes.status(),
            **{name: opened[name] for name in _OPENED},
            "controllers": self._desk.table,
            "learning": self._desk.learning,
            "keyboard": self._troupe.keyboard,
            "waits_for": self._troupe.waits_for,
            "seconds": round(seconds, 1),
            "memory_mb": round(self._meter.memory_bytes(pid) / 2**20, 1),
            "cpu_percent": round(100 * self._meter.cpu_seconds(pid) / max(seconds, 1e-3), 2),
        }
