"""The feel: the settings that the composer follows. Plain values."""

from dataclasses import dataclass

from lofid.keylock import Mode
from lofid.music import HIGHEST_PITCH, LOWEST_PITCH, Key
from lofid.settings import AUTO, Settings

HOME = Key(0, is_minor=False)
FIRST_KEY = Key.parse("C minor")
"""What is played in before the key that is to be followed is known."""


@dataclass(frozen=True, slots=True)
class Feel:
    """What may change between any two calls of a composer."""

    key: Key = HOME
    swing_percent: float = 50.0
    temperature: float = 1.0
    top_p: float = 0.95
    key_lock: Mode = "soft"
    loop_guard: float = 1.0
    lead_velocity_percent: int = 100
    keys_velocity_percent: int = 100
    density: float = 1.0
    chord: frozenset[int] = frozenset()
    """The pitch classes of the chord that steers the harmony, in concert pitch; none without."""
    register: tuple[int, int] = (LOWEST_PITCH, HIGHEST_PITCH)
    """The lowest and highest pitch, as they sound, of a phrase that the lead answers."""
    register_strength: float = 0.0
    """From 0 to 1: how much the lead keeps to that register."""


def feel_of(settings: Settings, followed: Key | None = None) -> Feel:
    """What the composer has to know of the settings.

    ``followed`` is the key that was played in, for where the music follows it.
    """
    music, parts = settings.music, settings.parts
    return Feel(
        key=(followed or FIRST_KEY) if music.key == AUTO else Key.parse(music.key),
        swing_percent=music.swing,
        temperature=music.temperature,
        top_p=music.top_p,
        key_lock=music.key_lock,
        loop_guard=music.loop_guard,
        lead_velocity_percent=parts.lead_velocity,
        keys_velocity_percent=parts.keys_velocity,
        density=music.density,
    )
