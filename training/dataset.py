"""From a corpus to windows of ids: the split, the vocabulary, and what a batch holds.

A piece becomes ``start, e1, e2, … en``. Position ``i`` of a window is given event ``i`` (and where
in the bar the next one falls) and must predict event ``i + 1``: its token, then its rhythm given
the token, then its velocity.
"""

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from lofid.errors import CorpusError
from lofid.music import parse_token, spell_normal_order
from lofid.vocabulary import START, Rhythm, Vocabulary, velocity_id
from training.corpus import Corpus
from training.recipe import Data

HELD_OUT_SHARE = 0.1
"""Of all songs, this share is the validation set and as many again are the test set."""

LONGEST_STEP_GRID = 96
"""Two bars: a longer gap inside a piece is heard, and learnt, as this long."""

Ids = npt.NDArray[np.int32]
Songs = dict[str, list[int]]
"""The numbers of each song's pieces."""
_T = TypeVar("_T")


@dataclass(frozen=True)
class Split:
    """Piece numbers for training, validation (checkpoints) and test (published figures)."""

    train: tuple[int, ...]
    valid: tuple[int, ...]
    test: tuple[int, ...]


def split_pieces(
    corpus: Corpus, metres: Iterable[str], seed: int, left_out: Iterable[str] = ()
) -> Split:
    """Split by song, so that one song's arrangements in two folders never part.

    A song is known by its file name; the same names and seed always give the same split, whatever
    else is in the corpus. Only where a corpus is so small that a part would be empty does a song
    move there from the largest part, and only a single song is in more than one. Pieces in a folder
    that is ``left_out`` are in no part. CorpusError when no piece is left.
    """
    wanted, unwanted = set(metres), set(left_out)
    parts: tuple[Songs, Songs, Songs] = ({}, {}, {})
    for number, (name, metre) in enumerate(zip(corpus.names, corpus.metres, strict=True)):
        if metre in wanted and not unwanted.intersection(PurePosixPath(name).parts):
            song = song_of(name)
            parts[_part_of(song, seed)].setdefault(song, []).append(number)
    if not any(parts):
        raise CorpusError(f"the corpus has no piece in {' or '.join(sorted(wanted))} to train on")
    _fill(parts)
    return Split(*(tuple(sorted(n for song in part.values() for n in song)) for part in parts))


def song_of(name: str) -> str:
    """Tell which song a piece is: its file's name, in whichever folder."""
    return PurePosixPath(name).stem.lower()


def _fill(parts: tuple[Songs, Songs, Songs]) -> None:
    """Leave no part empty: a folder of a few files still has to be trained on."""
    train, valid, test = parts
    for part in parts:
        if not part:
            # Of equals: what is shared should tempt neither the training nor the test.
            largest = max((valid, train, test), key=len)
            song = max(largest)
            part[song] = largest[song] if len(largest) == 1 else largest.pop(song)


def _part_of(song: str, seed: int) -> int:
    digest = hashlib.sha256(f"{seed}:{song}".encode()).digest()
    place = int.from_bytes(digest[:8], "big") / 2**64
    return 1 if place < HELD_OUT_SHARE else 2 if place < 2 * HELD_OUT_SHARE else 0


@dataclass(frozen=True)
class Piece:
    """One piece as ids, each of shape [events + 1], *start* first; ``phase`` as in Window."""

    token: Ids
    rhythm: Ids
    velocity: Ids
    phase: Ids


PIECE_ROWS = ("token", "rhythm", "velocity", "phase")


class Encoder:
    """Spells a corpus in a given vocabulary, or in one made from its training pieces only."""

    def __init__(
        self,
        corpus: Corpus,
        data: Data,
        train: Iterable[int],
        vocabulary: Vocabulary | None = None,
    ):
        self._corpus = corpus
        self._spelled = _spell(corpus.tokens, data.spelling)
        self.vocabulary = vocabulary or self._vocabulary_of(tuple(train), data)

    def _vocabulary_of(self, pieces: tuple[int, ...], data: Data) -> Vocabulary:
        tokens = Counter(token for i in pieces for token in self._tokens(i))
        kept = [t for t, n in _ranked(tokens)[: data.max_tokens] if n >= data.min_token_count]
        rhythms = Counter(rhythm for i in pieces for rhythm in self._rhythms(i))
        common = [rhythm for rhythm, _ in _ranked(rhythms)[: data.max_rhythms]]
        if not kept:
            raise CorpusError(f"no token occurs {data.min_token_count} times: give more music")
        return Vocabulary(("start", *kept), ((0, 0), *common))

    def _tokens(self, piece: int) -> list[str]:
        return [self._spelled[i] for i in self._corpus.token[self._corpus.piece(piece)]]

    def _rhythms(self, piece: int) -> list[Rhythm]:
        where = self._corpus.piece(piece)
        onsets = self._corpus.onset[where].astype(int)
        lengths = self._corpus.length[where].astype(int)
        # After the last event of a piece comes whatever its own length says.
        steps = np.append(np.diff(onsets), lengths[-1:]).clip(0, LONGEST_STEP_GRID)
        return list(zip(steps.tolist(), lengths.clip(1, LONGEST_STEP_GRID).tolist(), strict=True))

    def encode(self, piece: int) -> Piece:
        """Give one piece as ids."""
        where = self._corpus.piece(piece)
        # By what sounded, not by its spelling: octaves of C are spelled "0", like a chord, and that
        # would be read back as a note.
        sounded = (self._corpus.tokens[i] for i in self._corpus.token[where])
        tokens = [self.vocabulary.token_id(parse_token(token)) for token in sounded]
        rhythms = [self.vocabulary.rhythm_id(*rhythm) for rhythm in self._rhythms(piece)]
        velocities = [velocity_id(int(v)) for v in self._corpus.velocity[where]]
        phases = self._corpus.phase[where].astype(np.int32)
        return Piece(
            np.array([START, *tokens], np.int32),
            np.array([START, *rhythms], np.int32),
            np.array([START, *velocities], np.int32),
            np.append(phases, 0).astype(np.int32),
        )


def _spell(tokens: Iterable[str], spelling: str) -> list[str]:
    if spelling == "voicing":
        return list(tokens)
    return [spell_normal_order(parse_token(token)) for token in tokens]


def _ranked(counts: "Counter[_T]") -> list[tuple[_T, int]]:
    return sorted(counts.items(), key=lambda item: (-item[1], str(item[0])))


@dataclass(frozen=True)
class Windows:
    """Windows of one length: inputs and targets of shape [windows, length].

    ``weight`` is 1 where a target counts and 0 where it is padding or was counted already.
    """

    token: Ids
    rhythm: Ids
    velocity: Ids
    phase: Ids
    next_token: Ids
    next_rhythm: Ids
    next_velocity: Ids
    weight: npt.NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.token)

    def take(self, index: npt.NDArray[np.int64]) -> "Windows":
        """Give the windows of these numbers, in this order."""
        return Windows(*(getattr(self, name)[index] for name in self.__dataclass_fields__))


def training_windows(
    pieces: Sequence[tuple[Piece, int]], length: int, rng: np.random.Generator
) -> Windows:
    """Lay all pieces end to end in random order and cut windows side by side, in random order.

    ``pieces`` come with how often they are seen. Each event is a target once a time it is seen, but
    for less than a window's worth at either end, which differ from call to call. Short pieces share
    a window, with *start* between them, which itself never counts. Only when there is less than one
    window of music is one padded.
    """
    played = [piece for piece, repeats in pieces for _ in range(repeats)]
    order = rng.permutation(len(played))
    tape = Piece(*(
        np.concatenate([getattr(played[i], name) for i in order]) for name in PIECE_ROWS
    ))  # fmt: skip
    targets = len(tape.token) - 1
    first = int(rng.integers(max(1, min(length, targets - length))))
    starts = range(first, max(targets - length, first) + 1, length)
    windows = _stack([_cut(tape, a, min(a + length, targets), 0, length) for a in starts], length)
    return windows.take(rng.permutation(len(windows)))


def scoring_windows(pieces: Iterable[Piece], length: int) -> Windows:
    """Cut pieces so that each event is a target once, given at least half a window before it.

    Only the first events of a piece have less before them, because there is less.
    """
    half = length // 2
    rows = []
    for piece in pieces:
        targets = len(piece.token) - 1
        rows.append(_cut(piece, 0, min(length, targets), 0, length))
        for counted in range(length, targets, length - half):
            start = counted - half
            rows.append(_cut(piece, start, min(start + length, targets), counted, length))
    return _stack(rows, length)


def _cut(piece: Piece, start: int, end: int, counted: int, length: int) -> list[Ids]:
    """One row: inputs start to end, targets one later, only those from ``counted`` on weighed."""

    def row(values: Ids) -> Ids:
        return np.pad(values, (0, length - len(values)))

    inputs = [getattr(piece, name)[start:end] for name in PIECE_ROWS]
    targets = [getattr(piece, name)[start + 1 : end + 1] for name in PIECE_ROWS[:3]]
    counts = (np.arange(start, end) >= counted) & (targets[0] != START)
    return [row(values) for values in (*inputs, *targets, counts.astype(np.float32))]


def _stack(rows: list[list[Ids]], length: int) -> Windows:
    if not rows:
        raise CorpusError(f"no piece is long enough for a window of {length} events")
    return Windows(*(np.stack(column) for column in zip(*rows, strict=True)))


def classic_windows(pieces: Iterable[Piece], length: int) -> Iterator[tuple[Ids, Ids]]:
    """Give, for each piece, sequences [events, length] and the one token that follows each.

    Before the first event of a piece stands *start*, as often as it takes to fill the sequence.
    """
    for piece in pieces:
        padded = np.concatenate([np.full(length - 1, START, np.int32), piece.token])
        sequences = np.lib.stride_tricks.sliding_window_view(padded, length)
        yield sequences[:-1], piece.token[1:]
