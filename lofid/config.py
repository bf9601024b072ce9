"""Settings: ``config.toml`` and the command line's flags become frozen values.

Rules:

* A field's limits and description stand in the field; the messages are derived from them.
* Every fault is found before anything is refused: one :class:`ConfigError`, one line each.
* A flag wins over the file, the file over the default.

Everything here may be called from any thread; only :func:`find_config`, :func:`load`
and :func:`read_toml` touch the disk.
"""

import re
import tomllib
from collections.abc import Callable, Container, Iterable, Mapping
from pathlib import Path
from typing import Any

from platformdirs import user_config_path
from pydantic import (
    BaseModel,
    ValidationError,
)

from lofid import mapping
from lofid.errors import ConfigError
from lofid.fields import (
    LIVE,
    allowed,
    everywhere,
    meant,
    not_live,
    printable,
    quoted,
    section_of,
    sections,
)
from lofid.settings import APART, Settings

FILE_NAME = "config.toml"
FLAGS = {
    "record.file": "--record",
    "sync.source": "--sync",
    "sync.input": "--clock-input",
    "sync.send": "--send-clock",
}
"""The flags that are not called after their key."""
_Fault = tuple[tuple[str, ...], object]
"""Where it stands, and what is there."""


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
    written = {} if path is None else read_toml(path)
    given = {n: str(v) if isinstance(v, Path) else v for n, v in flags.items() if v is not None}
    merged = _merged(written, given)
    faults: list[_Fault] = []
    settings = Settings()
    try:
        settings = Settings.model_validate(merged, strict=True)
    except ValidationError as error:
        faults = [(tuple(map(str, each["loc"])), each["input"]) for each in error.errors()]
    faults += _clashes(merged, {where for where, _ in faults})
    lines = [f"{_source(where, given, written) or path}: {_fault(where, v)}" for where, v in faults]
    lines += [f"{path}: {fault}" for fault in _mapping_faults(written.get("controllers"))]
    if lines:
        raise ConfigError("\n".join(lines))
    return settings


def _clashes(merged: Mapping[str, Any], faulty: Container[tuple[str, ...]]) -> list[_Fault]:
    """What no section can see by itself, as far as the values are sound."""
    found: list[_Fault] = []
    for places in APART:
        if any(place in faulty or place[:1] in faulty for place in places):
            continue
        value, other = (
            merged.get(section, {}).get(key, sections()[section][key].default)
            for section, key in places
        )
        if value == other:
            found.append((places[0], value))
    return found


def _mapping_faults(table: object) -> list[str]:
    """What is wrong in the section of controllers, if it is one."""
    return mapping.read(table)[1] if isinstance(table, dict) else []


def change(settings: Settings, name: str, text: str) -> Settings:
    """Return the settings with one of :data:`LIVE` changed to what ``text`` says.

    ConfigError, one line, when the name is not a live one or the text is not allowed.
    """
    if name not in LIVE:
        raise ConfigError(not_live(name))
    section = section_of(name)
    values: BaseModel = getattr(settings, section)
    try:
        changed = type(values).model_validate({**values.model_dump(), name: text})
    except ValidationError as error:
        raise ConfigError(_fault((section, name), text)) from error
    return settings.model_copy(update={section: changed})


def read_toml(path: Path, read: Callable[[Path], bytes] = Path.read_bytes) -> dict[str, Any]:
    """Read TOML. Windows' editors may put a byte order mark first, which is harmless.

    ConfigError, one line, when it cannot be; its cause is the OSError, where there was one.
    """
    try:
        return tomllib.loads(read(path).decode("utf-8-sig"))
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
    fields = sections().get(section)
    name = ".".join(map(printable, where[:2]))
    if fields is None:
        return f"{name} is not a section{meant(section, sections(), everywhere(section))}"
    if not rest:
        return f"{name} is {quoted(found)}; must be a section: [{name}], then key = value"
    if rest[0] not in fields:
        return f"{name} is not a setting{meant(rest[0], fields, everywhere(rest[0]))}"
    return f"{name} is {quoted(found)}; must be {allowed(fields[rest[0]])}"
