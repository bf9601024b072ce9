"""Settings: ``config.toml`` and the command line's flags become frozen values.

Rules:

* A field's limits and description stand in the field; the messages are derived from them.
* Every fault is found before anything is refused: one :class:`ConfigError`, one line each.
* A flag wins over the file, the file over the default.

Everything here may be called from any thread; only :func:`find_config` and :func:`load` touch
the disk.
"""

import difflib
import os
import re
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, get_args, get_origin

from platformdirs import user_config_path
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    field_validator,
)
from pydantic.fields import FieldInfo

from lofid.errors import ConfigError
from lofid.music import Key

LIVE = (
    *("tempo", "swing", "key", "temperature", "top_p", "key_lock", "loop_guard"),
    *("lead_velocity", "keys_velocity"),
)
"""The settings that can change while playing, by their short names; see :func:`change`."""

FILE_NAME = "config.toml"
FLAGS = {
    "record.file": "--record",
    "sync.source": "--sync",
    "sync.input": "--clock-input",
    "sync.send": "--send-clock",
}
"""The flags that are not called after their key."""
LONGEST_QUOTE = 60


def _key_text(text: str) -> str:
    return str(Key.parse(text))


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
        default="C minor", description="a key such as 'F minor' or 'Eb major'"
    )
    temperature: float = Field(default=1.0, ge=0.5, le=1.5, description="1 is as the model learnt")
    top_p: float = Field(default=0.95, ge=0.1, le=1.0, description="share of choices that is kept")
    key_lock: Literal["off", "soft", "hard"] = Field(
        default="soft", description="how firmly the choices keep to the notes of the key"
    )
    loop_guard: float = Field(default=1.0, ge=0, le=2, description="0 lets loops run")
    seed: Annotated[int | None, BeforeValidator(_empty_to_none)] = Field(
        default=None, ge=0, le=2**32 - 1, description='or "" for a new one each session'
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


class Sync(_Values):
    """Whose clock it is."""

    source: Literal["internal", "midi-clock"] = Field(
        default="internal", description="the clock that the music follows"
    )
    input: str = Field(
        default="virtual", min_length=1, description='"virtual", or part of a port\'s name'
    )
    when_lost: Literal["go-on", "stop"] = Field(
        default="go-on", description="what the music does when the clock goes away"
    )
    send: bool = Field(
        default=False, description="true or false; true only with source = 'internal'"
    )

    @field_validator("send")
    @classmethod
    def _leads(cls, send: bool, info: ValidationInfo) -> bool:
        if send and info.data.get("source") != "internal":
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


class Settings(_Values):
    """All settings: ``settings.music.tempo`` and so on."""

    music: Music = Music()
    parts: Parts = Parts()
    midi: Midi = Midi()
    sync: Sync = Sync()
    engine: Engine = Engine()
    record: Record = Record()


def find_config(explicit: Path | None) -> Path | None:
    """Find the file of settings: ``explicit``, else ``./config.toml``, else the user's own.

    None when there is none, and then the defaults hold. ConfigError when ``explicit`` is not
    there.
    """
    if explicit is not None:
        if not explicit.exists():
            raise ConfigError(f"{explicit}: there is no such file; mend the path or leave it out")
        return explicit
    candidates = (Path(FILE_NAME), user_config_path("lofid", appauthor=False) / FILE_NAME)
    return next((path for path in candidates if path.is_file()), None)


def load(path: Path | None, flags: Mapping[str, object]) -> Settings:
    """Read the settings from a file and from flags such as ``{"music.tempo": 76}``.

    A flag whose value is None was not given. ConfigError lists every fault, a line each.
    """
    written = {} if path is None else _read(path)
    given = {n: str(v) if isinstance(v, Path) else v for n, v in flags.items() if v is not None}
    try:
        return Settings.model_validate(_merged(written, given), strict=True)
    except ValidationError as error:
        faults = [(tuple(map(str, each["loc"])), each["input"]) for each in error.errors()]
    lines = [f"{_source(where, given, written) or path}: {_fault(where, v)}" for where, v in faults]
    raise ConfigError("\n".join(lines))


def change(settings: Settings, name: str, text: str) -> Settings:
    """Return the settings with one of :data:`LIVE` changed to what ``text`` says.

    ConfigError, one line, when the name is not a live one or the text is not allowed.
    """
    if name not in LIVE:
        raise ConfigError(_not_live(name))
    section = next(s for s, fields in _sections().items() if name in fields)
    values: BaseModel = getattr(settings, section)
    try:
        changed = type(values).model_validate({**values.model_dump(), name: text})
    except ValidationError as error:
        raise ConfigError(_fault((section, name), text)) from error
    return settings.model_copy(update={section: changed})


def allowed(field: FieldInfo) -> str:
    """Say what a field takes: ``a number from 20 to 300 (beats per minute)``."""
    kind = field.annotation
    if get_origin(kind) is Literal:
        return f"one of {', '.join(map(repr, get_args(kind)))} ({field.description})"
    low, high = (_limit(field, name) for name in ("ge", "le"))
    if low is None or high is None:
        return str(field.description)
    noun = "a number" if kind is float else "a whole number"
    return f"{noun} from {low} to {high} ({field.description})"


def _limit(field: FieldInfo, name: str) -> float | None:
    return next((getattr(m, name) for m in field.metadata if hasattr(m, name)), None)


def _sections() -> dict[str, dict[str, FieldInfo]]:
    """List the fields by section and key, as the models declare them."""
    return {name: type(f.default).model_fields for name, f in Settings.model_fields.items()}


def _read(path: Path) -> dict[str, Any]:
    """Read TOML. Windows' editors may put a byte order mark first, which is harmless."""
    try:
        return tomllib.loads(path.read_bytes().decode("utf-8-sig"))
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: is not UTF-8 text; save it as UTF-8") from error
    except RecursionError as error:
        raise ConfigError(f"{path}: is nested too deeply to be settings") from error
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(_syntax_fault(path, str(error))) from error


def _syntax_fault(path: Path, message: str) -> str:
    """Put tomllib's ``… (at line 3, column 7)`` first, where one looks for it."""
    match = re.fullmatch(r"(.*) \(at (.*)\)", message)
    what, where = match.groups() if match else (message, "an unknown place")
    return f"{path}, {where}: is not TOML: {what}; write it as key = value"


def _merged(written: dict[str, Any], given: Mapping[str, object]) -> dict[str, Any]:
    """Lay the flags over the file. A section that is no table stays, to be refused as it is."""
    merged = {name: dict(v) if isinstance(v, dict) else v for name, v in written.items()}
    for dotted, value in given.items():
        section, _, key = dotted.partition(".")
        table = merged.setdefault(section, {})
        if isinstance(table, dict):
            table[key] = value
    return merged


def _source(where: tuple[str, ...], given: Iterable[str], written: Mapping[str, Any]) -> str:
    """Say who set it: a flag, the file (``""``), or nobody."""
    if (dotted := ".".join(where)) in given:
        return FLAGS.get(dotted, "--" + where[-1].replace("_", "-"))
    is_written = where[0] in written and (len(where) == 1 or where[1] in written[where[0]])
    return "" if is_written else "the default"


def _fault(where: tuple[str, ...], found: object) -> str:
    """One fault in one line, from the fields' own words."""
    section, *rest = where
    fields = _sections().get(section)
    name = ".".join(map(_printable, where[:2]))
    if fields is None:
        return f"{name} is not a section{_hint(section, _sections(), _everywhere(section))}"
    if not rest:
        return f"{name} is {_quoted(found)}; must be a section: [{name}], then key = value"
    if rest[0] not in fields:
        return f"{name} is not a setting{_hint(rest[0], fields, _everywhere(rest[0]))}"
    return f"{name} is {_quoted(found)}; must be {allowed(fields[rest[0]])}"


def _everywhere(key: str) -> list[str]:
    """Write ``section.key`` for the sections that do have this key."""
    return [f"{section}.{key}" for section, fields in _sections().items() if key in fields]


def _hint(name: str, known: Iterable[str], elsewhere: Iterable[str]) -> str:
    """``; did you mean 'tempo'?``, or else what there is."""
    names = list(known)
    for near in (*elsewhere, *difflib.get_close_matches(name, names, n=1)):
        return f"; did you mean {near!r}?"
    return f"; there are {', '.join(names)}"


def _not_live(name: str) -> str:
    near = difflib.get_close_matches(name, LIVE, n=1)
    hint = f" did you mean {near[0]!r}?" if near and not _everywhere(name) else ""
    what = "is fixed when lofid starts" if _everywhere(name) else "is not a setting"
    return f"{_printable(name)} {what};{hint} these can change while playing: {', '.join(LIVE)}"


def _printable(name: str) -> str:
    return name if name.isprintable() and name else repr(name)


def _quoted(value: object) -> str:
    """Write a value as TOML would, in one short line."""
    text = str(value).lower() if isinstance(value, bool) else repr(value)
    return text if len(text) <= LONGEST_QUOTE else text[: LONGEST_QUOTE - 1] + "…"
