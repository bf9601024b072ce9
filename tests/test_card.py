"""A model's card: what it says of itself, and what is refused."""

import json
import re
from typing import Any

import pytest

from lofid.card import Card
from lofid.errors import ModelError
from tests.fakes import CARD


def test_a_card_survives_its_file() -> None:
    assert Card.read(CARD.model_dump_json(), "a.onnx") == CARD


def test_another_format_is_refused_naming_both() -> None:
    text = json.dumps({**json.loads(CARD.model_dump_json()), "format": 9})
    with pytest.raises(ModelError, match=r"^a\.onnx has model format 9, this lofid reads format 1"):
        Card.read(text, "a.onnx")


@pytest.mark.parametrize("text", [None, "", "{", "[]", "{}", '{"format": 1}'])
def test_what_is_no_card_is_one_line(text: str | None) -> None:
    with pytest.raises(ModelError, match=r"^a\.onnx [^\n]*$"):
        Card.read(text, "a.onnx")


NESTED = "[" * 60_000
LONG_NUMBER = '{"format": ' + "1" * 5000 + "}"


@pytest.mark.parametrize(
    "text", [NESTED, LONG_NUMBER, '{"format": "1\\n2"}'], ids=["nested", "long", "two lines"]
)
def test_a_hostile_card_is_one_line(text: str) -> None:
    with pytest.raises(ModelError, match=r"\Aa\.onnx has model format [^\n]*\Z"):
        Card.read(text, "a.onnx")


FIXED = {"fixed_rhythm": [6, 6], "fixed_velocity": 90}


def _changed(**values: Any) -> str:
    return json.dumps({**json.loads(CARD.model_dump_json()), **values})


def test_a_classic_card_has_a_rhythm_and_a_velocity() -> None:
    """And needs no other rhythm that moves on."""
    card = Card.read(_changed(**FIXED, rhythms=[[0, 0]]), "a.onnx")
    assert (card.fixed_rhythm, card.fixed_velocity) == ((6, 6), 90)


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({"fixed_rhythm": [6, 6]}, "fixed_rhythm and fixed_velocity go together"),
        ({"fixed_velocity": 90}, "fixed_rhythm and fixed_velocity go together"),
        (FIXED | {"fixed_rhythm": [0, 5]}, "fixed_rhythm: (0, 5) needs a step and a length of 1"),
        (FIXED | {"fixed_rhythm": [5, 0]}, "fixed_rhythm: (5, 0) needs a step and a length of 1"),
        (FIXED | {"fixed_velocity": 0}, "fixed_velocity: "),
        (FIXED | {"fixed_velocity": 128}, "fixed_velocity: "),
        ({"rhythms": [[0, 0], [0, 12]]}, "no rhythm has a step of 1 to 96: time would stand"),
        ({"rhythms": [[0, 0], [97, 12]]}, "no rhythm has a step of 1 to 96: time would stand"),
        ({"rhythms": [[0, 0], [-3, 12], [3, 3]]}, "rhythms: (-3, 12) needs a step of 0 or more"),
        ({"rhythms": [[0, 0], [3, 0]]}, "rhythms: (3, 0) needs a step of 0 or more and a length"),
        ({"tokens": ["start", "H4"]}, "tokens: 'H4' is not a pitch name such as E-4"),
        ({"tokens": ["start", ""]}, "tokens: '' is not a pitch name"),
        ({"tokens": ["start", "0.12"]}, "tokens: 12 is not a pitch class from 0 to 11"),
        ({"grid_per_quarter": 24}, "grid_per_quarter: it is 24, this lofid plays on a grid of 12"),
        ({"home_keys": "D major"}, "home_keys: they are 'D major', this lofid knows 'C major"),
        ({"context_length": 10**9}, "context_length: "),
    ],
)
def test_a_card_that_cannot_be_played_says_why(values: dict[str, Any], told: str) -> None:
    start = re.escape(f"a.onnx has a card that cannot be used: {told}")
    with pytest.raises(ModelError, match=rf"\A{start}[^\n]*\Z"):
        Card.read(_changed(**values), "a.onnx")
