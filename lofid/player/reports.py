"""The reports: what the player tells the engine, as :mod:`lofid.player.wire` lists it."""

from typing import Any

from lofid.player.agenda import Note, NoteOff, NoteOn
from lofid.player.link import Link
from lofid.player.ports import Change, Ports
from lofid.player.realtime import Realtime


class Reports:
    """Writes reports to a link, which never blocks. To be called from the loop's thread."""

    def __init__(self, link: Link) -> None:
        self._link = link

    def opened(self, ports: Ports, realtime: Realtime) -> None:
        """Tell which ports there are and what the system granted."""
        self._tell(
            "open",
            backend=ports.backend,
            output=ports.output,
            input=ports.input,
            clock=ports.clock,
            awaits=ports.awaits,
            latency_ms=round(1000 * ports.latency_seconds, 1),
            realtime=realtime.is_granted,
            realtime_note=realtime.note,
        )

    def closed(self) -> None:
        """Tell that everything has ended; the last word."""
        self._tell("closed")

    def sent(self, message: NoteOn | NoteOff, late_seconds: float) -> None:
        """Tell of a note-on or a note-off that was handed over."""
        late_us = round(late_seconds * 1e6)
        tick, channel, pitch = message.tick, message.channel, message.pitch
        values = {"tick": tick, "channel": channel, "pitch": pitch}
        if isinstance(message, NoteOn):
            self._tell("on", **values, velocity=message.velocity, late_us=late_us)
        else:
            self._tell("off", **values, late_us=late_us)

    def released(self, off: NoteOff) -> None:
        """Tell of a note-off that nobody planned, which cannot be late."""
        self._tell("off", tick=off.tick, channel=off.channel, pitch=off.pitch)

    def dropped(self, note: Note, late_seconds: float) -> None:
        """Tell of a note that came too late to be played."""
        place = {"tick": note.on_tick, "channel": note.channel, "pitch": note.pitch}
        self._tell("dropped", **place, late_us=round(late_seconds * 1e6))

    def position(self, tick: int, tempo_bpm: float) -> None:
        """Tell where the music is, and how fast."""
        self._tell("position", tick=tick, tempo=round(tempo_bpm, 2))

    def heard(self, tick: int, ahead_tick: int, seconds: float, data: list[int]) -> None:
        """Tell what a person played, when, and how far the music was handed over by then."""
        self._tell("heard", tick=tick, ahead=ahead_tick, seconds=round(seconds, 4), data=data)

    def transport(self, is_moving: bool, tick: int, sync: str) -> None:
        """Tell that the music moves or stands, and what is known of the clock it follows."""
        self._tell("transport", moving=is_moving, tick=tick, sync=sync)

    def underrun(self, tick: int) -> None:
        """Tell that the last bar is repeated, from a tick where the engine had not come to."""
        self._tell("underrun", tick=tick)

    def suspended(self, seconds: float) -> None:
        """Tell that the machine stood still, and the music with it."""
        self._tell("suspended", seconds=round(seconds, 1))

    def plugged(self, change: Change) -> None:
        """Tell that what a port shall be connected to came, went or is not clear.

        And the port's name from now on.
        """
        is_there, why = change.what == "came", change.why
        self._tell("plugged", side=change.side, there=is_there, port=change.port, why=why)

    def alive(self, tempo_bpm: float) -> None:
        """Tell that the player runs, and how fast the clock is, also where nothing moves."""
        self._tell("alive", tempo=round(tempo_bpm, 2))

    def own_channel(self, channel: int) -> None:
        """Tell that the keyboard plays on thru's channel, of which no notice is taken."""
        self._tell("own_channel", channel=channel)

    def echo(self) -> None:
        """Tell that the output is connected to the input."""
        self._tell("echo")

    def _tell(self, what: str, **values: Any) -> None:
        self._link.tell({"is": what, **values})
