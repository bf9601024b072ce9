"""The takes of a session that plays: begun and ended, or kept after the fact.

A take is from when to when in the journal; its MIDI file is made by a process of its own. All of
this is called in the event loop; the disk is waited for in threads.
"""

import asyncio
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

from platformdirs import user_music_path

from lofid.clerk import Clerk
from lofid.engine import Engine
from lofid.errors import ControlError, RecordingError
from lofid.exporting import kind_of
from lofid.library import LONGEST_NAME_BYTES, Kept, check_take_name, kept_line, span_take
from lofid.recovery import Running, cut_off, forget_running, note_running, recover
from lofid.recovery import recover_recording as _recover_recording
from lofid.scribe import Scribe
from lofid.span import Span
from lofid.wholefile import check_folder, check_name, unused


class Takes:
    """One session's. ``say`` gets one line for each thing that a person should know."""

    def __init__(self, engine: Engine, clerk: Clerk, say: Callable[[str], None]) -> None:
        self._engine = engine
        self._clerk = clerk
        self._library = clerk.library
        self._say = say
        self._names: set[Path] = set()
        self._running: Running | None = None
        self._conversions: set[asyncio.Task[Path]] = set()

    async def obey(self, what: str, *where: str) -> str:
        """Begin a take (``start``, and maybe a path), end it (``stop``), or ``toggle``.

        Gives a line, with ``stop`` once the file is there. ControlError or RecordingError.
        """
        if what == "toggle":
            what = "start" if self._running is None else "stop"
        if what == "stop":
            return f"recorded {await (await self._stop())}"
        return f"recording to {await self.begin(Path(where[0]) if where else _new_take())}"

    async def begin(self, wanted: Path) -> Path:
        """Begin a take under a name that no other take of this session has, nor any file."""
        scribe = self._scribe()
        if self._running is not None:
            raise ControlError(f"already recording to {self._running.file}: stop that one first")
        path = unused(wanted.absolute(), self._names)
        check_name(path)
        check_folder(path)
        running = Running(
            name=_take_name(path),
            session=scribe.session,
            begin=round(scribe.seconds, 6),
            file=str(path),
        )
        self._engine.chronicle.take("start", running.name)
        self._running = running
        try:
            await self._clerk.flush()
            if scribe.fault is not None:
                raise scribe.fault
            await asyncio.to_thread(note_running, self._library, running)
        except RecordingError:
            self._running = None
            raise
        self._names.add(path)
        return path

    async def keep(self, length: str, name: str = "") -> str:
        """Make a take of the last so much that sounded; give a line. ControlError, RecordingError.

        ``length`` is as :meth:`lofid.span.Span.parse` has it.
        """
        span, scribe = Span.parse(length), self._scribe()
        tick, seconds = self._engine.tick_now(), scribe.seconds
        await self._clerk.flush()
        take = await asyncio.to_thread(
            self._library.keep, span_take(span, scribe.session, tick, seconds, time.time(), name)
        )
        return kept_line(take)

    async def _stop(self) -> "asyncio.Task[Path]":
        """End the take that runs; give what waits for its file."""
        if self._running is None:
            raise ControlError("not recording: begin with 'lofid ctl record start'")
        scribe, (running, self._running) = self._scribe(), (self._running, None)
        self._engine.chronicle.take("stop", running.name)
        seconds = scribe.seconds
        await self._clerk.flush()
        values = {**running.model_dump(exclude={"file"}), "end": seconds, "made": "record"}
        take = Kept(**values, unit="seconds", wall_seconds=time.time())
        try:
            kept = await asyncio.to_thread(self._library.keep, take)
        except RecordingError as error:
            how = f"'lofid export {scribe.session} OUT.mid' has the whole session"
            raise RecordingError(f"{error}; {how}") from error
        await asyncio.to_thread(forget_running, self._library)
        return self._convert(kept, Path(running.file))

    def _convert(self, take: Kept, path: Path) -> "asyncio.Task[Path]":
        """Have the file made by its own process, and wait for it in a thread."""
        process = start_export(self._library.folder, take.name, path)
        task = asyncio.create_task(asyncio.to_thread(_wait, process, take.name, path))
        self._conversions.add(task)
        task.add_done_callback(self._conversions.discard)
        return task

    async def recover(self) -> None:
        """Keep what the last session left behind, if it was cut off, and say so."""
        try:
            await asyncio.to_thread(self._library.tidy)
            for pieces in await asyncio.to_thread(cut_off, self._library):
                _, line = await asyncio.to_thread(recover, self._library, pieces)
                self._say(line)
            if (found := await asyncio.to_thread(_recover_recording, self._library)) is not None:
                take, path = found
                path = unused(path)
                self._say(f"it was recording: that is the take {take.name!r}, and becomes {path}")
                self._convert(take, path).add_done_callback(self._said)
        except RecordingError as error:
            self._say(f"what the last session left behind cannot be kept: {error}")

    def _said(self, task: "asyncio.Task[Path]") -> None:
        if task.cancelled():
            return
        error = task.exception()
        self._say(f"recorded {task.result()}" if error is None else str(error))

    async def end(self) -> None:
        """End the take that runs, and the journal; wait for all files."""
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
        file = None if self._running is None else self._running.file
        return {"recording": file, **self._clerk.status()}

    def _scribe(self) -> Scribe:
        if self._clerk.scribe is None:
            raise RecordingError("nothing is kept, so nothing recorded: set record.journal = true")
        return self._clerk.scribe


def _take_name(path: Path) -> str:
    """A take is called as its file, as far as takes can be called so."""
    name = path.stem.encode()[: LONGEST_NAME_BYTES - 8].decode(errors="ignore").lstrip(".")
    try:
        check_take_name(name)
    except RecordingError:
        return "take"
    return name


def start_export(folder: Path, take: str, path: Path) -> "subprocess.Popen[str]":
    """Start a process that makes a file. It outlives a Ctrl-C at the terminal, and this one."""
    command = [sys.executable, "-P", "-m", "lofid.exporting", str(folder), take, str(path)]
    try:
        return subprocess.Popen(
            [*command, "--format", kind_of(path, "midi")],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            encoding="utf-8",
            errors="replace",
            start_new_session=True,
        )
    except OSError as error:
        what = f"the file cannot be made: {error.strerror}"
        raise RecordingError(f"{what}; {_still(take)}") from error


def _wait(process: "subprocess.Popen[str]", take: str, path: Path) -> Path:
    """Wait for the file, and give its path. RecordingError when it could not be made."""
    _, complaint = process.communicate()
    if process.returncode != 0:
        last = complaint.strip().splitlines()[-1:] or [f"exit {process.returncode}"]
        raise RecordingError(f"{last[0]}; {_still(take)}")
    return path


def _still(take: str) -> str:
    return f"the take is kept: 'lofid export {take} OUT.mid'"


def _new_take() -> Path:
    stamp = datetime.now().astimezone().strftime("%Y-%m-%d-%H%M%S")
    folder = Path(user_music_path()) / "lofid"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise RecordingError(f"{folder} cannot be made: {error.strerror}") from error
    return folder / f"lofid-{stamp}.mid"
