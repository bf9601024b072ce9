"""The model that comes with lofid, really loaded; and files that are none."""

import base64
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from lofid.card import HEADS_KEY, METADATA_KEY, Card
from lofid.composer import Composer
from lofid.context import Context, Entry, Window
from lofid.errors import DeviceError, ModelError
from lofid.feel import Feel
from lofid.predictor import Prediction, Predictor, _cuda_fault, default_model_path
from lofid.sampler import probabilities
from tests.fakes import CARD

STEPPING_TOLERANCE = 0.1
"""Logits of a window heard at once and event by event, which 8-bit layers round by the range of the
call. Measured: 0.044. (With float32 weights they are the same: test_export.)"""


@pytest.fixture(scope="module")
def predictor() -> Predictor:
    return Predictor(default_model_path(), "cpu")


def _window(predictor: Predictor, events: int) -> Window:
    rng = np.random.default_rng(7)
    context = Context(predictor.vocabulary, predictor.card.context_length)
    for i in range(events):
        token = int(rng.integers(1, len(predictor.card.tokens)))
        context.add(Entry(6 * i, 6, token, int(rng.integers(1, 9))))
    return context.window(6 * events)


def test_the_default_model_speaks_of_itself(predictor: Predictor) -> None:
    card = predictor.card
    assert card.recipe == "default"
    assert card.context_length == 100
    assert card.tokens[0] == "start"
    assert "OpenEWLD" in card.credits
    assert default_model_path().stat().st_size <= 10_000_000
    for head in ("token", "rhythm", "velocity"):
        assert float(card.figures[f"held-out {head} perplexity"]) > 1


def test_stepping_agrees_with_the_window(predictor: Predictor) -> None:
    """100 events heard one by one, from nothing, leave the logits that the window leaves."""
    window = _window(predictor, 100)
    at_once = predictor.prime(window)
    stepped = None
    for i in range(len(window)):
        one = Window(
            *(getattr(window, n)[i : i + 1] for n in ("token", "rhythm", "velocity", "phase"))
        )
        stepped = predictor.prime(one) if stepped is None else predictor.step(stepped.state, one)
    assert stepped is not None
    assert np.abs(stepped.token_logits - at_once.token_logits).max() < STEPPING_TOLERANCE
    rhythms = [predictor.rhythm_logits(p, 5) for p in (stepped, at_once)]
    assert np.abs(rhythms[0] - rhythms[1]).max() < STEPPING_TOLERANCE


class Compared(Composer):
    """Compares each prediction with what the window says, primed from nothing."""

    distances: list[float] | None = None
    """Set it to begin. (Of the first 100 events, which nobody hears, the window holds all.)"""

    def _predict(self) -> Prediction:
        carried = super()._predict()
        if self.distances is not None:
            window = self._predictor.prime(self._context.window(self._onset_grid))
            chances = (probabilities(p.token_logits, 1.0) for p in (carried, window))
            self.distances.append(float(np.abs(np.subtract(*chances)).sum()) / 2)
        return carried


def test_what_is_carried_stays_near_the_window(predictor: Predictor) -> None:
    """300 events of a session: the total variation distance of the next token's chances.

    A carried state remembers up to 63 events more than the window, and 8-bit layers round a step
    and a window a little differently: that is all at first, when the window was just heard anew.
    """
    composer, bars = Compared(predictor, Feel(), seed=1), 0
    distances = composer.distances = list[float]()
    while len(distances) < 300:
        bars += 1
        composer.compose(1920 * bars)
    assert distances[0] < 0.02
    assert 0 < np.mean(distances) < 0.05
    assert max(distances) < 0.3


def test_the_rhythm_depends_on_the_chosen_token(predictor: Predictor) -> None:
    prediction = predictor.prime(_window(predictor, 40))
    logits = [predictor.rhythm_logits(prediction, token) for token in (1, 50, 300)]
    assert np.abs(logits[0] - logits[1]).max() > 0.1
    assert np.abs(logits[1] - logits[2]).max() > 0.1


def test_another_seed_is_other_music_and_the_same_seed_the_same(predictor: Predictor) -> None:
    feel = Feel()
    first, again, other = (Composer(predictor, feel, s).compose(1920 * 8) for s in (7, 7, 8))
    assert first == again
    assert first != other


def test_a_model_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"^cannot read the model .*: No such file"):
        Predictor(tmp_path / "none.onnx")


@pytest.mark.parametrize("content", [b"", b"not a model", b"\x08\x07" * 50])
def test_a_file_that_is_no_model(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "bad.onnx"
    path.write_bytes(content)
    with pytest.raises(ModelError, match=r"bad\.onnx (is not an ONNX model|is not a lofid)[^\n]*$"):
        Predictor(path, "cpu")


def test_8_bit_weights_run_on_the_cpu() -> None:
    """With a GPU or without: there is no 8-bit LSTM for it, so *auto* says why it is not used."""
    predictor = Predictor(default_model_path(), "auto")
    assert (predictor.device, predictor.device_note) == ("cpu", "8-bit weights run on the CPU")
    with pytest.raises(DeviceError, match=r"^device = cuda: 8-bit weights run on the CPU; use a"):
        Predictor(default_model_path(), "cuda")


# Graphs that do not fit their card


def _looked_up(table: str, rows: int, columns: int, ids: str, output: str) -> tuple[Any, Any]:
    """A table of weights, and the node that gives a row of it for each id."""
    weights = np.ones((rows, columns), np.float32)
    node = helper.make_node("Gather", [table, ids], [output])
    return numpy_helper.from_array(weights, table), node


def _graph(inputs: dict[str, Any], tables: list[tuple[Any, Any]], outputs: list[str]) -> Any:
    """A model of look-ups: ``inputs`` are name to (type, shape); ``state`` is handed on."""
    given = [helper.make_tensor_value_info(name, *kind) for name, kind in inputs.items()]
    nodes = [node for _, node in tables]
    if "new_state" in outputs:
        nodes.append(helper.make_node("Identity", ["state"], ["new_state"]))
    gives = [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in outputs]
    graph = helper.make_graph(nodes, "tiny", given, gives, [table for table, _ in tables])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


IDS = (TensorProto.INT32, ["batch", "time"])
STATE = (TensorProto.FLOAT, [2, "batch", 3])


@dataclass(frozen=True)
class Tiny:
    """The sizes of a model file of look-ups: by default those that its card asks for."""

    card: Card = CARD
    inputs: tuple[str, ...] = ("token", "rhythm", "velocity", "phase")
    state: Any = STATE
    known_tokens: int = 5
    tokens: int = 5
    rhythms: int = 5
    velocities: int = 9
    outputs: tuple[str, ...] = ("token_logits", "features", "new_state")
    has_heads: bool = True
    weight: float = 1.0

    def file(self, path: Path) -> Path:
        """Write it."""
        inputs = dict.fromkeys(self.inputs, IDS) | ({"state": self.state} if self.state else {})
        table, node = _looked_up("e", self.known_tokens, self.tokens, "token", "token_logits")
        table.raw_data = np.full((self.known_tokens, self.tokens), self.weight, "f4").tobytes()
        tables = [(table, node)]
        if "features" in self.outputs:
            tables.append(_looked_up("f", self.known_tokens, 2, "token", "features"))
        trunk = _graph(inputs, tables, list(self.outputs))
        metadata = {METADATA_KEY: self.card.model_dump_json()}
        if self.has_heads:
            content = base64.b64encode(self._heads().SerializeToString()).decode()
            metadata[HEADS_KEY] = content
        helper.set_model_props(trunk, metadata)
        onnx.save(trunk, path)
        return path

    def _heads(self) -> Any:
        inputs = {
            "features": (TensorProto.FLOAT, ["batch", "time", 2]),
            "chosen_token": IDS,
            "chosen_rhythm": IDS,
        }
        tables = [
            _looked_up("r", 5, self.rhythms, "chosen_token", "rhythm_logits"),
            _looked_up("v", 5, self.velocities, "chosen_rhythm", "velocity_logits"),
        ]
        return _graph(inputs, tables, ["rhythm_logits", "velocity_logits"])


FIXED = CARD.model_copy(update={"fixed_rhythm": (6, 6), "fixed_velocity": 90, "rhythms": ((0, 0),)})
CLASSIC = Tiny(FIXED, inputs=("token",), outputs=("token_logits", "new_state"), has_heads=False)


def test_a_model_that_fits_its_card_plays(tmp_path: Path) -> None:
    """The smallest there is: every look-up is of the size that the card asks for."""
    predictor = Predictor(Tiny().file(tmp_path / "a.onnx"), "cpu")
    assert predictor.has_heads
    assert len(Composer(predictor, Feel(), 1).compose(1920)) > 0


@pytest.mark.skipif(_cuda_fault() is None, reason="this machine has a GPU that works")
def test_cuda_where_there_is_none_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(DeviceError, match=r"^device = cuda: .*; use auto or cpu$"):
        Predictor(Tiny().file(tmp_path / "a.onnx"), "cuda")


@pytest.mark.skipif(_cuda_fault() is None, reason="this machine has a GPU that works")
def test_auto_takes_the_cpu_and_says_why(tmp_path: Path) -> None:
    predictor = Predictor(Tiny().file(tmp_path / "a.onnx"), "auto")
    assert (predictor.device, predictor.device_note) == ("cpu", _cuda_fault())


def test_a_classic_model_plays_its_one_rhythm(tmp_path: Path) -> None:
    predictor = Predictor(CLASSIC.file(tmp_path / "a.onnx"), "cpu")
    events = Composer(predictor, Feel(), 1).compose(960)
    times = [(e.onset_ticks, e.length_ticks, e.velocity) for e in events]
    assert times == [(at, 240, 90) for at in (0, 240, 480, 720)]


DAMAGED = {
    "neither heads nor a fixed rhythm": (replace(CLASSIC, card=CARD), "has neither heads nor a"),
    "heads and a fixed rhythm": (replace(Tiny(), card=FIXED), "has both heads and a fixed rhythm"),
    "fewer logits than tokens": (
        Tiny(tokens=4),
        r"gives token_logits of \[1, 2, 4\] where its card asks for \[1, 2, 5\]",
    ),
    "more logits than tokens": (Tiny(tokens=6), r"gives token_logits of \[1, 2, 6\]"),
    "fewer tokens known than said": (Tiny(known_tokens=4), "cannot be run: "),
    "fewer rhythms": (Tiny(rhythms=4), r"gives rhythm_logits of \[4\] where its card asks for \[5"),
    "fewer velocities": (Tiny(velocities=8), r"gives velocity_logits of \[8\]"),
    "no state": (Tiny(state=None, outputs=("token_logits", "features")), "does not give "),
    "no state to take": (
        replace(CLASSIC, state=(TensorProto.FLOAT, ["a", "batch", "b"])),
        "takes no state of ",
    ),
    "an input nobody knows": (Tiny(inputs=("token", "weather")), r"takes \['token', 'weather'\]"),
    "no features": (Tiny(outputs=("token_logits", "new_state")), r"does not give \['features'\]"),
    "weights that are no numbers": (Tiny(weight=np.nan), "gives token_logits that are no numbers"),
}


@pytest.mark.parametrize(("tiny", "told"), DAMAGED.values(), ids=DAMAGED.keys())
def test_a_model_that_does_not_fit_its_card_is_refused(
    tmp_path: Path, tiny: Tiny, told: str
) -> None:
    with pytest.raises(ModelError, match=rf"\A\S+/a\.onnx {told}[^\n]*\Z"):
        Predictor(tiny.file(tmp_path / "a.onnx"), "cpu")


@pytest.mark.parametrize("text", ["%", "é", "bm8gbW9kZWw="], ids=["sign", "letter", "no model"])
def test_damaged_heads_are_one_line(tmp_path: Path, text: str) -> None:
    model = onnx.load(Tiny().file(tmp_path / "a.onnx"))
    helper.set_model_props(model, {METADATA_KEY: CARD.model_dump_json(), HEADS_KEY: text})
    onnx.save(model, tmp_path / "a.onnx")
    with pytest.raises(ModelError, match=r"\A\S+/a\.onnx [^\n]*\Z"):
        Predictor(tmp_path / "a.onnx", "cpu")
