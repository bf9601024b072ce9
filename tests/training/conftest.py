"""Runs that several training tests look at. TensorFlow is imported only where one is asked for."""

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.training.pieces import CLASSIC, TINY, small_corpus
from training.corpus import Corpus
from training.recipe import Recipe
from training.run import Run

if TYPE_CHECKING:
    from training.export import Trained
    from training.modelfile import Graphs


@pytest.fixture(scope="session")
def corpus() -> Corpus:
    """Twelve pieces of forty events."""
    return small_corpus()


@pytest.fixture(scope="session")
def tiny_recipe(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A recipe file: two layers of 48, windows of 16, two epochs."""
    path = tmp_path_factory.mktemp("recipes") / "two-epochs.toml"
    path.write_text(TINY, encoding="utf-8")
    return path


@pytest.fixture(scope="session")
def fitted_run(corpus: Corpus, tiny_recipe: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """The run of the tiny recipe, from end to end. Only to be looked at."""
    from training.fit import fit  # noqa: PLC0415

    return fit(corpus, Recipe.load(str(tiny_recipe)), tmp_path_factory.mktemp("fitted"))


@pytest.fixture(scope="session")
def classic_run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A run of the classic network with a few units. Only to be looked at."""
    from training.fit import fit  # noqa: PLC0415

    recipe = Recipe.parse(CLASSIC, "classic.toml")
    return fit(small_corpus(6), recipe, tmp_path_factory.mktemp("classic"))


@pytest.fixture(scope="session")
def trained(fitted_run: Run) -> "Trained":
    """The tiny run's network with its best weights."""
    from training.export import Trained  # noqa: PLC0415

    return Trained.load(fitted_run)


@pytest.fixture(scope="session")
def graphs(trained: "Trained") -> "Graphs":
    """The tiny run's network as ONNX."""
    from training.export import to_graphs  # noqa: PLC0415

    return to_graphs(trained)


@pytest.fixture(scope="session")
def tiny_model(fitted_run: Run, graphs: "Graphs", tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny run as a model file. Only to be looked at."""
    from training.export import card_of  # noqa: PLC0415
    from training.modelfile import write  # noqa: PLC0415

    path = tmp_path_factory.mktemp("model") / "tiny.onnx"
    write(graphs, card_of(fitted_run, "", {}), path)
    return path
