"""The listener: what a person plays, for the composer and for the take. No I/O, no clock.

Notes join the context; controllers wait for a later lofid. Called from the engine's thread.
"""

from lofid.composer import Composer
from lofid.hearing import Hearing
from lofid.music import Event
from lofid.recorder import Recorder

NOTE_OFF, NOTE_ON = 0x80, 0x90


class Listener:
    """Hears one person: ``count`` note-ons until now, ``heard_as`` is the last event's token."""

    def __init__(self, composer: Composer) -> None:
        self.count = 0
        self.heard_as = ""
        self._composer = composer
        self._hearing = Hearing()
        self._held: dict[tuple[int, int], None] = {}

    def hear(
        self, tick: int, data: tuple[int, int, int], window_ticks: int, recorder: Recorder | None
    ) -> None:
        """Take one message; onsets within a window of each other's first make one chord."""
        status, first, second = data
        kind, channel = status & 0xF0, status & 0x0F
        if kind == NOTE_ON:
            self.count += 1
            self._held[channel, first] = None
            self._take_in(self._hearing.note_on(tick, first, second, window_ticks))
            if recorder is not None:
                recorder.on(tick, channel, first, second, by_person=True)
        elif kind == NOTE_OFF:
            self._held.pop((channel, first), None)
            self._hearing.note_off(tick, first)
            if recorder is not None:
                recorder.off(tick, channel, first, by_person=True)

    def pass_time(self, tick: int, window_ticks: int) -> None:
        """Tell the time: a chord whose window has closed is handed on."""
        self._take_in(self._hearing.position(tick, window_ticks))

    def release(self, tick: int, recorder: Recorder | None) -> None:
        """End what is held: a player that died takes the ends with it."""
        for channel, pitch in list(self._held):
            self.hear(tick, (NOTE_OFF | channel, pitch, 64), 0, recorder)

    def _take_in(self, event: Event | None) -> None:
        if event is not None:
            self.heard_as = self._composer.hear(event)
