"""The news: what the player reports that a person should know, in one line each. Pure."""

from lofid.player.wire import Message

_SYNC = {
    "waiting": "waits for a MIDI clock and its Start",
    "locked": "follows the MIDI clock",
    "lost": "lost the MIDI clock",
}
_LINES = {
    "underrun": "nothing was composed in time: lofid repeats its last bar until it is",
    "echo": "lofid hears itself: its output is connected to its input, which it ignores",
}
_SIDES = {"output": "what lofid plays to", "input": "your keyboard", "clock": "the MIDI clock"}
NEWS_AGAIN_POSITIONS = 160
"""A minute at 80 bpm."""


class News:
    """Finds what is news. Called from the engine's thread."""

    def __init__(self) -> None:
        self._sync = "internal"
        self._last = ""
        self._positions = 0

    def line(self, message: Message) -> str:
        """Give the line that a report is worth; empty for none, and for the same one again."""
        if message["is"] == "position":
            self._forget()
        line = self._line(message)
        if not line or line == self._last:
            return ""
        self._positions = 0
        self._last = line
        return line

    def _forget(self) -> None:
        """After a minute or so of music without news, the same is news again."""
        self._positions += 1
        if self._positions > NEWS_AGAIN_POSITIONS:
            self._last = ""

    def _line(self, message: Message) -> str:
        match message["is"]:
            case "suspended":
                return f"the machine stood still for {message['seconds']:g} s: the music goes on"
            case "own_channel":
                return (
                    f"what comes in on channel {message['channel'] + 1} is ignored, since thru "
                    "goes out there: play on another channel, or change keyboard.thru"
                )
            case "plugged" if message["why"]:
                return f"lofid waits for {_SIDES[message['side']]}: {message['why']}"
            case "plugged":
                is_there = f"is there: {message['port']}"
                what = is_there if message["there"] else "has gone: lofid connects it by name"
                return f"{_SIDES[message['side']]} {what}"
            case "transport":
                return self._synced(message["sync"], message["moving"])
        return _LINES.get(message["is"], "")

    def _synced(self, sync: str, is_moving: bool) -> str:
        before, self._sync = self._sync, sync
        if sync in (before, "internal") or (sync == "waiting" and is_moving):
            return ""
        if sync == "lost":
            return f"{_SYNC[sync]}: the music {'goes on' if is_moving else 'waits'}"
        return f"lofid {_SYNC[sync]}"
