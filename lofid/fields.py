"""The fields: what the settings say of themselves, for messages and for who moves them. Pure."""

import difflib
from collections.abc import Iterable
from typing import Any, Literal, get_args, get_origin

from pydantic import TypeAdapter, ValidationError
from pydantic.fields import FieldInfo

from lofid.settings import Settings

LIVE = (
    *("tempo", "swing", "key", "temperature", "top_p", "density", "key_lock", "loop_guard"),
    *("lead_velocity", "keys_velocity", "mode", "rest", "reply"),
)
"""The settings that can change while playing, by their short names."""
LONGEST_QUOTE = 60


def sections() -> dict[str, dict[str, FieldInfo]]:
    """List the fields by section and key, as the models declare them."""
    return {name: type(f.default).model_fields for name, f in Settings.model_fields.items()}


def section_of(name: str) -> str:
    """Find the section of a live setting. StopIteration for a name that is no key at all."""
    return next(section for section, fields in sections().items() if name in fields)


def live_field(name: str) -> FieldInfo:
    """Find the field of a live setting."""
    return sections()[section_of(name)][name]


def everywhere(key: str) -> list[str]:
    """Write ``section.key`` for the sections that do have this key."""
    return [f"{section}.{key}" for section, fields in sections().items() if key in fields]


def allowed(field: FieldInfo) -> str:
    """Say what a field takes: ``a number from 20 to 300 (beats per minute)``."""
    if words := choices(field):
        return f"one of {', '.join(map(repr, words))} ({field.description})"
    low, high = limits(field)
    if low is None or high is None:
        return str(field.description)
    noun = "a number" if field.annotation is float else "a whole number"
    return f"{noun} from {low} to {high} ({field.description})"


def choices(field: FieldInfo) -> tuple[str, ...]:
    """The words that a field takes; none for one that takes numbers or any text."""
    kind = field.annotation
    return get_args(kind) if get_origin(kind) is Literal else ()


def limits(field: FieldInfo) -> tuple[float | None, float | None]:
    """The least and the greatest number that a field takes."""
    return _limit(field, "ge"), _limit(field, "le")


def _limit(field: FieldInfo, name: str) -> float | None:
    return next((getattr(m, name) for m in field.metadata if hasattr(m, name)), None)


def read(field: FieldInfo, text: str) -> Any:
    """Read a field's value from a text. ValueError when it does not take that."""
    try:
        return TypeAdapter(field.rebuild_annotation()).validate_python(text)
    except ValidationError as error:
        raise ValueError(text) from error


def not_live(name: str) -> str:
    """Say of a name that it is not one of :data:`LIVE`."""
    near = difflib.get_close_matches(name, LIVE, n=1)
    hint = f" did you mean {near[0]!r}?" if near and not everywhere(name) else ""
    what = "is fixed when lofid starts" if everywhere(name) else "is not a setting"
    return f"{printable(name)} {what};{hint} these can change while playing: {', '.join(LIVE)}"


def meant(name: str, known: Iterable[str], elsewhere: Iterable[str] = ()) -> str:
    """``; did you mean 'tempo'?``, or else what there is."""
    names = list(known)
    for near in (*elsewhere, *difflib.get_close_matches(name, names, n=1)):
        return f"; did you mean {near!r}?"
    return f"; there are {', '.join(names)}"


def printable(name: str) -> str:
    """Write a name so that it stays one line, whatever is in it."""
    return name if name.isprintable() and name else repr(name)


def quoted(value: object) -> str:
    """Write a value as TOML would, in one short line."""
    text = str(value).lower() if isinstance(value, bool) else repr(value)
    return text if len(text) <= LONGEST_QUOTE else text[: LONGEST_QUOTE - 1] + "…"
