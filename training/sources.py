"""Which files there are, and which of them may hold music."""

import hashlib
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from training.preflight import MAX_BYTES
from training.reader import MIDI_SUFFIXES, SUFFIXES


@dataclass(frozen=True)
class Source:
    """A file to read. ``name`` begins with the name of the folder that was asked for."""

    path: Path
    name: str
    sha256: str
    bytes: int

    @property
    def kind(self) -> str:
        """What music21 takes it for: its suffix, ``.mid`` for all MIDI."""
        suffix = self.path.suffix.lower()
        return ".mid" if suffix in MIDI_SUFFIXES else suffix


@dataclass(frozen=True)
class Skipped:
    """A file or folder that is not trained on. Files of one ``reason`` are counted together."""

    name: str
    reason: str
    detail: str = ""


def find(folders: Iterable[Path]) -> tuple[list[Source], list[Skipped]]:
    """Walk the folders (not through symbolic links to folders) and hash what may be music.

    Both lists are in the order of names. Of files with the same bytes the first is kept.
    """
    found = [entry for folder in folders for entry in _walk(_absolute(folder))]
    skipped = [entry for entry in found if isinstance(entry, Skipped)]
    sources, doubles = _distinct(entry for entry in found if isinstance(entry, Source))
    return sources, sorted({*skipped, *doubles}, key=lambda skip: (skip.name, skip.reason))


def _absolute(folder: Path) -> Path:
    """Give ``.`` a name of its own without following a symbolic link."""
    return Path(os.path.abspath(folder))


def _walk(root: Path) -> Iterator[Source | Skipped]:
    if not root.exists():
        yield Skipped(_printable(str(root)), "no such folder")
    elif not root.is_dir():
        yield _look_at(root, root.parent)
    else:
        yield from _walk_folder(root)


def _walk_folder(root: Path) -> Iterator[Source | Skipped]:
    faults: list[OSError] = []
    for folder, subfolders, files in os.walk(root, onerror=faults.append):
        for name in subfolders:
            path = Path(folder, name)
            if path.is_symlink():
                yield Skipped(_name(path, root.parent), "a link to a folder is not followed")
            elif path.suffix.lower() in SUFFIXES:
                yield Skipped(_name(path, root.parent), "a folder, whatever its name says")
        for name in files:
            yield _look_at(Path(folder, name), root.parent)
    for fault in faults:
        yield Skipped(_name(Path(fault.filename), root.parent), *_not_opened(fault))


def _look_at(path: Path, parent: Path) -> Source | Skipped:
    name = _name(path, parent)
    if path.suffix.lower() not in SUFFIXES:
        return Skipped(name, "not a music file")
    if not path.is_file():
        return Skipped(name, "not a regular file (a broken link, a pipe, a device)")
    try:
        size = path.stat().st_size
        if size == 0:
            return Skipped(name, "empty file")
        if size > MAX_BYTES:
            return Skipped(name, "absurdly long", f"over {MAX_BYTES // 2**20} MiB")
        with path.open("rb") as file:
            return Source(path, name, hashlib.file_digest(file, "sha256").hexdigest(), size)
    except OSError as fault:
        return Skipped(name, *_not_opened(fault))


def _not_opened(fault: OSError) -> tuple[str, str]:
    return "cannot be opened", fault.strerror or str(fault)


def _name(path: Path, parent: Path) -> str:
    return _printable(path.relative_to(parent).as_posix())


def _printable(text: str) -> str:
    """Replace what is not UTF-8 in a file's name, so that it can be shown and kept."""
    return os.fsencode(text).decode("utf-8", "replace")


def _distinct(sources: Iterable[Source]) -> tuple[list[Source], list[Skipped]]:
    kept: dict[tuple[str, str], Source] = {}
    doubles = []
    for source in sorted(set(sources), key=lambda source: (source.name, source.path)):
        first = kept.setdefault((source.sha256, source.kind), source)
        if first is not source:
            doubles.append(Skipped(source.name, "the same bytes as another", first.name))
    return list(kept.values()), doubles
