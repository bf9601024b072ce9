"""Asking the system to be on time, also with bad news, and saying what it granted."""

import ctypes
import gc
import os
import signal
import sys
from dataclasses import dataclass

PRIORITY = 70
"""Above a JACK server's own threads (10 to 20), below the kernel's and most sound drivers'."""
_PR_SET_PDEATHSIG, _PR_SET_TIMERSLACK = 1, 29
"""From ``linux/prctl.h``."""


@dataclass(frozen=True, slots=True)
class Realtime:
    """What was granted, and one line for people: what it is, or how to get it."""

    is_granted: bool
    note: str


def ask_for_realtime() -> Realtime:
    """Ask for SCHED_FIFO and exact timers for the calling thread; threads it starts inherit it.

    Never raises: music also plays without, only less on time.
    """
    if sys.platform != "linux":
        return Realtime(False, "real-time priority is only asked for on Linux")
    ctypes.CDLL(None).prctl(_PR_SET_TIMERSLACK, 1, 0, 0, 0)
    try:
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(PRIORITY))
    except OSError:
        return Realtime(
            False,
            "no real-time priority; to get it put '@audio - rtprio 95' into "
            "/etc/security/limits.d/audio.conf, join the group audio and log in again",
        )
    return Realtime(True, f"SCHED_FIFO at priority {PRIORITY}")


def ask_for_news_of_the_engine() -> None:
    """Have the kernel send SIGTERM when the thread that started this process dies.

    A killed process gives back its memory before its sockets, which takes the engine tens of
    milliseconds. The signal comes before that, unless that thread is the last of its process to
    go: measured from the kill to the last note-off, about half of the times 4 ms instead of 45.
    Elsewhere than on Linux, and should the engine be gone already, the socket alone tells.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)


def still_the_collector() -> None:
    """Keep the garbage collector from ever running: a full collection takes milliseconds.

    The loop makes no reference cycles, so nothing piles up.
    """
    gc.collect()
    gc.freeze()
    gc.disable()
