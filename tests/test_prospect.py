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
    prospect.hear(_at(5000), {"is": "position", "tick": 720, "tempo": 120.0})
    prospect.answer(_at(5000))
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
    prospect.hear(_at(200), {"is": "gone"})
    prospect.hear(_at(200), {"is": "replaced"})
    prospect.tell(_at(200), [_play(240), {"do": "start", "tick": 200, "tempo": 120.0}])
    prospect.hear(_at(200), {"is": "transport", "moving": True, "tick": 200, "sync": "internal"})
    _pass(prospect, 240, 480)
    prospect.hear(_at(500), {"is": "gone"})
    assert [_sounds(prospect, 240) for _ in range(3)] == [True, True, False]
    assert prospect.missing() is None


def test_a_new_player_that_a_master_moves_before_we_do_owes_nothing() -> None:
    """What it says of that comes after it was told to start; until it stands, all is doubtful."""
    prospect = _started(_play(240))
    moves: Message = {"is": "transport", "moving": True, "tick": 59, "sync": "locked"}
    for heard in (moves, {"is": "gone"}, {"is": "replaced"}):
        prospect.hear(_at(200), heard)
    prospect.tell(_at(900), [_play(1440), {"do": "start", "tick": 900, "tempo": 120.0}])
    prospect.hear(_at(900), moves)
    prospect.answer(_at(900))
    _pass(prospect, 1680, 3600)
    assert prospect.missing() is None
    assert _sounds(prospect, 1440), "it may be told to stand before that"
    prospect.hear(_at(1700), {**moves, "moving": False, "tick": 1700})
    assert not prospect.missing()
    prospect.tell(_at(1700), [_play(4000)])
    prospect.hear(_at(1800), {**moves, "tick": 1700})
    prospect.answer(_at(1800))
    _pass(prospect, 4080)
    assert prospect.missing() == (4000, 0, 60)
