"""The witness: an engine that keeps all that goes into it, so that it can be done again.

Rules:

* Everything that an engine's music depends on goes in by the methods here: what the player says,
  what somebody asks for, when, and how much of each answer was taken before something else came.
* The clock stands still during an input: it is read once, in whole microseconds, and kept with it.
* That a note sounded is no input. It is in the journal already, and no music depends on it.
* Inputs are told in batches, at the latest with the first that comes a second after the others:
  a player says something about once a second. No batch is too long for a record.
"""

import contextlib
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from lofid import __version__
from lofid.engine import Engine
from lofid.inputs import (
    ANSWER,
    ANSWER_ENDED,
    ANSWERS,
    MADE,
    RECEIVE,
    Given,
    from_player,
    outcome_of,
    plain_events,
    written,
)
from lofid.memory import Remembered
from lofid.music import Event, Key
from lofid.player.wire import Message
from lofid.predictor import Foreteller
from lofid.settings import Settings

BATCH_MICROSECONDS = 1_000_000
LONGEST_BATCH = 64
LONGEST_BATCH_BYTES = 2**16
"""With one input more, which may be the 512 chords of a seed, this is still within a record."""
_SOUNDING = ("on", "off")
_MICRO = 1_000_000

Tell = Callable[[list[Any]], None]


class StillClock:
    """A monotonic clock, ``now`` in seconds, in whole microseconds; it stands while it is held."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._held: int | None = None

    @property
    def is_held(self) -> bool:
        """Whether it stands still."""
        return self._held is not None

    @property
    def microseconds(self) -> int:
        """What it shows."""
        return int(self._now() * _MICRO) if self._held is None else self._held

    def seconds(self) -> float:
        """Give what it shows."""
        return self.microseconds / _MICRO

    @contextlib.contextmanager
    def held(self, microseconds: int) -> Iterator[None]:
        """Have it show this meanwhile."""
        self._held = microseconds
        try:
            yield
        finally:
            self._held = None


@dataclass(slots=True)
class _Part:
    """What was taken of an answer in one go."""

    microseconds: int
    is_first: bool
    is_last: bool = False
    messages: list[Message] = field(default_factory=list)


class Witness(Engine):
    """An engine; ``tell`` gets its inputs, batch by batch. They wait until somebody has set it."""

    def __init__(
        self, predictor: Foreteller, settings: Settings, seed: int, now: Callable[[], float]
    ) -> None:
        self.tell: Tell | None = None
        self._clock = StillClock(now)
        self._inputs: list[Given] = []
        self._inputs_bytes = 0
        self._number = 0
        self._part: _Part | None = None
        super().__init__(predictor, settings, seed, self._clock.seconds)
        made = [seed, settings.model_dump(mode="json"), predictor.digest, predictor.device]
        self._keep(Given(self._clock.microseconds, MADE, [*made, __version__]))

    def flush(self) -> None:
        """Tell what was kept until now: when the session ends."""
        self._end_part()
        self._tell()

    def _tell(self) -> None:
        if self._inputs and self.tell is not None:
            inputs, self._inputs, self._inputs_bytes = self._inputs, [], 0
            number, self._number = self._number, self._number + len(inputs)
            self.tell(written(number, inputs))

    def _keep(self, given: Given) -> None:
        self._inputs.append(given)
        if given.name != RECEIVE:  # what a player says is short, and waits to be answered
            self._inputs_bytes += len(json.dumps(given.arguments))
        passed = given.microseconds - self._inputs[0].microseconds
        is_long = len(self._inputs) >= LONGEST_BATCH or self._inputs_bytes >= LONGEST_BATCH_BYTES
        is_answered = given.name in (ANSWER, ANSWER_ENDED)  # nobody waits for anything
        if is_long or (is_answered and passed >= BATCH_MICROSECONDS):
            self._tell()

    def _end_part(self) -> None:
        part, self._part = self._part, None
        if part is None:
            return
        count = [len(part.messages)] if part.messages else []
        name = ANSWERS[part.is_first, part.is_last]
        self._keep(Given(part.microseconds, name, count, outcome_of(part.messages)))

    def _witnessed(
        self, name: str, arguments: list[Any], do: Callable[[], list[Message]]
    ) -> list[Message]:
        """Do it, and keep it; what an input itself asks for is none."""
        if self._clock.is_held:
            return do()
        self._end_part()
        microseconds = self._clock.microseconds
        try:
            with self._clock.held(microseconds):
                messages = do()
        except Exception as error:
            self._keep(Given(microseconds, name, arguments, type(error).__name__))
            raise
        self._keep(Given(microseconds, name, arguments, outcome_of(messages)))
        return messages

    def answer(self) -> Iterator[Message]:
        """Answer as an engine does, message by message."""
        answering = super().answer()
        part: _Part | None = None
        while True:
            if part is None or part is not self._part:  # something else came in between
                self._end_part()
                self._part = part = _Part(self._clock.microseconds, is_first=part is None)
            with self._clock.held(part.microseconds):
                message = next(answering, None)
            if message is None:
                part.is_last = True
                self._end_part()
                return
            part.messages.append(message)
            yield message

    def receive(self, message: Message) -> list[Message]:
        """Take one of the player's messages."""
        if message["is"] in _SOUNDING:
            return super().receive(message)
        take = super().receive
        return self._witnessed(*from_player(message), lambda: take(message))

    def begin(self) -> list[Message]:
        """Compose the first stretch."""
        return self._witnessed("begin", [], super().begin)

    def lose(self) -> None:
        """Take note that the player died."""
        self._witnessed("lose", [], _giving_nothing(super().lose))

    def resume(self) -> list[Message]:
        """Take a new player to where the music is."""
        return self._witnessed("resume", [], super().resume)

    def start(self) -> list[Message]:
        """Move again from the next bar line."""
        return self._witnessed("start", [], super().start)

    def go_on(self) -> list[Message]:
        """Move again from where the music stands."""
        return self._witnessed("go_on", [], super().go_on)

    def halt(self) -> list[Message]:
        """Stop the music where it is."""
        return self._witnessed("halt", [], super().halt)

    def set(self, name: str, text: str) -> list[Message]:
        """Change a live setting."""
        change = super().set
        return self._witnessed("set", [name, text], lambda: change(name, text))

    def seed_with(self, events: Sequence[Event], key: Key | None) -> list[Message]:
        """Replace the context by these events."""
        seed = super().seed_with
        named = None if key is None else str(key)
        arguments = [plain_events(events), named]
        return self._witnessed("seed_with", arguments, lambda: seed(events, key))

    def forget(self) -> list[Message]:
        """Empty the context."""
        return self._witnessed("forget", [], super().forget)

    def recall(self, remembered: Remembered) -> None:
        """Go on from another session."""
        recall = super().recall
        arguments = [str(remembered.key), [list(row) for row in remembered.rows]]
        self._witnessed("recall", arguments, _giving_nothing(lambda: recall(remembered)))


def _giving_nothing(do: Callable[[], None]) -> Callable[[], list[Message]]:
    def done() -> list[Message]:
        do()
        return []

    return done
