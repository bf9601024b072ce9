"""The player as a program of its own: ``python -P -m lofid.player FD``.

FD is the inherited end of a stream socket pair; the engine holds the other.
"""

import os
import select
import signal
import socket
import sys
import time
from types import FrameType

from lofid.player.inbox import Inbox
from lofid.player.link import Link
from lofid.player.loop import perform
from lofid.player.opening import open_ports
from lofid.player.performer import Performer
from lofid.player.realtime import (
    ask_for_news_of_the_engine,
    ask_for_realtime,
    still_the_collector,
)
from lofid.player.spin import Spin
from lofid.player.systems import hushed_libraries

_FAREWELL_SECONDS = 0.05
_SWITCH_SECONDS = 0.0005
"""How long the loop may keep JACK's thread from the interpreter, which has periods to keep."""


def main() -> int:
    """Play for the engine at the other end of FD. Returns the exit status."""
    link = Link(socket.socket(fileno=int(sys.argv[1])))
    inbox = Inbox(*socket.socketpair())
    realtime = ask_for_realtime()
    performer = Performer(link, inbox, open_ports, realtime, time.monotonic)
    _heed_signals(performer, inbox)
    ask_for_news_of_the_engine()
    os.environ["JACK_NO_START_SERVER"] = "1"
    still_the_collector()
    sys.setswitchinterval(_SWITCH_SECONDS)
    with hushed_libraries():
        status = perform(
            performer,
            link,
            inbox,
            select=select.select,
            spin=Spin() if realtime.is_granted else None,
        )
        link.drain(_FAREWELL_SECONDS)
    return status


def _heed_signals(performer: Performer, inbox: Inbox) -> None:
    """Stop on SIGTERM; leave Ctrl-C, which a terminal sends to the whole group, to the engine."""

    def leave(_signal: int, _frame: FrameType | None) -> None:
        performer.ask_to_stop()
        inbox.wake()

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, leave)
    if hasattr(signal, "SIGALRM"):  # what watches over sending relies on its default
        signal.signal(signal.SIGALRM, signal.SIG_DFL)


if __name__ == "__main__":
    sys.exit(main())
