"""Thru: what a person plays is passed on to the output, on a channel of its own.

The rules:

* All that is a channel's is passed on: notes, bend, pressure, pedals and other controllers, program
  changes. Clock, active sensing and sysex are not.
* The channel is thru's alone: nothing that is composed leaves on it, and nothing that comes in on
  it is passed on (:meth:`Thru.is_own`). So where the output is connected to the input, what was
  passed on ends there.
* Never a stuck note: thru has its own ledger. A note-off leaves for what was passed on and has not
  ended, and for nothing else. A note that is struck while it sounds is ended first; where two
  channels of the input hold the same key, the later of the two to let go ends it.
* What was let go is let go: keys end, pedals come up, wheels and pressure go back.
"""

from typing import Any

from lofid.player import midi
from lofid.player.ports import Ports

_CONTROLS = (1, 64, 66, 67, 69)
"""Modulation; sustain, sostenuto, soft and hold pedal."""
_RESTS: dict[tuple[int, ...], tuple[int, ...]] = {
    **{(midi.CONTROL_CHANGE, control): (control, 0) for control in _CONTROLS},
    (midi.CHANNEL_PRESSURE,): (0,),
    (midi.PITCH_BEND,): (0, 64),
}
"""What a keyboard that goes would leave on, and the data that turn it off."""


class Thru:
    """Passes on by the ports. To be called from the loop's thread. PortError as by ``pass_on``.

    ``channel`` is the one to pass on to, ``only`` the one to listen to (None for all), both 0 to
    15; ``transpose`` is in semitones.
    """

    def __init__(
        self, ports: Ports, channel: int, transpose: int = 0, only: int | None = None
    ) -> None:
        self._ports = ports
        self._channel = channel
        self._transpose = transpose
        self._only = only
        self._held: dict[int, set[int]] = {}
        """The pitches that sound, as passed on, each with the channels that hold it."""
        self._moved: dict[tuple[int, ...], bytes] = {}
        """What is not at rest, each with the message that brings it back."""

    @property
    def held(self) -> list[tuple[int, int]]:
        """The (channel, pitch) pairs that sound."""
        return [(self._channel, pitch) for pitch in self._held]

    def is_own(self, message: bytes) -> bool:
        """Whether this came in on the channel that is passed on to."""
        return message[0] & 0x0F == self._channel

    def take(self, message: bytes, seconds: float) -> None:
        """Pass on what came in at a moment."""
        is_wanted = self._only in (None, message[0] & 0x0F) and not self.is_own(message)
        if is_wanted and midi.is_voice(message):
            self._send(self._passed(message), seconds)

    def release(self, seconds: float) -> None:
        """End all that was passed on and sounds, and bring back what is not at rest."""
        offs = [midi.note_off(channel, pitch) for channel, pitch in self.held]
        self._send([*offs, *self._moved.values()], seconds)
        self._held.clear()
        self._moved.clear()

    def quieten(self, seconds: float) -> None:
        """End all that was passed on, single note-offs first, then the whole channel."""
        self.release(seconds)
        self._send(midi.panic([self._channel]), seconds)

    def _send(self, messages: list[bytes], seconds: float) -> None:
        if messages:
            self._ports.pass_on([(seconds, message) for message in messages])

    def _passed(self, message: bytes) -> list[bytes]:
        """Find what has to leave for a message: nothing for a note that is moved too far."""
        kind, by, *data = message[0] & 0xF0, message[0] & 0x0F, *message[1:]
        if kind == midi.CONTROL_CHANGE and data[0] in midi.ALL_NOTES_OFF:
            return [*self._lift_all(by), self._said(kind, *data)]
        if kind not in (midi.NOTE_ON, midi.NOTE_OFF, midi.KEY_PRESSURE):
            self._move(kind, data)
            return [self._said(kind, *data)]
        pitch, value = data[0] + self._transpose, data[1]
        if kind == midi.NOTE_ON and value > 0:
            return self._strike(pitch, value, by)
        if pitch not in self._held:
            return []
        if kind == midi.KEY_PRESSURE:
            return [self._said(kind, pitch, value)]
        return self._lift(pitch, value if kind == midi.NOTE_OFF else None, by)

    def _strike(self, pitch: int, velocity: int, by: int) -> list[bytes]:
        if not 0 <= pitch < 128:
            return []
        off = [midi.note_off(self._channel, pitch)] if pitch in self._held else []
        self._held.setdefault(pitch, set()).add(by)
        return [*off, midi.note_on(self._channel, pitch, velocity)]

    def _lift(self, pitch: int, velocity: int | None, by: int) -> list[bytes]:
        self._held[pitch].discard(by)
        if self._held[pitch]:
            return []
        del self._held[pitch]
        if velocity is None:
            return [midi.note_off(self._channel, pitch)]
        return [self._said(midi.NOTE_OFF, pitch, velocity)]

    def _lift_all(self, by: int) -> list[bytes]:
        """Lift all that a channel of the input holds."""
        pitches = [pitch for pitch, holders in self._held.items() if by in holders]
        return [message for pitch in pitches for message in self._lift(pitch, None, by)]

    def _move(self, kind: int, data: list[int]) -> None:
        """Remember what is not at rest."""
        what = (kind, data[0]) if kind == midi.CONTROL_CHANGE else (kind,)
        rest = _RESTS.get(what)
        if rest == tuple(data):
            self._moved.pop(what, None)
        elif rest is not None:
            self._moved[what] = self._said(kind, *rest)

    def _said(self, kind: int, *data: int) -> bytes:
        return bytes((kind | self._channel, *data))


def thru_to(ports: Ports, wanted: dict[str, Any] | None) -> Thru | None:
    """Read what the engine wants, ``{"thru": 2, "transpose": 0, "channel": null}``; None for none.

    KeyError where it does not say.
    """
    if wanted is None or wanted["thru"] is None:
        return None
    return Thru(ports, wanted["thru"], wanted["transpose"], wanted["channel"])
