"""A copy of the model that comes with lofid which answers a key at once, so that it can be timed.

It costs what the real one costs, for all of it is computed; but an event begins on every step of
the grid, and from the newest of some keys in its window or its past on it says that key's answer.
"""

import base64
from pathlib import Path

import numpy as np
import onnx
from onnx import helper, numpy_helper

from lofid.card import HEADS_KEY, METADATA_KEY, Card
from lofid.predictor import default_model_path

STEADY = "C5"
"""What it says while none of the keys was played."""
ANSWERS = {"A4": "C6", "B4": "B5", "D4": "A5", "F4": "G5"}
SURE = 500.0


def prompt_model(path: Path) -> Path:
    """Write it."""
    model = onnx.load(default_model_path())
    metadata = {entry.key: entry.value for entry in model.metadata_props}
    card = Card.read(metadata[METADATA_KEY], "")
    _answer(model, card)
    heads = onnx.load_from_string(base64.b64decode(metadata[HEADS_KEY]))
    _keep_moving(heads, card)
    coded = base64.b64encode(heads.SerializeToString()).decode()
    helper.set_model_props(model, {METADATA_KEY: metadata[METADATA_KEY], HEADS_KEY: coded})
    onnx.save(model, path)
    return path


def _answer(model: onnx.ModelProto, card: Card) -> None:
    """Say the answer to the newest key of the window; where none is, to the one carried along.

    The number of its token is carried in the place of one unit of the state.
    """
    tokens = len(card.tokens)
    is_key = np.zeros(tokens, np.float32)
    bias = np.zeros((tokens, tokens), np.float32)
    bias[:, card.tokens.index(STEADY)] = SURE
    for key, answer in ANSWERS.items():
        is_key[card.tokens.index(key)] = 1
        bias[card.tokens.index(key)] = 0
        bias[card.tokens.index(key), card.tokens.index(answer)] = SURE
    units = next(i for i in model.graph.input if i.name == "state").type.tensor_type.shape
    layers, width = units.dim[0].dim_value, units.dim[2].dim_value
    others = np.ones((layers, 1, width), np.float32)
    others[0, 0, 0] = 0
    constants = {
        "is_key": is_key, "bias": bias, "others": others, "place": 1 - others,
        "corner": np.array([0, 0, 0], np.int64), "edge": np.array([1, 1, 1], np.int64),
    }  # fmt: skip
    for node in model.graph.node:
        renamed = {"token_logits": "sound_logits", "new_state": "sound_state"}
        node.output[:] = [renamed.get(name, name) for name in node.output]
        node.input[:] = [renamed.get(name, name) for name in node.input]
    _add(model, constants, [
        ("Gather", ["is_key", "token"], "key_here"),
        ("CumSum", ["key_here", "one_axis"], "keys_so_far"),
        ("Mul", ["key_here", "keys_so_far"], "key_score"),
        ("ArgMax", ["key_score"], "newest"),
        ("Cast", ["token"], "token_float"),
        ("GatherElements", ["token_float", "newest"], "newest_token"),
        ("ReduceMax", ["key_here"], "any_key"),
        ("Slice", ["state", "corner", "edge"], "carried_box"),
        ("Reshape", ["carried_box", "box"], "carried"),
        ("Mul", ["newest_token", "any_key"], "said_now"),
        ("Sub", ["one", "any_key"], "no_key"),
        ("Mul", ["carried", "no_key"], "said_before"),
        ("Add", ["said_now", "said_before"], "said"),
        ("Cast64", ["said"], "said_id"),
        ("Gather", ["bias", "said_id"], "answer_bias"),
        ("Add", ["sound_logits", "answer_bias"], "token_logits"),
        ("Reshape", ["said", "cube"], "said_box"),
        ("Mul", ["place", "said_box"], "said_place"),
        ("Mul", ["sound_state", "others"], "kept_state"),
        ("Add", ["kept_state", "said_place"], "new_state"),
    ])  # fmt: skip


def _keep_moving(heads: onnx.ModelProto, card: Card) -> None:
    """Let the next event begin one step of the grid later, whatever was said."""
    bias = np.zeros(len(card.rhythms), np.float32)
    bias[next(i for i, (step, _) in enumerate(card.rhythms) if step == 1)] = SURE
    for node in heads.graph.node:
        node.output[:] = ["sound" if name == "rhythm_logits" else name for name in node.output]
    _add(heads, {"steady": bias}, [("Add", ["sound", "steady"], "rhythm_logits")])


def _add(
    model: onnx.ModelProto,
    constants: dict[str, np.ndarray],
    nodes: list[tuple[str, list[str], str]],
) -> None:
    """Append to a graph: each node is (kind, inputs, output)."""
    constants = {
        **constants,
        "one_axis": np.array(1, np.int64),
        "one": np.array(1, np.float32),
        "box": np.array([1, 1], np.int64),
        "cube": np.array([1, 1, 1], np.int64),
    }
    used = {name for _, inputs, _ in nodes for name in inputs}
    model.graph.initializer.extend(
        numpy_helper.from_array(value, name) for name, value in constants.items() if name in used
    )
    details: dict[str, dict[str, int]] = {
        "ArgMax": {"axis": 1, "keepdims": 1, "select_last_index": 1},
        "Cast": {"to": onnx.TensorProto.FLOAT},
        "Cast64": {"to": onnx.TensorProto.INT64},
        "GatherElements": {"axis": 1},
        "ReduceMax": {"keepdims": 1},
    }
    model.graph.node.extend(
        helper.make_node(kind.replace("64", ""), inputs, [output], **details.get(kind, {}))
        for kind, inputs, output in nodes
    )
