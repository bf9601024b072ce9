"""Many files -> one corpus, with the real worker processes."""

from pathlib import Path

import pytest

from tests.training import readers
from tests.training.music import C_MAJOR, write_midi
from training.build import Built, Reader, Work, build
from training.cache import Cache
from training.sources import Skipped

HIGHER = [(pitch + 12, onset, length) for pitch, onset, length in C_MAJOR]


@pytest.fixture
def songs(tmp_path: Path) -> Path:
    """A folder of two pieces, a file that cannot be read, and a note about them."""
    folder = tmp_path / "songs"
    folder.mkdir()
    write_midi(folder / "a.mid", C_MAJOR)
    write_midi(folder / "b.mid", HIGHER, [(48, 0, 1920), (52, 0, 1920)])
    write_midi(folder / "drums.mid", C_MAJOR, channel=9)
    (folder / "README.md").write_text("two pieces")
    return folder


def saved(built: Built, path: Path) -> bytes:
    built.corpus.save(path)
    return path.read_bytes()


def test_what_was_read_and_what_was_not(songs: Path) -> None:
    """Pieces in the order of names; everything else with its reason."""
    built = build([songs], Work())
    assert built.corpus.names == ("songs/a.mid", "songs/b.mid")
    assert (built.files, built.corpus.notes, built.corpus.chords) == (2, 14, 1)
    assert built.skipped == (
        Skipped("songs/README.md", "not a music file"),
        Skipped("songs/drums.mid", "drums only"),
    )


def test_the_same_bytes_whatever_the_way(songs: Path, tmp_path: Path) -> None:
    """One worker or three, without a cache, filling one, or from one."""
    cache = Cache(tmp_path / "cache")
    from_cache_only = Work(cache=cache, read=readers.refuses_to_read)
    works = [Work(jobs=1), Work(jobs=3), Work(jobs=2, cache=cache), from_cache_only]
    corpora = {saved(build([songs], work), tmp_path / "c.npz") for work in works}
    assert len(corpora) == 1
    assert build([songs], from_cache_only).skipped == build([songs], works[0]).skipped


def test_progress_ends_at_the_end(songs: Path) -> None:
    """It counts the files that had to be read."""
    seen: list[tuple[int, int]] = []
    build([songs], Work(progress=lambda done, total: seen.append((done, total))))
    assert seen == [(1, 3), (2, 3), (3, 3)]


@pytest.mark.parametrize(
    ("name", "read", "reason", "detail"),
    [
        ("hang", readers.hangs_on_hang, "took longer than 5 seconds (see --timeout)", ""),
        ("die", readers.dies_on_die, "its reader died", "exit code 3"),
        ("hungry", readers.hungry_on_hungry, "needs more than 2 GiB of memory", ""),
        ("stumble", readers.stumbles_on_stumble, "its reader failed", "KeyError: 'unexpected'"),
    ],
)
def test_a_worker_that_is_lost_is_named_and_the_run_goes_on(
    songs: Path, name: str, read: Reader, reason: str, detail: str
) -> None:
    """The other files are read all the same."""
    write_midi(songs / f"{name}.mid", C_MAJOR[1:])
    built = build([songs], Work(timeout_seconds=5, read=read))
    assert built.corpus.names == ("songs/a.mid", "songs/b.mid")
    assert Skipped(f"songs/{name}.mid", reason, detail) in built.skipped


def test_a_lost_worker_is_not_kept(songs: Path, tmp_path: Path) -> None:
    """The next run may have more time: only what a file itself says goes into the cache."""
    write_midi(songs / "die.mid", C_MAJOR[1:])
    cache = Cache(tmp_path / "cache")
    assert build([songs], Work(cache=cache, read=readers.dies_on_die)).files == 2
    assert build([songs], Work(cache=cache)).files == 3


def test_a_tune_book_is_one_file_of_many_pieces(tmp_path: Path) -> None:
    """Its pieces are numbered from 1."""
    tune = "X:{}\nT:t\nM:4/4\nL:1/4\nK:C\nCEGc|c4|]\n"
    (tmp_path / "book.abc").write_text(tune.format(1) + "\n" + tune.format(2))
    built = build([tmp_path / "book.abc"], Work())
    assert built.corpus.names == ("book.abc#1", "book.abc#2")
    assert built.files == 1


def test_nothing_to_read(tmp_path: Path) -> None:
    """An empty folder makes an empty corpus; whether that is a fault the command decides."""
    assert build([tmp_path], Work()).files == 0
