"""Where MIDI input waits for the loop: the one thing that two threads share."""

import contextlib
import socket
from collections import deque

from lofid.player import midi

MOST_WAITING = 20_000
"""A loop that stood still for long gets the newest: MIDI itself carries a thousand a second."""


class Inbox:
    """What was heard, with the moment it was heard at, and a socket that wakes the loop.

    ``bell`` and ``ringer`` are the ends of a socket pair, which stays the caller's to close.
    :meth:`hear` and :meth:`wake` may be called from any thread and from a signal handler, and
    never block; the rest belongs to the loop's thread. A deque's ends are safe to share.
    """

    def __init__(self, bell: socket.socket, ringer: socket.socket) -> None:
        self._heard: deque[tuple[float, bytes]] = deque(maxlen=MOST_WAITING)
        self._clock: deque[tuple[float, bytes]] = deque(maxlen=MOST_WAITING)
        self._bell, self._ringer = bell, ringer
        self._bell.setblocking(False)
        self._ringer.setblocking(False)

    def fileno(self) -> int:
        """For ``select``: readable when there is something to look at."""
        return self._bell.fileno()

    def hear(self, message: bytes, seconds: float) -> None:
        """Keep a channel's message and when it came, and wake the loop. From MIDI's thread.

        Nobody here listens to the rest. Some keyboards send clock or active sensing all the time.
        """
        if message and message[0] < midi.SYSTEM:  # JACK lets a client send nothing at all
            self._heard.append((seconds, message))
            self.wake()

    def hear_clock(self, message: bytes, seconds: float) -> None:
        """Keep what the clock's own input heard. From the MIDI system's thread."""
        if message:
            self._clock.append((seconds, message))
            self.wake()

    def wake(self) -> None:
        """Let the loop look around. From any thread."""
        with contextlib.suppress(BlockingIOError):  # full: it is being woken already
            self._ringer.send(b"\0")

    def quiet(self) -> None:
        """Take note of having been woken."""
        with contextlib.suppress(BlockingIOError):
            self._bell.recv(4096)

    def take_before(self, seconds: float) -> list[tuple[float, bytes]]:
        """Take out what was heard before a moment, oldest first: (moment, message)."""
        taken = []
        while self._heard and self._heard[0][0] < seconds:
            taken.append(self._heard.popleft())
        return taken

    def take_clock(self) -> list[tuple[float, bytes]]:
        """Take out what the clock's input heard, oldest first."""
        return [self._clock.popleft() for _ in range(len(self._clock))]
