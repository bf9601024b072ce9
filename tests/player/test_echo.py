"""Hearing nothing but oneself."""

from lofid.player.echo import Echo

ON = bytes((0x90, 60, 100))


def back(echo: Echo, count: int, delay_seconds: float = 0.01, start: int = 0) -> list[bool]:
    found = []
    for i in range(start, start + count):
        message = bytes((0x90, 40 + i % 40, 100))
        echo.sent(message, float(i))
        found.append(echo.is_echo(message, i + delay_seconds))
    return found


def test_one_after_the_other_is_a_loop() -> None:
    """Three equal notes may be a person's; from the fourth on it is ourselves."""
    echo = Echo()
    assert back(echo, 6) == [False, False, False, True, True, True]
    assert echo.is_sure


def test_what_comes_much_later_or_otherwise_is_a_persons() -> None:
    assert not any(back(Echo(), 8, delay_seconds=0.2))
    assert not any(back(Echo(), 8, delay_seconds=-0.1))
    echo = Echo()
    back(echo, 6)
    assert not echo.is_echo(bytes((0x90, 45, 99)), 5.01)
    assert not echo.is_echo(bytes((0x91, 45, 100)), 5.01)


def test_note_offs_are_always_heard() -> None:
    """Whatever ends a note gets through, so that nothing hangs."""
    echo = Echo()
    back(echo, 6)
    assert not echo.is_echo(bytes((0x80, 45, 64)), 5.01)
    assert not echo.is_echo(bytes((0x90, 45, 0)), 5.01)


def test_a_loop_that_was_cut_is_forgotten() -> None:
    echo = Echo()
    back(echo, 12)
    for i in range(3):
        echo.is_echo(bytes((0x90, 100, 1)), float(i))
    assert not echo.is_sure
