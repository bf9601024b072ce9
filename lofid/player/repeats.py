"""Repeats: what ends something is said once more where the JACK server did not wait.

When a client is too slow (an xrun), the server skips a period of the slow one or of those behind
it, and the MIDI that was in it is lost: to us or to a synthesizer. A note-on that is lost is a gap.
A note-off that is lost is a note that sounds for ever, and a pedal that stays down. So after each
xrun, what set a state shortly before is sent again: it says what holds anyway, and does no harm
where it had come through.

``wrote`` and ``due`` are called from JACK's process thread, ``xrun`` from any.
"""

from lofid.player import midi

WINDOW_SECONDS = 0.5
"""What is older had come through: jackd waits a tenth of a second for a client, JACK tells of the
xrun within a period or two, and we look for it every sixteenth at the latest."""
CALM_SECONDS = 0.05
"""The server may skip some more periods while it gets into step again."""


class Repeats:
    """Of one output. ``rate`` is in frames a second."""

    def __init__(self, rate: int) -> None:
        self._window_frames = round(WINDOW_SECONDS * rate)
        self._calm_frames = round(CALM_SECONDS * rate)
        self._was_xrun = False
        self._due_frame: int | None = None
        self._states: dict[bytes, tuple[int, bytes]] = {}
        """The newest of each kind, by when it was written: at most some thousands."""

    def xrun(self, _microseconds: float) -> None:
        """Take note that the server has skipped something."""
        self._was_xrun = True

    def wrote(self, frame: int, message: bytes) -> None:
        """Remember a message that leaves at a frame, if it may be said again."""
        kind = message[0] & 0xF0
        if kind == midi.NOTE_ON:
            self._states.pop(bytes([message[0] ^ midi.NOTE_ON ^ midi.NOTE_OFF, message[1]]), None)
        elif kind < midi.SYSTEM and not _is_mode(message):
            is_numbered = kind in (midi.NOTE_OFF, midi.KEY_PRESSURE, midi.CONTROL_CHANGE)
            what = message[:2] if is_numbered else message[:1]
            self._states.pop(what, None)  # so that the newest comes last
            self._states[what] = frame, message

    def due(self, frame: int) -> list[bytes]:
        """Give what has to be said again in the period that begins at a frame."""
        if self._was_xrun:
            self._was_xrun = False
            self._due_frame = self._due_frame or frame + self._calm_frames
        if self._due_frame is None or frame < self._due_frame:
            return []
        self._due_frame = None
        since = frame - self._window_frames
        return [message for at, message in self._states.values() if at >= since]


def _is_mode(message: bytes) -> bool:
    """All notes off and its like, said again, would end what was struck since."""
    return message[0] & 0xF0 == midi.CONTROL_CHANGE and message[1] >= midi.ALL_SOUND_OFF
