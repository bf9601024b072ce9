"""Damaged copies of the model that comes with lofid: their logits are no numbers."""

from pathlib import Path

import numpy as np
import onnx
from onnx import helper, numpy_helper

from lofid.card import HEADS_KEY, METADATA_KEY, Card
from lofid.composer import Composer
from lofid.feel import Feel
from lofid.music import BAR_TICKS
from lofid.predictor import Predictor, default_model_path

EVENTS = 16
"""The window of the copies that are poisoned: what is in it leaves it within seconds."""


def dead_model(path: Path) -> Path:
    """Write one whose every prediction is NaN for one token."""
    model = onnx.load(default_model_path())
    [bias] = [i for i in model.graph.initializer if i.name.startswith("token_head_1/BiasAdd")]
    values = numpy_helper.to_array(bias).copy()
    values[5] = np.nan
    bias.CopyFrom(numpy_helper.from_array(values, bias.name))
    onnx.save(model, path)
    return path


def poisoned_model(path: Path, feel: Feel, seed: int) -> Path:
    """Write one that gives NaN while its window holds a token which this session begins to use.

    It is one that is first heard in the third bar or later.
    """
    model = onnx.load(default_model_path())
    metadata = {entry.key: entry.value for entry in model.metadata_props}
    card = Card.read(metadata[METADATA_KEY], "").model_copy(update={"context_length": EVENTS})
    helper.set_model_props(
        model, {METADATA_KEY: card.model_dump_json(), HEADS_KEY: metadata[HEADS_KEY]}
    )
    onnx.save(model, path)
    _poison(model, len(card.tokens), _new_token(Predictor(path, "cpu"), feel, seed))
    onnx.save(model, path)
    return path


def _new_token(predictor: Predictor, feel: Feel, seed: int) -> int:
    """Find the first token from the third bar on that was not used before."""
    composer, used, bar = Composer(predictor, feel, seed), set[int](), 0
    while True:
        tokens = [entry.token_id for entry in composer.context]
        if bar > 2 and (new := [token for token in tokens if token not in used]):
            return new[0]
        used |= set(tokens)
        bar += 1
        composer.compose(BAR_TICKS * bar)


def _poison(model: onnx.ModelProto, tokens: int, token: int) -> None:
    """Add to the logits the sum of each token's dose: 0, or NaN for one.

    That is how NaN in one row of an embedding comes out. (The 8-bit layers of this very model would
    round it to numbers, which mean nothing.)
    """
    doses = np.zeros((tokens, 1), np.float32)
    doses[token] = np.nan
    for node in model.graph.node:
        node.output[:] = ["sound" if name == "token_logits" else name for name in node.output]
    model.graph.initializer.extend(
        [numpy_helper.from_array(doses, "doses"), numpy_helper.from_array(np.array([1]), "time")]
    )
    model.graph.node.extend(
        [
            helper.make_node("Gather", ["doses", "token"], ["each"]),
            helper.make_node("ReduceSum", ["each", "time"], ["all"]),
            helper.make_node("Add", ["sound", "all"], ["token_logits"]),
        ]
    )
