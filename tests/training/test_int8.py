"""8-bit weights: which become so, and what that saves and costs."""

import math
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import helper, numpy_helper

from lofid.predictor import Predictor
from training.evaluate import held_out_batches, score
from training.export import Trained, card_of, to_graphs
from training.int8 import weights_to_int8
from training.model import network
from training.modelfile import Graphs, forward, write
from training.prepared import Prepared, Sizes
from training.recipe import Model
from training.run import Run


def product(weights: np.ndarray) -> onnx.ModelProto:
    """A graph of one matrix product with these weights."""
    tensor = numpy_helper.from_array(weights, "w")
    x = helper.make_tensor_value_info("x", onnx.TensorProto.FLOAT, [1, weights.shape[0]])
    y = helper.make_tensor_value_info("y", onnx.TensorProto.FLOAT, [1, weights.shape[1]])
    node = helper.make_node("MatMul", ["x", "w"], ["y"])
    graph = helper.make_graph([node], "product", [x], [y], [tensor])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def initialisers(graph: onnx.ModelProto) -> dict[str, np.ndarray]:
    return {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.graph.initializer}


def test_a_matrix_is_rounded_to_seven_bits_by_column() -> None:
    """A scale for each output, so that its largest weight is ±64: two products fit in 16 bits."""
    found = initialisers(weights_to_int8(product(np.array([[6.4, -1], [-3.2, 0.5]], np.float32))))
    assert found["w_quantized"].dtype == np.int8
    assert found["w_quantized"].T.tolist() == [[64, -32], [-64, 32]]
    assert found["w_scale"] == pytest.approx([0.1, 1 / 64])
    assert found["w_zero_point"].tolist() == [0, 0]


def test_the_graph_that_was_given_is_not_changed() -> None:
    graph = product(np.ones((64, 2), np.float32))
    before = graph.SerializeToString()
    weights_to_int8(graph)
    assert graph.SerializeToString() == before


def test_every_large_matrix_is_rounded(graphs: Graphs) -> None:
    """Layers, projections and embeddings; what stays float are biases and scales."""
    before, after = graphs.trunk, graphs.as_int8().trunk
    layers = [node.op_type for node in before.graph.node].count("LSTM")
    found = [node.op_type for node in after.graph.node]
    assert (found.count("DynamicQuantizeLSTM"), found.count("LSTM")) == (layers, 0)
    floats = [v for v in initialisers(after).values() if v.dtype == np.float32]
    assert max(v.size for v in floats) <= 8 * 48  # the biases of 48 units


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
    graphs, card = to_graphs(Trained(net, fitted_run)), card_of(fitted_run, "", {}, int8=True)
    exact = write(graphs, card, tmp_path / "exact.onnx")
    small = write(graphs.as_int8(), card, tmp_path / "small.onnx")
    assert small < exact / 3
    assert Predictor(tmp_path / "small.onnx", "cpu").card == card
