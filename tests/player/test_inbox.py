"""Where what is heard waits."""

import socket

from lofid.player.inbox import MOST_WAITING, Inbox


def test_a_keyboards_clock_and_sensing_do_not_enter() -> None:
    """Nor sysex: the loop is not even woken. What is a channel's is kept in order."""
    bell, ringer = socket.socketpair()
    with bell, ringer:
        inbox = Inbox(bell, ringer)
        for _ in range(2 * MOST_WAITING):
            inbox.hear(b"\xf8", 1.0)
            inbox.hear(b"\xfe", 1.0)
        inbox.hear(b"\xf0\x7d\x01\xf7", 1.0)
        inbox.hear(b"", 1.0)
        assert _wakings(bell) == 0
        inbox.hear(b"\x90\x3c\x64", 1.0)
        inbox.hear(b"\xd0\x10", 1.5)
        assert _wakings(bell) == 2
        assert inbox.take_before(1.5) == [(1.0, b"\x90\x3c\x64")]
        assert inbox.take_before(9.0) == [(1.5, b"\xd0\x10")]


def test_a_clocks_own_input_takes_everything() -> None:
    bell, ringer = socket.socketpair()
    with bell, ringer:
        inbox = Inbox(bell, ringer)
        inbox.hear_clock(b"\xf8", 1.0)
        assert inbox.take_clock() == [(1.0, b"\xf8")]


def _wakings(bell: socket.socket) -> int:
    try:
        return len(bell.recv(1 << 16))
    except BlockingIOError:
        return 0
