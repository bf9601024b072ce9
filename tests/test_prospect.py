"""Which notes may sound and which must, told by hand: 120 bpm, 960 ticks a second."""

from typing import Any

import pytest

from lofid.entries import On
from lofid.player.wire import Message
from lofid.prospect import Prospect

SECOND = 1_000_000
BAR = [[480, 500, 0, 72, 9], [960, 980, 0, 74, 9]]


def _play(*ticks: int, pitch: int = 60, **more: Any) -> Message:
    notes = [[tick, tick + 100, 0, pitch, 80] for tick in ticks]
    return {"do": "play", "notes": notes, "until": 1920, "bar": BAR, **more}


def _at(tick: int) -> int:
    """When it is there, in microseconds."""
    return tick * SECOND // 960


def _started(*messages: Message) -> Prospect:
    prospect = Prospect()
    prospect.tell(0, [*messages, {"do": "start", "tick": 0, "tempo": 120.0}])
    prospect.hear(0, {"is": "transport", "moving": True, "tick": 0, "sync": "internal"})
    prospect.answer(0)
    return prospect


def _pass(prospect: Prospect, *ticks: int) -> None:
    for tick in ticks:
        prospect.hear(_at(tick), {"is": "position", "tick": tick, "tempo": 120.0})
        prospect.answer(_at(tick))


def _sounds(prospect: Prospect, tick: int, pitch: int = 60, velocity: int = 80) -> bool:
    return prospect.sounds(On(tick, 0.0, 0, pitch, velocity))


def test_what_was_composed_may_sound_once_and_must() -> None:
    prospect = _started(_play(240, 480))
    _pass(prospect, 0, 240)
    assert prospect.missing() is None, "its tick has come, but it is not over"
    _pass(prospect, 480)
    assert _sounds(prospect, 240)
    assert not _sounds(prospect, 240)
    assert not _sounds(prospect, 241)
    assert not _sounds(prospect, 480, velocity=81)
    assert prospect.missing() is None
    _pass(prospect, 720)
    assert prospect.missing() == (480, 0, 60)


def test_of_equal_voices_at_one_tick_one_sounds() -> None:
    prospect = _started(_play(240, 240))
    _pass(prospect, 0, 240, 480)
    assert _sounds(prospect, 240)
    assert not _sounds(prospect, 240)
    assert prospect.missing() is None


@pytest.mark.parametrize(
    "heard",
    [
        {"is": "dropped", "tick": 1440, "channel": 0, "pitch": 60, "late_us": 100_001},
        {"is": "lost", "count": 3},
        {"is": "underrun", "tick": 1200},
        {"is": "transport", "moving": True, "tick": 1920, "sync": "internal"},
        {"is": "gone"},
    ],
)
def test_what_a_player_did_not_come_to_need_not_sound(heard: Message) -> None:
    prospect = _started(_play(1440))
    _pass(prospect, 0, 240)
    prospect.hear(_at(300), heard)
    _pass(prospect, 1920)
    assert prospect.missing() is None
    assert _sounds(prospect, 1440), "but it may, before that was said"


def test_nor_what_was_taken_back() -> None:
    prospect = _started(_play(1440))
    _pass(prospect, 0, 240)
    prospect.tell(_at(240), [_play(1600, **{"from": 1300})])
    _pass(prospect, 480, 720, 1920)
    assert prospect.missing() == (1600, 0, 60)
    assert _sounds(prospect, 1440)
    prospect.tell(_at(1920), [_play(3000), _play(3000, **{"from": 2900})])
    _pass(prospect, 2160, 2400)
    assert _sounds(prospect, 3000)
    assert not _sounds(prospect, 3000), "the first one was taken back in time"


def test_nor_what_the_player_may_have_come_too_late_to() -> None:
    """What it says lay unread for five seconds: it is farther than what is read tells."""
    prospect = _started(_play(240))
    assert _sounds(prospect, 240)
    _pass(prospect, 0, 240)
    prospect.hear(_at(5000), {"is": "position", "tick": 480, "tempo": 120.0})
    prospect.tell(_at(5000), [_play(2000)])
    _pass(prospect, 5040, 5280)
    assert prospect.missing() is None


def test_a_bar_is_repeated_for_a_beat() -> None:
    prospect = _started(_play(240))
    _pass(prospect, 0, 240, 480, 1920)
    prospect.hear(_at(1920), {"is": "underrun", "tick": 1920 + 400})
    assert _sounds(prospect, 1920 + 480, 72, 9)
    assert not _sounds(prospect, 1920 + 480, 72, 9)
    assert not _sounds(prospect, 1920 + 960, 74, 9)


def test_each_player_that_dies_may_have_begun_what_the_next_one_begins() -> None:
    prospect = _started(_play(240))
    for tick in (200, 220):
        prospect.hear(_at(tick), {"is": "gone"})
        prospect.hear(_at(tick), {"is": "replaced"})
        start = {"do": "start", "tick": tick, "tempo": 120.0}
        prospect.tell(_at(tick), [_play(240), start])
        prospect.hear(_at(tick), {"is": "transport", "moving": True, "tick": tick, "sync": ""})
        prospect.answer(_at(tick))
    _pass(prospect, 240, 480)
    assert [_sounds(prospect, 240) for _ in range(4)] == [True, True, True, False]
    assert prospect.missing() is None
