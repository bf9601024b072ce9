"""The mapping: which deed each controller does, as TOML tables have it. Pure.

Two tables make one: the configuration's, and what was learnt, laid over it. One controller does one
thing, and what was learnt wins. A deed whose mover is ``""`` is moved by nothing.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from lofid.deeds import Deed
from lofid.errors import ConfigError
from lofid.fields import allowed, live_field, quoted
from lofid.movers import HOW, Mover

_RANGE = re.compile(r"(.*?)(?: from (-?\d{1,4}(?:\.\d{1,4})?) to (-?\d{1,4}(?:\.\d{1,4})?))?")
_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")


@dataclass(frozen=True, slots=True)
class Binding:
    """What moves a deed, and over which range where that was given."""

    mover: Mover
    low: float | None = None
    high: float | None = None

    @classmethod
    def parse(cls, text: str, deed: Deed) -> "Binding":
        """Read ``cc 20 on 1 from 70 to 90``. ConfigError as by :meth:`Mover.parse`."""
        match = _RANGE.fullmatch(" ".join(text.split()))
        assert match is not None, "whatever is no range is the mover's text"
        mover = Mover.parse(match[1])
        if not suits(mover, deed):
            asked = "which" if deed.span is None else "how much"
            raise ConfigError(f"must be a 'cc', such as 'cc 20': a press cannot say {asked} {deed}")
        if match[2] is None:
            return cls(mover)
        low, high = float(match[2]), float(match[3])
        if deed.span is None:
            raise ConfigError(f"must be without a range: {str(deed)!r} is no number to sweep")
        if not deed.span[0] <= min(low, high) < max(low, high) <= deed.span[1]:
            must = allowed(live_field(deed.name))
            raise ConfigError(f"must go from one value of {deed} to another: {must}")
        return cls(mover, low, high)

    def __str__(self) -> str:
        if self.low is None:
            return str(self.mover)
        return f"{self.mover} from {self.low:g} to {self.high:g}"


Bindings = dict[Deed, Binding | None]
"""By deed; None for one that nothing moves, whatever the table below says."""


def suits(mover: Mover, deed: Deed) -> bool:
    """Whether this can do that: what is swept needs positions."""
    return mover.kind == "cc" or not deed.is_swept


def read(table: Mapping[str, object]) -> tuple[Bindings, list[str]]:
    """Read a table such as ``{"tempo": "cc 20"}``; also give every fault in it, one line each."""
    found: Bindings = {}
    faults: list[str] = []
    for key, value in table.items():
        try:
            deed = Deed.parse(key)
        except ConfigError as error:
            faults.append(f"{_dotted(key)}: {error}")
            continue
        try:
            found[deed] = _binding(deed, value, found)
        except ConfigError as error:
            faults.append(f"{_dotted(key)} is {quoted(value)}; {error}")
    return found, faults


def _binding(deed: Deed, value: object, others: Bindings) -> Binding | None:
    if not isinstance(value, str):
        raise ConfigError(f'must be a text such as {HOW}, or "" for nothing')
    if deed in others:
        raise ConfigError(f"must not be there twice: {str(deed)!r} is moved by something already")
    if not value.strip():
        return None
    binding = Binding.parse(value, deed)
    for other in _moved_by(binding.mover, others):
        raise ConfigError(f"must be another controller: that one moves {str(other)!r}")
    return binding


def _dotted(key: str) -> str:
    return f"controllers.{key if _BARE_KEY.fullmatch(key) else quoted(key)}"


def write(bindings: Bindings) -> dict[str, str]:
    """Make a table of it, which :func:`read` reads."""
    return {str(deed): "" if b is None else str(b) for deed, b in bindings.items()}


def laid_over(base: Bindings, learnt: Bindings) -> dict[Deed, Binding]:
    """Lay what was learnt over the configuration: it wins the deed, and it wins the controller."""
    kept = {
        deed: binding
        for deed, binding in base.items()
        if deed not in learnt and binding and not _moved_by(binding.mover, learnt)
    }
    return kept | {deed: binding for deed, binding in learnt.items() if binding}


def learn(
    base: Bindings, learnt: Bindings, deed: Deed, mover: Mover
) -> tuple[Bindings, list[Deed]]:
    """Learn that this moves that. Give what is learnt now, and the deeds it was taken from.

    A deed keeps its range.
    """
    before = laid_over(base, learnt)
    old = before.get(deed)
    binding = Binding(mover, old.low, old.high) if old else Binding(mover)
    taken = [other for other in _moved_by(mover, before) if other != deed]
    kept = {other: b for other, b in learnt.items() if other not in taken}
    # What the configuration would move it by instead was given up when it was learnt.
    given_up = dict.fromkeys(other for other in taken if other in learnt and other in base)
    return {**kept, **given_up, deed: binding}, taken


def forget(base: Bindings, learnt: Bindings, deed: Deed) -> Bindings:
    """Let nothing move a deed. ConfigError when nothing does. Give what is learnt now."""
    if deed not in laid_over(base, learnt):
        raise ConfigError(f"nothing moves {str(deed)!r}: there is nothing to forget")
    kept = {other: binding for other, binding in learnt.items() if other != deed}
    return {**kept, deed: None} if deed in base else kept


def _moved_by(mover: Mover, bindings: Mapping[Deed, Binding | None]) -> list[Deed]:
    return [deed for deed, b in bindings.items() if b and b.mover.overlaps(mover)]
