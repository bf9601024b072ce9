"""Asking for real-time priority, in a process of its own."""

import subprocess
import sys

CODE = """
import gc, os
from lofid.player.realtime import ask_for_realtime, still_the_collector
realtime = ask_for_realtime()
fifo = hasattr(os, "SCHED_FIFO") and os.sched_getscheduler(0) == os.SCHED_FIFO
still_the_collector()
print(realtime.is_granted == fifo, gc.isenabled(), len(realtime.note.splitlines()))
"""


def test_says_truly_what_was_granted() -> None:
    """What it reports is what the scheduler has; the collector is off; the note is one line."""
    done = subprocess.run([sys.executable, "-P", "-c", CODE], capture_output=True, check=True)
    assert done.stdout == b"True False 1\n"
