"""The settings: what may be set, within which limits. Frozen values; the words are the messages'.

A field's limits and description stand in the field; :mod:`lofid.config` makes its messages of them.
"""

import os
from typing import Annotated, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationInfo,
    field_validator,
)

from lofid.music import Key

APART = (
    (("keyboard", "thru"), ("parts", "lead_channel")),
    (("keyboard", "thru"), ("parts", "keys_channel")),
)
"""Values that must differ, which no section can see by itself; the first of two is at fault."""
AUTO = "auto"
"""As the key: follow what is played."""


def _key_text(text: str) -> str:
    return AUTO if text.strip().lower() == AUTO else str(Key.parse(text))


def _port_name(text: str) -> str:
    if not 1 <= len(text) <= 32 or not text.isprintable() or {":", "/"} & set(text):
        raise ValueError(text)
    return text


def _expanded(text: str) -> str:
    return os.path.expanduser(text)  # a Path would turn "" into "."


def _empty_to_none(value: object) -> object:
    return None if value == "" else value


PathText = Annotated[str, AfterValidator(_expanded)]


class _Values(BaseModel):
    """Frozen; unknown keys are refused; defaults are checked too, as one may clash with a value."""

    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True)


class Music(_Values):
    """What is played."""

    tempo: float = Field(default=80.0, ge=20, le=300, description="beats per minute")
    swing: float = Field(default=58.0, ge=50, le=75, description="percent; 50 is straight")
    key: Annotated[str, AfterValidator(_key_text)] = Field(
        default="C minor", description="a key such as 'F minor' or 'Eb major', or 'auto'"
    )
    temperature: float = Field(default=1.0, ge=0.5, le=1.5, description="1 is as the model learnt")
    top_p: float = Field(default=0.95, ge=0.1, le=1.0, description="share of choices that is kept")
    density: float = Field(default=1.0, ge=0.5, le=2, description="1 is as the model learnt")
    key_lock: Literal["off", "soft", "hard"] = Field(
        default="soft", description="how firmly the choices keep to the notes of the key"
    )
    loop_guard: float = Field(default=1.0, ge=0, le=2, description="0 lets loops run")
    seed: Annotated[int | None, BeforeValidator(_empty_to_none)] = Field(
        default=None, ge=0, le=2**32 - 1, description='or "" for a new one each session'
    )
    seed_midi: PathText = Field(default="", description='"" for none, or the path of a MIDI file')
    memory: Literal["auto", "on", "fresh", "off"] = Field(
        default="auto", description="whether lofid goes on where its last session was"
    )


class Parts(_Values):
    """Where the parts go and how loud they are."""

    lead_channel: int = Field(default=1, ge=1, le=16, description="MIDI channel of the melody")
    keys_channel: int = Field(
        default=2, ge=1, le=16, description="MIDI channel of the chords, other than lead_channel"
    )
    lead_velocity: int = Field(default=100, ge=10, le=200, description="percent")
    keys_velocity: int = Field(default=80, ge=10, le=200, description="percent")

    @field_validator("keys_channel")
    @classmethod
    def _differs(cls, channel: int, info: ValidationInfo) -> int:
        if channel == info.data.get("lead_channel"):
            raise ValueError(channel)
        return channel


class Midi(_Values):
    """Ports. Texts that name an existing port may be any part of its name."""

    name: Annotated[str, AfterValidator(_port_name)] = Field(
        default="lofid", description="1 to 32 printable characters without ':' or '/'"
    )
    backend: Literal["auto", "jack", "alsa", "coremidi", "windows", "jack-rtmidi"] = Field(
        default="auto", description="the machine's MIDI system"
    )
    output: str = Field(default="", description='"" for a virtual port, or part of a port\'s name')
    input: str = Field(default="", description='"" for none, "virtual", or part of a port\'s name')


class Keyboard(_Values):
    """What a person's playing does. Pitches are MIDI note numbers."""

    mode: Literal["listen", "answer", "chords", "off"] = Field(
        default="listen", description="what your playing does to the music"
    )
    rest: float = Field(default=1.0, ge=0.25, le=8, description="beats before lofid answers")
    reply: Literal["wait", "go-on"] = Field(
        default="wait", description="what lofid does after its answer"
    )
    chord_window: float = Field(
        default=50.0, ge=5, le=500, description="milliseconds between the notes of one chord"
    )
    channel: int = Field(default=0, ge=0, le=16, description="MIDI channel; 0 for all")
    lowest: int = Field(default=0, ge=0, le=127, description="pitch")
    highest: int = Field(default=127, ge=0, le=127, description="pitch, at least lowest")
    split: int = Field(default=0, ge=0, le=127, description="pitch; 0 for none")
    transpose: int = Field(default=0, ge=-48, le=48, description="semitones")
    thru: int = Field(
        default=0,
        ge=0,
        le=16,
        description="MIDI channel other than keyboard.channel, parts.lead_channel and "
        "parts.keys_channel; 0 for none",
    )

    @field_validator("highest")
    @classmethod
    def _is_above(cls, highest: int, info: ValidationInfo) -> int:
        if highest < info.data.get("lowest", 0):
            raise ValueError(highest)
        return highest

    @field_validator("thru")
    @classmethod
    def _is_its_own(cls, thru: int, info: ValidationInfo) -> int:
        if thru and thru == info.data.get("channel"):
            raise ValueError(thru)
        return thru


class Sync(_Values):
    """Whose clock it is."""

    source: Literal["internal", "midi-clock"] = Field(
        default="internal", description="the clock that the music follows"
    )
    input: str = Field(
        default="virtual",
        min_length=1,
        description="\"virtual\"; with sync.source = 'midi-clock' also part of a port's name",
    )
    when_lost: Literal["go-on", "stop"] = Field(
        default="go-on", description="what the music does when the clock goes away"
    )
    send: bool = Field(
        default=False, description="true or false, but false with sync.source = 'midi-clock'"
    )

    @field_validator("input")
    @classmethod
    def _is_followed(cls, text: str, info: ValidationInfo) -> str:
        if text != "virtual" and info.data.get("source") == "internal":
            raise ValueError(text)
        return text

    @field_validator("send")
    @classmethod
    def _leads(cls, send: bool, info: ValidationInfo) -> bool:
        if send and info.data.get("source") == "midi-clock":
            raise ValueError(send)
        return send


class Engine(_Values):
    """What thinks."""

    model: PathText = Field(default="", description='"" for lofid\'s own, or a path')
    device: Literal["auto", "cuda", "cpu"] = Field(default="auto", description="runs the model")
    horizon: float = Field(default=2.0, ge=1, le=8, description="beats that are composed ahead")


class Record(_Values):
    """What is kept."""

    file: PathText = Field(default="", description='"" for no recording, or a path')
    journal: bool = Field(default=True, description="true or false")
    journal_size: int = Field(default=1024, ge=8, le=2**20, description="megabytes")
    journal_age: float = Field(default=90.0, ge=1, le=36500, description="days")


class Controllers(_Values):
    """What moves what, by deed: ``{"tempo": "cc 20"}``. :mod:`lofid.mapping` reads both texts."""

    model_config = ConfigDict(extra="allow")

    @property
    def table(self) -> dict[str, object]:
        """The section as it was written."""
        return dict(self.model_extra or {})


class Settings(_Values):
    """All settings: ``settings.music.tempo`` and so on."""

    music: Music = Music()
    parts: Parts = Parts()
    midi: Midi = Midi()
    keyboard: Keyboard = Keyboard()
    sync: Sync = Sync()
    engine: Engine = Engine()
    record: Record = Record()
    controllers: Controllers = Controllers()

    def without_effect(self) -> str:
        """Say in a line what is set and does nothing because no keyboard is; empty for nothing."""
        set_ = [
            f"keyboard.{name}"
            for name, field in Keyboard.model_fields.items()
            if getattr(self.keyboard, name) != field.default
        ]
        set_ += ["controllers"] if any(self.controllers.table.values()) else []
        if self.midi.input or not set_:
            return ""
        verb = "have" if len(set_) > 1 else "has"
        return f"{', '.join(set_)} {verb} no effect without a keyboard: midi.input, or --input"
