"""Many files -> one corpus, over all cores, whatever is in the files.

Each file is read in a worker process that may hang, run out of memory or die: it is then killed
and replaced, the file is named, and the run goes on.
"""

import gc
import os
import sys
import warnings
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future, as_completed
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

from pebble import ProcessExpired, ProcessPool

from training.cache import Cache, Outcome
from training.corpus import Corpus
from training.reader import Piece, read_pieces
from training.sources import Skipped, Source, find
from training.unreadable import UnreadableFile

WORKER_BYTES = 2 * 2**30
FILES_PER_WORKER = 1000
"""A worker is replaced after so many files: music21 keeps a little of each."""

Reader = Callable[[Path], tuple[Piece, ...]]


def cores() -> int:
    """Count the cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _no_progress(_done: int, _total: int) -> None:
    pass


@dataclass(frozen=True)
class Work:
    """How to read: worker processes, seconds a file may take, where outcomes are kept.

    ``read`` must be a module's function: it is sent to the workers by name. ``progress`` is
    called in the caller's thread with the files done and to do.
    """

    jobs: int = 1
    timeout_seconds: float = 30.0
    cache: Cache | None = None
    read: Reader = read_pieces
    progress: Callable[[int, int], None] = _no_progress


@dataclass(frozen=True)
class Built:
    """A corpus, how many files it was made of, and what is not in it and why."""

    corpus: Corpus
    files: int
    skipped: tuple[Skipped, ...]


def build(folders: Iterable[Path], work: Work) -> Built:
    """Read all music in the folders. Blocks; the outcome does not depend on ``work.jobs``.

    CorpusError if the cache cannot be used. Everything else that can go wrong is in ``skipped``.
    """
    sources, skipped = find(folders)
    outcomes = _outcomes(sources, work)
    pieces = []
    for source in sources:
        outcome = outcomes[source]
        if isinstance(outcome, UnreadableFile):
            skipped.append(Skipped(source.name, outcome.reason, outcome.detail))
        else:
            pieces.extend(_named(source, outcome))
    files = len({sha256 for _, sha256, _ in pieces})
    return Built(Corpus.of(pieces), files, tuple(skipped))


def _named(source: Source, pieces: Sequence[Piece]) -> list[tuple[str, str, Piece]]:
    """Give each piece its file's name, and a number where the file is a tune book."""
    if len(pieces) == 1:
        return [(source.name, source.sha256, pieces[0])]
    return [(f"{source.name}#{i}", source.sha256, piece) for i, piece in enumerate(pieces, 1)]


def _outcomes(sources: Sequence[Source], work: Work) -> dict[Source, Outcome]:
    kept = {source: work.cache.get(source) for source in sources} if work.cache else {}
    outcomes = {source: outcome for source, outcome in kept.items() if outcome is not None}
    missing = [source for source in sources if source not in outcomes]
    if missing:
        _read(missing, work, outcomes)
    return outcomes


def _read(sources: Sequence[Source], work: Work, outcomes: dict[Source, Outcome]) -> None:
    """Read into ``outcomes``, the largest file first, so that no core waits for it at the end."""
    pool = ProcessPool(
        max_workers=min(work.jobs, len(sources)),
        max_tasks=FILES_PER_WORKER,
        initializer=_prepare_worker,
        context=get_context("spawn"),
    )
    try:
        futures: dict[Future[Outcome], Source] = {
            pool.schedule(_attempt, (work.read, source.path), timeout=work.timeout_seconds): source
            for source in sorted(sources, key=lambda source: -source.bytes)
        }
        for done, future in enumerate(as_completed(futures), 1):
            _keep(futures[future], future, work, outcomes)
            work.progress(done, len(futures))
    finally:
        pool.stop()
        pool.join()


def _keep(
    source: Source, future: Future[Outcome], work: Work, outcomes: dict[Source, Outcome]
) -> None:
    fault = future.exception()
    if fault is not None:
        outcomes[source] = _lost(fault, work.timeout_seconds)
        return
    outcomes[source] = future.result()
    if work.cache:
        work.cache.put(source, future.result())


def _lost(fault: BaseException, timeout_seconds: float) -> UnreadableFile:
    """Say why a worker gave no answer. Never kept: the next run may have more time or memory."""
    if isinstance(fault, TimeoutError):
        return UnreadableFile(f"took longer than {timeout_seconds:g} seconds (see --timeout)")
    if isinstance(fault, ProcessExpired):
        return UnreadableFile("its reader died", f"exit code {fault.exitcode}")
    if isinstance(fault, MemoryError):
        return UnreadableFile(f"needs more than {WORKER_BYTES // 2**30} GiB of memory")
    return UnreadableFile("its reader failed", f"{type(fault).__name__}: {fault}")


def _attempt(read: Reader, path: Path) -> Outcome:
    """Read one file, in a worker process."""
    try:
        return read(path)
    except UnreadableFile as fault:
        return fault
    finally:
        gc.collect()


def _prepare_worker() -> None:
    """Cap the worker's memory, silence what music21 prints, and import it before the clock runs."""
    _cap_memory()
    silence = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silence, sys.stdout.fileno())
    os.dup2(silence, sys.stderr.fileno())
    warnings.simplefilter("ignore")
    import music21.converter  # noqa: F401, PLC0415 (0.4 s that only a worker has to spend)

    gc.freeze()
    gc.disable()  # one collection after each file is a tenth quicker than many within it


def _cap_memory() -> None:
    """Windows has no such limit, and macOS may refuse it."""
    with suppress(ImportError, ValueError, OSError):
        import resource  # noqa: PLC0415 (missing on Windows)

        resource.setrlimit(resource.RLIMIT_AS, (WORKER_BYTES, WORKER_BYTES))
