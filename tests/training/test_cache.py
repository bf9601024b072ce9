"""What is kept of a file's reading."""

from dataclasses import replace
from pathlib import Path

import pytest

from lofid.errors import CorpusError
from training.cache import Cache, Outcome
from training.reader import Piece, Sound
from training.sources import Source
from training.unreadable import UnreadableFile

SOURCE = Source(Path("a.mid"), "songs/a.mid", "ab" * 32, 5)
PIECE = Piece("C major", "4/4", (Sound(0, (60, 64), 12, 80, 0), Sound(12, (67,), 1, 1, 12)))


def entries(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def test_nothing_is_kept_at_first(tmp_path: Path) -> None:
    """And asking makes no folder."""
    assert Cache(tmp_path / "cache").get(SOURCE) is None
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("outcome", [(PIECE,), (PIECE, PIECE)])
def test_pieces_come_back(tmp_path: Path, outcome: Outcome) -> None:
    """As they were, tuples and all."""
    Cache(tmp_path).put(SOURCE, outcome)
    assert Cache(tmp_path).get(SOURCE) == outcome


def test_a_reason_comes_back(tmp_path: Path) -> None:
    """A file that cannot be read need not be tried again."""
    Cache(tmp_path).put(SOURCE, UnreadableFile("too short", "3 notes"))
    kept = Cache(tmp_path).get(SOURCE)
    assert isinstance(kept, UnreadableFile)
    assert (kept.reason, kept.detail) == ("too short", "3 notes")


def test_the_content_counts_and_not_the_name(tmp_path: Path) -> None:
    """A renamed file is found, a changed one is not, nor the same bytes as another format."""
    cache = Cache(tmp_path)
    cache.put(SOURCE, (PIECE,))
    assert cache.get(replace(SOURCE, name="songs/b.mid", path=Path("b.mid"))) == (PIECE,)
    assert cache.get(replace(SOURCE, sha256="cd" * 32)) is None
    assert cache.get(replace(SOURCE, path=Path("a.abc"))) is None


@pytest.mark.parametrize("content", ["", "{", "[]", "{}", '{"pieces": [[1]]}', '{"reason": "x"}'])
def test_a_damaged_entry_is_as_good_as_none(tmp_path: Path, content: str) -> None:
    """It is read anew and written over."""
    cache = Cache(tmp_path)
    cache.put(SOURCE, (PIECE,))
    (entry,) = entries(tmp_path)
    entry.write_text(content)
    assert cache.get(SOURCE) is None
    cache.put(SOURCE, (PIECE,))
    assert cache.get(SOURCE) == (PIECE,)


def test_a_folder_that_cannot_be_used(tmp_path: Path) -> None:
    """One line, with both ways out."""
    (tmp_path / "cache").write_text("a file, not a folder")
    with pytest.raises(CorpusError, match=r"cache cannot be used .*--cache, or --no-cache"):
        Cache(tmp_path / "cache").put(SOURCE, (PIECE,))
