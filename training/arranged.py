"""A whole corpus arranged: each lead sheet becomes several performances of one song.

The same seed gives the same performances of a file, whatever else is in the corpus.
"""

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath

import numpy as np

from lofid.music import parse_token
from training.arrange import NotALeadSheetError, arrange
from training.corpus import Corpus
from training.metre import in_fours
from training.reader import Piece, Sound
from training.recipe import Arrange

Named = tuple[str, str, Piece]
"""A piece with its name and its file's hash."""


def _no_progress(_done: int, _total: int) -> None:
    pass


@dataclass(frozen=True)
class Arranged:
    """A corpus in which performances stand for lead sheets, and what became of the songs.

    ``rewritten`` counts songs by the metre that became four beats, ``left_out`` by the reason.
    """

    corpus: Corpus
    songs: int
    performances: int
    rewritten: dict[str, int]
    left_out: dict[str, int]

    def told(self) -> str:
        """Say it in one line, for a person."""
        counts = [f"{n} of {m} rewritten in four beats" for m, n in sorted(self.rewritten.items())]
        counts += [f"{n} left out: {reason}" for reason, n in sorted(self.left_out.items())]
        return "; ".join([f"{self.songs} songs arranged {self.performances} times", *counts])


def arrange_corpus(
    corpus: Corpus,
    wanted: Arrange,
    seed: int,
    progress: Callable[[int, int], None] = _no_progress,
) -> Arranged:
    """Arrange the pieces of the folders that are ``wanted``; the others stay as they are."""
    kept: list[Named] = []
    rewritten: Counter[str] = Counter()
    left_out: Counter[str] = Counter()
    songs = performances = 0
    for number, piece in enumerate(pieces(corpus)):
        progress(number, len(corpus))
        versions = _versions(piece[0], wanted)
        if versions is None:
            kept.append(piece)
            continue
        try:
            made = list(_performances(piece, versions, seed))
        except NotALeadSheetError as reason:
            left_out[str(reason)] += 1
            continue
        kept += made
        songs, performances = songs + bool(made), performances + len(made)
        if made and not in_fours(piece[2].metre):
            rewritten[piece[2].metre] += 1
    return Arranged(Corpus.of(kept), songs, performances, dict(rewritten), dict(left_out))


def pieces(corpus: Corpus) -> Iterator[Named]:
    """Give a corpus's pieces back as sounds, in order."""
    for i in range(len(corpus)):
        where = corpus.piece(i)
        columns = (corpus.onset, corpus.token, corpus.length, corpus.velocity, corpus.phase)
        rows = zip(*(column[where].tolist() for column in columns), strict=True)
        sounds = tuple(
            Sound(onset, parse_token(corpus.tokens[token]), length, velocity, phase)
            for onset, token, length, velocity, phase in rows
        )
        yield corpus.names[i], corpus.hashes[i], Piece(corpus.keys[i], corpus.metres[i], sounds)


def _versions(name: str, wanted: Arrange) -> int | None:
    """How many performances of this piece; None where it is not to be arranged."""
    return _least(wanted.versions[f] for f in ("*", *_folders(name)) if f in wanted.versions)


def _least(counts: Iterable[int]) -> int | None:
    return min(counts, default=None)


def _folders(name: str) -> tuple[str, ...]:
    return PurePosixPath(name).parts[:-1]


def _performances(piece: Named, versions: int, seed: int) -> Iterator[Named]:
    """A song's performances; their folder is numbered, the song's name stays, for the split."""
    name, sha256, written = piece
    path = PurePosixPath(name)
    identity = int.from_bytes(hashlib.sha256(f"{name}:{sha256}".encode()).digest()[:8], "big")
    for version in range(1, versions + 1):
        rng = np.random.default_rng([seed, identity, version])
        yield str(path.parent / f"arranged-{version}" / path.name), sha256, arrange(written, rng)
