"""What a model file says of itself, kept in the ONNX metadata under one key.

The file alone is enough to play: vocabulary, grid, context length, key convention, credits and
held-out figures travel in it, as JSON. Nothing is a pickle.
"""

import json
from typing import Final, Literal, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    field_validator,
    model_validator,
)

from lofid.errors import ModelError
from lofid.music import BAR_GRID, GRID_PER_QUARTER, parse_token
from lofid.vocabulary import Rhythm, Vocabulary

METADATA_KEY = "lofid"
HEADS_KEY = "lofid.heads"
"""The rhythm and velocity heads: a second ONNX graph, in base64."""
FORMAT: Final = 1
HOME_KEYS = "C major and A minor"
LONGEST_STEP_GRID = 2 * BAR_GRID
"""A longer step is never drawn: nobody waits for more than two bars."""
LONGEST_CONTEXT = 4096


class Card(BaseModel):
    """A model's card. ``tokens[0]`` and ``rhythms[0]`` stand for *start*.

    ``fixed_rhythm`` and ``fixed_velocity`` are set for a model that predicts tokens only (the
    classic recipe); it then has a single rhythm and a single velocity class. Every model can move
    on in time: its music never stands still for ever. ``weights`` of ``int8`` run on the CPU only.

    ValidationError for what could not be played; :meth:`read` says it in one line.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: Literal[1] = FORMAT
    recipe: str
    tokens: tuple[str, ...] = Field(min_length=2)
    rhythms: tuple[Rhythm, ...] = Field(min_length=1)
    weights: Literal["float32", "int8"] = "float32"
    context_length: int = Field(ge=1, le=LONGEST_CONTEXT)
    pad_context: bool = False
    grid_per_quarter: int = GRID_PER_QUARTER
    home_keys: str = HOME_KEYS
    fixed_rhythm: Rhythm | None = None
    fixed_velocity: int | None = Field(default=None, ge=1, le=127)
    credits: str = ""
    figures: dict[str, float | str] = {}

    @field_validator("tokens")
    @classmethod
    def _spelled(cls, tokens: tuple[str, ...]) -> tuple[str, ...]:
        for token in tokens[1:]:
            parse_token(token)
        return tokens

    @field_validator("rhythms")
    @classmethod
    def _forwards(cls, rhythms: tuple[Rhythm, ...]) -> tuple[Rhythm, ...]:
        for step, length in rhythms[1:]:
            if step < 0 or length < 1:
                raise ValueError(f"({step}, {length}) needs a step of 0 or more and a length")
        return rhythms

    @field_validator("grid_per_quarter")
    @classmethod
    def _our_grid(cls, found: int) -> int:
        if found != GRID_PER_QUARTER:
            raise ValueError(f"it is {found}, this lofid plays on a grid of {GRID_PER_QUARTER}")
        return found

    @field_validator("home_keys")
    @classmethod
    def _our_keys(cls, found: str) -> str:
        if found != HOME_KEYS:
            raise ValueError(f"they are {found!r}, this lofid knows {HOME_KEYS!r}")
        return found

    @field_validator("fixed_rhythm")
    @classmethod
    def _moving(cls, found: Rhythm | None) -> Rhythm | None:
        if found is not None and min(found) < 1:
            raise ValueError(f"{found} needs a step and a length of 1 or more")
        return found

    @model_validator(mode="after")
    def _playable(self) -> Self:
        if (self.fixed_rhythm is None) != (self.fixed_velocity is None):
            raise ValueError("fixed_rhythm and fixed_velocity go together, or neither is there")
        moves = any(1 <= step <= LONGEST_STEP_GRID for step, _ in self.rhythms[1:])
        if self.fixed_rhythm is None and not moves:
            raise ValueError(f"no rhythm has a step of 1 to {LONGEST_STEP_GRID}: time would stand")
        return self

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
                f"{where} has model format {found!r}, this lofid reads format {FORMAT}: "
                "use a lofid that matches it, or export the model again"
            )
        try:
            return cls.model_validate_json(text)
        except ValidationError as error:
            fault = error.errors()[0]
            place = [str(part) for part in fault["loc"]]
            what = fault["msg"].removeprefix("Value error, ")
            told = ": ".join([".".join(place), what] if place else [what])
            raise ModelError(f"{where} has a card that cannot be used: {told}") from None


def _format_of(text: str) -> object:
    try:
        card = json.loads(text)
    except (ValueError, RecursionError):  # no JSON, a number too long, nested too deeply
        return "unreadable"
    return card.get("format", "unknown") if isinstance(card, dict) else "unreadable"
