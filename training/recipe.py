"""A recipe: everything that decides what is trained, in one TOML file.

The recipes that come with lofid are in ``training/recipes``; a path names any other.
"""

import tomllib
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from lofid.errors import ConfigError


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Data(_Part):
    """Which events a model sees, and how they are spelled."""

    spelling: Literal["voicing", "normal_order"] = "voicing"
    window_events: int = Field(default=100, ge=2)
    metres: tuple[str, ...] = Field(default=("4/4", "2/4", "2/2"), min_length=1)
    min_token_count: int = Field(default=3, ge=1)
    max_tokens: int = Field(default=1500, ge=2)
    max_rhythms: int = Field(default=256, ge=1)
    repeats: dict[str, Annotated[int, Field(ge=0)]] = {}
    """How often a piece is seen in an epoch, by a folder in its name; once by default.

    A folder with 0 is left out of the whole recipe, its held-out pieces too.
    """
    early_repeats: dict[str, Annotated[int, Field(ge=0)]] = {}
    """What the first ``fit.early_epochs`` see instead: other folders, none of it held out.

    A folder that is not named here is not seen early. The vocabulary stays that of the rest.
    """


class Arrange(_Part):
    """Which folders the arranger plays from, as lead sheets, and how many performances it gives.

    ``versions`` counts by a folder in a piece's name; ``"*"`` is any folder. What is arranged is
    trained on as arranged only. Nothing is arranged by default.
    """

    versions: dict[str, Annotated[int, Field(ge=0)]] = {}


class Model(_Part):
    """The network. ``kind`` is the stacked LSTM of docs/model.md, or the classic one."""

    kind: Literal["stacked", "classic"] = "stacked"
    layers: int = Field(default=3, ge=1)
    units: int = Field(default=512, ge=1)
    dropout: float = Field(default=0.3, ge=0, lt=1)
    input_dropout: float | None = Field(default=None, ge=0, lt=1)
    """On the embeddings; as ``dropout`` where it is not given."""
    recurrent_dropout: float = Field(default=0.0, ge=0, lt=1)
    token_embedding: int = Field(default=192, ge=1)
    rhythm_embedding: int = Field(default=64, ge=1)
    velocity_embedding: int = Field(default=16, ge=1)
    phase_embedding: int = Field(default=32, ge=1)
    head_units: int = Field(default=128, ge=1)


class Fit(_Part):
    """How it is trained. ``learning_rate`` falls to ``final_rate`` of itself along a cosine."""

    optimizer: Literal["adam", "rmsprop"] = "adam"
    learning_rate: float = Field(default=1e-3, gt=0)
    final_rate: float = Field(default=0.05, gt=0, le=1)
    weight_decay: float = Field(default=0.0, ge=0)
    clip_norm: float | None = Field(default=1.0, gt=0)
    batch_windows: int = Field(default=32, ge=1)
    epochs: int = Field(default=30, ge=1)
    """All of them, the early ones included."""
    early_epochs: int = Field(default=0, ge=0)
    """Pre-training: so many epochs see what ``data.early_repeats`` says."""
    patience_epochs: int = Field(default=4, ge=1)
    seed: int = 7


class Recipe(_Part):
    """A whole recipe; its ``name`` goes into the model's card."""

    name: str
    data: Data = Data()
    arrange: Arrange = Arrange()
    model: Model = Model()
    fit: Fit = Fit()

    @classmethod
    def load(cls, name_or_path: str) -> "Recipe":
        """Read a recipe by its name (``default``, ``classic``, ``tiny``) or its path.

        ConfigError when there is none, or when it has faults.
        """
        bundled = {p.name: p for p in files("training").joinpath("recipes").iterdir()}
        if file := bundled.get(f"{name_or_path}.toml"):
            return cls.parse(file.read_text(encoding="utf-8"), name_or_path)
        path = Path(name_or_path)
        if not path.is_file():
            known = ", ".join(sorted(name.removesuffix(".toml") for name in bundled))
            raise ConfigError(f"no recipe {name_or_path!r}: give one of {known}, or a .toml file")
        return cls.parse(_text(path), str(path))

    @classmethod
    def parse(cls, text: str, where: str) -> "Recipe":
        """Check a recipe's text; ConfigError lists every fault at once."""
        try:
            return cls.model_validate({"name": Path(where).stem, **tomllib.loads(text)})
        except tomllib.TOMLDecodeError as error:
            raise ConfigError(f"{where}: {error}") from None
        except ValidationError as error:
            faults = [
                f"{where}: {'.'.join(str(part) for part in fault['loc'])}: {fault['msg']}"
                f" (found {fault['input']!r})"
                for fault in error.errors()
            ]
            raise ConfigError("\n".join(faults)) from None


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"cannot read the recipe {path}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise ConfigError(f"{path} is no recipe: it is not text in UTF-8") from None
