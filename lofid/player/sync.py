"""Sync: lofid's transport led by another's MIDI clock. Pure; no I/O, time is handed in.

What is heard: pulses (24 to the quarter note), Start, Stop, Continue and song position, as the
MIDI 1.0 specification has them: the pulse after Start or Continue is where the music begins. Our
music never goes back, so Start takes it to its next bar line and a song position to its next tick
with that place in a bar of 4/4.

Messages leave a latency after they are due, so everything here is due a latency early.
"""

import math
from typing import Literal

from lofid.player.follower import FASTEST_BPM, SILENCE_SECONDS, SLOWEST_BPM, Follower
from lofid.player.midi import CLOCK, CONTINUE, SONG_POSITION, START, STOP
from lofid.player.transport import BAR_TICKS, PULSE_TICKS, SONG_TICKS, Transport, next_place

State = Literal["waiting", "locked", "lost"]
LATE_SECONDS = 0.01
"""A pulse may be so late that Start comes after its time; later, none was sent before Start."""
News = Literal["", "moved", "told"]


class Sync:
    """Follows one master. To be called from one thread.

    ``latency_seconds`` is the ports'; ``stops_when_lost`` says whether the music waits when the
    clock goes away, or goes on at its last tempo; ``tempo_bpm`` holds until a tempo is heard.
    """

    def __init__(
        self, transport: Transport, tempo_bpm: float, latency_seconds: float, stops_when_lost: bool
    ) -> None:
        self.state: State = "waiting"  # until a pulse comes
        self._transport = transport
        self.tempo_bpm = tempo_bpm
        self._latency_seconds = latency_seconds
        self._stops_when_lost = stops_when_lost
        self._follower = Follower()
        self._base = (0, 0)
        """A pulse of the master's and the music's tick at it, while the music moves."""
        self._next_tick = self._stopped_tick = 0
        """Where Continue goes on from, and where the music stopped, by the master's pulses."""
        self._is_cued = False
        self._awaited_seconds = math.inf
        """When the pulse is to come that the music began to move for."""

    def cue(self, tick: int) -> None:
        """Let the music, which stands at a tick, go on from there when the master says so."""
        self._next_tick = self._stopped_tick = -(-tick // PULSE_TICKS) * PULSE_TICKS

    def hear(self, message: bytes, seconds: float) -> News:
        """Take what the master sent at a moment.

        ``moved`` when that stopped the music or took it elsewhere: then what sounds has to end, and
        the transport says how it goes on. ``told`` when only :attr:`state` changed.
        """
        status = message[0]
        if status == CLOCK:
            return self._pulse(seconds)
        if status == SONG_POSITION and len(message) == 3:
            self._locate(message[1] | message[2] << 7)
        elif status == START:
            self._next_tick = next_place(self._here(seconds), 0)
            return self._begin(seconds)
        elif status == CONTINUE and not self._transport.is_moving:
            return self._begin(seconds)
        elif status == STOP:
            self._is_cued = False
            return self._stop(seconds)
        return ""

    def lose(self, now_seconds: float) -> News:
        """Notice that the clock has gone away, or did not come after Start or Continue."""
        if now_seconds > self._awaited_seconds + SILENCE_SECONDS:
            return self._wait_on(now_seconds)
        if self.state != "locked" or not self._follower.is_lost(now_seconds):
            return ""
        self.state = "lost"
        self._follower.reset()
        return (self._stops_when_lost and self._stop(now_seconds)) or "told"

    def _wait_on(self, now_seconds: float) -> News:
        """Stand at the same place in a bar as the master bade us begin at, until a pulse comes."""
        place = self._transport.began_tick
        self._stop(now_seconds)
        self.state, self._is_cued = "lost", True
        self._next_tick = next_place(self._transport.tick_at(now_seconds), place)
        self._follower.reset()
        return "moved"

    def _here(self, seconds: float) -> int:
        return self._transport.tick_at(seconds) if self._transport.is_moving else self._stopped_tick

    def _pulse(self, seconds: float) -> News:
        self._follower.pulse(seconds)
        self._tempo()
        self._awaited_seconds = math.inf
        transport, early_seconds = self._transport, seconds - self._latency_seconds
        before, self.state = self.state, "locked"
        if self._is_cued:
            self._is_cued = False
            self._start(self._follower.count, early_seconds)
            return "moved"
        if before != "locked" and transport.is_moving:
            here = round(transport.fine_tick_at(early_seconds) / PULSE_TICKS) * PULSE_TICKS
            self._base = (self._follower.count, here)
        if transport.is_moving and (line := self._follower.line) is not None:
            early_seconds = line.seconds - self._latency_seconds
            transport.follow(self._tick_of(line.number), early_seconds, self._tempo())
        return "" if before == "locked" else "told"

    def _begin(self, seconds: float) -> News:
        """Start with the next pulse: at once where it is foreseen, else when it comes."""
        follower = self._follower
        line = None if follower.is_lost(seconds) else follower.line
        next_seconds = -math.inf if line is None else line.seconds_at(line.number + 1)
        self._is_cued = next_seconds < seconds - LATE_SECONDS
        news = self._stop(seconds) if self._is_cued else "moved"
        follower.restart()
        if self._is_cued:
            return news
        self._awaited_seconds = next_seconds
        self._start(1, next_seconds - self._latency_seconds)
        return "moved"

    def _start(self, pulse: int, at_seconds: float) -> None:
        self._base = (pulse, self._next_tick)
        self._transport.start(self._next_tick, at_seconds, self._tempo())

    def _stop(self, seconds: float) -> News:
        """Stand; Continue goes on with the pulse that would have come next."""
        self._awaited_seconds = math.inf
        if not self._transport.is_moving:
            return ""
        tick = self._transport.stop(seconds)
        here = self._tick_of(self._follower.count + 1) if self.state == "locked" else tick
        self._stopped_tick = -(-here // PULSE_TICKS) * PULSE_TICKS
        if not self._is_cued:
            self._next_tick = self._stopped_tick
        return "moved"

    def _locate(self, song_position: int) -> None:
        if not self._transport.is_moving:
            place = song_position * SONG_TICKS % BAR_TICKS
            self._next_tick = next_place(self._stopped_tick, place)

    def _tick_of(self, pulse: int) -> int:
        base_pulse, base_tick = self._base
        return base_tick + (pulse - base_pulse) * PULSE_TICKS

    def _tempo(self) -> float:
        if (line := self._follower.line) is not None:
            # Its jitter may take the tempo a little out of what lofid knows.
            self.tempo_bpm = min(max(line.tempo_bpm, SLOWEST_BPM), FASTEST_BPM)
        return self.tempo_bpm
