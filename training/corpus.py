"""All that was read, as one value and one file: flat arrays, with the pieces' boundaries.

A corpus holds no pickle and its bytes depend on nothing but its content: the same music gives
the same file.
"""

import os
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from lofid.errors import CorpusError
from lofid.music import spell_voicing
from training.reader import Piece

FORMAT = 1
_TEXTS = ("tokens", "names", "hashes", "keys", "metres")
_NUMBERS = {
    "token": np.int32,
    "onset": np.int32,
    "length": np.int16,
    "velocity": np.uint8,
    "phase": np.uint8,
    "starts": np.int64,
}


@dataclass(frozen=True)
class Corpus:
    """N notes and chords of P pieces, each piece in order, each in its home key.

    ``tokens`` are the distinct voicings, sorted; ``token`` int32 [N] points into them. ``onset``
    int32 [N] counts grid units from the piece's first bar, ``length`` int16 [N] is in grid units,
    ``velocity`` uint8 [N] is 1 to 127, ``phase`` uint8 [N] is the place in the bar, 0 to 47.
    ``starts`` int64 [P + 1] are the pieces' boundaries; names, hashes (sha256 of the file), keys
    (as written) and metres are one for each piece.
    """

    tokens: tuple[str, ...]
    token: NDArray[np.int32]
    onset: NDArray[np.int32]
    length: NDArray[np.int16]
    velocity: NDArray[np.uint8]
    phase: NDArray[np.uint8]
    starts: NDArray[np.int64]
    names: tuple[str, ...]
    hashes: tuple[str, ...]
    keys: tuple[str, ...]
    metres: tuple[str, ...]
    format: int = FORMAT

    @classmethod
    def of(cls, pieces: Sequence[tuple[str, str, Piece]]) -> Self:
        """Gather pieces, each with its name and its file's hash, in the order given."""
        spelled = [[spell_voicing(s.pitches) for s in piece.sounds] for _, _, piece in pieces]
        tokens = tuple(sorted({token for row in spelled for token in row}))
        index = {token: i for i, token in enumerate(tokens)}
        sounds = [sound for _, _, piece in pieces for sound in piece.sounds]
        return cls(
            tokens=tokens,
            token=np.array([index[token] for row in spelled for token in row], np.int32),
            onset=np.array([sound.onset_grid for sound in sounds], np.int32),
            length=np.array([sound.length_grid for sound in sounds], np.int16),
            velocity=np.array([sound.velocity for sound in sounds], np.uint8),
            phase=np.array([sound.phase_grid for sound in sounds], np.uint8),
            starts=np.cumsum([0, *(len(row) for row in spelled)], dtype=np.int64),
            names=tuple(name for name, _, _ in pieces),
            hashes=tuple(sha256 for _, sha256, _ in pieces),
            keys=tuple(piece.key for _, _, piece in pieces),
            metres=tuple(piece.metre for _, _, piece in pieces),
        )

    def __len__(self) -> int:
        """How many pieces there are."""
        return len(self.names)

    def piece(self, i: int) -> slice:
        """Where piece ``i`` lies in the arrays. IndexError beyond the last."""
        if not 0 <= i < len(self):
            raise IndexError(f"piece {i} of {len(self)}")
        return slice(int(self.starts[i]), int(self.starts[i + 1]))

    @property
    def chords(self) -> int:
        """How many of the events are chords."""
        is_chord = np.array(["." in token for token in self.tokens], bool)
        return int(is_chord[self.token].sum()) if len(self.tokens) else 0

    @property
    def notes(self) -> int:
        """How many of the events are single notes."""
        return len(self.token) - self.chords

    def save(self, path: Path) -> None:
        """Write the corpus, whole or not at all. CorpusError if that cannot be done."""
        arrays = {field.name: np.array(getattr(self, field.name)) for field in fields(self)}
        arrays |= {name: np.array(getattr(self, name), np.str_) for name in _TEXTS}
        try:
            _write_whole(path, arrays)
        except OSError as fault:
            raise CorpusError(f"{path}: the corpus cannot be written: {fault.strerror}") from fault

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read a corpus. CorpusError if the file is missing, is something else or is too old."""
        try:
            with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
                return cls._from_arrays(path, dict(arrays))
        except FileNotFoundError:
            raise CorpusError(f"{path}: no such file; make it with 'lofid-train corpus'") from None
        except (OSError, ValueError, EOFError, TypeError, AttributeError, zipfile.BadZipFile):
            raise CorpusError(f"{path}: not a corpus; make one with 'lofid-train corpus'") from None

    @classmethod
    def _from_arrays(cls, path: Path, arrays: dict[str, Any]) -> Self:
        missing = [field.name for field in fields(cls) if field.name not in arrays]
        if missing:
            raise CorpusError(f"{path}: not a corpus: it has no {missing[0]!r}")
        if int(arrays["format"]) != FORMAT:
            raise CorpusError(
                f"{path}: corpus format {arrays['format']}, this lofid reads {FORMAT}; "
                "make it again with 'lofid-train corpus'"
            )
        values: dict[str, Any] = {name: tuple(arrays[name].tolist()) for name in _TEXTS}
        values |= {name: arrays[name].astype(kind) for name, kind in _NUMBERS.items()}
        corpus = cls(**values)
        if not corpus._fits():
            raise CorpusError(f"{path}: not a corpus: its arrays do not fit each other")
        return corpus

    def _fits(self) -> bool:
        events = (self.token, self.onset, self.length, self.velocity, self.phase)
        texts = (self.names, self.hashes, self.keys, self.metres)
        return (
            {len(array) for array in events} == {int(self.starts[-1])}
            and {len(text) for text in texts} == {len(self.starts) - 1}
            and bool(np.all(self.token < len(self.tokens)))
        )


def _write_whole(path: Path, arrays: dict[str, NDArray[Any]]) -> None:
    """Write beside the target and move it there: a reader never sees half a file."""
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with part.open("wb") as file:
            np.savez_compressed(file, **arrays)  # type: ignore[arg-type]  # no array is allow_pickle
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
