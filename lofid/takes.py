"""The takes of a session that plays: begun and ended, or kept after the fact.

A take is from when to when in the journal; its MIDI file is made by a process of its own. All of
this is called in the event loop, one thing after the other; the disk is waited for in threads, and
files that are made in none.
"""

import asyncio
import subprocess
import sys
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from platformdirs import user_music_path

from lofid.clerk import DAY_SECONDS, Clerk
from lofid.engine import Engine
from lofid.errors import ControlError, RecordingError, told
from lofid.exporting import kind_of
from lofid.library import (
    LONGEST_NAME_BYTES,
    Kept,
    check_take_name,
    export_hint,
    kept_line,
    span_take,
)
from lofid.recovery import (
    Running,
    cut_off,
    forget_running,
    note_running,
    recordings,
    recover,
    recover_recording,
)
from lofid.scribe import Scribe
from lofid.span import Span
from lofid.wholefile import check_folder, unused


class Takes:
    """One session's. ``say`` gets one line for each thing that a person should know."""

    def __init__(self, engine: Engine, clerk: Clerk, say: Callable[[str], None]) -> None:
        self._engine = engine
        self._clerk = clerk
        self._library = clerk.library
        self._say = say
        self._names: set[Path] = set()
        self._running: Running | None = None
        self._turn = asyncio.Lock()
        self._conversions: set[asyncio.Task[Path]] = set()

    async def obey(self, what: str, *where: str) -> str:
        """Begin a take (``start``, and maybe a path), end it (``stop``), or ``toggle``.

        Gives a line, with ``stop`` once the file is there. ControlError or RecordingError.
        """
        async with self._turn:
            if what == "toggle":
                what = "start" if self._running is None else "stop"
            if what == "start":
                wanted = Path(where[0]) if where else await asyncio.to_thread(_new_take)
                return f"recording to {told(await self._begin(wanted))}"
            making = await self._stop()
        return f"recorded {told(await making)}"

    async def begin(self, wanted: Path) -> Path:
        """Begin a take under a name that no other take of this session has, nor any file."""
        async with self._turn:
            return await self._begin(wanted)

    async def _begin(self, wanted: Path) -> Path:
        scribe = self._scribe()
        if self._running is not None:
            file = told(self._running.path)
            raise ControlError(f"already recording to {file}: stop that one first")
        seconds = round(scribe.seconds, 6)
        path = await asyncio.to_thread(_free, wanted, self._names)
        running = Running.of(_take_name(path), scribe.session, seconds, path)
        self._engine.chronicle.take("start", running.name)
        await self._clerk.flush()
        if scribe.fault is not None:
            raise scribe.fault
        await asyncio.to_thread(note_running, self._library, running)
        self._running = running
        self._names.add(path)
        return path

    async def keep(self, length: str, name: str = "") -> str:
        """Make a take of the last so much that sounded; give a line. ControlError, RecordingError.

        ``length`` is as :meth:`lofid.span.Span.parse` has it.
        """
        span, scribe = Span.parse(length), self._scribe()
        tick, seconds = self._here(scribe)
        take = span_take(span, scribe.session, tick, seconds, time.time(), name)
        _end(scribe, take.name, tick, seconds)
        async with self._turn:
            await self._clerk.flush()
            return kept_line(await asyncio.to_thread(self._library.keep, take))

    def _here(self, scribe: Scribe) -> tuple[int, float]:
        return self._engine.tick_now(), round(scribe.seconds, 6)

    async def _stop(self) -> "asyncio.Task[Path]":
        """End the take that runs; give what waits for its file."""
        if self._running is None:
            raise ControlError("not recording: begin with 'lofid ctl record start'")
        scribe, (running, self._running) = self._scribe(), (self._running, None)
        tick, seconds = self._here(scribe)
        _end(scribe, running.name, tick, seconds)
        await self._clerk.flush()
        values = {**running.model_dump(exclude={"file"}), "end": seconds, "made": "record"}
        take = Kept(**values, unit="seconds", wall_seconds=time.time())
        try:
            kept = await asyncio.to_thread(self._library.keep, take)
        except RecordingError as error:
            how = f"{export_hint(scribe.session)} has the whole session"
            raise RecordingError(f"{error}; {how}") from error
        await asyncio.to_thread(forget_running, self._library, running.session)
        return self._convert(kept, running.path)

    def _convert(self, take: Kept, path: Path) -> "asyncio.Task[Path]":
        """Have the file made."""
        task = asyncio.create_task(_made(self._library.folder, take.name, path))
        self._conversions.add(task)
        task.add_done_callback(self._conversions.discard)
        return task

    async def recover(self) -> None:
        """Keep what the last sessions left behind, if they were cut off, and say so."""
        await asyncio.to_thread(self._library.tidy)
        with self._saying():
            age = self._engine.settings.record.journal_age * DAY_SECONDS
            await asyncio.to_thread(self._library.forget_crashes, time.time() - age)
        with self._saying():
            for pieces in await asyncio.to_thread(cut_off, self._library):
                with self._saying():
                    _, line = await asyncio.to_thread(recover, self._library, pieces)
                    self._say(line)
        with self._saying():
            for session in await asyncio.to_thread(recordings, self._library):
                with self._saying():
                    await self._recover_recording(session)

    async def _recover_recording(self, session: str) -> None:
        found = await asyncio.to_thread(recover_recording, self._library, session)
        if found is not None:
            take, path = found
            self._say(f"it was recording: that is the take {take.name!r}, and becomes {told(path)}")
            self._convert(take, path).add_done_callback(self._said)

    @contextmanager
    def _saying(self) -> Iterator[None]:
        """Say what cannot be kept, and go on: the next may be."""
        try:
            yield
        except RecordingError as error:
            self._say(f"what the last session left behind cannot be kept: {error}")

    def _said(self, task: "asyncio.Task[Path]") -> None:
        if task.cancelled():
            return
        error = task.exception()
        self._say(f"recorded {told(task.result())}" if error is None else str(error))

    async def end(self) -> None:
        """End the take that runs, and the journal, which blocks; wait for all files.

        What was begun before is done first.
        """
        async with self._turn:
            try:
                if self._running is not None:
                    (await self._stop()).add_done_callback(self._said)
            except RecordingError as error:
                self._say(str(error))
            self._clerk.close()
        while self._conversions:
            await asyncio.gather(*self._conversions, return_exceptions=True)
            await asyncio.sleep(0)

    def status(self) -> dict[str, Any]:
        """What there is to tell, in plain values."""
        file = None if self._running is None else told(self._running.path)
        return {"recording": file, **self._clerk.status()}

    def _scribe(self) -> Scribe:
        if self._clerk.scribe is None:
            raise RecordingError("nothing is kept, so nothing recorded: set record.journal = true")
        return self._clerk.scribe


def _end(scribe: Scribe, name: str, tick: int, seconds: float) -> None:
    """Say in the journal where a take ends: what is read of it then reaches so far."""
    scribe.write("take", tick=tick, seconds=seconds, action="stop", name=name)


def _free(wanted: Path, taken: Collection[Path]) -> Path:
    """Give the file that a take may become. RecordingError where none can be put."""
    path = unused(wanted.absolute(), taken)
    check_folder(path)
    return path


def _take_name(path: Path) -> str:
    """A take is called as its file, as far as takes can be called so."""
    text = path.stem.encode(errors="ignore")[: LONGEST_NAME_BYTES - 8].decode(errors="ignore")
    name = text.lstrip(".-")
    try:
        check_take_name(name)
    except RecordingError:
        return "take"
    return name


def export_command(folder: Path, take: str, path: Path) -> list[str]:
    """Give the command that makes a file of a take."""
    how = ["--format", kind_of(path, "midi"), "--", str(folder), take, str(path)]
    return [sys.executable, "-P", "-m", "lofid.exporting", *how]


async def _made(folder: Path, take: str, path: Path) -> Path:
    """Have a file made by a process of its own, and give its path. RecordingError if it cannot be.

    A Ctrl-C at the terminal is not for that process.
    """
    try:
        process = await asyncio.create_subprocess_exec(
            *export_command(folder, take, path),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
    except OSError as error:
        what = f"the file cannot be made: {error.strerror}"
        raise RecordingError(f"{what}; {_still(take)}") from error
    _, complaint = await process.communicate()
    if process.returncode != 0:
        lines = complaint.decode(errors="replace").strip().splitlines()
        why = lines[-1] if lines else f"exit {process.returncode}"
        raise RecordingError(f"{why}; {_still(take)}")
    return path


def _still(take: str) -> str:
    return f"the take is kept: {export_hint(take)}"


def _new_take() -> Path:
    stamp = datetime.now().astimezone().strftime("%Y-%m-%d-%H%M%S")
    folder = Path(user_music_path()) / "lofid"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise RecordingError(f"{told(folder)} cannot be made: {error.strerror}") from error
    return folder / f"lofid-{stamp}.mid"
