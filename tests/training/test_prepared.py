"""A corpus made ready: what the early epochs see, and what they must not."""

import numpy as np
import pytest

from lofid.errors import CorpusError
from tests.training.pieces import CHORDS, corpus_of
from training.corpus import Corpus
from training.fit import StackedData
from training.prepared import Prepared
from training.reader import Sound
from training.recipe import Recipe

TUNE = [Sound(12 * i, CHORDS[i % 4], 12, 80, 12 * i % 48) for i in range(12)]
OTHER = [Sound(12 * i, (60 + i,), 12, 80, 12 * i % 48) for i in range(12)]
EARLY = (
    "[data]\nmin_token_count = 1\nwindow_events = 6\n[data.repeats]\npiano = 0\n"
    "[data.early_repeats]\npiano = 3\n[fit]\nepochs = 5\nearly_epochs = 2\nbatch_windows = 4\n"
)


def _music() -> Corpus:
    songs = {f"songs/{i}.mid": TUNE for i in range(30)}
    return corpus_of(songs | {f"piano/{i}.mid": OTHER for i in range(25, 40)})


def test_what_is_seen_early_is_no_held_out_song() -> None:
    """Songs 25 to 29 are in both folders; those of them that are held out are not seen at all."""
    prepared = Prepared(_music(), Recipe.parse(EARLY, "r.toml"))
    held_out = {prepared.corpus.names[i] for i in (*prepared.split.valid, *prepared.split.test)}
    twins = [f"songs/{i}.mid" for i in range(25, 30)]
    early = prepared.early()
    assert len(early) == 15 - len(held_out.intersection(twins))
    assert {times for _, times in early} == {3}
    assert not any(name.startswith("piano") for name in held_out)


def test_the_vocabulary_is_that_of_the_songs() -> None:
    """The piano's single notes are heard as the nearest chord."""
    prepared = Prepared(_music(), Recipe.parse(EARLY, "r.toml"))
    assert all("." in token for token in prepared.vocabulary.tokens[1:])


def test_early_epochs_see_the_early_music_and_later_ones_the_songs() -> None:
    """The songs' rhythm is one pair; both have it, but the songs are more."""
    data = StackedData(Prepared(_music(), Recipe.parse(EARLY, "r.toml")))
    rng = np.random.default_rng(1)
    sizes = [sum(float(weights["token"].sum()) for _, _, weights in data.train(rng, epoch))
             for epoch in (1, 2, 3, 4)]  # fmt: skip
    assert min(sizes[:2]) > max(sizes[2:])
    early, later = (len(data.train(rng, epoch)) for epoch in (1, 3))
    assert data.steps(5) == pytest.approx(2 * early + 3 * later, abs=5)


def test_a_recipe_without_its_early_music_is_told() -> None:
    songs = corpus_of({f"songs/{i}.mid": TUNE for i in range(30)})
    with pytest.raises(CorpusError, match="early_repeats"):
        StackedData(Prepared(songs, Recipe.parse(EARLY, "r.toml")))
