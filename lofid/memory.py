"""Memory: the context in a file, so that the next session can go on from it.

Rules:

* The file is JSON with a format number. The ids in it mean something to one vocabulary only, so it
  names that by :func:`identity`; to a model with another one it is of no use.
* One lofid of a name runs at a time, and each name has its own file.
"""

import hashlib
import json
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final, Literal

from platformdirs import user_state_path
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from lofid.card import LONGEST_CONTEXT, Card
from lofid.context import MemoryRow
from lofid.errors import StateError, told
from lofid.music import Key
from lofid.safekeeping import read_whole, replace_whole
from lofid.vocabulary import VELOCITY_CLASSES

FORMAT: Final = 1
MOST_BYTES = 2**20
"""More than the longest context takes."""
FARTHEST_GRID = 2**31
"""No session is so long, in steps of the grid."""


@dataclass(frozen=True, slots=True)
class Remembered:
    """What a session leaves to the next: the key it was in, and the composer's ``memory()``."""

    key: Key
    rows: list[MemoryRow]


class _Written(BaseModel):
    """The file, as far as it can be checked without the model."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    format: Literal[1]
    vocabulary: str
    key: str
    rows: list[Annotated[list[int], Field(min_length=4, max_length=4)]] = Field(
        max_length=LONGEST_CONTEXT
    )


def memory_path(name: str) -> Path:
    """Where the lofid of this name keeps its context."""
    return Path(user_state_path("lofid", appauthor=False)) / f"{name}.context.json"


def identity(card: Card) -> str:
    """Give a model's vocabulary a name: a hash of its tokens and rhythms, in their order."""
    ids = json.dumps([card.tokens, card.rhythms])
    return hashlib.sha256(ids.encode()).hexdigest()


def read_memory(path: Path, card: Card) -> Remembered | None:
    """Read what was remembered; None if nothing was. Blocks only as long as the disk takes.

    StateError, one line, when the file cannot be read or is of no use to the model of this card.
    """
    try:
        data = read_whole(path, MOST_BYTES)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise StateError(f"{told(path)}: cannot be read: {error.strerror}") from None
    try:
        written = _Written.model_validate_json(data)
        key = Key.parse(written.key)
    except (ValidationError, ValueError):
        raise StateError(f"{told(path)}: is damaged, or another lofid's") from None
    if written.vocabulary != identity(card):
        raise StateError(f"{told(path)}: is of a model with another vocabulary")
    if not all(_can_be(row, len(card.tokens)) for row in written.rows):
        raise StateError(f"{told(path)}: is damaged: it has events that no model makes")
    return Remembered(key, written.rows)


def _can_be(row: MemoryRow, tokens: int) -> bool:
    onset, length, token, velocity = row
    is_in_time = abs(onset) < FARTHEST_GRID and 1 <= length < FARTHEST_GRID
    return is_in_time and 1 <= token < tokens and 1 <= velocity <= VELOCITY_CLASSES


class Keeper:
    """Writes one lofid's memory. Any thread; who comes second waits, and is what stays."""

    def __init__(self, path: Path, card: Card) -> None:
        self._path = path
        self._vocabulary = identity(card)
        self._writing = threading.Lock()

    def write(self, remembered: Remembered) -> None:
        """Put it in place of what was there. Blocks until it is on the disk; StateError if not."""
        values = {"format": FORMAT, "vocabulary": self._vocabulary, "key": str(remembered.key)}
        text = json.dumps({**values, "rows": remembered.rows})
        try:
            with self._writing:
                replace_whole(self._path, text.encode())
        except OSError as error:
            raise StateError(f"{told(self._path)}: cannot be written: {error.strerror}") from None
