"""The player's MIDI ports: what the loop needs of the outside, whichever system there is.

:mod:`lofid.player.jackports` and :mod:`lofid.player.rtmidiports` open them,
:mod:`lofid.player.opening` chooses between the two.
"""

import signal
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, Self

from lofid.errors import NoSuchPortError, SeveralPortsError

VIRTUAL = "virtual"
NAME_PATIENCE_SECONDS = 1.0
"""How long a JACK server may need to forget a predecessor that was killed."""
NAME_PAUSE_SECONDS = 0.02
_STUCK_SECONDS = 1.0

SLACK_SECONDS = {True: 0.003, False: 0.02}
"""How late the loop may be without anyone hearing it, with real-time priority and without, where
the port sends at a later moment. It is a constant delay, which nobody hears either."""

Timed = tuple[float, bytes]
"""When a message is due, in seconds of the port's own clock, and the message."""
Hear = Callable[[bytes, float], None]
"""Takes what came in and when, on the same clock. Called from the MIDI system's thread."""


@dataclass(frozen=True, slots=True)
class Change:
    """What became of the connections of one side: ``output``, ``input`` or ``clock``.

    ``what``: ``came`` or ``went`` of the port that it shall be connected to, ``several`` where more
    than one could be it, ``cut`` where a connection has ended. ``port`` is what the side is called
    now, as :class:`Ports` says; ``why`` says in a line what there are several of.
    """

    side: str
    what: str
    port: str | None = None
    why: str = ""


@dataclass(frozen=True, slots=True)
class PortRequest:
    """Which ports to open. None as ``output`` opens a virtual one; as ``input``, none.

    ``clock`` is the input that MIDI clock is heard from, and like ``input``. An input that is not
    there may come later: keyboards do. Who ``is_patient`` waits for the others too, and gets a port
    that nothing is connected to until the one that was wanted comes.

    ``slack_seconds`` is how late the loop may hand a message over and the port still be on time,
    where the port can send at a later moment.
    """

    backend: str = "auto"
    name: str = "lofid"
    output: str | None = None
    input: str | None = None
    clock: str | None = None
    is_patient: bool = False
    slack_seconds: float = 0.02

    @classmethod
    def wanted(cls, message: Mapping[str, Any], is_realtime: bool) -> Self:
        """Read what the engine wants; KeyError where it does not say."""
        names = {name: message[name] for name in ("backend", "name", "output", "input")}
        return cls(
            **names,
            clock=message.get("clock"),
            is_patient=message.get("patient", False),
            slack_seconds=SLACK_SECONDS[is_realtime],
        )


class Ports(Protocol):
    """What the loop needs of the outside. To be called from the loop's thread."""

    @property
    def backend(self) -> str:
        """``jack``, ``jack-rtmidi``, ``alsa``, ``coremidi`` or ``windows``."""

    @property
    def output(self) -> str:
        """The output's name as others see it, or the port it is connected to."""

    @property
    def input(self) -> str | None:
        """The same for the input; None also where there is no port until the wanted one comes."""

    @property
    def awaits(self) -> str:
        """Why the wanted input is not connected, in one line; empty where it is, or none is."""

    @property
    def clock(self) -> str | None:
        """The same for the clock's input."""

    @property
    def latency_seconds(self) -> float:
        """How long after it is due each message leaves, always; 0 where it leaves at once."""

    def now(self) -> float:
        """Seconds on the clock that this port plays by, which never goes back. From any thread."""

    def send(self, messages: Sequence[Timed]) -> None:
        """Send MIDI messages in order, each at its time if that is still to come.

        PortError when the port is gone.
        """

    def pass_on(self, messages: Sequence[Timed]) -> None:
        """Send what came in as soon as can be, in order; each with the moment it came in at.

        On JACK each leaves a period after it came, on the other systems at once. PortError when
        the port is gone.
        """

    def look(self) -> Sequence[Change]:
        """Connect again what came back by name; give what came, went or was cut since.

        ``several`` is told once until that changes. ``cut`` is told of the input only, and by
        JACK only.

        May take a few milliseconds.
        """

    def late_seconds(self, due_seconds: float) -> float:
        """How late a message that was due then and was sent just now leaves; 0 is on time."""

    def close(self) -> None:
        """Close once the last message has left. PortError where it cannot."""


Opener = Callable[[PortRequest, Hear, Hear], Ports]
"""Opens ports; the two functions take what the input hears, and what the clock's input hears."""


def find_port(ports: Sequence[str], wanted: str, side: str) -> str:
    """Find the port whose name contains ``wanted``, whatever its case; an exact name wins.

    NoSuchPortError, naming what is there, when none does; SeveralPortsError when several do.
    """
    containing = [port for port in ports if wanted.lower() in port.lower()]
    exact = [port for port in containing if port.lower() == wanted.lower()]
    found = exact or containing
    if len(found) == 1:
        return found[0]
    listing = ", ".join(found or ports) or "none at all"
    if found:
        why = f"{wanted!r} fits several MIDI {side}s, give more of one name: {listing}"
        raise SeveralPortsError(why)
    raise NoSuchPortError(f"no MIDI {side} has {wanted!r} in its name; there is: {listing}")


def watch_out() -> None:
    """Have the kernel end this process should a call into the MIDI system never return.

    RtMidi waits for ever for room in its buffer after the JACK server died, out of reach of any
    Python. Then SIGALRM's default action ends us, and the engine starts a player anew. To be
    followed by :func:`all_is_well`, whatever happens; not where there are no such timers.
    """
    if hasattr(signal, "setitimer"):
        signal.setitimer(signal.ITIMER_REAL, _STUCK_SECONDS)


def all_is_well() -> None:
    """Tell the kernel that the call returned."""
    if hasattr(signal, "setitimer"):
        signal.setitimer(signal.ITIMER_REAL, 0)
