"""The chronicle: what happens in a session, told to its journal. No I/O.

Called from the engine's thread. Without a journal it only knows what holds.
"""

from collections.abc import Callable
from typing import Any

from lofid.predictor import Foreteller
from lofid.reckoning import Reckoning
from lofid.scribe import Scribe
from lofid.settings import Settings

TOLD_WITHIN_SECONDS = 2.0
"""What sounds is told of within so long, unless the engine stands still."""


class Chronicle:
    """One session's. ``tick_now`` is where the music is; ``now`` a monotonic clock in seconds."""

    def __init__(
        self, now: Callable[[], float], reckoning: Reckoning, tick_now: Callable[[], int]
    ) -> None:
        self._now = now
        self._reckoning = reckoning
        self._tick_now = tick_now
        self._scribe: Scribe | None = None
        self._holds: dict[str, Any] = {}
        self._settings: Settings | None = None
        self.is_begun = False
        """Whether anything happened that is worth a session."""

    def begin(self, predictor: Foreteller, settings: Settings, seed: int, key: str) -> None:
        """Say what holds: once, before anything is written."""
        parts = settings.parts
        channels = {"lead": parts.lead_channel - 1, "keys": parts.keys_channel - 1}
        self._holds = {"seed": seed, "key": key, "channels": channels, "model": _named(predictor)}
        self._settings = settings

    def write_to(self, scribe: Scribe) -> None:
        """Have all that happens from now on written there."""
        self._scribe = scribe

    def holds(self) -> dict[str, Any]:
        """What holds now, in plain values: see :class:`lofid.entries.Header`."""
        if self._settings is not None:
            self._holds["settings"], self._settings = self._settings.model_dump(mode="json"), None
        moving, tempo = self._reckoning.is_moving, self._reckoning.tempo_bpm
        return {**self._holds, "tick": self._tick_now(), "tempo": tempo, "moving": moving}

    def write(self, what: str, *, tick: int, late_us: float = 0, **values: Any) -> None:
        """Write a record, with the time at which its tick sounded, on our own clock."""
        self.is_begun |= what != "mark"
        if self._scribe is None:
            return
        now, moment = self._now(), self._reckoning.moment_of(tick) + late_us / 1e6
        moment = min(max(moment, now - TOLD_WITHIN_SECONDS), now)
        seconds = self._scribe.seconds_at(moment)
        self._scribe.write(what, tick=tick, seconds=seconds, **values)

    def set(self, tick: int, settings: Settings, name: str, text: str) -> None:
        """A setting was changed."""
        self._settings = settings
        self.write("set", tick=tick, name=name, text=text)

    def key(self, tick: int, key: str) -> None:
        """The key may be another one."""
        if key != self._holds["key"]:
            self._holds["key"] = key
            self.write("key", tick=tick, text=key)

    def mark(self, text: str) -> None:
        """Something worth a marker in a file happens now."""
        self.write("mark", tick=self._tick_now(), text=text)

    def take(self, action: str, name: str) -> None:
        """A take starts, or stops."""
        self.write("take", tick=self._tick_now(), action=action, name=name)

    def end(self) -> None:
        """The session ends."""
        self.write("end", tick=self._tick_now())


def _named(predictor: Foreteller) -> dict[str, Any]:
    """What tells a model from others: a replay asks for the same file."""
    card = predictor.card
    return {"recipe": card.recipe, "weights": card.weights, "file_sha256": predictor.digest}
