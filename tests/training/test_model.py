"""The networks: their size, their state, and that stepping is the same as a window."""

from typing import Any

import numpy as np
import pytest

from training.dataset import scoring_windows
from training.model import INPUTS, Classic, Stacked, network
from training.prepared import Prepared, Sizes, batches
from training.recipe import Model, Recipe
from training.run import Run

TOLERANCE = 1e-4


def test_the_default_recipe_s_parameters() -> None:
    """Embeddings 164,672; LSTMs 5,707,776; heads 885,137 + 271,041 + 236,041."""
    net = Stacked(Recipe.load("default").model, Sizes(1201, 193))
    assert net.trainable(100).count_params() == 7_264_667


def test_the_classic_recipe_s_parameters() -> None:
    """LSTMs 5,251,072; normalisation 2,048 + 1,024; dense 131,328; 301 tokens 77,357."""
    net = Classic(Recipe.load("classic").model, Sizes(301, 1))
    assert net.trainable(100).count_params() == 5_462_829


def test_the_recipe_names_the_network() -> None:
    """And fresh weights do not depend on being portable."""
    sizes = Sizes(5, 4)
    assert isinstance(network(Model(units=2), sizes), Stacked)
    assert isinstance(network(Model(kind="classic", units=2), sizes, portable=True), Classic)


def test_the_shapes() -> None:
    """Features [batch, time, units + embeddings], state [2 x layers, batch, units]."""
    net = Stacked(Model(layers=2, units=6), Sizes(tokens=5, rhythms=4))
    ids = {name: np.zeros((3, 7), np.int32) for name in INPUTS}
    features, token, state = net.trunk(ids, np.zeros((4, 3, 6), np.float32))
    rhythm, velocity = net.heads(features, ids["token"], ids["rhythm"])
    shapes = [tuple(value.shape) for value in (features, token, state, rhythm, velocity)]
    assert shapes == [(3, 7, 6 + 304), (3, 7, 5), (4, 3, 6), (3, 7, 4), (3, 7, 9)]


def test_no_state_is_a_state_of_zeros() -> None:
    net = Stacked(Model(layers=2, units=6), Sizes(tokens=5, rhythms=4))
    ids = {name: np.ones((1, 3), np.int32) for name in INPUTS}
    with_zeros = net.trunk(ids, np.zeros((4, 1, 6), np.float32))
    for found, expected in zip(net.trunk(ids, None), with_zeros, strict=True):
        assert np.array_equal(found, expected)


def test_rhythm_hears_the_chosen_token_and_velocity_both() -> None:
    """Rhythm is foretold given the token; velocity given the token and the rhythm."""
    net = Stacked(Model(layers=1, units=6), Sizes(tokens=5, rhythms=4))
    features = np.ones((1, 1, 6), np.float32)

    def heads(token: int, rhythm: int) -> list[Any]:
        return [
            np.asarray(h) for h in net.heads(features, np.array([[token]]), np.array([[rhythm]]))
        ]

    rhythm, velocity = heads(1, 1)
    other_rhythm, other_velocity = heads(1, 2)
    assert np.array_equal(rhythm, other_rhythm)
    assert not np.array_equal(velocity, other_velocity)
    assert not np.array_equal(rhythm, heads(2, 1)[0])


def stepped(net: Stacked | Classic, ids: dict[str, Any]) -> Any:
    """The token logits [time, tokens] of one sequence, heard one event at a time."""
    state = np.zeros((2 * net.recipe.layers, 1, net.recipe.units), np.float32)
    rows = []
    for i in range(ids["token"].shape[1]):
        _, logits, state = net.trunk({name: row[:, i : i + 1] for name, row in ids.items()}, state)
        rows.append(np.asarray(logits)[0, 0])
    return np.stack(rows)


@pytest.mark.parametrize("kind", ["stacked", "classic"])
def test_stepping_is_the_same_as_a_window(kind: str) -> None:
    """One event at a time with the state handed on, against all twelve at once."""
    recipe = Model.model_validate({"kind": kind, "layers": 3, "units": 16})
    net = network(recipe, Sizes(9, 7))
    rng = np.random.default_rng(1)
    ids = {name: rng.integers(0, 7, (1, 12)).astype(np.int32) for name in net.inputs}
    _, whole, _ = net.trunk(ids, None)
    assert np.abs(stepped(net, ids) - np.asarray(whole)[0]).max() < TOLERANCE


def test_stepping_a_trained_network(fitted_run: Run) -> None:
    """The same over a held-out piece with trained weights."""
    prepared = Prepared(fitted_run.corpus(), fitted_run.recipe())
    net = network(fitted_run.recipe().model, prepared.sizes)
    model = net.trainable(prepared.recipe.data.window_events)
    model.load_weights(fitted_run.weights_path)
    windows = scoring_windows(prepared.pieces(prepared.split.test)[:1], 16)
    inputs, _, _ = next(batches(windows, 1))
    ids = {name: inputs[name] for name in INPUTS}
    whole = model.predict_on_batch(inputs)["token"][0]
    assert np.abs(stepped(net, ids) - whole).max() < TOLERANCE


def test_the_classic_network_foretells_only_what_follows_its_sequence() -> None:
    """Trained on the last position, it gives there what its trunk gives."""
    net = Classic(Model(kind="classic", layers=2, units=6), Sizes(tokens=5, rhythms=1))
    ids = {"token": np.array([[0, 1, 2], [3, 4, 1]], np.int32)}
    last = net.trainable(3).predict_on_batch(ids)["token"]
    _, every, _ = net.trunk(ids, None)
    assert last.shape == (2, 5)
    assert np.abs(last - np.asarray(every)[:, -1]).max() < TOLERANCE
