"""A whole corpus arranged."""

from tests.training.pieces import CHORDS, corpus_of
from training.arranged import arrange_corpus, pieces
from training.corpus import Corpus
from training.dataset import split_pieces
from training.reader import Sound
from training.recipe import Arrange

SHEET = [Sound(48 * i, chord, 48, 64, 0) for i, chord in enumerate(CHORDS)]
TUNE = [Sound(12 * i, (60 + i,), 12, 80, 12 * i % 48) for i in range(8)]


def _music() -> Corpus:
    return corpus_of({"sheets/a.mid": SHEET, "sheets/b.mid": SHEET, "own/c.mid": TUNE})


def test_nothing_is_arranged_unless_asked_for() -> None:
    music = _music()
    made = arrange_corpus(music, Arrange(), 7)
    assert (made.songs, made.performances) == (0, 0)
    assert list(pieces(made.corpus)) == list(pieces(music))


def test_performances_stand_for_lead_sheets() -> None:
    """Three of each song; its name stays, its folder is numbered; what is not wanted stays."""
    made = arrange_corpus(_music(), Arrange(versions={"sheets": 3}), 7)
    assert (made.songs, made.performances) == (2, 6)
    assert made.corpus.names[:3] == tuple(f"sheets/arranged-{i}/a.mid" for i in (1, 2, 3))
    assert made.corpus.names[-1] == "own/c.mid"
    assert made.told() == "2 songs arranged 6 times"


def test_a_folder_can_be_left_out() -> None:
    made = arrange_corpus(_music(), Arrange(versions={"*": 2, "sheets": 0}), 7)
    assert not any(name.startswith("sheets") for name in made.corpus.names)


def test_what_cannot_be_arranged_is_counted() -> None:
    """The tune has no chords; the waltz is rewritten."""
    waltz = corpus_of({"w/w.mid": [s._replace(onset_grid=36 * i, length_grid=36)
                                   for i, s in enumerate(SHEET)]}, "3/4")  # fmt: skip
    assert arrange_corpus(_music(), Arrange(versions={"*": 1}), 7).left_out == {
        "fewer than two chords": 1
    }
    made = arrange_corpus(waltz, Arrange(versions={"*": 2}), 7)
    assert made.rewritten == {"3/4": 1}
    assert "1 of 3/4 rewritten in four beats" in made.told()


def test_the_same_seed_gives_the_same_performances_whatever_else_is_there() -> None:
    wanted = Arrange(versions={"sheets": 2})
    made = arrange_corpus(_music(), wanted, 7)
    alone = arrange_corpus(corpus_of({"sheets/b.mid": SHEET}), wanted, 7)
    other = arrange_corpus(_music(), wanted, 8)
    mine = [piece for piece in pieces(made.corpus) if piece[0].endswith("b.mid")]
    assert mine == list(pieces(alone.corpus))
    assert mine[0][2] != mine[1][2]
    assert mine != [piece for piece in pieces(other.corpus) if piece[0].endswith("b.mid")]


def test_all_performances_of_a_song_are_on_one_side_of_the_split() -> None:
    music = corpus_of({f"sheets/{i}.mid": SHEET for i in range(40)})
    made = arrange_corpus(music, Arrange(versions={"sheets": 3}), 7).corpus
    split = split_pieces(made, ["4/4"], 7)
    songs = [{made.names[i].split("/")[-1] for i in part}
             for part in (split.train, split.valid, split.test)]  # fmt: skip
    assert all(songs)
    assert not (songs[0] & songs[1] | songs[0] & songs[2] | songs[1] & songs[2])
