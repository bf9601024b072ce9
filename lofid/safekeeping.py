"""Safekeeping: the small files that lofid keeps for itself, whole and for their owner alone.

Rules:

* A file is there whole or not at all: written beside its place, brought to the disk, then renamed.
* Only its owner may read it. A link stays one: what it leads to is replaced.
* Only a regular file is read: a pipe in its place would keep the reader waiting.
* What cannot be used is never written over: it is set aside under another name.

Each function blocks as long as the disk takes, raises OSError, and may be called from any thread.
"""

import errno
import os
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path

LOCK_SECONDS = 5.0
"""A file this small is written in less, or another process is hanging."""
LOOK_SECONDS = 0.02


def read_whole(path: Path, most_bytes: int) -> bytes:
    """Read a regular file, but no more than ``most_bytes`` of it."""
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
    with open(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError(errno.EINVAL, "Not a regular file")
        return file.read(most_bytes)


def replace_whole(path: Path, data: bytes) -> None:
    """Put these bytes in place of a file, with mode 0600; its folder is made.

    On the disk when this returns; when it raises, what was there is as it was. One writer at a
    time: see :func:`locked`.
    """
    path = Path(os.path.realpath(path))
    path.parent.mkdir(parents=True, exist_ok=True)
    # One name for all, so that processes that were killed leave one such file at most.
    unfinished = path.with_name(f"{path.name}.part")
    unfinished.unlink(missing_ok=True)  # it may be a link, or others may read it
    try:
        descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with open(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(descriptor)
        unfinished.replace(path)
    except OSError:
        with suppress(OSError):
            unfinished.unlink(missing_ok=True)
        raise


def set_aside(path: Path) -> Path:
    """Keep a file under a name that no file has, ``NAME.bad`` or ``NAME.bad1``, and give that."""
    names = (path.with_name(f"{path.name}.bad{n or ''}") for n in count())
    kept = next(name for name in names if not os.path.lexists(name))
    return path.rename(kept)


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold a file's lock, which is another file beside it, and keep other processes waiting.

    TimeoutError when another one has it for longer than LOCK_SECONDS.
    """
    import fcntl  # noqa: PLC0415  # not there on Windows, where a file can be rendered

    path.parent.mkdir(parents=True, exist_ok=True)
    lock = path.with_name(f".{path.name}.lock")
    descriptor = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        until = time.monotonic() + LOCK_SECONDS
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > until:
                    raise TimeoutError(errno.ETIMEDOUT, "another lofid holds it") from None
                time.sleep(LOOK_SECONDS)
        yield
    finally:
        os.close(descriptor)  # which gives the lock back
