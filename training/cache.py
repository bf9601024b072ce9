"""What was read once need not be read again: pieces by their file's content, as JSON."""

import json
import os
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import platformdirs

from lofid.errors import CorpusError
from training.reader import READER_VERSION, Piece, Sound
from training.sources import Source
from training.unreadable import UnreadableFile

Outcome = tuple[Piece, ...] | UnreadableFile
"""What came of a file: its pieces, or why there are none."""


def default_folder() -> Path:
    """Name the user's own cache folder, wherever this system keeps such things."""
    return platformdirs.user_cache_path("lofid") / "corpus"


@dataclass(frozen=True)
class Cache:
    """A folder of outcomes. Made on the first write; may be deleted at any time."""

    folder: Path

    def get(self, source: Source) -> Outcome | None:
        """Return what was kept for this content; None if nothing whole was."""
        try:
            return _decode(json.loads(self._path(source).read_bytes()))
        except FileNotFoundError:
            return None
        except (ValueError, TypeError, KeyError):
            return None
        except OSError as fault:
            raise self._unusable(fault) from fault

    def put(self, source: Source, outcome: Outcome) -> None:
        """Keep an outcome, whole or not at all. CorpusError if the folder cannot be written."""
        path = self._path(source)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            part = path.with_name(f".{path.name}.{os.getpid()}.part")
            part.write_text(json.dumps(_encode(outcome)), encoding="utf-8")
            part.replace(path)
        except OSError as fault:
            raise self._unusable(fault) from fault

    def _path(self, source: Source) -> Path:
        reader = f"reader-{READER_VERSION}-music21-{version('music21')}"
        return self.folder / reader / source.sha256[:2] / f"{source.sha256}{source.kind}.json"

    def _unusable(self, fault: OSError) -> CorpusError:
        return CorpusError(
            f"{self.folder}: the cache cannot be used ({fault.strerror}); "
            "give another with --cache, or --no-cache"
        )


def _encode(outcome: Outcome) -> dict[str, Any]:
    if isinstance(outcome, UnreadableFile):
        return {"reason": outcome.reason, "detail": outcome.detail}
    return {"pieces": outcome}


def _decode(kept: dict[str, Any]) -> Outcome:
    if "reason" in kept:
        return UnreadableFile(kept["reason"], kept["detail"])
    return tuple(_piece(*piece) for piece in kept["pieces"])


def _piece(key: str, metre: str, sounds: list[list[Any]]) -> Piece:
    return Piece(key, metre, tuple(_sound(*sound) for sound in sounds))


def _sound(onset: int, pitches: list[int], length: int, velocity: int, phase: int) -> Sound:
    return Sound(onset, tuple(pitches), length, velocity, phase)
