"""8-bit weights: how they are rounded, and what that saves and costs."""

import math
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import helper, numpy_helper

from lofid.predictor import Predictor
from training.evaluate import held_out_batches, score
from training.export import Trained, card_of, to_graphs
from training.int8 import SMALLEST_MATRIX, weights_to_int8
from training.model import network
from training.modelfile import Graphs, forward, write
from training.prepared import Prepared, Sizes
from training.recipe import Model
from training.run import Run


def product(weights: np.ndarray) -> onnx.ModelProto:
    """A graph of one matrix product with these weights."""
    tensor = numpy_helper.from_array(weights, "w")
    x = helper.make_tensor_value_info("x", onnx.TensorProto.FLOAT, [None, weights.shape[0]])
    y = helper.make_tensor_value_info("y", onnx.TensorProto.FLOAT, [None, weights.shape[1]])
    node = helper.make_node("MatMul", ["x", "w"], ["y"])
    graph = helper.make_graph([node], "product", [x], [y], [tensor])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def initialisers(graph: onnx.ModelProto) -> dict[str, np.ndarray]:
    return {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.graph.initializer}


def test_a_large_matrix_is_rounded_by_column() -> None:
    """A scale for each output, so that its largest weight is ±127; a column of zeros stays zero."""
    weights = np.zeros((SMALLEST_MATRIX // 4, 4), np.float32)
    weights[:3, 0] = (1.27, -0.635, 0.004)
    weights[:3, 1] = (-254, 2, 1)
    weights[:3, 2] = (0.5, 0.25, -0.5)
    found = initialisers(weights_to_int8(product(weights)))
    assert set(found) == {"w_int8", "w_scale", "w_zero"}
    assert found["w_scale"] == pytest.approx([0.01, 2, 0.5 / 127, 1])
    assert found["w_int8"][:3].T.tolist() == [[127, -64, 0], [-127, 1, 0], [127, 64, -127], [0] * 3]
    assert found["w_zero"].tolist() == [0, 0, 0, 0]


def test_a_small_matrix_stays_as_it_is() -> None:
    weights = np.ones((SMALLEST_MATRIX // 4 - 1, 4), np.float32)
    graph = product(weights)
    assert weights_to_int8(graph).SerializeToString() == graph.SerializeToString()


def test_the_graph_that_was_given_is_not_changed() -> None:
    graph = product(np.ones((SMALLEST_MATRIX, 1), np.float32))
    before = graph.SerializeToString()
    weights_to_int8(graph)
    assert graph.SerializeToString() == before


def test_each_weight_is_within_half_a_scale(graphs: Graphs) -> None:
    """In a trained network: an LSTM's matrices have a scale for each of its 4 x units rows."""
    exact, small = initialisers(graphs.trunk), initialisers(graphs.as_int8().trunk)
    rounded = [name.removesuffix("_int8") for name in small if name.endswith("_int8")]
    lstms = [name for name in rounded if exact[name].ndim == 3]
    assert len(lstms) == 4
    for name in lstms:
        scale = small[f"{name}_scale"][None, :, None]
        assert scale.size == 4 * 48
        restored = small[f"{name}_int8"].astype(np.float32) * scale
        assert np.all(np.abs(restored - exact[name]) <= 0.5001 * scale)


def test_little_is_lost(trained: Trained, graphs: Graphs, fitted_run: Run) -> None:
    """Held-out loss of each head changes by less than 1 %."""
    prepared = Prepared(fitted_run.corpus(), fitted_run.recipe())
    batches = held_out_batches(prepared, prepared.pieces(prepared.split.test))
    exact, rounded = (score(forward(each), batches) for each in (graphs, graphs.as_int8()))
    for head, scored in exact.items():
        change = math.log(rounded[head].perplexity) / math.log(scored.perplexity) - 1
        assert 0 < abs(change) < 0.01


def test_the_file_is_smaller_than_a_third(fitted_run: Run, tmp_path: Path) -> None:
    """Where the weights outweigh the card, and the daemon loads it like any other."""
    recipe = Model(layers=2, units=128, token_embedding=96)
    vocabulary = fitted_run.vocabulary()
    net = network(recipe, Sizes(len(vocabulary.tokens), len(vocabulary.rhythms)))
    net.trainable(8)
    graphs, card = to_graphs(Trained(net, fitted_run)), card_of(fitted_run, "", {})
    exact = write(graphs, card, tmp_path / "exact.onnx")
    small = write(graphs.as_int8(), card, tmp_path / "small.onnx")
    assert small < exact / 3
    assert Predictor(tmp_path / "small.onnx", "cpu").card == card
