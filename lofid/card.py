"""What a model file says of itself, kept in the ONNX metadata under one key.

The file alone is enough to play: vocabulary, grid, context length, key convention, credits and
held-out figures travel in it, as JSON. Nothing is a pickle.
"""

import json
from typing import Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from lofid.errors import ModelError
from lofid.music import GRID_PER_QUARTER
from lofid.vocabulary import Rhythm, Vocabulary

METADATA_KEY = "lofid"
HEADS_KEY = "lofid.heads"
"""The rhythm and velocity heads: a second ONNX graph, in base64."""
FORMAT: Final = 1


class Card(BaseModel):
    """A model's card. ``tokens[0]`` and ``rhythms[0]`` stand for *start*.

    ``fixed_rhythm`` and ``fixed_velocity`` are set for a model that predicts tokens only (the
    classic recipe); it then has a single rhythm and a single velocity class.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: Literal[1] = FORMAT
    recipe: str
    tokens: tuple[str, ...] = Field(min_length=2)
    rhythms: tuple[Rhythm, ...] = Field(min_length=1)
    context_length: int = Field(ge=1)
    pad_context: bool = False
    grid_per_quarter: int = GRID_PER_QUARTER
    home_keys: str = "C major and A minor"
    fixed_rhythm: Rhythm | None = None
    fixed_velocity: int | None = None
    credits: str = ""
    figures: dict[str, float | str] = {}

    def vocabulary(self) -> Vocabulary:
        """Make the vocabulary that the model's ids mean."""
        return Vocabulary(self.tokens, self.rhythms)

    @classmethod
    def read(cls, text: str | None, where: str) -> "Card":
        """Read the metadata of the file ``where``. ModelError if this lofid cannot use it."""
        if text is None:
            raise ModelError(f"{where} is not a lofid model: it has no '{METADATA_KEY}' metadata")
        found = _format_of(text)
        if found != FORMAT:
            raise ModelError(
                f"{where} has model format {found}, this lofid reads format {FORMAT}: "
                "use a lofid that matches it, or export the model again"
            )
        try:
            return cls.model_validate_json(text)
        except ValidationError as error:
            fault = error.errors()[0]
            place = ".".join(str(part) for part in fault["loc"])
            raise ModelError(f"{where} has a damaged card: {place}: {fault['msg']}") from None


def _format_of(text: str) -> object:
    try:
        card = json.loads(text)
    except json.JSONDecodeError:
        return "unreadable"
    return card.get("format", "unknown") if isinstance(card, dict) else "unreadable"
