"""Entries: the kinds of records that a journal has, as typed values. Pure.

``tick`` is the session's, 480 to the quarter note; ``seconds`` are those since it began; channels
are 0 to 15, as on the wire. What a record has beside these fields is not looked at.
"""

from dataclasses import dataclass
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, ConfigDict, Field, TypeAdapter, ValidationError

from lofid.music import Key
from lofid.session import check_parts, controller_bytes

FORMAT: Final = 2
"""Format 1 was lines of JSON, one file for a take."""
FARTHEST_TICK = 2**53


def _key(text: str) -> str:
    Key.parse(text)
    return text


def _known(number: int) -> int:
    if number != FORMAT:
        raise ValueError(f"is {number}; this lofid knows {FORMAT}")
    return number


def _parts(channels: dict[str, int]) -> dict[str, int]:
    if missing := {"lead", "keys"} - channels.keys():
        raise ValueError(f"lacks {', '.join(sorted(missing))}")
    check_parts(channels["lead"], channels["keys"])
    return channels


Tick = Annotated[int, Field(ge=-FARTHEST_TICK, le=FARTHEST_TICK)]
Seconds = Annotated[float, Field(allow_inf_nan=False)]
Channel = Annotated[int, Field(ge=0, le=15)]
SevenBits = Annotated[int, Field(ge=0, le=127)]
Bpm = Annotated[float, Field(gt=0, allow_inf_nan=False)]
KeyText = Annotated[str, AfterValidator(_key)]
ControllerBytes = Annotated[tuple[int, ...], AfterValidator(controller_bytes)]
Channels = Annotated[dict[str, Channel], AfterValidator(_parts)]


@dataclass(frozen=True, slots=True)
class On:
    """A note-on that sounded, or that a person played."""

    tick: Tick
    seconds: Seconds
    channel: Channel
    pitch: SevenBits
    velocity: Annotated[int, Field(ge=1, le=127)]
    by_person: bool = False
    what: Literal["on"] = "on"


@dataclass(frozen=True, slots=True)
class Off:
    """A note-off."""

    tick: Tick
    seconds: Seconds
    channel: Channel
    pitch: SevenBits
    velocity: SevenBits = 64
    by_person: bool = False
    what: Literal["off"] = "off"


@dataclass(frozen=True, slots=True)
class Control:
    """What a person did beside notes: the bytes of a MIDI message."""

    tick: Tick
    seconds: Seconds
    data: ControllerBytes
    what: Literal["control"] = "control"


@dataclass(frozen=True, slots=True)
class Tempo:
    """Beats per minute from here on."""

    tick: Tick
    seconds: Seconds
    bpm: Bpm
    what: Literal["tempo"] = "tempo"


@dataclass(frozen=True, slots=True)
class KeyChange:
    """The key from here on, such as ``F minor``."""

    tick: Tick
    seconds: Seconds
    text: KeyText
    what: Literal["key"] = "key"


@dataclass(frozen=True, slots=True)
class Set:
    """A setting that was changed, and to what."""

    tick: Tick
    seconds: Seconds
    name: str
    text: str
    what: Literal["set"] = "set"


@dataclass(frozen=True, slots=True)
class Mark:
    """Something worth a marker: a seed, a mode."""

    tick: Tick
    seconds: Seconds
    text: str
    what: Literal["mark"] = "mark"


@dataclass(frozen=True, slots=True)
class Transport:
    """The music moves from here on, or stands."""

    tick: Tick
    seconds: Seconds
    moving: bool
    what: Literal["transport"] = "transport"


@dataclass(frozen=True, slots=True)
class Take:
    """A take begins or ends."""

    tick: Tick
    seconds: Seconds
    action: Literal["start", "stop"]
    name: str
    what: Literal["take"] = "take"


@dataclass(frozen=True, slots=True)
class Input:
    """What went into the engine, for a replay."""

    seconds: Seconds
    data: Any
    what: Literal["input"] = "input"


@dataclass(frozen=True, slots=True)
class Gap:
    """The journal could not be written: why, since when, and how many records were lost by it."""

    seconds: Seconds
    from_seconds: Seconds
    records: Annotated[int, Field(ge=0)]
    why: str
    what: Literal["gap"] = "gap"


@dataclass(frozen=True, slots=True)
class End:
    """The session's end."""

    tick: Tick
    seconds: Seconds
    what: Literal["end"] = "end"


@dataclass(frozen=True, slots=True)
class Header:
    """What holds where a piece begins. ``sounding`` and ``controls`` say when they began.

    ``channels`` are those of lofid's parts, ``lead`` and ``keys``. ``model`` is as the engine has
    it, and so are ``settings``, by their sections.
    """

    format: Annotated[int, AfterValidator(_known)]
    lofid: str
    session: str
    tick: Tick
    seconds: Seconds
    wall_seconds: Seconds
    seed: int
    tempo: Bpm
    moving: bool
    key: KeyText
    channels: Channels
    model: dict[str, Any]
    settings: dict[str, dict[str, Any]]
    sounding: tuple[On, ...]
    controls: tuple[Control, ...]
    what: Literal["header"] = "header"


Timed = On | Off | Control | Tempo | KeyChange | Set | Mark | Transport | Take | End
Entry = Header | Timed | Input | Gap

_ENTRY: TypeAdapter[Entry] = TypeAdapter(
    Annotated[Entry, Field(discriminator="what")], config=ConfigDict(strict=True)
)


def parse(payload: bytes) -> Entry:
    """Read a record's payload. ValueError, one line, when it is none of these."""
    try:
        return _ENTRY.validate_json(payload)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        why = first["msg"].removeprefix("Value error, ")
        raise ValueError(f"{where} {why}" if where else why) from None
