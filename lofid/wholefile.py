"""Files that appear whole or not at all."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from lofid.errors import RecordingError, told


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """Give the name of a file beside ``path`` to write to; it gets its own name at the end.

    What was called ``path`` before is replaced then. When something goes wrong, it stays and the
    unfinished file goes. RecordingError, for an OSError: no such folder, a full disk.
    """
    # Not with the file's own name in it: that may be as long as names can be.
    unfinished = path.with_name(f".lofid-{os.getpid()}.part")
    try:
        yield unfinished
        with unfinished.open("rb+") as file:
            os.fsync(file.fileno())
        unfinished.replace(path)
    except OSError as error:
        raise RecordingError(f"{told(path)}: cannot be written: {error.strerror}") from error
    finally:
        with suppress(OSError):
            unfinished.unlink(missing_ok=True)


def write_whole(path: Path, data: bytes) -> None:
    """Write a file that is in memory. RecordingError as for :func:`whole_file`."""
    with whole_file(path) as unfinished:
        unfinished.write_bytes(data)
