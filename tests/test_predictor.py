"""The model that comes with lofid, really loaded; and files that are none."""

from pathlib import Path

import numpy as np
import pytest

from lofid.composer import Composer, Feel
from lofid.context import Context, Entry, Window
from lofid.errors import DeviceError, ModelError
from lofid.predictor import Predictor, _cuda_fault, default_model_path

STEPPING_TOLERANCE = 1e-3
"""Logits of a window heard at once and event by event: the same sums in another order."""


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


@pytest.mark.skipif(_cuda_fault() is None, reason="this machine has a GPU that works")
def test_cuda_where_there_is_none_is_one_line() -> None:
    with pytest.raises(DeviceError, match=r"^device = cuda: .*; use auto or cpu$"):
        Predictor(default_model_path(), "cuda")


@pytest.mark.skipif(_cuda_fault() is None, reason="this machine has a GPU that works")
def test_auto_takes_the_cpu_and_says_why() -> None:
    predictor = Predictor(default_model_path(), "auto")
    assert predictor.device == "cpu"
    assert predictor.device_note == _cuda_fault()
