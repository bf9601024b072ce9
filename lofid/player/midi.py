"""MIDI messages as bytes: the few that lofid sends, the few that it hears. A table, no I/O."""

from collections.abc import Iterable

NOTE_OFF, NOTE_ON, CONTROL_CHANGE, PROGRAM_CHANGE, PITCH_BEND = 0x80, 0x90, 0xB0, 0xC0, 0xE0
KEY_PRESSURE, CHANNEL_PRESSURE = 0xA0, 0xD0
SYSTEM = 0xF0
"""From here on a message is no channel's: sysex, song position, clock, active sensing."""
SONG_POSITION, CLOCK, START, CONTINUE, STOP = 0xF2, 0xF8, 0xFA, 0xFB, 0xFC
SUSTAIN = 64
ALL_SOUND_OFF, RESET_CONTROLLERS = 120, 121
ALL_NOTES_OFF = frozenset((ALL_SOUND_OFF, *range(123, 128)))
"""The controllers after which no key of the channel is held: the four modes mean it too (MIDI 1.0,
"Channel Mode Messages")."""
PEDAL_UP = frozenset((ALL_SOUND_OFF, RESET_CONTROLLERS))
"""The controllers after which nothing of the channel is held by the sustain pedal either."""
_RELEASE_VELOCITY = 64
"""What the MIDI 1.0 specification asks of senders that do not measure it."""
_QUIET: tuple[tuple[int, int, int], ...] = (
    (CONTROL_CHANGE, 64, 0),  # sustain pedal up
    (CONTROL_CHANGE, 123, 0),  # all notes off
    (CONTROL_CHANGE, 120, 0),  # all sound off
    (CONTROL_CHANGE, 121, 0),  # reset all controllers
    (PITCH_BEND, 0, 64),  # centre
)
PRESSURE = frozenset((KEY_PRESSURE, CHANNEL_PRESSURE))
_VOICE_LENGTHS = {
    **dict.fromkeys((NOTE_OFF, NOTE_ON, CONTROL_CHANGE, PITCH_BEND, KEY_PRESSURE), 3),
    **dict.fromkeys((PROGRAM_CHANGE, CHANNEL_PRESSURE), 2),
}


def note_on(channel: int, pitch: int, velocity: int) -> bytes:
    """Write a note-on; ``channel`` is 0 to 15, ``velocity`` 1 to 127. ValueError beyond a byte."""
    return bytes((NOTE_ON | channel, pitch, velocity))


def note_off(channel: int, pitch: int) -> bytes:
    """Write a note-off; ``channel`` is 0 to 15. ValueError beyond a byte."""
    return bytes((NOTE_OFF | channel, pitch, _RELEASE_VELOCITY))


def panic(channels: Iterable[int]) -> list[bytes]:
    """Quiet channels, whatever hangs there; to be sent after the single note-offs."""
    return [bytes((status | channel, *data)) for channel in channels for status, *data in _QUIET]


def song_position(sixteenths: int) -> bytes:
    """Write a song position; MIDI has room for 1,024 bars of 4/4, after which it begins anew."""
    place = sixteenths % (1 << 14)
    return bytes((SONG_POSITION, place & 0x7F, place >> 7))


def start(song_sixteenths: int | None) -> list[bytes]:
    """Write Start; or, into a song that began before, its position and Continue.

    A song position is for who stands still, so Stop comes first.
    """
    if song_sixteenths is None:
        return [bytes((START,))]
    return [bytes((STOP,)), song_position(song_sixteenths), bytes((CONTINUE,))]


def is_voice(message: bytes) -> bool:
    """Whether this is a whole channel voice message, which MIDI could say."""
    length = _VOICE_LENGTHS.get(message[0] & 0xF0 if message else 0)
    return length == len(message) and all(byte < 0x80 for byte in message[1:])


def heard(message: bytes) -> list[int] | None:
    """Read what came in as [status, data 1, data 2], None for what is no channel voice message.

    A missing data 2, of programs and of a channel's pressure, is 0. A note-on with velocity 0 means
    a note-off and becomes one.
    """
    if not is_voice(message):
        return None
    if message[0] & 0xF0 == NOTE_ON and message[2] == 0:
        return list(note_off(message[0] & 0x0F, message[1]))
    return [*message, 0][:3]
