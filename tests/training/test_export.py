"""A run to one model file: fast operators, agreement with Keras, and what the file says of itself.

Measured with the tiny network of these tests: the graph's logits lie within 7.2e-7 of Keras's, and
a step's are the very same as a window's (0). The tolerances leave room for other processors.
"""

import os
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import numpy_helper

from lofid.card import Card
from lofid.context import Window
from lofid.errors import ModelError
from lofid.predictor import Predictor
from training.evaluate import held_out_batches
from training.export import Trained, card_of, check_agreement, check_operators, to_graphs
from training.model import INPUTS, network
from training.modelfile import Graphs, forward, read, write
from training.prepared import Batch, Prepared, Sizes
from training.recipe import Model
from training.run import Run

TOLERANCE = 1e-5
EPSILON_PROBE = 0.05


@pytest.fixture(scope="module")
def batches(fitted_run: Run) -> list[Batch]:
    """The held-out windows of the tiny run."""
    prepared = Prepared(fitted_run.corpus(), fitted_run.recipe())
    return held_out_batches(prepared, prepared.pieces(prepared.split.test))


@pytest.fixture(scope="module")
def classic(classic_run: Run) -> tuple[Trained, Graphs]:
    """The classic run's network, in Keras and in ONNX."""
    trained = Trained.load(classic_run)
    return trained, to_graphs(trained)


@pytest.fixture(scope="module")
def card(fitted_run: Run) -> Card:
    """The tiny run's card."""
    return card_of(fitted_run, "A. Player, CC0", {"held-out token perplexity": 3.25})


@pytest.fixture(scope="module")
def model_file(graphs: Graphs, card: Card, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny run as a file."""
    path = tmp_path_factory.mktemp("model") / "tiny.onnx"
    write(graphs, card, path)
    return path


def operators(graph: onnx.ModelProto) -> list[str]:
    return [node.op_type for node in graph.graph.node]


# Operators


def test_one_lstm_a_layer_and_no_loop(graphs: Graphs) -> None:
    """In the trunk; the heads are plain sums and products."""
    assert operators(graphs.trunk).count("LSTM") == 2
    assert graphs.heads is not None
    for graph in (graphs.trunk, graphs.heads):
        assert not {"Loop", "Scan", "If"} & set(operators(graph))
    assert "LSTM" not in operators(graphs.heads)


def test_inputs_and_outputs_are_as_the_daemon_knows_them(graphs: Graphs) -> None:
    """The axes of batch and time are free; ids are int32."""
    shapes = {
        given.name: [d.dim_value for d in given.type.tensor_type.shape.dim]
        for given in graphs.trunk.graph.input
    }
    assert shapes == {**{name: [0, 0] for name in INPUTS}, "state": [4, 0, 48]}
    outputs = {output.name for output in graphs.trunk.graph.output}
    assert outputs == {"token_logits", "features", "new_state"}
    assert graphs.heads is not None
    assert {output.name for output in graphs.heads.graph.output} == {
        "rhythm_logits",
        "velocity_logits",
    }


def test_recurrent_dropout_is_refused(fitted_run: Run) -> None:
    """Left in, it turns each LSTM into a Loop."""
    recipe = Model(layers=1, units=4, recurrent_dropout=0.2)
    net = network(recipe, Sizes(tokens=5, rhythms=4))
    net.trainable(4)
    with pytest.raises(ModelError) as caught:
        to_graphs(Trained(net, fitted_run))
    assert str(caught.value) == (
        "the exported graph has 0 LSTM operators and 1 loops; 1 and 0 were expected: "
        "it would be too slow to play"
    )


def test_a_missing_layer_is_refused(graphs: Graphs) -> None:
    with pytest.raises(ModelError, match=r"has 2 LSTM operators and 0 loops; 3 and 0 were expec"):
        check_operators(graphs.trunk, 3)


def test_recurrent_dropout_is_left_out_of_what_is_exported(
    classic: tuple[Trained, Graphs], classic_run: Run
) -> None:
    """The classic recipe trains with it."""
    assert classic_run.recipe().model.recurrent_dropout > 0
    assert operators(classic[1].trunk).count("LSTM") == 2


# Agreement


def test_the_graph_agrees_with_keras(
    trained: Trained, graphs: Graphs, batches: list[Batch]
) -> None:
    """Every head, over real held-out windows."""
    assert check_agreement(trained, graphs, batches[0][0]) <= 1e-4


def test_the_classic_graph_agrees_with_keras(
    classic: tuple[Trained, Graphs], classic_run: Run
) -> None:
    """It has a trunk only, and foretells what follows the last event."""
    trained, graphs = classic
    prepared = Prepared(classic_run.corpus(), classic_run.recipe())
    inputs = held_out_batches(prepared, prepared.pieces(prepared.split.test))[0][0]
    assert graphs.heads is None
    assert {output.name for output in graphs.trunk.graph.output} == {"token_logits", "new_state"}
    assert check_agreement(trained, graphs, inputs) <= 1e-4


@pytest.mark.parametrize("part", ["trunk", "heads"])
def test_tampered_weights_are_refused(
    part: str, trained: Trained, graphs: Graphs, batches: list[Batch]
) -> None:
    """One matrix moved by a twentieth, in either graph."""
    tampered = Graphs(onnx.ModelProto(), onnx.ModelProto())
    tampered.trunk.CopyFrom(graphs.trunk)
    assert tampered.heads is not None
    tampered.heads.CopyFrom(graphs.heads)
    tensors = getattr(tampered, part).graph.initializer
    largest = max(tensors, key=lambda tensor: len(tensor.raw_data))
    moved = numpy_helper.to_array(largest) + np.float32(EPSILON_PROBE)
    largest.CopyFrom(numpy_helper.from_array(moved, largest.name))
    with pytest.raises(ModelError, match=r"^the exported graph differs from Keras by .*, more tha"):
        check_agreement(trained, tampered, batches[0][0])


# The file


def test_the_file_says_what_it_is(model_file: Path, card: Card, fitted_run: Run) -> None:
    """Card and graphs read back as they were written."""
    found, graphs = read(model_file)
    assert found == card
    assert found.tokens == fitted_run.vocabulary().tokens
    assert found.rhythms == fitted_run.vocabulary().rhythms
    assert (found.context_length, found.grid_per_quarter) == (16, 12)
    assert (found.credits, found.recipe) == ("A. Player, CC0", "two-epochs")
    assert graphs.heads is not None
    onnx.checker.check_model(graphs.trunk)
    onnx.checker.check_model(graphs.heads)


def test_a_classic_file_says_what_it_lacks(
    classic: tuple[Trained, Graphs], classic_run: Run, tmp_path: Path
) -> None:
    """One rhythm, one velocity, and a context that is filled up with *start*."""
    write(classic[1], card_of(classic_run, "", {}), tmp_path / "classic.onnx")
    predictor = Predictor(tmp_path / "classic.onnx", "cpu")
    assert not predictor.has_heads
    assert (predictor.card.fixed_rhythm, predictor.card.fixed_velocity) == ((6, 6), 90)
    assert predictor.card.pad_context
    assert predictor.card.rhythms == ((0, 0), (6, 6))


def test_the_same_graphs_give_the_same_bytes(
    model_file: Path, graphs: Graphs, card: Card, tmp_path: Path
) -> None:
    """Written once more. (Converted once more, tf2onnx numbers its nodes differently.)"""
    write(graphs, card, tmp_path / "again.onnx")
    assert (tmp_path / "again.onnx").read_bytes() == model_file.read_bytes()


def test_a_file_is_replaced_in_one_move(graphs: Graphs, card: Card, tmp_path: Path) -> None:
    """Who has the old file open reads on in it; nothing half-written stays beside the new one."""
    path = tmp_path / "new" / "model.onnx"
    path.parent.mkdir()
    path.write_bytes(b"old")
    with path.open("rb") as old:
        size = write(graphs, card, path)
        assert old.read() == b"old"
    assert path.stat().st_size == size
    assert [p.name for p in path.parent.iterdir()] == ["model.onnx"]
    if os.name == "posix":
        assert path.stat().st_mode & 0o777 == 0o644


def test_a_file_that_cannot_be_written(graphs: Graphs, card: Card, tmp_path: Path) -> None:
    """One line, and nothing is left behind."""
    (tmp_path / "folder").mkdir()
    with pytest.raises(ModelError, match=r"^cannot write the model .*folder: Is a directory$"):
        write(graphs, card, tmp_path / "folder")
    assert [p.name for p in tmp_path.iterdir()] == ["folder"]


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (None, r"^cannot read the model .*model\.onnx: "),
        (b"no model at all", r"^cannot read the model .*model\.onnx: "),
        (b"", r"^.*model\.onnx is not a lofid model: it has no 'lofid' metadata$"),
    ],
)
def test_what_is_no_model(tmp_path: Path, content: bytes | None, fault: str) -> None:
    path = tmp_path / "model.onnx"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ModelError, match=fault):
        read(path)


# In the daemon's hands


def window_of(batch: Batch, row: int, events: int) -> Window:
    return Window(*(batch[0][name][row, :events] for name in INPUTS))


def test_the_daemon_gets_what_was_trained(
    model_file: Path, trained: Trained, batches: list[Batch]
) -> None:
    """Primed with a window, the predictor's logits of all heads are Keras's."""
    inputs = {name: rows[:1] for name, rows in batches[0][0].items()}
    expected = trained.net.trainable(16).predict_on_batch(inputs)
    predictor = Predictor(model_file, "cpu")
    found = predictor.prime(window_of(batches[0], 0, 16))
    token, rhythm = int(inputs["next_token"][0, -1]), int(inputs["next_rhythm"][0, -1])
    for logits, head in (
        (found.token_logits, "token"),
        (predictor.rhythm_logits(found, token), "rhythm"),
        (predictor.velocity_logits(found, token, rhythm), "velocity"),
    ):
        assert np.abs(logits - expected[head][0, -1]).max() < 1e-4


def test_stepping_agrees_with_priming(model_file: Path, batches: list[Batch]) -> None:
    """After every event of a held-out window: token logits, rhythm logits and the state."""
    predictor = Predictor(model_file, "cpu")
    whole = window_of(batches[0], 0, 16)
    stepped = predictor.prime(window_of(batches[0], 0, 1))
    for events in range(2, 17):
        stepped = predictor.step(stepped.state, whole.part(events - 1, events))
        primed = predictor.prime(window_of(batches[0], 0, events))
        assert np.abs(stepped.token_logits - primed.token_logits).max() < TOLERANCE
        rhythms = [predictor.rhythm_logits(p, 1) for p in (stepped, primed)]
        assert np.abs(rhythms[0] - rhythms[1]).max() < TOLERANCE
        assert np.abs(stepped.state - primed.state).max() < TOLERANCE
    assert np.array_equal(predictor.prime(whole).token_logits, primed.token_logits)


def test_a_batch_gives_each_window_what_it_gets_alone(
    graphs: Graphs, trained: Trained, batches: list[Batch]
) -> None:
    logits = forward(graphs)
    together = logits(batches[0][0])
    for i in range(len(batches[0][0]["token"])):
        alone = logits({name: rows[i : i + 1] for name, rows in batches[0][0].items()})
        for head, rows in together.items():
            assert np.abs(rows[i] - alone[head][0]).max() < TOLERANCE
