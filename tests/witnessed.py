"""A session in simulated time whose engine is a witness, with its journal's entries in a list."""

import json
from collections.abc import Callable, Iterator
from functools import partial
from itertools import count
from typing import Any

from lofid.comparison import Comparison, Findings
from lofid.entries import Entry, parse
from lofid.player.wire import Message
from lofid.predictor import Foreteller
from lofid.records import FRAME_BYTES, encode
from lofid.replay import Replay
from lofid.settings import Settings
from lofid.witness import Witness
from tests.world import World

Now = Callable[[], float]


class Journalled(Witness):
    """A witness that tells a list, as a scribe would write it, of inputs and of what sounds."""

    def __init__(self, *how: Any) -> None:
        super().__init__(*how)
        self.records: list[bytes] = []
        self.answered: list[Message] = []
        self.tell = lambda data: self._write("input", data=data)

    def _write(self, what: str, **values: Any) -> None:
        self.records.append(encode(what, {"seconds": self._clock.seconds(), **values}))

    def receive(self, message: Message) -> list[Message]:
        if message["is"] == "on":
            self._write("on", **{n: message[n] for n in ("tick", "channel", "pitch", "velocity")})
        return super().receive(message)

    def entries(self) -> list[Entry]:
        """What a journal that is read gives: of each record its JSON, parsed."""
        return [parse(record[FRAME_BYTES:]) for record in self.records]

    def end(self) -> None:
        self.flush()
        self._write("end", tick=self.tick_now())


class Busy(Journalled):
    """One whose clock never stands still, and whose answers are left, or somebody asks meanwhile.

    ``draw`` gives random numbers from 0 to 1. What is asked for meanwhile is done by the player
    after the answer's message, as in a daemon.
    """

    def __init__(self, predictor: Foreteller, settings: Settings, seed: int, now: Now) -> None:
        self.draw: Callable[[], float] = lambda: 1.0
        reads = count()
        super().__init__(predictor, settings, seed, lambda: now() + 0.0004 * next(reads))

    def answer(self) -> Iterator[Message]:
        for message in super().answer():
            yield message
            drawn = self.draw()
            if drawn < 0.2:
                return
            if drawn < 0.4:
                yield from self.set(*("tempo", "132") if drawn < 0.25 else ("swing", "66"))
            elif drawn < 0.45:
                yield from self.set("mode", "answer" if drawn < 0.43 else "listen")
            elif drawn < 0.5:
                yield from self.forget()


def witnessed(
    predictor: Foreteller,
    settings: Settings,
    latency_seconds: float = 0.0,
    draw: Callable[[], float] = lambda: 1.0,
) -> tuple[World, Journalled]:
    world = World(predictor, settings, latency_seconds, Busy)
    assert isinstance(world.engine, Busy)
    world.engine.draw = draw
    return world, world.engine


def compared(entries: list[Entry], predictor: Foreteller) -> Findings:
    return Comparison(partial(Replay, predictor)).run(entries, [])


def plain(records: list[bytes]) -> list[dict[str, Any]]:
    return [json.loads(record[FRAME_BYTES:]) for record in records]
