"""Material: the music that a model is measured on, from a run's folder or from folders of music."""

from collections.abc import Callable, Sequence
from pathlib import Path

from lofid.card import Card
from training.arranged import arrange_corpus
from training.build import Work, build
from training.cache import Cache, default_folder
from training.corpus import Corpus
from training.prepared import Prepared
from training.recipe import Recipe
from training.run import Run

Progress = Callable[[int, int], None]


def material(
    sources: Sequence[Path], recipe: str, card: Card, jobs: int, progress: Progress
) -> Prepared:
    """Prepare music for a model, in the model's own vocabulary.

    A single run's folder gives its own corpus and recipe; ``recipe`` names the one for anything
    else: folders and files of music, or a corpus. CorpusError when there is none in them.
    """
    if len(sources) == 1 and Run(sources[0]).card_path.is_file():
        run = Run(sources[0])
        return Prepared(run.corpus(), run.recipe(), card.vocabulary())
    wanted = Recipe.load(recipe)
    found = _read(sources, jobs, progress)
    arranged = arrange_corpus(found, wanted.arrange, wanted.fit.seed, progress).corpus
    return Prepared(arranged, wanted, card.vocabulary())


def _read(sources: Sequence[Path], jobs: int, progress: Progress) -> Corpus:
    if len(sources) == 1 and sources[0].suffix == ".npz":
        return Corpus.load(sources[0])
    work = Work(jobs, cache=Cache(default_folder()), progress=progress)
    return build(sources, work).corpus
