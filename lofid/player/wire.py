"""How engine and player talk: one JSON object a line. No I/O here.

Engine to player (``do``)::

    open     backend "auto"|"jack"|"jack-rtmidi"|"alsa"|"coremidi"|"windows", name,
             output null|part of a name,
             input null|"virtual"|part of a name, channels [0-15, ...]; and if wanted
             clock "virtual"|part of a name, waits_when_lost true|false, tempo: follow MIDI clock
             sends_clock true, tempo         send MIDI clock
             patient true                    the others may come later too: an input may always
             keyboard {thru null|0-15        the channel on which what is played is passed on,
               transpose semitones           moved by so much
               channel null|0-15}            if played on this channel; null for any
    silence  notes [[channel, pitch], ...]    end what a predecessor held, and all that sounds
    play     notes [[on_tick, off_tick, channel, pitch, velocity], ...]; and if wanted
             until, bar: composed up to this tick; notes of a bar to be repeated beyond it
             from: in place of what was to begin at this tick or later
    start    tick, tempo                      move from tick, now; if need be also
             song_tick                        listeners to our clock began their song there
    stand    tick, tempo                      stand at tick, until a start or the clock we follow
    halt                                      end all that sounds; the music stands
    tempo    tempo                            quarter notes a minute
    panic                                     as silence, and let go of what is held at the
                                              keyboard; playing goes on
    stop                                      end all that sounds, close the ports, leave

Player to engine (``is``)::

    open      backend, output, input, clock, latency_ms, realtime, realtime_note,
              awaits                          why the wanted input is not there yet, else empty
    refused   error, no_midi                  the player leaves with 1
    on        tick, channel, pitch, velocity, late_us
    off       tick, channel, pitch; late_us where it was planned
    dropped   tick, channel, pitch, late_us   too late to be played
    transport moving, tick, sync "internal"|"waiting"|"locked"|"lost"
    position  tick, tempo                     where it began, then every 240 ticks, as it is heard
    underrun  tick                            nothing was composed from here: the bar is repeated
    suspended seconds                         the machine stood still, and the music with it
    heard     tick, ahead, seconds, data [status, data 1, data 2]
                                              struck when tick sounded, and told when all up to
                                              ahead was handed over; seconds on the player's clock
    plugged   side "output"|"input"|"clock", there, port,
              why                             which ports it could be, where there are several
    alive     tempo                           about once a second, whatever happens
    echo                                      the output is connected to the input
    own_channel channel                       what comes in where thru goes out is ignored
    lost      count                           reports that a stalled engine left no room for
    closed

What the player says is in the order in which it happened: all that was heard or sent before a
position comes before it.
"""

import json
from typing import Any

from lofid.errors import LofidError

Message = dict[str, Any]
MAX_LINE_BYTES = 1 << 20


class WireError(LofidError):
    """Engine and player do not understand each other."""


def encode(message: Message) -> bytes:
    """Write one message as a line. TypeError or ValueError for what JSON cannot say."""
    return json.dumps(message, separators=(",", ":"), allow_nan=False).encode() + b"\n"


class Decoder:
    """Cuts a stream of bytes into messages. To be called from one thread."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> list[Message]:
        """Take what arrived and hand out the messages it completes. WireError for no JSON."""
        *lines, self._rest = (self._rest + data).split(b"\n")
        if len(self._rest) > MAX_LINE_BYTES:
            raise WireError(f"a message between engine and player is over {MAX_LINE_BYTES} bytes")
        return [_decode(line) for line in lines]


def _decode(line: bytes) -> Message:
    try:
        message = json.loads(line)
    except ValueError as error:
        raise WireError(f"engine and player sent {line[:60]!r}, not JSON: {error}") from error
    if not isinstance(message, dict):
        raise WireError(f"engine and player sent {line[:60]!r}, not a JSON object")
    return message
