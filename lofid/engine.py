"""The engine: what the player says goes in, what the player is to do comes out.

It knows the composer, the person's playing, the settings and the recorder; it opens no port and
waits for nothing. Everything here is called from the engine's one thread.
"""

import secrets
from collections import deque
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np

from lofid.composer import Composer, Feel
from lofid.config import Settings, change
from lofid.errors import ControlError
from lofid.hearing import Hearing
from lofid.music import TICKS_PER_QUARTER, Event, Key
from lofid.player.wire import Message
from lofid.predictor import Foreteller
from lofid.recorder import Conversion, Recorder

CHORD_WINDOW_SECONDS = 0.05
LATENESS_KEPT = 20_000
NOTE_OFF, NOTE_ON = 0x80, 0x90
WireNote = list[int]
"""[on tick, off tick, channel, pitch, velocity], as the player takes it."""


def new_seed() -> int:
    """Draw a seed for a session that was given none."""
    return secrets.randbelow(2**32)


def feel_of(settings: Settings) -> Feel:
    """What the composer has to know of the settings."""
    music, parts = settings.music, settings.parts
    return Feel(
        key=Key.parse(music.key),
        swing_percent=music.swing,
        temperature=music.temperature,
        top_p=music.top_p,
        key_lock=music.key_lock,
        loop_guard=music.loop_guard,
        lead_velocity_percent=parts.lead_velocity,
        keys_velocity_percent=parts.keys_velocity,
    )


def wire_notes(events: Iterable[Event], settings: Settings) -> list[WireNote]:
    """Give each event's notes their channel: single notes are the lead, chords the keys."""
    lead, keys = settings.parts.lead_channel - 1, settings.parts.keys_channel - 1
    return [
        [event.onset_ticks, event.onset_ticks + event.length_ticks,
         keys if event.is_chord else lead, pitch, event.velocity]
        for event in events
        for pitch in event.pitches
    ]  # fmt: skip


class Engine:
    """One session. ``now`` is a monotonic clock in seconds, used only to resume after a crash."""

    def __init__(
        self, predictor: Foreteller, settings: Settings, seed: int, now: Callable[[], float]
    ) -> None:
        self.settings = settings
        self.seed = seed
        self.predictor = predictor
        self.recorder: Recorder | None = None
        self.position_tick = 0
        self._now = now
        self._position_seconds = now()
        self._composer = Composer(predictor, feel_of(settings), seed)
        self._hearing = Hearing()
        self._composed_tick = 0
        self._queued: deque[WireNote] = deque()
        self._owed: dict[tuple[int, int], None] = {}
        self._late_us: deque[int] = deque(maxlen=LATENESS_KEPT)
        self._counts = dict.fromkeys(("played", "dropped", "heard", "restarts", "lost"), 0)
        self._heard_as = ""

    def begin(self) -> list[Message]:
        """Compose the first stretch and start the clock."""
        self._position_seconds = self._now()
        return [*self._compose(0), self._start(0)]

    def resume(self) -> list[Message]:
        """Take a new player to where the one that died would be now, and silence what it held."""
        self._counts["restarts"] += 1
        tick = self.tick_now()
        silence = {"do": "silence", "notes": [list(note) for note in self.at_stake()]}
        for channel, pitch in self._owed:
            self._record_off(tick, channel, pitch)
        self._owed = {}
        left = [note for note in self._queued if note[0] > tick]
        more = self._compose(tick) if tick == self._composed_tick else []
        return [silence, {"do": "play", "notes": left}, *more, self._start(tick)]

    def at_stake(self) -> list[tuple[int, int]]:
        """The (channel, pitch) pairs that may sound when a player dies without a word.

        What it told of, and what was due: it may have sent a note and died before it said so.
        """
        tick = self.tick_now()
        due = {(channel, pitch): None for on, _, channel, pitch, _ in self._queued if on <= tick}
        return list(self._owed | due)

    def tick_now(self) -> int:
        """Where the clock stands by our own reckoning since the last position.

        No later than what is composed: while nobody plays, that is where the music waits.
        """
        beats = (self._now() - self._position_seconds) * self.settings.music.tempo / 60
        tick = self.position_tick + int(beats * TICKS_PER_QUARTER)
        return max(self.position_tick, min(tick, self._composed_tick))

    def receive(self, message: Message) -> list[Message]:
        """Take one of the player's messages; give what it is to do now."""
        match message["is"]:
            case "position":
                return self._at(message["tick"])
            case "on":
                self._played(message)
            case "off":
                self._owed.pop((message["channel"], message["pitch"]), None)
                self._record_off(message["tick"], message["channel"], message["pitch"])
            case "replaced":
                return self.resume()
            case "dropped":
                self._counts["dropped"] += 1
            case "lost":
                self._counts["lost"] += message["count"]
            case "heard":
                self._heard(message["tick"], *message["data"])
        return []

    def _start(self, tick: int) -> Message:
        return {"do": "start", "tick": tick, "tempo": self.settings.music.tempo}

    def _at(self, tick: int) -> list[Message]:
        self.position_tick, self._position_seconds = tick, self._now()
        self._take_in(self._hearing.position(tick, self._window_ticks()))
        while self._queued and self._queued[0][0] < tick:
            self._queued.popleft()
        return self._compose(tick)

    def _compose(self, tick: int) -> list[Message]:
        """Compose on to a horizon past ``tick``."""
        until = tick + round(self.settings.engine.horizon * TICKS_PER_QUARTER)
        if until <= self._composed_tick:
            return []
        self._composed_tick = until
        notes = wire_notes(self._composer.compose(until), self.settings)
        self._queued.extend(notes)
        return [{"do": "play", "notes": notes}] if notes else []

    def _played(self, message: Message) -> None:
        self._counts["played"] += 1
        self._late_us.append(message["late_us"])
        self._owed[message["channel"], message["pitch"]] = None
        if self.recorder is not None:
            names = ("tick", "channel", "pitch", "velocity")
            self.recorder.on(*(message[name] for name in names))

    def _record_off(self, tick: int, channel: int, pitch: int) -> None:
        if self.recorder is not None:
            self.recorder.off(tick, channel, pitch)

    def _window_ticks(self) -> int:
        return round(CHORD_WINDOW_SECONDS * self.settings.music.tempo / 60 * TICKS_PER_QUARTER)

    def _heard(self, tick: int, status: int, first: int, second: int = 0) -> None:
        """Notes join the context and the recording; controllers wait for a later lofid."""
        kind, channel = status & 0xF0, status & 0x0F
        if kind == NOTE_ON:
            self._counts["heard"] += 1
            self._take_in(self._hearing.note_on(tick, first, second, self._window_ticks()))
            if self.recorder is not None:
                self.recorder.on(tick, channel, first, second, by_person=True)
        elif kind == NOTE_OFF:
            self._hearing.note_off(tick, first)
            if self.recorder is not None:
                self.recorder.off(tick, channel, first, by_person=True)

    def _take_in(self, event: Event | None) -> None:
        if event is not None:
            self._heard_as = self._composer.hear(event)

    def set(self, name: str, text: str) -> list[Message]:
        """Change a live setting. ConfigError when it cannot be."""
        changed = change(self.settings, name, text)
        tick = self.tick_now()
        self.settings = changed
        self._composer.feel = feel_of(changed)
        if name == "key" and self.recorder is not None:
            self.recorder.key(tick, changed.music.key)
        if name != "tempo":
            return []
        # Our own reckoning goes on from here at the new tempo, as the player's clock does.
        self.position_tick, self._position_seconds = tick, self._now()
        if self.recorder is not None:
            self.recorder.tempo(tick, changed.music.tempo)
        return [{"do": "tempo", "tempo": changed.music.tempo}]

    def record(self, path: Path, journals: Path) -> None:
        """Begin a take. ControlError when one is running; RecordingError if it cannot be kept."""
        if self.recorder is not None:
            raise ControlError(f"already recording to {self.recorder.path}: stop that one first")
        parts, tick = self.settings.parts, self.tick_now() if self._counts["played"] else 0
        self.recorder = Recorder(
            path, journals, parts.lead_channel - 1, parts.keys_channel - 1, tick
        )
        self.recorder.tempo(tick, self.settings.music.tempo)
        self.recorder.key(tick, self.settings.music.key)

    def stop_recording(self) -> Conversion:
        """End the take; its MIDI file is made by a process of its own."""
        if self.recorder is None:
            raise ControlError("not recording: begin with 'lofid ctl record start'")
        recorder, self.recorder = self.recorder, None
        return recorder.finish(self.tick_now())

    def status(self) -> dict[str, Any]:
        """What the session is doing, in plain values."""
        music, recorder = self.settings.music, self.recorder
        late = np.percentile(self._late_us, (50, 99, 100)) if self._late_us else (0, 0, 0)
        return {
            "tick": self.tick_now(),
            "bar": self.tick_now() // (4 * TICKS_PER_QUARTER) + 1,
            **music.model_dump(exclude={"seed"}),
            "seed": self.seed,
            "model": self.predictor.card.recipe,
            "device": self.predictor.device,
            "device_note": self.predictor.device_note,
            "sounding": len(self._owed),
            "notes": dict(self._counts),
            "heard_as": self._heard_as,
            "lateness_us": dict(zip(("p50", "p99", "max"), map(round, late), strict=True)),
            "recording": None if recorder is None else str(recorder.path),
            "recording_fault": None
            if recorder is None or recorder.fault is None
            else str(recorder.fault),
        }
