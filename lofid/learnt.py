"""The learnt: the user's own mapping of controllers, in a file beside the user's settings.

The file is written as a whole or not at all, and never over one that could not be read: such a one
is kept under another name. Several lofids share it: each reads it again, under a lock, before it
writes. Blocks as long as the disk and the other lofids take; call it from any thread.
"""

import contextlib
from collections.abc import Callable
from pathlib import Path

import tomli_w
from platformdirs import user_config_path

from lofid import mapping
from lofid.config import read_toml
from lofid.errors import ConfigError
from lofid.mapping import Bindings
from lofid.safekeeping import locked, read_whole, replace_whole, set_aside

SECTION = "controllers"
MOST_BYTES = 2**20
"""More than a mapping takes: what is longer is no TOML then, for it is cut off."""
HEADER = """\
# What 'lofid ctl learn' was taught: it holds over the same section of config.toml. lofid writes
# this file anew whenever it learns something: put comments of your own into config.toml.

"""


def default_path() -> Path:
    """Where the user's own mapping is."""
    return user_config_path("lofid", appauthor=False) / "controllers.toml"


class Learnt:
    """The file at ``path``, which need not be there."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def read(self) -> tuple[Bindings, list[str]]:
        """Read what was learnt. Also give what a person should know, in lines: all that is wrong.

        A file with anything wrong in it is kept under another name, and the rest of it is used.
        """
        found, faults = self._look()
        if not faults:
            return found, []
        try:
            with locked(self.path):
                return self._mended()
        except OSError as error:
            why = f"cannot be set aside: {error.strerror}; mend it or remove it"
            return found, [*faults, f"{self.path}: {why}"]

    def change(self, what: Callable[[Bindings], Bindings]) -> tuple[Bindings, list[str]]:
        """Change what is in the file now, also by another lofid. Give that, and lines as read().

        ConfigError when it cannot be written, and then the file is as before.
        """
        try:
            with locked(self.path):
                found, lines = self._mended()
                changed = what(found)
                self._write(changed)
        except OSError as error:
            raise ConfigError(f"{self.path}: cannot be written: {error.strerror}") from error
        return changed, lines

    def _look(self) -> tuple[Bindings, list[str]]:
        """Read what is sound in the file, and what is wrong with it."""
        try:
            document = read_toml(self.path, lambda path: read_whole(path, MOST_BYTES))
        except ConfigError as error:
            is_none = isinstance(error.__cause__, FileNotFoundError)
            return {}, [] if is_none else [str(error)]
        table = document.pop(SECTION, {})
        faults = [f"{name!r} does not belong here" for name in document]
        if not isinstance(table, dict):
            table = {}
            faults.append(f"{SECTION} must be a section: [{SECTION}]")
        found, wrong = mapping.read(table)
        return found, [f"{self.path}: {fault}" for fault in (*faults, *wrong)]

    def _mended(self) -> tuple[Bindings, list[str]]:
        """Read the file, under its lock, and set it aside if anything is wrong with it. OSError."""
        found, faults = self._look()
        if not faults:
            return found, []
        kept = set_aside(self.path)
        with contextlib.suppress(OSError):  # a later change says why it cannot be
            self._write(found)
        what = f"is kept as {kept.name}; lofid goes on with what was sound in it"
        return found, [*faults, f"{self.path}: {what}"]

    def _write(self, bindings: Bindings) -> None:
        text = HEADER + tomli_w.dumps({SECTION: mapping.write(bindings)})
        replace_whole(self.path, text.encode())
