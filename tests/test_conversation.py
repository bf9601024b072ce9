"""Whose turn it is, in literal phrases."""

import pytest

from lofid.conversation import Conversation, Reply


def replied(
    conversation: Conversation, tick: int, rest: float, swing: float = 50.0, waits: bool = True
) -> Reply | None:
    """Rest; give the reply to come."""
    conversation.rest(tick, rest, swing, waits)
    return conversation.take_reply()


def test_the_reply_comes_a_rest_after_the_phrase_on_the_grid() -> None:
    """A phrase from 1000 to 2500, which is a bar; a rest of a beat; the grid is 40 ticks."""
    conversation = Conversation()
    assert replied(conversation, 900, 1.0) is None
    conversation.strike(1000)
    assert conversation.is_persons
    assert replied(conversation, 2500, 1.0) == Reply(2960, 4880)
    assert not conversation.is_persons


def test_a_key_before_the_reply_goes_on_with_the_phrase() -> None:
    """It is as long as all of it: over a bar, which makes two."""
    conversation = Conversation()
    conversation.strike(1000)
    assert replied(conversation, 2500, 1.0) is not None
    conversation.strike(2900)
    assert conversation.is_persons
    assert replied(conversation, 3100, 1.0) == Reply(3560, 3560 + 2 * 1920)


def test_a_key_into_the_reply_begins_another_phrase() -> None:
    conversation = Conversation()
    conversation.strike(1000)
    assert replied(conversation, 4000, 0.5) is not None
    conversation.strike(5000)
    assert replied(conversation, 5100, 0.5) == Reply(5320, 5320 + 1920)


def test_a_reply_may_go_on_for_ever() -> None:
    conversation = Conversation()
    conversation.strike(0)
    assert replied(conversation, 480, 0.25, waits=False) == Reply(600, None)


@pytest.mark.parametrize(("ticks", "bars"), [(1, 1), (1920, 1), (1921, 2), (50_000, 8)])
def test_a_reply_is_as_long_as_the_phrase_in_bars(ticks: int, bars: int) -> None:
    """Eight at most."""
    conversation = Conversation()
    conversation.strike(0)
    reply = replied(conversation, ticks, 1.0)
    assert reply is not None
    assert reply.end_tick == reply.begin_tick + bars * 1920


def test_when_nobody_answers_any_more_it_is_nobodys_turn() -> None:
    conversation = Conversation()
    conversation.strike(0)
    conversation.end()
    assert not conversation.is_persons
    assert replied(conversation, 480, 1.0) is None


@pytest.mark.parametrize(("swing", "begins"), [(50, 2960), (58, 2926), (66.7, 2933), (75, 2940)])
def test_with_swing_it_begins_on_the_last_place_within_the_rest(swing: float, begins: int) -> None:
    """It ends 90 ticks into an eighth, whose second place sounds at 40, 46, 53 or 60."""
    conversation = Conversation()
    conversation.strike(1000)
    reply = replied(conversation, 2490, 1.0, swing)
    assert reply is not None
    assert reply.begin_tick == begins


def test_a_reply_is_given_once() -> None:
    conversation = Conversation()
    conversation.strike(0)
    assert replied(conversation, 480, 1.0) is not None
    assert conversation.take_reply() is None
