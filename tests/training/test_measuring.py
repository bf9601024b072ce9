"""``lofid-train evaluate`` from end to end, on a model and a plan that take seconds."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from lofid.errors import ConfigError, ModelError
from lofid.predictor import Predictor
from tests.training.music import write_midi
from training import evaluation
from training.cli import app
from training.corpus import Corpus
from training.evaluation import Plan
from training.measuring import Request, measure
from training.modelfile import read
from training.recipe import Recipe
from training.run import Run

SMALL = Plan(seeds=2, events=60, endless_events=80, pairs=2, steps=40, primes=3)
PNG = b"\x89PNG\r\n"


@pytest.fixture
def model(tiny_model: Path, tmp_path: Path) -> Path:
    """A copy of the tiny model, to be written to."""
    return Path(shutil.copy(tiny_model, tmp_path / "my.onnx"))


def test_a_run_is_measured(
    model: Path, fitted_run: Run, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """A table, a file for programs, a sheet of plots; and the figures in the model's card."""
    before = Predictor(model, "cpu").card
    out = tmp_path / "figures"
    measure(Request(model, [fitted_run.folder], "default", out, SMALL, jobs=1, write=True))
    told = capfd.readouterr()
    assert told.err == ""
    for figure in ("token perplexity", "rich chords", "equal bars in a row", "differing, mean",
                   "longest shared run, by token", "one step, p50 / p99", "size"):  # fmt: skip
        assert figure in told.out
    found = json.loads((out / "figures.json").read_text())
    assert len(found["seeds"]) == SMALL.seeds
    assert len(found["pairs"]) == SMALL.pairs
    assert sorted(found["endless"]) == ["0.5", "1.0", "1.5"]
    assert sum(found["recited_events"]["lengths"]) == SMALL.seeds * (SMALL.events - 1)
    assert {row["met"] for row in found["verdicts"]} <= {True, False, None}
    assert (out / "figures.png").read_bytes().startswith(PNG)

    after = Predictor(model, "cpu").card
    assert before.figures == {}
    scores = found["held_out"]["model"]
    assert after.figures["held-out token perplexity"] == round(scores["token"]["perplexity"], 4)
    assert 0 <= float(after.figures["not recited, by token and rhythm"]) <= 1
    assert after.model_copy(update={"figures": {}}) == before


def test_writing_the_figures_changes_no_note(
    tiny_model: Path, model: Path, fitted_run: Run
) -> None:
    """The graphs are the same before and after."""
    from training.modelfile import write  # noqa: PLC0415

    card, graphs = read(model)
    write(graphs, card.model_copy(update={"figures": {"x": 1.0}}), model)
    (_, old), (_, new) = read(tiny_model), read(model)
    assert old.trunk.graph == new.trunk.graph
    assert old.heads == new.heads


def test_folders_of_music_are_measured(
    model: Path, tiny_recipe: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the command: in the model's own vocabulary, split as the recipe says."""
    monkeypatch.setattr(evaluation, "QUICK", SMALL)
    monkeypatch.setattr("training.material.default_folder", lambda: tmp_path / "cache")
    songs = tmp_path / "songs"
    songs.mkdir()
    for i in range(4):
        tune = [(60 + (i * k) % 12, 240 * k, 240) for k in range(40)]
        write_midi(songs / f"{i}.mid", tune, [(48, 0, 9600), (55, 0, 9600)])
    out = tmp_path / "out"
    arguments = ["evaluate", model, songs, "--recipe", tiny_recipe, "--out", out, "--quick",
                 "--jobs", "1"]  # fmt: skip
    done = CliRunner().invoke(app, list(map(str, arguments)))
    assert (done.exit_code, done.stderr) == (0, "")
    assert done.stdout.splitlines()[-1] == f"{out}: figures.json, figures.png"
    assert json.loads((out / "figures.json").read_text())["recipe"] == "two-epochs"


def test_a_corpus_is_arranged_as_the_recipe_says(
    model: Path, fitted_run: Run, tmp_path: Path
) -> None:
    """Nothing is arranged by default; a recipe that is not there is refused."""
    from training.material import material  # noqa: PLC0415

    card, _ = read(model)
    corpus = Corpus.load(fitted_run.corpus_path)
    recipe = tmp_path / "r.toml"
    recipe.write_text("[data]\nwindow_events = 16\n")
    prepared = material([fitted_run.corpus_path], str(recipe), card, 1, lambda *_: None)
    assert prepared.corpus.names == corpus.names
    assert np.array_equal(prepared.corpus.onset, corpus.onset)
    assert prepared.vocabulary.tokens == card.tokens
    assert prepared.recipe == Recipe.load(str(recipe))
    with pytest.raises(ConfigError, match="no recipe 'nope'"):
        material([fitted_run.corpus_path], "nope", card, 1, lambda *_: None)


def test_what_is_no_model_is_refused(fitted_run: Run, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="cannot read the model"):
        measure(Request(tmp_path / "no.onnx", [fitted_run.folder], "tiny", tmp_path, SMALL, 1))


def test_tensorflow_is_not_needed() -> None:
    """Measuring imports none of it: a second is enough to begin."""
    code = "import sys, training.measuring; print({'tensorflow', 'keras'} & {*sys.modules})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"
