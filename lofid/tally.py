"""The tally: what the player told of sounding. What sounds, how late and how much it was; no I/O.

Called from the engine's thread.
"""

from collections.abc import Callable, Iterable
from typing import Any

from lofid.lateness import Lateness
from lofid.player.wire import Message
from lofid.recorder import Recorder
from lofid.settings import Keyboard
from lofid.stakes import Key, Stakes, ThruStakes

_COUNTED = {"dropped": "dropped", "underrun": "underruns", "lost": "lost"}


class Tally:
    """One session's. What sounds is kept for ``recorder``, while there is one."""

    def __init__(self, now: Callable[[], float], keyboard: Keyboard) -> None:
        self.recorder: Recorder | None = None
        self.counts = dict.fromkeys(("played", "dropped", "underruns", "restarts", "lost"), 0)
        self._lateness = Lateness()
        self._stakes = Stakes(now)
        thru = keyboard.thru - 1 if keyboard.thru else None
        self._thru = ThruStakes(now, thru, keyboard.transpose)

    def take(self, message: Message) -> None:
        """Take a message that tells of sounding; others are nothing to us."""
        match message["is"]:
            case "on":
                self._played(message)
            case "off":
                self._ended(message)
            case "heard":
                self._thru.hear(message["data"])
            case "dropped" | "underrun" | "lost" as what:
                self.counts[_COUNTED[what]] += message.get("count", 1)

    def _played(self, message: Message) -> None:
        self.counts["played"] += 1
        self._lateness.add(message["late_us"])
        self._stakes.on((message["channel"], message["pitch"]))
        if self.recorder is not None:
            names = ("tick", "channel", "pitch", "velocity")
            self.recorder.on(*(message[name] for name in names))

    def _ended(self, message: Message) -> None:
        if "late_us" in message:
            self._lateness.add(message["late_us"])
        self._stakes.off((message["channel"], message["pitch"]))
        self._record_off(message["tick"], message["channel"], message["pitch"])

    def _record_off(self, tick: int, channel: int, pitch: int) -> None:
        if self.recorder is not None:
            self.recorder.off(tick, channel, pitch)

    def at_stake(self, untold: Iterable[Key]) -> list[Key]:
        """List what may sound should the player be dead, with what was due and is ``untold``."""
        return [*self._stakes.at_stake(untold), *self._thru.at_stake()]

    def end_all(self, tick: int) -> None:
        """All that sounded has ended: another player sees to it."""
        self.counts["restarts"] += 1
        for channel, pitch in self._stakes.owed:
            self._record_off(tick, channel, pitch)
        self._stakes.clear()
        self._thru.clear()

    def status(self, **more: int) -> dict[str, Any]:
        """What there is to tell, in plain values; ``more`` is counted elsewhere."""
        late, recorder = self._lateness, self.recorder
        fault = None if recorder is None else recorder.fault
        return {
            "sounding": len(self._stakes.owed),
            "notes": {**self.counts, **more},
            "lateness_us": {"p50": late.p50, "p99": late.p99, "max": late.max},
            "recording": None if recorder is None else str(recorder.path),
            "recording_fault": None if fault is None else str(fault),
        }
