"""Recipes: those that come with lofid, and faults in a person's own."""

from pathlib import Path

import pytest

from lofid.errors import ConfigError
from training.recipe import Recipe


def test_the_bundled_recipes() -> None:
    """Each reads, and is named by its file."""
    kinds = {name: Recipe.load(name).model.kind for name in ("default", "classic", "tiny")}
    assert kinds == {"default": "stacked", "classic": "classic", "tiny": "stacked"}
    assert Recipe.load("default").name == "default"


def test_the_classic_recipe_is_the_article_s() -> None:
    """Three LSTM(512) with recurrent dropout 0.3, RMSprop, batches of 128, 100 epochs."""
    classic = Recipe.load("classic")
    assert (classic.model.layers, classic.model.units) == (3, 512)
    assert (classic.model.recurrent_dropout, classic.data.window_events) == (0.3, 100)
    assert (classic.fit.optimizer, classic.fit.batch_windows, classic.fit.epochs) == (
        "rmsprop",
        128,
        100,
    )


def test_a_file_by_its_path(tmp_path: Path) -> None:
    """What is not said is the default; the name is the file's unless it says another."""
    path = tmp_path / "mine.toml"
    path.write_text("[fit]\nepochs = 2\n")
    recipe = Recipe.load(str(path))
    assert (recipe.name, recipe.fit.epochs, recipe.model.layers) == ("mine", 2, 3)
    path.write_text('name = "other"\n')
    assert Recipe.load(str(path)).name == "other"


def test_a_recipe_survives_being_written_down() -> None:
    """A run keeps its recipe as JSON."""
    recipe = Recipe.load("default")
    assert Recipe.model_validate_json(recipe.model_dump_json()) == recipe


def test_no_such_recipe() -> None:
    """One line that says which there are."""
    with pytest.raises(ConfigError) as caught:
        Recipe.load("defualt")
    assert str(caught.value) == (
        "no recipe 'defualt': give one of classic, default, tiny, or a .toml file"
    )


def test_every_fault_at_once() -> None:
    """One line for each, with its place and what was found there."""
    text = "[fit]\nepochs = 0\n[model]\nlayer = 3\n"
    with pytest.raises(ConfigError) as caught:
        Recipe.parse(text, "mine.toml")
    assert str(caught.value).splitlines() == [
        "mine.toml: model.layer: Extra inputs are not permitted (found 3)",
        "mine.toml: fit.epochs: Input should be greater than or equal to 1 (found 0)",
    ]


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("[data]\nmetres = []", "data.metres"),
        ("[data.repeats]\nsongs = -1", "data.repeats.songs"),
        ("[data]\nwindow_events = 1", "data.window_events"),
        ("[model]\ndropout = 1.0", "model.dropout"),
        ("[fit]\noptimizer = 'sgd'", "fit.optimizer"),
        ("[fit]\nlearning_rate = 0", "fit.learning_rate"),
    ],
)
def test_values_that_could_not_be_trained_with(text: str, place: str) -> None:
    with pytest.raises(ConfigError, match=f"^mine.toml: {place}: "):
        Recipe.parse(text, "mine.toml")


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (b"[fit\n", r"mine\.toml: .*\(at line 1, column 5\)$"),
        (b"name = '\xff'", r"mine\.toml is no recipe: it is not text in UTF-8$"),
    ],
)
def test_what_is_no_toml(tmp_path: Path, content: bytes, fault: str) -> None:
    path = tmp_path / "mine.toml"
    path.write_bytes(content)
    with pytest.raises(ConfigError, match=fault):
        Recipe.load(str(path))
