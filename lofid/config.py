"""Settings: ``config.toml`` and the command line's flags become frozen values.

Rules:

* A field's limits and description stand in the field; the messages are derived from them.
* Every fault is found before anything is refused: one :class:`ConfigError`, one line each.
* A flag wins over the file, the file over the default.

Everything here may be called from any thread; only :func:`find_config` and :func:`load` touch
the disk.
"""

import difflib
import re
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

from platformdirs import user_config_path
from pydantic import (
    BaseModel,
    ValidationError,
)
from pydantic.fields import FieldInfo

from lofid.errors import ConfigError
from lofid.settings import Settings

LIVE = (
    *("tempo", "swing", "key", "temperature", "top_p", "density", "key_lock", "loop_guard"),
    *("lead_velocity", "keys_velocity", "mode", "rest", "reply"),
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
    faults: list[tuple[tuple[str, ...], object]]
    try:
        settings = Settings.model_validate(_merged(written, given), strict=True)
    except ValidationError as error:
        faults = [(tuple(map(str, each["loc"])), each["input"]) for each in error.errors()]
    else:
        faults = [*settings.clashes()]
        if not faults:
            return settings
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
