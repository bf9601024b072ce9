"""lofid's transport under another's clock."""

import pytest

from lofid.player.sync import Sync
from lofid.player.transport import Transport

CLOCK, START, CONTINUE, STOP = b"\xf8", b"\xfa", b"\xfb", b"\xfc"
PULSE = 0.05
"""At 50 bpm."""


class Master:
    """Sends pulses on time, and what it is told to between them."""

    def __init__(self, latency_seconds: float = 0.0, waits: bool = False) -> None:
        self.transport = Transport()
        self.sync = Sync(self.transport, 120.0, latency_seconds, waits)
        self.seconds = 10.0
        self.news: list[str] = []

    def pulses(self, count: int) -> None:
        for _ in range(count):
            self.seconds += PULSE
            self.hear(CLOCK)

    def say(self, *messages: bytes) -> None:
        """Send shortly after the last pulse."""
        self.seconds += 0.001
        for message in messages:
            self.hear(message)
        self.seconds -= 0.001

    def hear(self, message: bytes) -> None:
        if news := self.sync.hear(message, self.seconds):
            self.news.append(news)

    def tick(self, later: float = 0.0) -> int:
        return self.transport.tick_at(self.seconds + later + 1e-6)


def test_the_pulse_after_start_is_the_downbeat() -> None:
    """Before it the music stands; half a pulse after it is tick 10."""
    master = Master()
    master.pulses(48)
    assert not master.transport.is_moving
    master.say(START)
    assert master.transport.is_moving
    assert master.tick() == 0
    master.pulses(1)
    assert master.tick() == 0
    assert master.tick(PULSE / 2) == 10
    master.pulses(24)
    assert master.tick() == 480
    assert master.transport.tempo_bpm == pytest.approx(50.0)


def test_what_leaves_later_is_due_earlier() -> None:
    """With a latency of 30 ms the downbeat is due 30 ms before its pulse."""
    master = Master(latency_seconds=0.03)
    master.pulses(48)
    master.say(START)
    assert master.transport.seconds_at(0) == pytest.approx(master.seconds + PULSE - 0.03)


def test_stop_and_continue_go_on_with_the_next_pulse() -> None:
    """Stopped after pulse 30 of the music, it goes on at tick 20 times 31."""
    master = Master()
    master.pulses(48)
    master.say(START)
    master.pulses(31)
    master.say(STOP)
    assert not master.transport.is_moving
    master.pulses(7)
    master.say(CONTINUE)
    master.pulses(1)
    assert master.tick() == 620
    assert master.news[-3:] == ["moved", "moved", "moved"]


def test_start_again_begins_at_the_next_bar_line() -> None:
    """The music never goes back: from tick 600 a Start takes it to 1920, moving or not."""
    for stop in ([STOP], []):
        master = Master()
        master.pulses(48)
        master.say(START)
        master.pulses(31)
        master.say(*stop, START)
        master.pulses(1)
        assert master.tick() == 1920


def test_a_song_position_is_a_place_in_the_bar() -> None:
    """Four sixteenths into some bar: from tick 600 that is the next bar's second beat."""
    master = Master()
    master.pulses(48)
    master.say(START)
    master.pulses(31)
    master.say(STOP, bytes((0xF2, 4, 1)), CONTINUE)
    master.pulses(1)
    assert master.tick() == 1920 + 480


def test_a_master_whose_clock_comes_only_with_start() -> None:
    """The first pulse that comes is the downbeat; until it tells a tempo, ours holds."""
    master = Master()
    master.say(START)
    assert not master.transport.is_moving
    master.pulses(1)
    assert master.transport.is_moving
    assert master.tick() == 0
    master.pulses(24)
    assert master.tick() == 480


@pytest.mark.parametrize("waits", [False, True])
def test_a_clock_that_goes_away(waits: bool) -> None:
    """The music goes on at its last tempo, or waits; and when it comes back, in phase again."""
    master = Master(waits=waits)
    master.pulses(48)
    master.say(START)
    master.pulses(25)
    assert master.sync.lose(master.seconds + PULSE) == ""
    assert master.sync.lose(master.seconds + 5) == ("moved" if waits else "told")
    assert master.sync.state == "lost"
    assert master.transport.is_moving is not waits
    master.seconds += 10.01
    master.pulses(49)
    assert str(master.sync.state) == "locked"
    if not waits:
        late = master.tick() / 20 % 1
        assert min(late, 1 - late) < 0.06
