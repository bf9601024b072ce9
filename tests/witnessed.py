"""A session in simulated time whose engine is a witness, with its journal's entries in a list."""

import json
from collections.abc import Callable, Iterable, Iterator
from itertools import count
from typing import Any

from lofid.comparison import Comparison, Findings
from lofid.entries import Entry, parse
from lofid.inputs import Given, Outcome
from lofid.player.wire import Message
from lofid.predictor import Foreteller
from lofid.records import FRAME_BYTES, encode
from lofid.replay import Made, Replay
from lofid.scribe import Scribe
from lofid.settings import Settings
from lofid.witness import Witness
from tests.world import World

Now = Callable[[], float]


class Sheet:
    """What a scribe is to an engine's chronicle; keeps the records in a list."""

    def __init__(self, now: Now) -> None:
        self.seconds_now = now
        self.records: list[bytes] = []

    def seconds_at(self, moment: float) -> float:
        return moment

    def write(self, what: str, **values: Any) -> None:
        self.records.append(encode(what, {"seconds": self.seconds_now(), **values}))


class Journalled(Witness):
    """A witness that tells a list, as a scribe would write it, of inputs and of what happens."""

    def __init__(self, *how: Any) -> None:
        super().__init__(*how)
        self.sheet = Sheet(self._clock.seconds)
        self.write_to(self.sheet)

    def write_to(self, scribe: Sheet | Scribe) -> None:
        """Have all written there, what there was first."""
        self.chronicle.write_to(scribe)  # type: ignore[arg-type]
        self.tell = lambda data: scribe.write("input", data=data)
        for record in self.sheet.records:
            scribe.write(**json.loads(record[FRAME_BYTES:]))

    def entries(self) -> list[Entry]:
        """What a journal that is read gives: of each record its JSON, parsed."""
        return [parse(record[FRAME_BYTES:]) for record in self.sheet.records]

    def end(self) -> None:
        self.flush()
        self.chronicle.end()


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


class Stage(World):
    """A world that keeps what the player is to play, in ``plays``."""

    def __init__(self, *how: Any) -> None:
        self.plays: list[Message] = []
        super().__init__(*how)

    def _to_player(self, messages: list[Message]) -> None:
        self.plays += [message for message in messages if message["do"] == "play"]
        super()._to_player(messages)


def witnessed(
    predictor: Foreteller,
    settings: Settings,
    latency_seconds: float = 0.0,
    draw: Callable[[], float] = lambda: 1.0,
    seed: int = 7,
) -> tuple[Stage, Journalled]:
    def make(predictor: Foreteller, settings: Settings, _seed: int, now: Now) -> Busy:
        engine = Busy(predictor, settings, seed, now)
        engine.draw = draw
        return engine

    world = Stage(predictor, settings, latency_seconds, make)
    assert isinstance(world.engine, Busy)
    return world, world.engine


class Watched(Replay):
    """A replay that keeps what is to be played, in ``plays``."""

    def __init__(self, predictor: Foreteller, made: Made) -> None:
        super().__init__(predictor, made)
        self.plays: list[Message] = []

    def do(self, given: Given) -> tuple[list[Message], Outcome]:
        messages, outcome = super().do(given)
        self.plays += [message for message in messages if message["do"] == "play"]
        return messages, outcome


def compared(entries: Iterable[Entry], predictor: Foreteller) -> tuple[Findings, list[Message]]:
    """Give what was found, and all that was to be played in the session that was made anew."""
    made_anew: list[Watched] = []

    def make(made: Made) -> Watched:
        made_anew.append(Watched(predictor, made))
        return made_anew[-1]

    findings = Comparison(make).run(entries, [])
    return findings, made_anew[0].plays
