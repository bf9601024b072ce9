"""A trained run's network to ONNX graphs, checked against Keras before they are written.

What the graphs are is told in :mod:`training.modelfile`.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf
import tf2onnx
from onnx import ModelProto as Proto

from lofid.card import Card
from lofid.errors import ModelError
from training.model import Classic, Network, Stacked, network
from training.modelfile import Graphs, forward
from training.prepared import Sizes
from training.run import Run

OPSET = 17
TOLERANCE = 1e-4
"""How far the graph's logits may lie from Keras's, over a real window."""

CPU = "/CPU:0"
"""Where Keras runs here: a GPU would round its sums to 10 bits (TF32)."""


@dataclass(frozen=True)
class Trained:
    """A run's network with its best weights, without recurrent dropout."""

    net: Network
    run: Run

    @classmethod
    def load(cls, run: Run) -> "Trained":
        """Build the network again and give it the run's best weights."""
        recipe, vocabulary = run.recipe(), run.vocabulary()
        sizes = Sizes(len(vocabulary.tokens), len(vocabulary.rhythms))
        plain = recipe.model.model_copy(update={"recurrent_dropout": 0.0})
        with tf.device(CPU):
            fitted = network(recipe.model, sizes).trainable(recipe.data.window_events)
            fitted.load_weights(run.weights_path)
            net = network(plain, sizes, portable=True)
            net.trainable(recipe.data.window_events).set_weights(fitted.get_weights())
        return cls(net, run)


def to_graphs(trained: Trained) -> Graphs:
    """Convert by tf2onnx. ModelError unless each layer became one LSTM and nothing a loop."""
    trunk = _convert(*_trunk(trained.net))
    check_operators(trunk, trained.net.recipe.layers)
    if isinstance(trained.net, Stacked):
        return Graphs(trunk, _convert(*_heads(trained.net)))
    return Graphs(trunk, None)


def _convert(function: Any, signature: list[tf.TensorSpec]) -> Proto:
    with tf.device(CPU):
        graph, _ = tf2onnx.convert.from_function(
            tf.function(function), input_signature=signature, opset=OPSET
        )
    return graph


def _trunk(net: Network) -> tuple[Any, list[tf.TensorSpec]]:
    ids = [tf.TensorSpec([None, None], tf.int32, name=name) for name in net.inputs]
    shape = [2 * net.recipe.layers, None, net.recipe.units]
    names = [*net.inputs, "state"]

    def trunk(*given: Any) -> dict[str, Any]:
        inputs = dict(zip(names, given, strict=True))
        features, logits, new_state = net.trunk(inputs, inputs["state"])
        outputs = {"token_logits": logits, "new_state": new_state}
        return outputs if isinstance(net, Classic) else {**outputs, "features": features}

    return trunk, [*ids, tf.TensorSpec(shape, tf.float32, name="state")]


def _heads(net: Stacked) -> tuple[Any, list[tf.TensorSpec]]:
    def heads(features: Any, chosen_token: Any, chosen_rhythm: Any) -> dict[str, Any]:
        rhythm, velocity = net.heads(features, chosen_token, chosen_rhythm)
        return {"rhythm_logits": rhythm, "velocity_logits": velocity}

    return heads, [
        tf.TensorSpec([None, None, net.feature_units], tf.float32, name="features"),
        tf.TensorSpec([None, None], tf.int32, name="chosen_token"),
        tf.TensorSpec([None, None], tf.int32, name="chosen_rhythm"),
    ]


def check_operators(graph: Proto, layers: int) -> None:
    """ModelError unless the graph has one LSTM a layer and no Loop or Scan."""
    operators = [node.op_type for node in graph.graph.node]
    loops = operators.count("Loop") + operators.count("Scan")
    if operators.count("LSTM") != layers or loops:
        raise ModelError(
            f"the exported graph has {operators.count('LSTM')} LSTM operators and {loops} loops; "
            f"{layers} and 0 were expected: it would be too slow to play"
        )


def check_agreement(trained: Trained, graphs: Graphs, inputs: dict[str, Any]) -> float:
    """Give the greatest distance between the graphs' logits and Keras's over real windows.

    ModelError when it is above 1e-4.
    """
    with tf.device(CPU):
        expected = trained.net.trainable(inputs["token"].shape[1]).predict_on_batch(inputs)
    found = forward(graphs)(inputs)
    distance = max(float(np.abs(expected[name] - found[name]).max()) for name in expected)
    if not distance <= TOLERANCE:
        raise ModelError(
            f"the exported graph differs from Keras by {distance:.2g}, more than {TOLERANCE:.0e}"
        )
    return distance


def card_of(
    run: Run, credits_text: str, figures: dict[str, float | str], *, int8: bool = False
) -> Card:
    """Make the card that travels in the file."""
    recipe, vocabulary = run.recipe(), run.vocabulary()
    classic = recipe.model.kind == "classic"
    return Card(
        recipe=recipe.name,
        tokens=vocabulary.tokens,
        weights="int8" if int8 else "float32",
        rhythms=((0, 0), (6, 6)) if classic else vocabulary.rhythms,
        context_length=recipe.data.window_events,
        pad_context=classic,
        fixed_rhythm=(6, 6) if classic else None,
        fixed_velocity=90 if classic else None,
        credits=credits_text,
        figures=figures,
    )
