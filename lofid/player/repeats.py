"""Repeats: what ends something is said once more where the JACK server did not wait.

When a client is too slow (an xrun), the server goes on without it, and the MIDI that was in those
periods is lost: to us or to whoever listens. A note-on that is lost is a gap. A note-off that is
lost is a note that sounds for ever, and a pedal may stay down. So after xruns, what set a state
since shortly before the first of them is sent again: it says what holds anyway, and does no harm
where it had come through.

``wrote`` and ``due`` are called from JACK's process thread, ``xrun`` from any.
"""

from lofid.player import midi

WINDOW_SECONDS = 0.5
"""What is older than this at the first xrun had come through: jackd waits a tenth of a second for
a client at most, and we look for xruns every sixteenth period at the latest."""
CALM_SECONDS, LONGEST_CALM_SECONDS = 0.05, 0.8
"""How long after an xrun it is said again: the server may skip some more periods. Doubled while
there is no end of them, so that a machine which is always too slow is not flooded."""
END_SECONDS = 2.0
"""Without an xrun for so long, the next one is another matter."""


class Repeats:
    """Of one output. ``rate`` is in frames a second."""

    def __init__(self, rate: int) -> None:
        self._rate = rate
        self._was_xrun = False
        self._xrun_frame = -round(END_SECONDS * rate)
        self._since_frame = 0
        self._due_frame: int | None = None
        self._calm_seconds = CALM_SECONDS
        self._states: dict[bytes, tuple[int, bytes]] = {}
        """The newest of each kind, by when it was written: some thousands at most."""

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
            self._follow(frame)
        if self._due_frame is None or frame < self._due_frame:
            return []
        self._due_frame = None
        self._calm_seconds = min(2 * self._calm_seconds, LONGEST_CALM_SECONDS)
        return [message for at, message in self._states.values() if at >= self._since_frame]

    def _follow(self, frame: int) -> None:
        if frame - self._xrun_frame >= END_SECONDS * self._rate:
            self._since_frame = frame - round(WINDOW_SECONDS * self._rate)
            self._calm_seconds = CALM_SECONDS
        self._xrun_frame = frame
        if self._due_frame is None:
            self._due_frame = frame + round(self._calm_seconds * self._rate)


def _is_mode(message: bytes) -> bool:
    """All notes off and its like, said again, would end what was struck since."""
    return message[0] & 0xF0 == midi.CONTROL_CHANGE and message[1] >= midi.ALL_SOUND_OFF
