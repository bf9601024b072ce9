"""The loop: sleeps to absolute deadlines and listens to the engine meanwhile."""

import contextlib
import math
from collections.abc import Callable
from typing import Any

from lofid.errors import LofidError, NoMidiError, PortError
from lofid.player.inbox import Inbox
from lofid.player.link import Link
from lofid.player.performer import Performer

Select = Callable[[list[Any], list[Any], list[Any], float | None], tuple[list[Any], Any, Any]]

SPIN_SECONDS = 0.0005
"""Waking and making a chord ready take about half of it. Only under real-time priority: without it
the scheduler takes the processor from whoever burns it, which makes the next wake-up later, and the
engine is the one to pay."""
LONGEST_SLEEP_SECONDS = 1.0
"""A port's clock is not the one that is slept by, and ports are looked at now and then."""


def perform(
    performer: Performer,
    link: Link,
    inbox: Inbox,
    *,
    select: Select,
    spin_seconds: float,
) -> int:
    """Play until the engine says stop, closes its end or dies. Returns the exit status.

    Blocks. To be called from the main thread. Whatever ends the loop, even a fault in it, all
    that sounds is ended first.
    """
    try:
        while not (performer.is_done or link.is_gone):
            _turn(performer, link, inbox, select=select, spin_seconds=spin_seconds)
            link.flush()
        performer.finish(performer.now())
    except LofidError as error:
        with contextlib.suppress(PortError):  # the port may be what failed
            performer.finish(performer.now())
        no_midi = isinstance(error, NoMidiError)
        link.tell({"is": "refused", "error": str(error), "no_midi": no_midi})
        return 1
    finally:
        with contextlib.suppress(PortError):  # whatever failed is on its way already
            performer.finish(performer.now())
    return 0


def _turn(
    performer: Performer,
    link: Link,
    inbox: Inbox,
    *,
    select: Select,
    spin_seconds: float,
) -> None:
    """Wait for whatever comes first, and see to it."""
    now = performer.now
    if performer.is_ahead:
        spin_seconds = 0.0
    deadline_seconds = performer.next_seconds()
    left = math.inf if deadline_seconds is None else deadline_seconds - now() - spin_seconds
    timeout = min(max(0.0, left), LONGEST_SLEEP_SECONDS)
    ready, writable, _ = select([link, inbox], [link] if link.has_backlog else [], [], timeout)
    if inbox in ready:
        inbox.quiet()
    if link in ready:
        for message in link.receive():
            performer.obey(message, performer.now())
    is_in_time = not (ready or writable) and spin_seconds > 0 and timeout == left
    if is_in_time and deadline_seconds is not None:
        performer.poise(deadline_seconds)
        while now() < deadline_seconds:
            pass  # the last stretch, which sleeping would overshoot
    performer.advance(performer.now())
