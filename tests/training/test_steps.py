"""The steps as the commands call them: what is printed, what is written, what is refused."""

import shutil
from pathlib import Path

import pytest

from lofid.errors import CorpusError, ModelError
from lofid.predictor import Predictor
from training.export import card_of
from training.run import Run
from training.steps import export, train


@pytest.fixture(scope="module")
def exported(fitted_run: Run, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny run with 8-bit weights."""
    path = tmp_path_factory.mktemp("exported") / "tiny.onnx"
    export(fitted_run, path, int8=True, credits_text="Twelve tunes, CC0")
    return path


def test_training_tells_the_best_epoch(
    fitted_run: Run, tiny_recipe: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """One line on stdout; a run that is finished already says it again."""
    folder = tmp_path / "run"
    shutil.copytree(fitted_run.folder, folder)
    assert train(str(tiny_recipe), fitted_run.corpus_path, folder) == Run(folder)
    loss = fitted_run.history()[1]["val_loss"]
    assert capfd.readouterr().out == (
        f"{folder}: best epoch 2, held-out loss {loss} nats per event\n"
    )


def test_training_without_a_corpus(tiny_recipe: Path, tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match=r"c\.npz: no such file; make it with 'lofid-train corp"):
        train(str(tiny_recipe), tmp_path / "c.npz", tmp_path / "run")


def test_an_exported_file_carries_its_figures(exported: Path) -> None:
    """The model's and the n-gram's, on music that was not trained on."""
    card = Predictor(exported, "cpu").card
    assert card.credits == "Twelve tunes, CC0"
    loss = card.figures["int8 token perplexity loss percent"]
    scores = {name: figure for name, figure in card.figures.items() if "int8" not in name}
    assert isinstance(loss, float)
    assert sorted(scores) == sorted(
        f"{whose} {head} {what}"
        for head in ("token", "rhythm", "velocity")
        for whose, what in (
            ("held-out", "perplexity"),
            ("held-out", "top-1"),
            ("best n-gram", "perplexity"),
        )
    )
    assert all(isinstance(figure, float) and figure > 0 for figure in scores.values())


def test_exporting_tells_what_was_checked(
    classic_run: Run, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """Agreement with Keras, what 8-bit weights cost, the figures, the size. Classic, too."""
    path = tmp_path / "classic.onnx"
    export(classic_run, path, int8=True, credits_text="")
    lines = capfd.readouterr().out.splitlines()
    assert lines[0].startswith("agrees with Keras to ")
    assert lines[1].startswith("8-bit weights: token perplexity ")
    assert any("token" in line and "n-gram" not in line for line in lines[2:-1])
    assert lines[-1].startswith(f"{path}: ")
    assert sorted(Predictor(path, "cpu").card.figures) == [
        "best n-gram token perplexity",
        "held-out token perplexity",
        "held-out token top-1",
        "int8 token perplexity loss percent",
    ]


def test_a_folder_without_a_run(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"holds no trained run: make one by 'lofid-train fit'$"):
        Run.open(tmp_path)


def test_a_classic_card_has_one_rhythm(classic_run: Run) -> None:
    card = card_of(classic_run, "", {})
    assert (card.rhythms, card.fixed_rhythm, card.pad_context) == (((0, 0), (6, 6)), (6, 6), True)
