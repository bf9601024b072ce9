"""The lookout: whether what our ports are connected to is there."""

from lofid.player.keyboard import Keyboard
from lofid.player.ports import Ports
from lofid.player.reports import Reports

LOOK_SECONDS = 1.0
UNHURRIED_SECONDS = 0.02
"""Looking may take milliseconds: only when so much time is left until the next deadline."""


class Lookout:
    """Looks once a second, when there is time. To be called from the loop's thread."""

    def __init__(self, ports: Ports, keyboard: Keyboard, reports: Reports) -> None:
        self._ports = ports
        self._keyboard = keyboard
        self._reports = reports
        self._looked_seconds = ports.now()

    def look(self, now_seconds: float, due_seconds: float | None) -> None:
        """Tell that we live, and what came or went; a keyboard that went lets go of its keys."""
        is_hurried = due_seconds is not None and due_seconds - now_seconds < UNHURRIED_SECONDS
        if is_hurried or now_seconds - self._looked_seconds < LOOK_SECONDS:
            return
        self._looked_seconds = now_seconds
        self._reports.alive()
        for side, is_there in self._ports.look():
            if side == "input" and not is_there:
                self._keyboard.unplug(now_seconds)
            self._reports.plugged(side, is_there)
