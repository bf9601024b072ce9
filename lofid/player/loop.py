"""The loop: sleeps to absolute deadlines and listens to the engine meanwhile."""

import contextlib
import math
from collections.abc import Callable
from typing import Any

from lofid.errors import LofidError, NoMidiError, PortError
from lofid.player.inbox import Inbox
from lofid.player.link import Link
from lofid.player.performer import Performer
from lofid.player.spin import MOST_SECONDS, Spin

Select = Callable[[list[Any], list[Any], list[Any], float | None], tuple[list[Any], Any, Any]]

LONGEST_SLEEP_SECONDS = 1.0
"""A port's clock is not the one that is slept by, and ports are looked at now and then."""


def perform(
    performer: Performer,
    link: Link,
    inbox: Inbox,
    *,
    select: Select,
    spin: Spin | None,
) -> int:
    """Play until the engine says stop, closes its end or dies. Returns the exit status.

    ``spin`` only under real-time priority: without it the scheduler takes the processor from
    whoever burns it, which makes the next wake-up later, and the engine is the one to pay.

    Blocks. To be called from the main thread. Whatever ends the loop, even a fault in it, all
    that sounds is ended first.
    """
    try:
        while not (performer.is_done or link.is_gone):
            _turn(performer, link, inbox, select=select, spin=spin)
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
    spin: Spin | None,
) -> None:
    """Wait for whatever comes first, and see to it."""
    now, deadline_seconds = performer.now, performer.next_seconds()
    spin = None if performer.is_ahead else spin
    early_seconds = 0.0 if spin is None else spin.seconds
    wake_seconds = math.inf if deadline_seconds is None else deadline_seconds - early_seconds
    left = wake_seconds - now()
    timeout = min(max(0.0, left), LONGEST_SLEEP_SECONDS)
    ready, writable, _ = select([link, inbox], [link] if link.has_backlog else [], [], timeout)
    if inbox in ready:
        inbox.quiet()
    if link in ready:
        for message in link.receive():
            performer.obey(message, performer.now())
    # Near also where a message kept us until then; not where the machine stood still.
    is_near = 0.0 <= now() - wake_seconds <= MOST_SECONDS and not (ready or writable)
    if spin is not None and deadline_seconds is not None and is_near:
        performer.poise(deadline_seconds)
        if timeout == left:
            spin.follow(now() - wake_seconds)
        while now() < deadline_seconds:
            pass  # the last stretch, which sleeping would overshoot
    performer.advance(performer.now())
