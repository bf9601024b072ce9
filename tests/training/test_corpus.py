"""The corpus as a value and as a file."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lofid.errors import CorpusError
from training.corpus import Corpus
from training.reader import Piece, Sound

CHORD = Sound(0, (48, 52, 55), 48, 64, 0)
NOTE = Sound(12, (60,), 6, 80, 12)
FIRST = ("songs/a.mid", "aa", Piece("F major", "4/4", (CHORD, NOTE)))
SECOND = ("songs/b.mid", "bb", Piece("A minor", "3/4", (NOTE,)))


def test_gathers_pieces_into_flat_arrays() -> None:
    """Tokens are distinct and sorted; starts has one boundary more than there are pieces."""
    corpus = Corpus.of([FIRST, SECOND])
    assert corpus.tokens == ("C3.E3.G3", "C4")
    assert corpus.token.tolist() == [0, 1, 1]
    assert corpus.onset.tolist() == [0, 12, 12]
    assert corpus.length.tolist() == [48, 6, 6]
    assert corpus.velocity.tolist() == [64, 80, 80]
    assert corpus.phase.tolist() == [0, 12, 12]
    assert corpus.starts.tolist() == [0, 2, 3]
    assert corpus.names == ("songs/a.mid", "songs/b.mid")
    assert corpus.hashes == ("aa", "bb")
    assert corpus.keys == ("F major", "A minor")
    assert corpus.metres == ("4/4", "3/4")
    assert corpus.format == 1


def test_counts_notes_and_chords() -> None:
    """A chord has two pitches or more."""
    corpus = Corpus.of([FIRST, SECOND])
    assert (corpus.notes, corpus.chords, len(corpus)) == (2, 1, 2)


def test_an_empty_corpus_counts_nothing() -> None:
    """No pieces: no events, and one boundary."""
    corpus = Corpus.of([])
    assert (corpus.notes, corpus.chords, len(corpus)) == (0, 0, 0)
    assert corpus.starts.tolist() == [0]


def test_a_piece_is_a_slice() -> None:
    """The second of two pieces begins where the first ends; there is no third."""
    corpus = Corpus.of([FIRST, SECOND])
    assert corpus.piece(1) == slice(2, 3)
    with pytest.raises(IndexError, match="piece 2 of 2"):
        corpus.piece(2)


def test_the_file_holds_these_arrays(tmp_path: Path) -> None:
    """Whoever reads the file without lofid finds these names and types."""
    Corpus.of([FIRST, SECOND]).save(tmp_path / "corpus.npz")
    with np.load(tmp_path / "corpus.npz", allow_pickle=False) as arrays:
        kinds = {name: arrays[name].dtype.str for name in arrays.files}
    assert kinds == {
        "format": "<i8",
        "tokens": "<U8",
        "token": "<i4",
        "onset": "<i4",
        "length": "<i2",
        "velocity": "|u1",
        "phase": "|u1",
        "starts": "<i8",
        "names": "<U11",
        "hashes": "<U2",
        "keys": "<U7",
        "metres": "<U3",
    }


_sounds = st.builds(
    Sound,
    onset_grid=st.integers(0, 2**31 - 1),
    pitches=st.sets(st.integers(12, 127), min_size=1, max_size=8).map(lambda p: tuple(sorted(p))),
    length_grid=st.integers(1, 2**15 - 1),
    velocity=st.integers(1, 127),
    phase_grid=st.integers(0, 47),
)
_text = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=12)
_pieces = st.builds(Piece, key=_text, metre=_text, sounds=st.lists(_sounds).map(tuple))


@given(st.lists(st.tuples(_text, _text, _pieces), max_size=4))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_what_is_saved_is_loaded(tmp_path: Path, pieces: list[tuple[str, str, Piece]]) -> None:
    """Saving and loading changes nothing, and the same corpus gives the same bytes."""
    first, second = tmp_path / "first.npz", tmp_path / "second.npz"
    corpus = Corpus.of(pieces)
    corpus.save(first)
    loaded = Corpus.load(first)
    loaded.save(second)
    assert vars(loaded).keys() == vars(corpus).keys()
    for name, value in vars(corpus).items():
        np.testing.assert_array_equal(getattr(loaded, name), value)
    assert first.read_bytes() == second.read_bytes()


def test_saving_leaves_nothing_else_behind(tmp_path: Path) -> None:
    """The half-written file is moved into place."""
    Corpus.of([FIRST]).save(tmp_path / "corpus.npz")
    assert [path.name for path in tmp_path.iterdir()] == ["corpus.npz"]


def test_what_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    """A missing folder is named, with what the system said."""
    with pytest.raises(CorpusError, match=r"corpus\.npz: the corpus cannot be written: No such"):
        Corpus.of([FIRST]).save(tmp_path / "nowhere" / "corpus.npz")


def test_a_missing_file(tmp_path: Path) -> None:
    """The error says how to make one."""
    with pytest.raises(CorpusError, match="no such file; make it with 'lofid-train corpus'"):
        Corpus.load(tmp_path / "corpus.npz")


@pytest.mark.parametrize("content", [b"", b"hello", b"PK\x03\x04 cut off"])
def test_a_foreign_file(tmp_path: Path, content: bytes) -> None:
    """What is no archive of arrays is not a corpus."""
    path = tmp_path / "corpus.npz"
    path.write_bytes(content)
    with pytest.raises(CorpusError, match="not a corpus"):
        Corpus.load(path)


def test_a_truncated_corpus(tmp_path: Path) -> None:
    """Half a corpus is none."""
    path = tmp_path / "corpus.npz"
    Corpus.of([FIRST]).save(path)
    path.write_bytes(path.read_bytes()[:600])
    with pytest.raises(CorpusError, match="not a corpus"):
        Corpus.load(path)


def test_one_bare_array_is_not_a_corpus(tmp_path: Path) -> None:
    """numpy reads .npy files too."""
    np.save(tmp_path / "corpus.npy", np.arange(3))
    with pytest.raises(CorpusError, match="not a corpus"):
        Corpus.load(tmp_path / "corpus.npy")


def test_other_arrays_are_not_a_corpus(tmp_path: Path) -> None:
    """The first array that is missing is named."""
    np.savez(tmp_path / "corpus.npz", format=1)
    with pytest.raises(CorpusError, match="it has no 'tokens'"):
        Corpus.load(tmp_path / "corpus.npz")


def test_another_format_names_both(tmp_path: Path) -> None:
    """A corpus of another time says which format it has and which one is read."""
    path = tmp_path / "corpus.npz"
    Corpus.of([FIRST]).save(path)
    with np.load(path) as arrays:
        np.savez(path, **{**arrays, "format": np.array(7)})
    with pytest.raises(CorpusError, match="corpus format 7, this lofid reads 1"):
        Corpus.load(path)


def test_arrays_that_do_not_fit_each_other_are_not_a_corpus(tmp_path: Path) -> None:
    """Every event has every number, and the boundaries span them all."""
    path = tmp_path / "corpus.npz"
    Corpus.of([FIRST]).save(path)
    with np.load(path) as arrays:
        np.savez(path, **{**arrays, "velocity": np.array([80], np.uint8)})
    with pytest.raises(CorpusError, match="its arrays do not fit each other"):
        Corpus.load(path)
