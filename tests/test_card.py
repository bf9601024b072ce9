"""A model's card: what it says of itself, and what is refused."""

import json

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
