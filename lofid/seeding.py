"""Seeding: what the context begins with, and what is kept of it for the next session.

Everything here is called in the event loop. What touches the disk is done in a thread, and MIDI
files are read in a process of their own: the engine goes on composing meanwhile.
"""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from lofid.errors import ControlError, StateError, told
from lofid.material import Material, fetch_material
from lofid.memory import Keeper, Remembered, memory_path, read_memory
from lofid.player.wire import Message
from lofid.safekeeping import set_aside
from lofid.settings import Settings

if TYPE_CHECKING:
    from lofid.engine import Engine

MOMENT_SECONDS = 1.0
KEEP_SECONDS = 10.0
"""What a killed session forgets at most."""


class Seeding:
    """One session's. ``say`` gets one line for each thing that a person should know."""

    def __init__(self, settings: Settings, say: Callable[[str], None]) -> None:
        self._settings = settings.music
        self._is_kept = settings.music.memory != "off"
        self._path = memory_path(settings.midi.name)
        self._say = say
        self._maybe_engine: Engine | None = None
        self._reading: asyncio.Task[Material] | None = None
        self._keeper: Keeper | None = None
        self._kept: Remembered | None = None
        self._is_failing = False

    async def begin(self, engine: "Engine") -> None:
        """Seed a new engine as the settings want it. MaterialError if the file cannot be used.

        A memory that cannot be used is said, and the music begins without it.
        """
        self._maybe_engine = engine
        if self._goes_on and await self._recalled():
            return
        if self._settings.seed_midi:
            await self._seed_first(Path(self._settings.seed_midi))

    async def _seed_first(self, path: Path) -> None:
        """Say it when it lasts: nothing sounds yet."""
        loop = asyncio.get_running_loop()
        telling = loop.call_later(MOMENT_SECONDS, self._say, f"reading {told(path)} …")
        try:
            _, line = await self.seed(path)
        finally:
            telling.cancel()
        self._say(line)

    @property
    def _engine(self) -> "Engine":
        assert self._maybe_engine is not None, "begin() comes first"
        return self._maybe_engine

    @property
    def _goes_on(self) -> bool:
        """Whether the last session's context is wanted. A seed is to give the same music always."""
        music = self._settings
        is_free = music.seed is None and not music.seed_midi
        return music.memory == "on" or (music.memory == "auto" and is_free)

    async def _recalled(self) -> bool:
        card = self._engine.predictor.card
        try:
            remembered = await asyncio.to_thread(read_memory, self._path, card)
        except StateError as error:
            self._say(f"{error}; {await asyncio.to_thread(self._set_aside)}")
            return False
        if remembered is None or not remembered.rows:
            return False
        self._engine.recall(remembered)
        self._engine.chronicle.mark("goes on from the last session")
        count = _counted(len(remembered.rows))
        self._say(f"goes on from the last session: {count}, {remembered.key}")
        return True

    def _set_aside(self) -> str:
        """Keep a memory that is of no use here; say what becomes of it. Blocks."""
        try:
            kept = set_aside(self._path)
        except OSError as error:
            self._is_kept = False
            return (
                f"it cannot be set aside ({error.strerror}), so this session is not remembered: "
                "mend it or remove it"
            )
        return f"it is kept as {kept.name}, and the music begins without it"

    async def seed(self, path: Path) -> tuple[list[Message], str]:
        """Seed the engine from a MIDI file: what the player is to do, and a line for people.

        MaterialError if the file cannot be used, ControlError if something newer is asked for while
        it is read; then the music goes on as if nothing had been.
        """
        self.call_off()
        self._reading = reading = asyncio.create_task(fetch_material(path))
        try:
            material = await reading
        except asyncio.CancelledError:
            if self._reading is reading:  # it is we who are cancelled
                raise
            raise ControlError(
                f"{told(path)}: was not taken up: something newer was asked for"
            ) from None
        messages = self._engine.seed_with(material.events, material.key)
        self._engine.chronicle.mark(f"goes on from {told(Path(path.name))}")
        heard = min(len(material.events), self._engine.predictor.card.context_length)
        key = f", {material.key}" if material.key else ""
        return messages, f"goes on from {told(path)}: {_counted(heard)}{key}"

    def call_off(self) -> None:
        """Give up a file that is being read: what was asked for last is what counts."""
        reading, self._reading = self._reading, None
        if reading is not None:
            reading.cancel()

    async def keep(self) -> NoReturn:
        """Keep the context whenever it has changed, for ever."""
        if self._is_kept:
            self._keeper = Keeper(self._path, self._engine.predictor.card)
        while True:
            await asyncio.sleep(KEEP_SECONDS)
            await self._keep()

    async def end(self) -> None:
        """Keep the context as it is at last, if it was played: if :meth:`keep` was called."""
        await self._keep()

    async def _keep(self) -> None:
        if self._keeper is None or (remembered := self._engine.memory()) == self._kept:
            return
        try:
            await asyncio.to_thread(self._keeper.write, remembered)
        except StateError as error:
            if not self._is_failing:
                self._say(f"{error}; the next session will not know of this one")
            self._is_failing = True
            return
        self._kept, self._is_failing = remembered, False


def _counted(events: int) -> str:
    return "1 event" if events == 1 else f"{events} events"
