"""The clerk: has the journal written while lofid plays, and says what becomes of it.

Called in the event loop; the disk is waited for in threads.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from lofid.library import Library
from lofid.pieces import Bounds, journal_folder
from lofid.scribe import HANGING_SECONDS, Scribe
from lofid.settings import Settings
from lofid.witness import Witness

FLUSH_SECONDS = 0.5
SYNC_SECONDS = 5.0
WAIT_SECONDS = HANGING_SECONDS + 1.0
"""So long a flush is waited for: by then a disk that hangs is a fault."""
DAY_SECONDS = 86400.0
MEGABYTE = 2**20


class Clerk:
    """One session's. ``say`` gets one line for each thing that a person should know."""

    def __init__(self, engine: Witness, settings: Settings, say: Callable[[str], None]) -> None:
        """Begin the journal, unless the settings want none."""
        self.library = Library(journal_folder(settings.midi.name))
        self.scribe: Scribe | None = None
        self._engine = engine
        self._say = say
        self._is_fault_said = False
        self._warned = ""
        self._inputs: list[list[Any]] = []
        self._threads = ThreadPoolExecutor(2, "journal")
        """One to write and one to sync, which nobody else's work keeps waiting."""
        if settings.record.journal:
            total_bytes = settings.record.journal_size * MEGABYTE
            bounds = Bounds(total_bytes, settings.record.journal_age * DAY_SECONDS)
            self.scribe = Scribe(self.library.folder, engine.chronicle.holds, bounds)
            engine.chronicle.write_to(self.scribe)
        engine.tell = self._keep_inputs

    def _keep_inputs(self, batch: list[Any]) -> None:
        """Keep what went into the engine, for a replay, once it is a session; or for nobody."""
        if self.scribe is None:
            return
        self._inputs.append(batch)
        if self._engine.chronicle.is_begun:
            batches, self._inputs = self._inputs, []
            for each in batches:
                self.scribe.write("input", data=each)

    async def run(self) -> None:
        """Have what happens written, for ever."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._flush())
            group.create_task(self._sync())

    async def _flush(self) -> None:
        while True:
            await asyncio.sleep(FLUSH_SECONDS)
            await self.flush()

    async def _sync(self) -> None:
        while self.scribe is not None:
            await asyncio.sleep(SYNC_SECONDS)
            await self._in_thread(self.scribe.sync)

    async def flush(self) -> None:
        """Bring what was told to the journal; say it once when that fails, and when it goes on.

        Waits for WAIT_SECONDS at most: a disk that hangs is left to its thread.
        """
        if (scribe := self.scribe) is None:
            return
        scribe.cut()
        done, _ = await asyncio.wait([self._in_thread(scribe.flush)], timeout=WAIT_SECONDS)
        for flushed in done:
            flushed.result()
        self._tell(scribe)

    def _in_thread(self, do: Callable[[], None]) -> "asyncio.Future[None]":
        return asyncio.get_running_loop().run_in_executor(self._threads, do)

    def _tell(self, scribe: Scribe) -> None:
        fault = scribe.fault
        if fault is not None and not self._is_fault_said:
            self._say(f"recording stopped: {fault}")
        elif fault is None and self._is_fault_said:
            self._say("recording goes on: the journal can be written again")
        self._is_fault_said = fault is not None
        warning = str(scribe.warning or "")
        if warning not in ("", self._warned):
            self._say(warning)
            self._warned = warning

    def close(self) -> None:
        """End the session's journal. Blocks as long as the disk does, unless that hangs."""
        scribe = self.scribe
        if scribe is None or not self._engine.chronicle.is_begun:
            self.scribe = None
            return
        self._engine.flush()
        self._engine.chronicle.end()
        self.scribe = None
        scribe.close()
        self._tell(scribe)

    def status(self) -> dict[str, Any]:
        """What there is to tell, in plain values."""
        fault = None if self.scribe is None else self.scribe.fault
        return {
            "journal": None if self.scribe is None else str(self.library.folder),
            "recording_fault": None if fault is None else str(fault),
        }
