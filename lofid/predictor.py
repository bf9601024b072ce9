"""The model at work: the only module that knows onnxruntime.

Not thread-safe: it belongs to the engine's thread (or to one offline render).
"""

import base64
import binascii
import ctypes
import sys
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import onnxruntime

from lofid.card import HEADS_KEY, METADATA_KEY, Card
from lofid.context import Window
from lofid.errors import DeviceError, ModelError
from lofid.vocabulary import Vocabulary

Floats = npt.NDArray[np.float32]
CPU, CUDA = "CPUExecutionProvider", "CUDAExecutionProvider"


@dataclass(frozen=True, slots=True)
class Prediction:
    """What a model says after some events: logits [tokens] for the next token, and its state.

    ``features`` [1, 1, units] are what the heads need; None where a model has no heads.
    """

    token_logits: Floats
    features: Floats | None
    state: Floats


class Foreteller(Protocol):
    """What a composer needs of a model: :class:`Predictor`, or a scripted one in tests."""

    card: Card
    vocabulary: Vocabulary
    device: str
    device_note: str

    @property
    def has_heads(self) -> bool:
        """False for a model that predicts tokens only."""

    def prime(self, window: Window) -> Prediction:
        """Hear a whole window from nothing."""

    def step(self, state: Floats, newest: Window) -> Prediction:
        """Hear one more event from the state that was left."""

    def rhythm_logits(self, prediction: Prediction, token: int) -> Floats:
        """Logits [rhythms] given the chosen token."""

    def velocity_logits(self, prediction: Prediction, token: int, rhythm: int) -> Floats:
        """Logits [velocity classes] given the chosen token and rhythm."""


def default_model_path() -> Path:
    """Where the model that comes with lofid is."""
    return Path(str(files("lofid").joinpath("models", "default.onnx")))


class Predictor:
    """A loaded model. ``device`` says what runs it and ``device_note`` why, in one line."""

    def __init__(self, path: Path, device: str = "auto"):
        """Load ``path`` for ``auto``, ``cuda`` or ``cpu``, and run it once to warm it up.

        ModelError for a file that is no model of this format; DeviceError when ``cuda`` is asked
        for and does not load.
        """
        content = _read(path)
        provider, self.device_note = _choose(device)
        self._trunk = _open(content, provider, str(path))
        self.device = "cuda" if self._trunk.get_providers()[0] == CUDA else "cpu"
        if provider == CUDA and self.device == "cpu":
            self.device_note = "onnxruntime could not start CUDA on this GPU"
            if device == "cuda":
                raise DeviceError(f"device = cuda: {self.device_note}; use auto or cpu")
        metadata = self._trunk.get_modelmeta().custom_metadata_map
        self.card = Card.read(metadata.get(METADATA_KEY), str(path))
        self.vocabulary: Vocabulary = self.card.vocabulary()
        self._heads = _open_heads(metadata.get(HEADS_KEY), provider, str(path))
        self._given = {given.name for given in self._trunk.get_inputs()}
        self._outputs = [output.name for output in self._trunk.get_outputs()]
        self._zero_state = _zero_state(self._trunk)
        self.prime(_silence())

    @property
    def has_heads(self) -> bool:
        """False for a model that predicts tokens only."""
        return self._heads is not None

    def prime(self, window: Window) -> Prediction:
        """Hear a whole window from nothing: the reference. About 20 ms for 100 events."""
        return self._run(window, self._zero_state)

    def step(self, state: Floats, newest: Window) -> Prediction:
        """Hear one more event (a window of one) from the state that was left: about 1 ms."""
        return self._run(newest, state)

    def _run(self, window: Window, state: Floats) -> Prediction:
        rows = {name: getattr(window, name)[None] for name in self._given - {"state"}}
        values = self._trunk.run(self._outputs, {**rows, "state": state})
        found = dict(zip(self._outputs, values, strict=True))
        features = found["features"][:, -1:] if "features" in found else None
        return Prediction(found["token_logits"][0, -1], features, found["new_state"])

    def rhythm_logits(self, prediction: Prediction, token: int) -> Floats:
        """Logits [rhythms] given the chosen token."""
        return self._run_heads("rhythm_logits", prediction, token, 0)

    def velocity_logits(self, prediction: Prediction, token: int, rhythm: int) -> Floats:
        """Logits [velocity classes] given the chosen token and rhythm."""
        return self._run_heads("velocity_logits", prediction, token, rhythm)

    def _run_heads(self, name: str, prediction: Prediction, token: int, rhythm: int) -> Floats:
        if self._heads is None or prediction.features is None:
            raise ModelError("this model predicts tokens only: it has no rhythm or velocity heads")
        feeds = {
            "features": prediction.features,
            "chosen_token": np.array([[token]], np.int32),
            "chosen_rhythm": np.array([[rhythm]], np.int32),
        }
        logits: Floats = self._heads.run([name], feeds)[0][0, 0]
        return logits


def _silence() -> Window:
    zero = np.zeros(1, np.int32)
    return Window(zero, zero, zero, zero)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ModelError(f"cannot read the model {path}: {error.strerror}") from None


def _choose(device: str) -> tuple[str, str]:
    """Pick a provider without provoking onnxruntime's own red errors; say why."""
    if device == "cpu":
        return CPU, "asked for"
    fault = _cuda_fault()
    if fault is None:
        onnxruntime.preload_dlls()
        return CUDA, "an NVIDIA GPU is there"
    if device == "cuda":
        raise DeviceError(f"device = cuda: {fault}; use auto or cpu")
    return CPU, fault


def _cuda_fault() -> str | None:
    """What keeps CUDA from running here, in a few words; None when nothing does."""
    if CUDA not in onnxruntime.get_available_providers():
        return "this onnxruntime is built without CUDA"
    name = "nvcuda.dll" if sys.platform == "win32" else "libcuda.so.1"
    try:
        driver = ctypes.CDLL(name)
    except OSError:
        return "no NVIDIA driver on this machine"
    count = ctypes.c_int(0)
    if driver.cuInit(0) != 0 or driver.cuDeviceGetCount(ctypes.byref(count)) != 0:
        return "the NVIDIA driver does not start"
    return None if count.value else "no NVIDIA GPU on this machine"


def _open(content: bytes, provider: str, where: str) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    # One thread, no spinning: onnxruntime must never compete with the player for its core.
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    # Lets onnxruntime fold 8-bit weights to float once, at loading, instead of at every step.
    options.add_session_config_entry("session.disable_quant_qdq", "1")
    options.log_severity_level = 4
    providers = [provider, CPU] if provider == CUDA else [CPU]
    try:
        return onnxruntime.InferenceSession(content, options, providers=providers)
    except (RuntimeError, ValueError) as error:
        raise ModelError(f"{where} is not an ONNX model: {_first_line(error)}") from None
    except Exception as error:
        # onnxruntime's own errors share no base class but Exception.
        if type(error).__module__.startswith("onnxruntime"):
            raise ModelError(f"{where} is not an ONNX model: {_first_line(error)}") from None
        raise


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0]


def _open_heads(text: str | None, provider: str, where: str) -> Any:
    if text is None:
        return None
    try:
        content = base64.b64decode(text, validate=True)
    except binascii.Error:
        raise ModelError(f"{where} has damaged heads: '{HEADS_KEY}' is not base64") from None
    return _open(content, provider, where)


def _zero_state(trunk: onnxruntime.InferenceSession) -> Floats:
    shape = next(given.shape for given in trunk.get_inputs() if given.name == "state")
    return np.zeros((shape[0], 1, shape[2]), np.float32)
