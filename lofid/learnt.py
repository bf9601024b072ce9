"""The learnt: the user's own mapping of controllers, in a file beside the user's settings.

The file is written as a whole or not at all, and never over one that could not be read: such a one
is kept under another name. Blocks as long as the disk takes; call it from any one thread at a time.
"""

import contextlib
import os
from collections.abc import Iterable
from itertools import count
from pathlib import Path

import tomli_w
from platformdirs import user_config_path

from lofid import mapping
from lofid.config import read_toml
from lofid.errors import ConfigError
from lofid.mapping import Bindings
from lofid.safekeeping import replace_whole

SECTION = "controllers"
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
        self._is_stuck = False

    def read(self) -> tuple[Bindings, list[str]]:
        """Read what was learnt. Also give what a person should know, in lines: all that is wrong.

        A file with anything wrong in it is kept under another name, and the rest of it is used.
        """
        self._is_stuck = False
        try:
            document = read_toml(self.path)
        except ConfigError as error:
            if isinstance(error.__cause__, FileNotFoundError):
                return {}, []
            return {}, [str(error), self._set_aside()]
        table = document.pop(SECTION, {})
        faults = [f"{name!r} does not belong here" for name in document]
        if not isinstance(table, dict):
            table = {}
            faults.append(f"{SECTION} must be a section: [{SECTION}]")
        found, wrong = mapping.read(table)
        lines = [f"{self.path}: {fault}" for fault in (*faults, *wrong)]
        return found, [*lines, *self._keep_sound(found, lines)]

    def _keep_sound(self, found: Bindings, faults: Iterable[str]) -> list[str]:
        if not any(faults):
            return []
        line = self._set_aside()
        with contextlib.suppress(ConfigError):  # a later write says why it cannot be
            self.write(found)
        return [line]

    def _set_aside(self) -> str:
        """Keep the file under a name that no file has; give a line that says so."""
        names = (self.path.with_name(f"{self.path.name}.bad{n or ''}") for n in count())
        kept = next(name for name in names if not os.path.lexists(name))
        try:
            self.path.rename(kept)
        except OSError as error:
            self._is_stuck = True
            return f"{self.path}: cannot be set aside: {error.strerror}; mend it or remove it"
        return f"{self.path}: is kept as {kept.name}; lofid goes on with what was sound in it"

    def write(self, bindings: Bindings) -> None:
        """Write what is learnt now. ConfigError when it cannot be, and then the file is as before.

        A link stays one: what it leads to is written.
        """
        if self._is_stuck and os.path.lexists(self.path):
            raise ConfigError(f"{self.path}: could not be read; mend it or remove it")
        text = HEADER + tomli_w.dumps({SECTION: mapping.write(bindings)})
        try:
            replace_whole(self.path, text.encode())
        except OSError as error:
            raise ConfigError(f"{self.path}: cannot be written: {error.strerror}") from error
