"""The tally: what the player told of sounding: what sounds, how late and how much it was. No I/O.

What sounded, and what a person played as they played it, is written to the session's journal.

Called from the engine's thread.
"""

from collections.abc import Callable, Iterable
from typing import Any

from lofid.lateness import Lateness
from lofid.player.wire import Message
from lofid.settings import Keyboard
from lofid.stakes import Key, Stakes, ThruStakes

NOTE_OFF, NOTE_ON = 0x80, 0x90
SHORT = (0xC0, 0xD0)
"""A program, and a channel's pressure: they have one byte of data."""
OFF_VELOCITY = 64
Write = Callable[..., None]
"""Takes a kind of record, its tick, and what else it says; see :mod:`lofid.entries`."""
_OFF = ("channel", "pitch")
_NOTE = (*_OFF, "velocity")
_COUNTED = {"dropped": "dropped", "underrun": "underruns", "lost": "lost"}


class Tally:
    """One session's. ``write`` gets what sounds, and what is played."""

    def __init__(self, now: Callable[[], float], keyboard: Keyboard, write: Write) -> None:
        self._write = write
        self._struck: dict[Key, None] = {}
        """The keys that a person holds."""
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
                self._heard(message["tick"], *message["data"])
            case "dropped" | "underrun" | "lost" as what:
                self.counts[_COUNTED[what]] += message.get("count", 1)

    def pass_over(self, message: Message) -> None:
        """Take what is a command and no music, and may sound through thru all the same."""
        self._thru.hear(message["data"])

    def _played(self, message: Message) -> None:
        self.counts["played"] += 1
        self._lateness.add(message["late_us"])
        self._stakes.on((message["channel"], message["pitch"]))
        self._write("on", **{name: message[name] for name in ("tick", *_NOTE, "late_us")})

    def _ended(self, message: Message) -> None:
        if "late_us" in message:
            self._lateness.add(message["late_us"])
        self._stakes.off((message["channel"], message["pitch"]))
        late_us = message.get("late_us", 0)
        self._write("off", **{name: message[name] for name in ("tick", *_OFF)}, late_us=late_us)

    def _heard(self, tick: int, status: int, first: int, second: int) -> None:
        kind, channel = status & 0xF0, status & 0x0F
        if kind == NOTE_ON:
            self._struck[channel, first] = None
            self._write_key("on", tick, (channel, first), second)
        elif kind == NOTE_OFF:
            self._struck.pop((channel, first), None)
            self._write_key("off", tick, (channel, first), second)
        else:
            data = [status, first] if kind in SHORT else [status, first, second]
            self._write("control", tick=tick, data=data)

    def release(self, tick: int) -> None:
        """A person holds nothing any more: what told of it has gone, or was lost."""
        for key in self._struck:
            self._write_key("off", tick, key, OFF_VELOCITY)
        self._struck.clear()

    def _write_key(self, what: str, tick: int, key: Key, velocity: int) -> None:
        values = {"channel": key[0], "pitch": key[1], "velocity": velocity, "by_person": True}
        self._write(what, tick=tick, **values)

    def at_stake(self, untold: Iterable[Key]) -> list[Key]:
        """List what may sound should the player be dead, with what was due and is ``untold``."""
        return [*self._stakes.at_stake(untold), *self._thru.at_stake()]

    def end_all(self, tick: int) -> None:
        """All that sounded has ended: another player sees to it."""
        self.counts["restarts"] += 1
        for channel, pitch in self._stakes.owed:
            self._write("off", tick=tick, channel=channel, pitch=pitch)
        self._stakes.clear()
        self._thru.clear()

    def status(self, **more: int) -> dict[str, Any]:
        """What there is to tell, in plain values; ``more`` is counted elsewhere."""
        late = self._lateness
        return {
            "sounding": len(self._stakes.owed),
            "notes": {**self.counts, **more},
            "lateness_us": {"p50": late.p50, "p99": late.p99, "max": late.max},
        }
