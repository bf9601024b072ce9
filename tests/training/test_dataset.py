"""From a corpus to windows: the split, the vocabulary, literal rows, and laws."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lofid.errors import CorpusError
from tests.training.pieces import corpus_of, small_corpus
from training.dataset import (
    Encoder,
    Piece,
    Split,
    classic_windows,
    scoring_windows,
    split_pieces,
    training_windows,
)
from training.reader import Sound
from training.recipe import Data

METRES = ("4/4",)
ONE_SOUND = (Sound(0, (60,), 12, 80, 0),)
SIZES = st.lists(st.integers(1, 30), min_size=1, max_size=6)


def names_of(names: list[str], seed: int = 7) -> dict[str, set[str]]:
    """Split pieces of these names; give the names in each part."""
    corpus = corpus_of(dict.fromkeys(names, ONE_SOUND))
    split = split_pieces(corpus, METRES, seed)
    return {
        part: {corpus.names[i] for i in getattr(split, part)} for part in ("train", "valid", "test")
    }


def line(first: int, events: int) -> Piece:
    """A piece whose events have the ids first, first + 1, …, the same in every row."""
    ids = np.array([0, *range(first, first + events)], np.int32)
    return Piece(ids, ids + 100 * (ids > 0), ids + 200 * (ids > 0), np.arange(len(ids), dtype="i4"))


def lines(sizes: list[int]) -> list[Piece]:
    """Pieces of these sizes; every event has an id of its own."""
    firsts = np.cumsum([1, *sizes])
    return [line(int(first), size) for first, size in zip(firsts, sizes, strict=False)]


# The split


def test_one_song_in_two_folders_never_parts() -> None:
    """A song is its file's name, whatever the folder, the case and the kind of file."""
    names = [f"{folder}/Song {i}{end}" for i in range(60) for folder, end in
             (("melody", ".mid"), ("chords", ".mid"), ("sheets", ".musicxml"))]  # fmt: skip
    parts = names_of([*names, "chords/SONG 3.mid"])
    stems = [{name.split("/")[1].split(".")[0].lower() for name in part} for part in parts.values()]
    assert sum(len(part) for part in stems) == 60
    assert all(stems)


def test_the_split_does_not_depend_on_the_rest_of_the_corpus() -> None:
    """With the same seed a song stays in its part when others come and go."""
    few = names_of([f"a/{i}.mid" for i in range(50)])
    many = names_of([f"a/{i}.mid" for i in range(200)])
    for part in ("train", "valid", "test"):
        assert few[part] == {name for name in many[part] if name in set().union(*few.values())}
    assert names_of([f"a/{i}.mid" for i in range(50)], seed=8) != few


def test_a_tenth_each_is_held_out() -> None:
    parts = names_of([f"a/{i}.mid" for i in range(2000)])
    assert 160 < len(parts["valid"]) < 240
    assert 160 < len(parts["test"]) < 240


@pytest.mark.parametrize("songs", range(3, 12))
@pytest.mark.parametrize("seed", range(5))
def test_a_small_corpus_has_all_three_parts(songs: int, seed: int) -> None:
    """With three songs or more no part is empty and none shares a song with another."""
    parts = names_of([f"a/{i}.mid" for i in range(songs)], seed)
    assert all(parts.values())
    assert sum(len(part) for part in parts.values()) == songs


@pytest.mark.parametrize("seed", range(10))
def test_a_moved_song_takes_its_arrangements_along(seed: int) -> None:
    names = [f"{folder}/{song}.mid" for song in "abc" for folder in ("x", "y")]
    parts = names_of(names, seed)
    assert sorted(len(part) for part in parts.values()) == [2, 2, 2]
    assert all(len({name[2] for name in part}) == 1 for part in parts.values())


@pytest.mark.parametrize("seed", range(20))
def test_one_song_alone_is_in_every_part(seed: int) -> None:
    """Whichever part it falls in: a folder of one file can still be trained on."""
    corpus = corpus_of({"a/one.mid": ONE_SOUND})
    assert split_pieces(corpus, METRES, seed) == Split((0,), (0,), (0,))


@pytest.mark.parametrize("seed", range(20))
def test_of_two_songs_the_published_figures_are_of_one_not_trained_on(seed: int) -> None:
    parts = names_of(["a/one.mid", "a/two.mid"], seed)
    assert all(parts.values())
    assert not parts["train"] & parts["test"]


def test_other_metres_are_left_out() -> None:
    """And when nothing is left, one line says so."""
    waltzes = corpus_of({"a/waltz.mid": ONE_SOUND}, metre="3/4")
    with pytest.raises(CorpusError, match=r"^the corpus has no piece in 2/4 or 4/4 to train on$"):
        split_pieces(waltzes, ("4/4", "2/4"), 7)


# The encoder

TUNE = (
    Sound(0, (60,), 12, 80, 0),
    Sound(12, (60,), 12, 80, 12),
    Sound(24, (48, 52, 55), 24, 20, 24),
    Sound(48, (62,), 12, 127, 0),
    Sound(60, (60,), 12, 1, 12),
)


def data(**changes: object) -> Data:
    return Data.model_validate({"min_token_count": 1, **changes})


def test_a_piece_as_ids() -> None:
    """*start*, then the ids; the phase is of the event that follows, and 0 after the last."""
    encoder = Encoder(corpus_of({"a/a.mid": TUNE}), data(), [0])
    assert encoder.vocabulary.tokens == ("start", "C4", "C3.E3.G3", "D4")
    assert encoder.vocabulary.rhythms == ((0, 0), (12, 12), (24, 24))
    piece = encoder.encode(0)
    assert piece.token.tolist() == [0, 1, 1, 2, 3, 1]
    assert piece.rhythm.tolist() == [0, 1, 1, 2, 1, 1]
    assert piece.velocity.tolist() == [0, 6, 6, 2, 8, 1]
    assert piece.phase.tolist() == [0, 12, 24, 0, 12, 0]


def test_the_vocabulary_is_of_the_training_pieces_only() -> None:
    """What only a held-out piece has is heard as its nearest: E4 as D4, C3.E3.A3 as C3.E3.G3."""
    other = (Sound(0, (64,), 12, 80, 0), Sound(12, (48, 52, 57), 7, 80, 12))
    encoder = Encoder(corpus_of({"a/a.mid": TUNE, "a/b.mid": other}), data(), [0])
    assert encoder.vocabulary.tokens == ("start", "C4", "C3.E3.G3", "D4")
    assert encoder.encode(1).token.tolist() == [0, 3, 2]
    assert encoder.encode(1).rhythm.tolist() == [0, 1, 1]


def test_most_frequent_first_then_by_name() -> None:
    encoder = Encoder(corpus_of({"a/a.mid": (*TUNE[::-1], *TUNE[3:4])}), data(), [0])
    assert encoder.vocabulary.tokens == ("start", "C4", "D4", "C3.E3.G3")


@pytest.mark.parametrize(
    ("changes", "tokens"),
    [
        ({"min_token_count": 3}, ("start", "C4")),
        ({"max_tokens": 2}, ("start", "C4", "C3.E3.G3")),
    ],
)
def test_rare_tokens_are_left_out(changes: dict[str, int], tokens: tuple[str, ...]) -> None:
    assert Encoder(corpus_of({"a/a.mid": TUNE}), data(**changes), [0]).vocabulary.tokens == tokens


def test_rare_rhythms_are_left_out() -> None:
    encoder = Encoder(corpus_of({"a/a.mid": TUNE}), data(max_rhythms=1), [0])
    assert encoder.vocabulary.rhythms == ((0, 0), (12, 12))
    assert encoder.encode(0).rhythm.tolist() == [0, 1, 1, 1, 1, 1]


def test_too_little_music() -> None:
    with pytest.raises(CorpusError, match=r"^no token occurs 9 times: give more music$"):
        Encoder(corpus_of({"a/a.mid": TUNE}), data(min_token_count=9), [0])


def test_steps_and_lengths_stop_at_two_bars() -> None:
    """A rest of an hour is learnt as one of two bars; after the last event comes its length."""
    sounds = (Sound(0, (60,), 500, 80, 0), Sound(4800, (60,), 300, 80, 0))
    encoder = Encoder(corpus_of({"a/a.mid": sounds}), data(), [0])
    assert encoder.vocabulary.rhythms == ((0, 0), (96, 96))


def test_normal_order_spells_chords_by_their_classes() -> None:
    """Two voicings are one token; a note keeps its name; octaves of C are the chord 0, not a C."""
    sounds = (
        Sound(0, (48, 52, 55), 12, 80, 0),
        Sound(12, (52, 55, 60), 12, 80, 12),
        Sound(24, (60,), 12, 80, 24),
        Sound(36, (48, 60), 12, 80, 36),
    )
    encoder = Encoder(corpus_of({"a/a.mid": sounds}), data(spelling="normal_order"), [0])
    assert encoder.vocabulary.tokens == ("start", "0.4.7", "0", "C4")
    assert encoder.encode(0).token.tolist() == [0, 1, 1, 3, 2]


# Windows


def test_one_training_window_by_hand() -> None:
    """Inputs, the targets one later, and the phase, which is of the target already."""
    windows = training_windows([(line(1, 4), 1)], 4, np.random.default_rng(0))
    assert windows.token.tolist() == [[0, 1, 2, 3]]
    assert windows.rhythm.tolist() == [[0, 101, 102, 103]]
    assert windows.velocity.tolist() == [[0, 201, 202, 203]]
    assert windows.phase.tolist() == [[0, 1, 2, 3]]
    assert windows.next_token.tolist() == [[1, 2, 3, 4]]
    assert windows.next_rhythm.tolist() == [[101, 102, 103, 104]]
    assert windows.next_velocity.tolist() == [[201, 202, 203, 204]]
    assert windows.weight.tolist() == [[1, 1, 1, 1]]


def test_two_pieces_share_a_window() -> None:
    """*start* stands between them, is an input, and does not count as a target."""
    windows = training_windows([(line(1, 2), 1), (line(1, 2), 1)], 5, np.random.default_rng(0))
    assert windows.token.tolist() == [[0, 1, 2, 0, 1]]
    assert windows.next_token.tolist() == [[1, 2, 0, 1, 2]]
    assert windows.weight.tolist() == [[1, 1, 0, 1, 1]]


def test_less_than_a_window_is_padded() -> None:
    windows = training_windows([(line(1, 2), 1)], 4, np.random.default_rng(0))
    assert windows.token.tolist() == [[0, 1, 0, 0]]
    assert windows.next_token.tolist() == [[1, 2, 0, 0]]
    assert windows.weight.tolist() == [[1, 1, 0, 0]]


def test_epochs_differ_and_can_be_had_again() -> None:
    """The order and the cuts come from the generator alone."""
    pieces = [(piece, 1) for piece in lines([20, 30, 25])]
    first, same, other = (
        training_windows(pieces, 8, np.random.default_rng(seed)).token.tolist()
        for seed in (1, 1, 2)
    )
    assert first == same
    assert first != other


@given(SIZES, st.integers(1, 3), st.integers(2, 12), st.integers(0, 99))
def test_training_loses_less_than_a_window_at_either_end(
    sizes: list[int], repeats: int, length: int, seed: int
) -> None:
    """No event counts more often than it is seen; *start* never does."""
    pieces = [(piece, repeats) for piece in lines(sizes)]
    windows = training_windows(pieces, length, np.random.default_rng(seed))
    counted = Counter(windows.next_token[windows.weight > 0].tolist())
    assert counted[0] == 0
    assert max(counted.values()) <= repeats
    assert sum(sizes) * repeats - counted.total() <= 2 * (length - 1)


@given(SIZES, st.integers(2, 12))
def test_scoring_counts_each_event_once(sizes: list[int], length: int) -> None:
    """Given at least half a window before it, or all there is."""
    pieces = lines(sizes)
    windows = scoring_windows(pieces, length)
    counted = Counter(windows.next_token[windows.weight > 0].tolist())
    assert counted == dict.fromkeys(range(1, sum(sizes) + 1), 1)
    for row in range(len(windows)):
        first = int(np.argmax(windows.weight[row] > 0))
        assert windows.token[row][0] == 0 or first >= length // 2


def test_scoring_windows_by_hand() -> None:
    """Seven events in windows of four: the second and third count only what the first did not."""
    windows = scoring_windows([line(1, 7)], 4)
    assert windows.token.tolist() == [[0, 1, 2, 3], [2, 3, 4, 5], [4, 5, 6, 0]]
    assert windows.next_token.tolist() == [[1, 2, 3, 4], [3, 4, 5, 6], [5, 6, 7, 0]]
    assert windows.weight.tolist() == [[1, 1, 1, 1], [0, 0, 1, 1], [0, 0, 1, 0]]


def test_classic_windows_by_hand() -> None:
    """*start* fills the sequence before the first event; no sequence crosses into a piece."""
    (sequences, targets), (others, _) = classic_windows([line(1, 3), line(7, 1)], 4)
    assert sequences.tolist() == [[0, 0, 0, 0], [0, 0, 0, 1], [0, 0, 1, 2]]
    assert targets.tolist() == [1, 2, 3]
    assert others.tolist() == [[0, 0, 0, 0]]


def test_the_fixture_is_what_it_says() -> None:
    """Twelve pieces of forty events, the same on every machine."""
    corpus = small_corpus()
    assert np.diff(corpus.starts).tolist() == [40] * 12
    assert (corpus.notes, corpus.chords) == (391, 89)


def test_a_folder_that_is_left_out_is_in_no_part() -> None:
    """Neither trained on nor held out, and the others are where they would be."""
    names = [f"{folder}/{song}.mid" for folder in ("bare", "full") for song in "abcdefgh"]
    corpus = corpus_of(dict.fromkeys(names, ONE_SOUND))
    split = split_pieces(corpus, METRES, 7, ["bare"])
    kept = [corpus.names[i] for part in (split.train, split.valid, split.test) for i in part]
    assert sorted(kept) == [name for name in names if name.startswith("full/")]
