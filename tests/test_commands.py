"""The commands: what is refused before it comes to the engine."""

import asyncio
from typing import Any

import pytest

from lofid.commands import LONGEST_SETTING, Commands
from lofid.errors import ControlError


@pytest.mark.parametrize(
    ("name", "text"), [("tempo", "9" * 60_000), ("\U0001f600" * 60_000, "9"), ("key", "x" * 198)]
)
def test_what_is_too_long_for_a_setting_never_comes_to_the_engine(name: str, text: str) -> None:
    """It would be kept for a replay, and said again in the answer."""
    nobody: Any = None
    commands = Commands(nobody, nobody, nobody, nobody, nobody, nobody)
    with pytest.raises(ControlError, match=f"^no setting is longer than {LONGEST_SETTING} char"):
        asyncio.run(commands.obey("set", [name, text]))
