"""The model at work: the only module that knows onnxruntime.

Not thread-safe: it belongs to the engine's thread (or to one offline render).
"""

import base64
import ctypes
import hashlib
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.resources import files
from itertools import pairwise
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import onnxruntime

from lofid.card import HEADS_KEY, METADATA_KEY, Card
from lofid.context import Window
from lofid.errors import DeviceError, ModelError
from lofid.music import BAR_GRID
from lofid.vocabulary import VELOCITY_CLASSES, Vocabulary

Floats = npt.NDArray[np.float32]
IDS = {"token", "rhythm", "velocity", "phase"}
"""What a graph may take beside its state; a classic one takes the tokens only."""
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
    digest: str
    device: str
    device_note: str

    @property
    def has_heads(self) -> bool:
        """False for a model that predicts tokens only."""

    def prime(self, window: Window) -> Prediction:
        """Hear a whole window from nothing."""

    def trail(self, window: Window, ends: Sequence[int]) -> list[Prediction]:
        """Hear a whole window from nothing; give what follows its first so many events, each."""

    def step(self, state: Floats, newest: Window) -> Prediction:
        """Hear more events, most often one, from the state that was left."""

    def rhythm_logits(self, prediction: Prediction, token: int) -> Floats:
        """Logits [rhythms] given the chosen token."""

    def velocity_logits(self, prediction: Prediction, token: int, rhythm: int) -> Floats:
        """Logits [velocity classes] given the chosen token and rhythm."""


def default_model_path() -> Path:
    """Where the model that comes with lofid is."""
    return Path(str(files("lofid").joinpath("models", "default.onnx")))


class Predictor:
    """A loaded model. ``device`` says what runs it and ``device_note`` why, in one line.

    ``digest`` is the SHA-256 of its file: only the very same model composes the very same music.
    """

    def __init__(self, path: Path, device: str = "auto"):
        """Load ``path`` for ``auto``, ``cuda`` or ``cpu``, and run it once to warm it up.

        ``auto`` takes CUDA where it loads and the model can use it: 8-bit weights cannot.
        ModelError for a file that is no model of this format, or whose parts do not fit together;
        DeviceError when ``cuda`` is asked for and does not load, or would not be used.
        """
        content = _read(path)
        self.digest = hashlib.sha256(content).hexdigest()
        self._trunk = _open(content, CPU, str(path))
        metadata = self._trunk.get_modelmeta().custom_metadata_map
        self.card = Card.read(metadata.get(METADATA_KEY), str(path))
        provider, self.device_note = _choose(device, self.card)
        if provider == CUDA:
            self._trunk = _open(content, provider, str(path))
        self.device = "cuda" if self._trunk.get_providers()[0] == CUDA else "cpu"
        if provider == CUDA and self.device == "cpu":
            self.device_note = "onnxruntime could not start CUDA on this GPU"
            if device == "cuda":
                raise DeviceError(f"device = cuda: {self.device_note}; use auto or cpu")
        self.vocabulary: Vocabulary = self.card.vocabulary()
        self._heads = _open_heads(metadata.get(HEADS_KEY), provider, str(path))
        self._given = {given.name for given in self._trunk.get_inputs()} - {"state"}
        self._outputs = [output.name for output in self._trunk.get_outputs()]
        self._check_parts(str(path))
        self._zero_state = _zero_state(self._trunk, str(path))
        with _told(f"{path} cannot be run"):
            self._check_sizes(str(path))

    def _check_parts(self, where: str) -> None:
        """ModelError unless the graph takes and gives what this lofid knows."""
        if self.has_heads == (self.card.fixed_rhythm is not None):
            both = "both heads and" if self.has_heads else "neither heads nor"
            raise ModelError(f"{where} has {both} a fixed rhythm: export the model again")
        if "token" not in self._given or not self._given <= IDS:
            raise ModelError(f"{where} takes {sorted(self._given)}: this lofid gives {sorted(IDS)}")
        needed = {"token_logits", "new_state"} | ({"features"} if self.has_heads else set())
        if missing := needed - set(self._outputs):
            raise ModelError(f"{where} does not give {sorted(missing)}: export the model again")

    def _check_sizes(self, where: str) -> None:
        """Run everything once, with the greatest ids there are; ModelError if sizes differ."""
        tokens, rhythms = len(self.card.tokens), len(self.card.rhythms)
        found = self._values(_last_ids(tokens, rhythms), self._zero_state)
        _same(found["token_logits"], (1, 2, tokens), "token_logits", where)
        _same(found["new_state"], self._zero_state.shape, "new_state", where)
        if not self.has_heads:
            return
        prediction = Prediction(found["token_logits"], found["features"][:, -1:], self._zero_state)
        for name, size in (("rhythm_logits", rhythms), ("velocity_logits", VELOCITY_CLASSES + 1)):
            logits = self._run_heads(name, prediction, tokens - 1, rhythms - 1)
            _same(logits, (size,), name, where)

    @property
    def has_heads(self) -> bool:
        """False for a model that predicts tokens only."""
        return self._heads is not None

    def prime(self, window: Window) -> Prediction:
        """Hear a whole window from nothing: the reference. About 15 ms for 100 events."""
        return self._run(window, self._zero_state)

    def trail(self, window: Window, ends: Sequence[int]) -> list[Prediction]:
        """Hear a whole window from nothing; give what follows its first so many events, each."""
        trail = [self.prime(window.part(0, ends[0]))]
        for begin, end in pairwise(ends):
            trail.append(self.step(trail[-1].state, window.part(begin, end)))
        return trail

    def step(self, state: Floats, newest: Window) -> Prediction:
        """Hear more events, most often one, from the state that was left: one in less than 1 ms."""
        return self._run(newest, state)

    def _run(self, window: Window, state: Floats) -> Prediction:
        found = self._values(window, state)
        features = found["features"][:, -1:] if "features" in found else None
        return Prediction(found["token_logits"][0, -1], features, found["new_state"])

    def _values(self, window: Window, state: Floats) -> dict[str, Floats]:
        rows = {name: getattr(window, name)[None] for name in self._given}
        values = self._trunk.run(self._outputs, {**rows, "state": state})
        return dict(zip(self._outputs, values, strict=True))

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


def _last_ids(tokens: int, rhythms: int) -> Window:
    """Two events: *start*, and the last id of every set, which the graph must know too."""
    last = (tokens - 1, rhythms - 1, VELOCITY_CLASSES, BAR_GRID - 1)
    return Window(*(np.array([0, id_], np.int32) for id_ in last))


def _same(found: Floats, shape: tuple[int, ...], name: str, where: str) -> None:
    if found.shape != shape:
        sizes = f"{list(found.shape)} where its card asks for {list(shape)}"
        raise ModelError(f"{where} gives {name} of {sizes}: export the model again")
    if not np.isfinite(found).all():
        raise ModelError(f"{where} gives {name} that are no numbers: train the model again")


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ModelError(f"cannot read the model {path}: {error.strerror}") from None


def _choose(device: str, card: Card) -> tuple[str, str]:
    """Pick a provider without provoking onnxruntime's own red errors; say why."""
    if device == "cpu":
        return CPU, "asked for"
    # onnxruntime has 8-bit LSTMs for the CPU only; on a GPU each step would cross the bus and back.
    fault = "8-bit weights run on the CPU" if card.weights == "int8" else _cuda_fault()
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
    options.log_severity_level = 4
    providers = [provider, CPU] if provider == CUDA else [CPU]
    with _told(f"{where} is not an ONNX model"):
        return onnxruntime.InferenceSession(content, options, providers=providers)


@contextmanager
def _told(what: str) -> Iterator[None]:
    """Turn what onnxruntime, or values of a wrong rank, raise into a ModelError of one line."""
    try:
        yield
    except Exception as error:
        # onnxruntime's own errors share no base class but Exception.
        is_its_own = type(error).__module__.startswith("onnxruntime")
        if not is_its_own and not isinstance(error, (RuntimeError, ValueError, IndexError)):
            raise
        first = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise ModelError(f"{what}: {first}") from None


def _open_heads(text: str | None, provider: str, where: str) -> Any:
    if text is None:
        return None
    try:
        content = base64.b64decode(text, validate=True)
    except ValueError:  # binascii's for the characters, and Python's own for what is not ASCII
        raise ModelError(f"{where} has damaged heads: '{HEADS_KEY}' is not base64") from None
    return _open(content, provider, where)


def _zero_state(trunk: onnxruntime.InferenceSession, where: str) -> Floats:
    """Give a state of zeros, [2 layers, 1, units]."""
    match next((given.shape for given in trunk.get_inputs() if given.name == "state"), None):
        case [int(layers), _, int(units)]:
            return np.zeros((layers, 1, units), np.float32)
    raise ModelError(f"{where} takes no state of [2 layers, batch, units]: export the model again")
