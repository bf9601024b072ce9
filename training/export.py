"""A trained run to one self-describing ONNX file, checked before it is written.

The file's graph is the *trunk*: it takes ``token``, ``rhythm``, ``velocity``, ``phase`` [batch,
time] and ``state`` [2 x layers, batch, units] and gives ``token_logits``, ``features`` and
``new_state``. The time axis is free, so priming with a window and stepping by one event are the
same graph. The *heads* are a second, small graph: ``features``, ``chosen_token`` and
``chosen_rhythm`` give ``rhythm_logits`` and ``velocity_logits``. It travels in the file's metadata,
because onnxruntime always runs the whole of a graph: in one graph each event would cost two passes
through the LSTMs. A classic network has the trunk only.
"""

import base64
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import tensorflow as tf
import tf2onnx
from google.protobuf.message import DecodeError  # type: ignore[import-untyped]  # has no types
from onnx import ModelProto as Proto

from lofid.card import HEADS_KEY, METADATA_KEY, Card
from lofid.errors import ModelError
from training.evaluate import Logits
from training.int8 import weights_to_int8
from training.model import Classic, Network, Sizes, Stacked, network
from training.run import Run

OPSET = 17
TOLERANCE = 1e-4
"""How far the graph's logits may lie from Keras's, over a real window."""

CPU = "/CPU:0"
"""Where Keras runs here: a GPU would round its sums to 10 bits (TF32)."""


@dataclass(frozen=True)
class Graphs:
    """The two parts of a model file; ``heads`` is None for a classic network."""

    trunk: Proto
    heads: Proto | None

    def as_int8(self) -> "Graphs":
        """Give the same with 8-bit weights."""
        heads = None if self.heads is None else weights_to_int8(self.heads)
        return Graphs(weights_to_int8(self.trunk), heads)


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

    @property
    def state_shape(self) -> tuple[int, int, int]:
        """The shape of the state for a batch of one."""
        return (2 * self.net.recipe.layers, 1, self.net.recipe.units)


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


def forward(graphs: Graphs, state_shape: tuple[int, int, int]) -> Logits:
    """Make a function of a batch's inputs, as Keras takes them, that gives the graphs' logits."""
    layers, _, units = state_shape
    trunk = _session(graphs.trunk)
    heads = None if graphs.heads is None else _session(graphs.heads)
    names = {given.name for given in trunk.get_inputs()}

    def logits(inputs: dict[str, Any]) -> dict[str, Any]:
        feeds = {name: inputs[name] for name in names if name in inputs}
        feeds["state"] = np.zeros((layers, len(inputs["token"]), units), np.float32)
        if heads is None:
            return {"token": trunk.run(["token_logits"], feeds)[0][:, -1]}
        token, features = trunk.run(["token_logits", "features"], feeds)
        chosen = {"chosen_token": inputs["next_token"], "chosen_rhythm": inputs["next_rhythm"]}
        rhythm, velocity = heads.run(
            ["rhythm_logits", "velocity_logits"], {"features": features, **chosen}
        )
        return {"token": token, "rhythm": rhythm, "velocity": velocity}

    return logits


def _session(graph: Proto) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.add_session_config_entry("session.disable_quant_qdq", "1")
    return onnxruntime.InferenceSession(
        graph.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )


def check_agreement(trained: Trained, graphs: Graphs, inputs: dict[str, Any]) -> float:
    """Give the greatest distance between the graphs' logits and Keras's over real windows.

    ModelError when it is above 1e-4.
    """
    with tf.device(CPU):
        expected = trained.net.trainable(inputs["token"].shape[1]).predict_on_batch(inputs)
    found = forward(graphs, trained.state_shape)(inputs)
    distance = max(float(np.abs(expected[name] - found[name]).max()) for name in expected)
    if not distance <= TOLERANCE:
        raise ModelError(
            f"the exported graph differs from Keras by {distance:.2g}, more than {TOLERANCE:.0e}"
        )
    return distance


def card_of(run: Run, credits_text: str, figures: dict[str, float | str]) -> Card:
    """Make the card that travels in the file."""
    recipe, vocabulary = run.recipe(), run.vocabulary()
    classic = recipe.model.kind == "classic"
    return Card(
        recipe=recipe.name,
        tokens=vocabulary.tokens,
        rhythms=((0, 0), (6, 6)) if classic else vocabulary.rhythms,
        context_length=recipe.data.window_events,
        pad_context=classic,
        fixed_rhythm=(6, 6) if classic else None,
        fixed_velocity=90 if classic else None,
        credits=credits_text,
        figures=figures,
    )


def write(graphs: Graphs, card: Card, path: Path) -> int:
    """Write the one file, in one move; give its size in bytes.

    ModelError if that cannot be done.
    """
    metadata = {METADATA_KEY: card.model_dump_json()}
    if graphs.heads is not None:
        metadata[HEADS_KEY] = base64.b64encode(graphs.heads.SerializeToString()).decode("ascii")
    whole = Proto()
    whole.CopyFrom(graphs.trunk)
    onnx.helper.set_model_props(whole, metadata)
    whole.producer_name, whole.doc_string = "lofid", f"lofid model, recipe {card.recipe}"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _replace(path, whole.SerializeToString(deterministic=True))
    except OSError as error:
        raise ModelError(f"cannot write the model {path}: {error.strerror}") from None
    return path.stat().st_size


def _replace(path: Path, content: bytes) -> None:
    handle, name = tempfile.mkstemp(dir=path.parent, suffix=".partial")
    partial = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        partial.chmod(0o644)
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def read(path: Path) -> tuple[Card, Graphs]:
    """Read a model file back into its parts. ModelError when it is none."""
    try:
        trunk = onnx.load(path)
    except (OSError, DecodeError) as error:
        raise ModelError(f"cannot read the model {path}: {error}") from None
    metadata = {entry.key: entry.value for entry in trunk.metadata_props}
    card = Card.read(metadata.get(METADATA_KEY), str(path))
    heads = metadata.get(HEADS_KEY)
    return card, Graphs(
        trunk, None if heads is None else onnx.load_from_string(base64.b64decode(heads))
    )
