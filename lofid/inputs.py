"""Inputs: all that goes into an engine, as plain values, for a journal. Pure; no engine, no clock.

A batch of them is one JSON value: the number of the first one in the session, its time, and the
inputs, each ``[microseconds since the one before, name, [arguments], outcome]``. What is empty at
an input's end is left out. Most inputs are positions and answers, which are short: an hour in which
nobody plays takes 0.9 MB.

The outcome is a checksum of what the engine had the player do, or the name of an error. So who does
it all again sees at once whether it comes out the same.
"""

import json
import zlib
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from lofid.music import Event
from lofid.player.wire import Message

MADE = "made"
"""The first input of all: what the engine was made of."""
ANSWER, ANSWER_BEGUN, ANSWER_ON, ANSWER_ENDED = (
    "answer",
    "answer-begun",
    "answer-on",
    "answer-ended",
)
"""An answer as a whole; or its parts, where it was left, or something else came in between."""
ANSWERS = {
    (True, True): ANSWER,
    (True, False): ANSWER_BEGUN,
    (False, False): ANSWER_ON,
    (False, True): ANSWER_ENDED,
}
"""The name by whether an answer begins, and whether it ends: with no message more."""
_SHORT = {
    "position": ("tick", "tempo"),
    "alive": ("tempo",),
    "heard": ("tick", "ahead", "seconds", "data"),
}
"""Messages of the player that come often: their fields, in order."""
RECEIVE = "receive"
"""Any other message of the player."""

Outcome = int | str | None


class Given(NamedTuple):
    """One input: when, in whole microseconds of the engine's clock; what; what came of it."""

    microseconds: int
    name: str
    arguments: Sequence[Any] = ()
    outcome: Outcome = None


def written(number: int, inputs: Sequence[Given]) -> list[Any]:
    """Write a batch, whose first input is the session's ``number``, as a JSON value."""
    first = before = inputs[0].microseconds
    rows = []
    for given in inputs:
        row = [given.microseconds - before, given.name, given.arguments, given.outcome]
        while len(row) > 2 and row[-1] in (None, [], ()):
            row.pop()
        rows.append(row)
        before = given.microseconds
    return [number, first, rows]


def read(data: Any) -> tuple[int, list[Given]]:
    """Read a batch: the number of its first input, and all. ValueError when it is none."""
    try:
        number, microseconds, rows = data
        inputs = []
        for passed, *given in rows:
            microseconds += passed
            inputs.append(Given(microseconds, *given))
    except (TypeError, ValueError):
        raise ValueError("is no batch of inputs") from None
    if not all(_is_one(given) for given in inputs) or not isinstance(number, int):
        raise ValueError("is no batch of inputs")
    if not inputs:
        raise ValueError("is an empty batch of inputs")
    return number, inputs


def _is_one(given: Given) -> bool:
    is_named = isinstance(given.name, str) and isinstance(given.arguments, list | tuple)
    return is_named and isinstance(given.microseconds, int)


def outcome_of(messages: Iterable[Message]) -> int | None:
    """Give the CRC-32 of what the player is to do; None for nothing.

    What is to be silenced does not count: that follows from what the player told of sounding, which
    a journal has already and no input repeats.
    """
    checksum = None
    for message in messages:
        if message["do"] != "silence":
            text = json.dumps(message, separators=(",", ":"), sort_keys=True)
            checksum = zlib.crc32(text.encode(), checksum or 0)
    return checksum


def from_player(message: Message) -> tuple[str, list[Any]]:
    """Give a message's name as an input, and its arguments."""
    what = message["is"]
    fields = _SHORT.get(what)
    if fields is None or len(message) != 1 + len(fields):
        return RECEIVE, [message]
    return what, [message[field] for field in fields]


def to_engine(given: Given) -> Message | None:
    """Give the player's message that an input is, or None. ValueError when it lacks something."""
    if given.name == RECEIVE:
        message, *others = given.arguments
        if others or not isinstance(message, dict) or not isinstance(message.get("is"), str):
            raise ValueError("is no message of a player")
        return message
    if (fields := _SHORT.get(given.name)) is None:
        return None
    return {"is": given.name, **dict(zip(fields, given.arguments, strict=True))}


def plain_events(events: Iterable[Event]) -> list[list[Any]]:
    """Write events as lists."""
    return [
        [list(e.pitches), e.onset_ticks, e.length_ticks, e.velocity, e.by_person] for e in events
    ]


def events_of(rows: Iterable[Sequence[Any]]) -> list[Event]:
    """Read what :func:`plain_events` wrote. TypeError or ValueError when it is something else."""
    return [Event(tuple(pitches), *others) for pitches, *others in rows]
