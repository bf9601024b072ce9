"""The takes: recordings to a MIDI file, one at a time, each under a name of its own.

Everything here is called in the event loop; the MIDI file is made by a process of its own.
"""

import asyncio
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from platformdirs import user_music_path, user_state_path

from lofid.engine import Engine
from lofid.errors import RecordingError
from lofid.recorder import unused


class Takes:
    """One session's. ``say`` gets one line for each thing that a person should know."""

    def __init__(self, engine: Engine, say: Callable[[str], None]) -> None:
        self._engine = engine
        self._say = say
        self._names: set[Path] = set()
        self._conversions: set[asyncio.Task[str]] = set()
        self._is_fault_said = False

    async def obey(self, what: str, *where: str) -> str:
        """Begin a take (``start``, and maybe a path), end it (``stop``), or ``toggle``.

        Gives a line, with ``stop`` once the file is there. ControlError or RecordingError.
        """
        if what == "toggle":
            what = "start" if self._engine.recorder is None else "stop"
        if what == "stop":
            return f"recorded {await self._convert()}"
        return f"recording to {self.begin(Path(where[0]) if where else _new_take())}"

    def begin(self, wanted: Path) -> Path:
        """Begin a take under a name that no other take of this session has, nor any file."""
        path: Path = unused(wanted.absolute(), self._names)
        self._engine.record(path, Path(user_state_path("lofid", appauthor=False)) / "journals")
        self._names.add(path)
        self._is_fault_said = False
        return path

    def flush(self) -> None:
        """Bring the journal to the disk; say it once when that fails."""
        recorder = self._engine.recorder
        if recorder is None:
            return
        recorder.flush()
        if recorder.fault is not None and not self._is_fault_said:
            self._is_fault_said = True
            self._say(f"recording stopped: {recorder.fault}")

    async def end(self) -> None:
        """End the take that runs, and wait for all files."""
        if self._engine.recorder is not None:
            self._convert()
        for conversion in list(self._conversions):
            self._say(f"recorded {await conversion}")

    def _convert(self) -> "asyncio.Task[str]":
        """Have the MIDI file made by its own process, and wait for it in a thread."""
        conversion = self._engine.stop_recording()
        task = asyncio.create_task(asyncio.to_thread(lambda: str(conversion.wait())))
        self._conversions.add(task)
        task.add_done_callback(self._conversions.discard)
        return task


def _new_take() -> Path:
    stamp = datetime.now().astimezone().strftime("%Y-%m-%d-%H%M%S")
    folder = Path(user_music_path()) / "lofid"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise RecordingError(f"{folder} cannot be made: {error.strerror}") from None
    return folder / f"lofid-{stamp}.mid"
