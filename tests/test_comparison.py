"""A session in simulated time, beside itself as a journal tells it that says something else."""

import re
from collections.abc import Callable
from copy import deepcopy
from typing import Any

import pytest

from lofid.config import load
from lofid.entries import Entry, Gap, Input, On
from lofid.errors import RecordingError
from tests.fakes import PureModel
from tests.witnessed import compared, witnessed

Change = Callable[[list[Entry]], list[Entry]]


@pytest.fixture(scope="module")
def session() -> list[Entry]:
    """Eight seconds and a chord that is played."""
    world, engine = witnessed(PureModel(), load(None, {"music.tempo": 120.0}))
    world.run(2.0)
    for pitch in (60, 64, 67):
        world.strike(0x90, pitch, 80)
    world.run(6.0)
    world.leave()
    engine.end()
    return engine.entries()


def _ons(entries: list[Entry]) -> list[On]:
    return [entry for entry in entries if isinstance(entry, On) and not entry.by_person]


def _without_one(entries: list[Entry]) -> list[Entry]:
    left_out = _ons(entries)[20]
    return [entry for entry in entries if entry is not left_out]


def _without_all(entries: list[Entry]) -> list[Entry]:
    return [entry for entry in entries if not isinstance(entry, On)]


def _one_twice(entries: list[Entry]) -> list[Entry]:
    return [*entries[: (at := entries.index(_ons(entries)[20]))], entries[at], *entries[at:]]


def _all_twice(entries: list[Entry]) -> list[Entry]:
    return [each for e in entries for each in ([e, e] if isinstance(e, On) else [e])]


def test_it_is_identical(session: list[Entry]) -> None:
    findings, _ = compared(session, PureModel())
    assert (findings.difference, findings.stopped, findings.is_ended) == (None, "", True)
    assert findings.sounded == len(_ons(session)) > 10


@pytest.mark.parametrize(
    ("change", "which", "line"),
    [
        (_without_one, 20, "composed anew is {}, which did not sound"),
        (_without_all, 0, "composed anew is {}, which did not sound"),
        (_one_twice, 20, "{} sounded more often than it is composed anew"),
        (_all_twice, 0, "{} sounded more often than it is composed anew"),
    ],
)
def test_what_did_not_sound_or_sounded_twice_is_told(
    session: list[Entry], change: Change, which: int, line: str
) -> None:
    on = _ons(session)[which]
    findings, _ = compared(change(session), PureModel())
    said = f"channel {on.channel + 1} note {on.pitch} velocity {on.velocity}"
    assert findings.difference is not None
    assert findings.difference.line == f"tick {on.tick}: {line.format(said)}"


def test_inputs_that_are_told_twice_are_seen(session: list[Entry]) -> None:
    third = [entry for entry in session if isinstance(entry, Input)][3]
    at = session.index(third)
    findings, _ = compared([*session[:at], third, *session[at:]], PureModel())
    assert findings.difference is None
    assert re.fullmatch(r"the inputs from \d+ on are told a second time", findings.stopped)


def test_what_a_disk_has_twice_is_no_difference(session: list[Entry]) -> None:
    """It took a part and did not give it up: that is written once more, after a gap."""
    half = len(session) // 2
    again = [entry for entry in session[half - 30 : half] if isinstance(entry, On | Input)]
    assert {type(entry) for entry in again} == {On, Input}
    gap = Gap(4.0, 4.0, 0, "no space")
    findings, _ = compared([*session[:half], gap, *again, *session[half:]], PureModel())
    assert (findings.difference, findings.stopped) == (None, "")
    assert findings.sounded == len(_ons(session))


@pytest.mark.parametrize(
    ("name", "row"),
    [
        ("position", ["receive"]),
        ("position", ["receive", [7]]),
        ("position", ["receive", [{"is": "position"}]]),
        ("position", ["receive", [{"is": "underrun", "tick": "late"}]]),
        ("position", ["position", [1, 2, 3]]),
        ("position", ["position", [None, None]]),
        ("position", ["answer-begun", [10**20]]),
        ("position", ["recall", [1, 2]]),
        ("made", ["made", [-5, {}, "", "cpu", "0"]]),
        ("made", ["made", [1, 7, "", "cpu", "0"]]),
        ("made", ["made"]),
    ],
)
def test_what_cannot_have_been_is_one_line(session: list[Entry], name: str, row: list[Any]) -> None:
    """In records that are whole."""
    entries = deepcopy(session)
    for entry in entries:
        for each in entry.data[2] if isinstance(entry, Input) else []:
            if each[1] == name:
                each[1:] = row
    with pytest.raises(RecordingError, match=r"cannot be (done|read): ") as caught:
        compared(entries, PureModel())
    assert "\n" not in str(caught.value)
