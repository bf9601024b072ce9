"""The lookout: whether what our ports are connected to is there."""

from lofid.player.keyboard import Keyboard
from lofid.player.ports import Ports
from lofid.player.reports import Reports
from lofid.player.voice import Voice

LOOK_SECONDS = 1.0
LONGEST_SECONDS = 2.0
UNHURRIED_SECONDS = 0.02
"""Looking may take milliseconds: better when so much time is left until the next deadline."""


class Lookout:
    """Looks once a second, when there is time. To be called from the loop's thread."""

    def __init__(self, ports: Ports, keyboard: Keyboard, voice: Voice, reports: Reports) -> None:
        self._ports = ports
        self._voice = voice
        self._keyboard = keyboard
        self._reports = reports
        self._looked_seconds = ports.now()

    def look(self, now_seconds: float, due_seconds: float | None, tempo_bpm: float) -> None:
        """Tell that we live, and what came or went.

        A keyboard that went, or was disconnected, lets go of its keys; an output that came holds
        nothing from before.
        """
        waited_seconds = now_seconds - self._looked_seconds
        is_hurried = due_seconds is not None and due_seconds - now_seconds < UNHURRIED_SECONDS
        if waited_seconds < (LONGEST_SECONDS if is_hurried else LOOK_SECONDS):
            return
        self._looked_seconds = now_seconds
        self._reports.alive(tempo_bpm)
        for change in self._ports.look():
            if change.side == "input" and change.what != "came":
                self._keyboard.unplug(now_seconds)
            if change.side == "output" and change.what == "came":
                self._voice.quieten(now_seconds)
                self._keyboard.quieten(now_seconds)
            if change.what != "cut":
                self._reports.plugged(change)
