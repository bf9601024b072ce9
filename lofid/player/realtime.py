"""Asking the system to be on time, and saying what it granted."""

import ctypes
import gc
import os
import sys
from dataclasses import dataclass

PRIORITY = 70
"""Above a JACK server's own threads (10 to 20), below the kernel's and most sound drivers'."""
_PR_SET_TIMERSLACK = 29
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


def still_the_collector() -> None:
    """Keep the garbage collector from ever running: a full collection takes milliseconds.

    The loop makes no reference cycles, so nothing piles up.
    """
    gc.collect()
    gc.freeze()
    gc.disable()
