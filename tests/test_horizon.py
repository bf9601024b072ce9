"""What is composed ahead, and taken back; the model is a script."""

from lofid.composer import Composer
from lofid.config import load
from lofid.feel import Feel
from lofid.horizon import Horizon
from lofid.music import Event
from lofid.player.wire import Message
from tests.fakes import ScriptedModel

SETTINGS = load(None, {"music.key": "C major", "music.swing": 50.0, "parts.keys_velocity": 100})
"""The horizon is two beats: 960 ticks."""
QUARTERS = [(1, 1, 5), (2, 1, 5)]


def composed() -> tuple[Composer, Horizon]:
    composer = Composer(ScriptedModel(QUARTERS), Feel(), 7)
    horizon = Horizon(composer)
    horizon.compose(480, SETTINGS)
    return composer, horizon


def onsets(*messages: Message) -> list[int]:
    return [note[0] for message in messages for note in message["notes"]]


def test_it_is_composed_a_horizon_ahead_and_no_further() -> None:
    _, horizon = composed()
    assert horizon.until_tick == 1440
    assert horizon.compose(480, SETTINGS) == []
    [message] = horizon.compose(720, SETTINGS)
    assert (onsets(message), message["until"]) == ([1440], 1680)


def test_planned_anew_the_first_event_comes_first() -> None:
    """The player is told at once up to where there will be music, so that it fills nothing."""
    composer, horizon = composed()
    composer.hear(1, Event((64,), 100, 200, 80, by_person=True))
    [first] = horizon.replan(120, SETTINGS)
    assert (onsets(first), first["from"], first["until"]) == ([480], 120, 1440)
    second, end = horizon.finish(SETTINGS)
    assert (onsets(second), second.get("from"), second["until"]) == ([960], None, 1440)
    assert onsets(end) == []
    assert list(horizon.finish(SETTINGS)) == []
    assert onsets(*horizon.compose(960, SETTINGS)) == [1440]


def test_what_is_left_unfinished_is_composed_in_time_or_anew() -> None:
    """Whoever plays on is heard first: the rest of the old plan is not missed."""
    composer, horizon = composed()
    composer.hear(1, Event((64,), 100, 200, 80, by_person=True))
    list(horizon.replan(120, SETTINGS))
    [message] = horizon.compose(240, SETTINGS)
    assert (onsets(message), message["until"]) == ([960], 1440)
    composer.hear(2, Event((64,), 300, 200, 80, by_person=True))
    [first] = horizon.replan(320, SETTINGS)
    assert (onsets(first), first["until"]) == ([480], 1440)
    assert onsets(*horizon.finish(SETTINGS)) == [960]


def test_hushed_there_is_nothing_until_it_sounds_again() -> None:
    """Silence is composed like music: the player waits for nothing."""
    _, horizon = composed()
    message = horizon.hush(700)
    assert (message["notes"], message["from"], message["until"], message["bar"]) == (
        [],
        700,
        1440,
        [],
    )
    [message] = horizon.compose(2400, SETTINGS)
    assert (onsets(message), message["until"]) == ([], 3360)
    [message] = horizon.sound(2890, None, SETTINGS)
    assert (onsets(message), message["from"], message["until"]) == ([2920], 2890, 3360)
    assert onsets(*horizon.compose(2900, SETTINGS)) == [3400]


def test_what_sounds_again_may_have_an_end_and_another_beginning() -> None:
    """What was composed beyond the end is not kept for later."""
    _, horizon = composed()
    horizon.hush(700)
    [message] = horizon.sound(960, 1920, SETTINGS)
    [more] = horizon.compose(1400, SETTINGS)
    assert onsets(message, more) == [960, 1440]
    horizon.passed(4000)
    assert onsets(*horizon.compose(4000, SETTINGS)) == []
    [message] = horizon.sound(4800, None, SETTINGS)
    assert onsets(message) == [4800]


def test_hushed_while_it_is_silent_it_stays_so() -> None:
    _, horizon = composed()
    horizon.hush(700)
    horizon.hush(1000)
    assert horizon.silent_from == 700


def test_another_player_gets_what_is_left_of_the_newest_plan() -> None:
    composer, horizon = composed()
    composer.hear(1, Event((64,), 500, 200, 80, by_person=True))
    list(horizon.replan(520, SETTINGS))
    assert onsets(horizon.again(0)) == [0, 480, 960]
    horizon.hush(700)
    assert onsets(horizon.again(0)) == [0, 480]
