"""The replay: an engine that is given again all that went into another one. No I/O, no clock.

What it has the player do is then the same, note for note; where it is not, something decided that
was no input, or another model or machine composes.
"""

from collections.abc import Iterator
from itertools import islice
from typing import Any, NamedTuple

from pydantic import ValidationError

from lofid.engine import Engine
from lofid.errors import LofidError, RecordingError
from lofid.inputs import ANSWERS, MADE, Given, Outcome, events_of, outcome_of, to_engine
from lofid.memory import Remembered
from lofid.music import Key
from lofid.player.wire import Message
from lofid.predictor import Foreteller
from lofid.settings import Settings

_PARTS = {name: how for how, name in ANSWERS.items()}
_PLAIN = ("begin", "start", "go_on", "halt", "forget", "resume", "set")


class Made(NamedTuple):
    """What an engine was made of. ``digest`` is its model's, and ``device`` what ran that."""

    seed: int
    settings: Settings
    digest: str
    device: str
    version: str

    @classmethod
    def read(cls, given: Given) -> "Made":
        """Read the first input. RecordingError when it is another one, or another lofid's."""
        try:
            seed, settings, digest, device, version = given.arguments
            values = Settings.model_validate(settings)
        except (ValueError, ValidationError) as error:
            why = str(error).splitlines()[0]
            raise RecordingError(f"what the engine was made of cannot be read: {why}") from None
        if given.name != MADE:
            raise RecordingError(f"the first input is {given.name!r}: the beginning is missing")
        if not isinstance(seed, int) or seed < 0:
            raise RecordingError(f"what the engine was made of cannot be read: seed {seed!r}")
        return cls(seed, values, str(digest), str(device), str(version))


class Replay:
    """One engine, made anew. ``do`` is to be given every input after the first, in order."""

    def __init__(self, predictor: Foreteller, made: Made) -> None:
        """RecordingError for another model than that which played."""
        if predictor.digest != made.digest:
            whose = f"{made.digest[:12]}, and this one is {predictor.digest[:12]}"
            raise RecordingError(
                f"the session was played by model {whose}: name its file by --model"
            )
        self._microseconds = 0
        self._engine = Engine(predictor, made.settings, made.seed, self._now)
        self._answering: Iterator[Message] = iter(())

    def _now(self) -> float:
        return self._microseconds / 1_000_000

    def do(self, given: Given) -> tuple[list[Message], Outcome]:
        """Give what the player is to do, and the outcome. RecordingError for what is no input."""
        self._microseconds = given.microseconds
        try:
            messages = self._done(given)
        except LofidError as error:
            return [], type(error).__name__
        except Exception as error:  # what a damaged journal asks for may be anything
            if type(error).__name__ == given.outcome:  # it was no better then
                return [], given.outcome
            raise RecordingError(f"the input {given.name!r} cannot be done: {error!r}") from error
        return messages, outcome_of(messages)

    def _done(self, given: Given) -> list[Message]:
        if given.name in _PARTS:
            return self._answer(*_PARTS[given.name], *given.arguments)
        if (message := to_engine(given)) is not None:
            return self._engine.receive(message)
        if given.name in _PLAIN:
            done: list[Message] = getattr(self._engine, given.name)(*given.arguments)
            return done
        return self._other(given.name, *given.arguments)

    def _other(self, name: str, *arguments: Any) -> list[Message]:
        match name, arguments:
            case "seed_with", [rows, key]:
                return self._engine.seed_with(events_of(rows), key and Key.parse(key))
            case "recall", [key, rows]:
                self._engine.recall(Remembered(Key.parse(key), rows))
            case "lose", []:
                self._engine.lose()
            case _:
                raise ValueError("this lofid knows none of this name")
        return []

    def _answer(self, is_first: bool, is_last: bool, count: int = 0) -> list[Message]:
        """Take so many messages of an answer, and look for more only if somebody did."""
        if is_first:
            self._answering = self._engine.answer()
        return [*islice(self._answering, None if is_last else count)]
