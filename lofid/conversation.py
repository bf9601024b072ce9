"""The conversation: whose turn it is while lofid answers a person. Pure; no clock, no I/O.

From the first key of a phrase on lofid begins nothing. The phrase ends when nothing is held any
more. The reply begins within a rest, on the last place of the grid, unless a key is struck before:
then the phrase goes on. A reply is as long as the phrase, in whole bars; then lofid waits for the
next phrase, or goes on. Until the first phrase it plays.
"""

from dataclasses import dataclass

from lofid.music import BAR_TICKS, TICKS_PER_QUARTER, last_place, place_ticks

LONGEST_REPLY_BARS = 8


@dataclass(frozen=True, slots=True)
class Reply:
    """From where to where lofid plays; None as the end is for ever."""

    begin_tick: int
    end_tick: int | None


class Conversation:
    """One person's and lofid's turns, in ticks. Not thread-safe."""

    def __init__(self) -> None:
        self.is_persons = False
        """Whether it is the person's turn: lofid begins nothing."""
        self._phrase_tick = 0
        self._reply: Reply | None = None
        self._is_due = False
        """Whether the reply has not been given yet."""

    def strike(self, tick: int) -> None:
        """A key is struck: the phrase begins, or goes on where lofid has not begun to reply."""
        goes_on = self.is_persons or (self._reply is not None and tick < self._reply.begin_tick)
        if not goes_on:
            self._phrase_tick = tick
        self.is_persons = True
        self._forget_reply()

    def rest(self, tick: int, rest_beats: float, swing_percent: float, then_waits: bool) -> None:
        """Nothing is held any more: there is a reply to come, if a phrase has been played."""
        if not self.is_persons:
            return
        self.is_persons = False
        ends = tick + round(rest_beats * TICKS_PER_QUARTER)
        begin = place_ticks(last_place(ends, swing_percent), swing_percent)
        bars = -(-(tick - self._phrase_tick) // BAR_TICKS)
        length = min(max(bars, 1), LONGEST_REPLY_BARS) * BAR_TICKS
        self._reply = Reply(begin, begin + length if then_waits else None)
        self._is_due = True

    def take_reply(self) -> Reply | None:
        """Give a reply to come, once."""
        is_due, self._is_due = self._is_due, False
        return self._reply if is_due else None

    def end(self) -> None:
        """Nobody's turn any more: lofid plays as it likes."""
        self.is_persons = False
        self._forget_reply()

    def _forget_reply(self) -> None:
        self._reply, self._is_due = None, False
