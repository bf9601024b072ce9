"""The one self-describing ONNX file of a model: its parts, read, run and written. No TensorFlow.

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
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
from google.protobuf.message import DecodeError  # type: ignore[import-untyped]  # has no types
from onnx import ModelProto as Proto

from lofid.card import HEADS_KEY, METADATA_KEY, Card
from lofid.errors import ModelError
from training.int8 import weights_to_int8

INT8_LOSS = "int8 token perplexity loss percent"
"""The figure on a card of 8-bit weights: what the rounding cost on held-out music."""

Logits = Callable[[dict[str, Any]], dict[str, Any]]
"""From a batch's inputs, as Keras takes them, to each head's logits."""


@dataclass(frozen=True)
class Graphs:
    """The two parts of a model file; ``heads`` is None for a classic network."""

    trunk: Proto
    heads: Proto | None

    def as_int8(self) -> "Graphs":
        """Give the same with 8-bit weights."""
        heads = None if self.heads is None else weights_to_int8(self.heads)
        return Graphs(weights_to_int8(self.trunk), heads)


def forward(graphs: Graphs) -> Logits:
    """Make a function of a batch's inputs, as Keras takes them, that gives the graphs' logits."""
    trunk = _session(graphs.trunk)
    layers, units = state_shape(trunk)
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


def state_shape(trunk: onnxruntime.InferenceSession) -> tuple[int, int]:
    """Give (2 x layers, units) of the state that a trunk takes."""
    shape = next(given.shape for given in trunk.get_inputs() if given.name == "state")
    return shape[0], shape[2]


def _session(graph: Proto) -> onnxruntime.InferenceSession:
    return onnxruntime.InferenceSession(
        graph.SerializeToString(), providers=["CPUExecutionProvider"]
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
