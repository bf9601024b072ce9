"""Files that appear whole or not at all, and names that no other file has."""

import os
import stat
import tempfile
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from itertools import chain, count
from pathlib import Path

from lofid.errors import RecordingError, told


@contextmanager
def whole_file(path: Path, *, overwrite: bool = True) -> Iterator[Path]:
    """Give the name of a file beside ``path`` to write to; it gets its own name at the end.

    What was called ``path`` before is replaced then; where that is a link, the file it leads to.
    Without ``overwrite`` what is there stays, also what has come meanwhile. When something goes
    wrong, it stays and the unfinished file goes. RecordingError, for that and for an OSError: no
    such folder, a full disk.
    """
    target = _led_to(path) if overwrite else path
    # Not with the file's own name in it: that may be as long as names can be.
    unfinished = target.with_name(f".lofid-{os.getpid()}.part")
    try:
        yield unfinished
        with unfinished.open("rb+") as file:
            os.fsync(file.fileno())
        if overwrite or not _linked(unfinished, target):
            unfinished.replace(target)
    except FileExistsError as error:
        raise _there_already(path) from error
    except OSError as error:
        raise RecordingError(f"{told(path)}: cannot be written: {error.strerror}") from error
    finally:
        with suppress(OSError):
            unfinished.unlink(missing_ok=True)


def _linked(unfinished: Path, target: Path) -> bool:
    """Give a file its name, in one step, unless another one has it: FileExistsError.

    False where the file system has no links, and none of that name.
    """
    try:
        os.link(unfinished, target)
    except OSError:
        if os.path.lexists(target):
            raise FileExistsError from None
        return False
    return True


def _led_to(path: Path) -> Path:
    return Path(os.path.realpath(path))


def _there_already(path: Path) -> RecordingError:
    return RecordingError(f"{told(path)}: is there already; give another name, or --overwrite")


def write_whole(path: Path, data: bytes) -> None:
    """Write a file that is in memory. RecordingError as for :func:`whole_file`."""
    with whole_file(path) as unfinished:
        unfinished.write_bytes(data)


def unused(path: Path, taken: Collection[Path] = ()) -> Path:
    """Give ``path``, or ``take-2.mid``, ``take-3.mid`` … where it is there or in ``taken``.

    RecordingError where no file can be called so, or where a folder or a device is. Any thread.
    """
    check_name(path)
    others = {other.absolute() for other in taken}
    numbered = (path.with_name(f"{path.stem}-{n}{path.suffix}") for n in count(2))
    names = (p for p in chain([path], numbered) if p.absolute() not in others)
    return next(name for name in names if not _is_there(name))


def check_target(path: Path, *, overwrite: bool) -> None:
    """RecordingError unless a file of this name can be made here, and none would be lost by it."""
    check_name(path)
    if _is_there(path) and not overwrite:
        raise _there_already(path)
    check_folder(_led_to(path) if overwrite else path)


def check_folder(path: Path) -> None:
    """Find out whether a file could be put there, by putting one there for a moment."""
    try:
        tempfile.TemporaryFile(dir=path.parent).close()
    except OSError as error:
        advice = "make that folder or choose another one"
        raise RecordingError(
            f"{told(path)}: cannot be written: {error.strerror}; {advice}"
        ) from error


def check_name(path: Path) -> None:
    """RecordingError unless a file of this name can be made, or is there and can be replaced."""
    status = _status(path)
    if status is None or stat.S_ISREG(status.st_mode):
        return
    what = "a folder" if stat.S_ISDIR(status.st_mode) else "no regular file"
    raise RecordingError(f"{told(path)}: is {what}; give another name")


def _is_there(path: Path) -> bool:
    """Whether the name is taken, also by a link that leads nowhere."""
    return _status(path) is not None or path.is_symlink()


def _status(path: Path) -> os.stat_result | None:
    """Look at a file; None when it is not there. RecordingError when none can be called so."""
    try:
        return path.stat()
    except FileNotFoundError:
        return None
    except OSError as error:
        what = f"cannot be written: {error.strerror}; give another name"
        raise RecordingError(f"{told(path)}: {what}") from error
    except ValueError as error:
        what = f"no file can be called so ({error}); give another name"
        raise RecordingError(f"{told(path)}: {what}") from error
