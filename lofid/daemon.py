"""The composition root: starts everything, and stops it in mirrored order.

Start: claim the name, start the player, load the model, begin the journal, seed the model, open the
ports, find what a crash left behind, begin the recording, listen for commands, play. Stop: stop
listening, end the notes and close the ports, keep the context, make the recording, end the journal,
give the name back.
"""

import asyncio
import contextlib
import gc
import signal
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from lofid.control import ControlServer
from lofid.desk import Desk
from lofid.learnt import Learnt, default_path
from lofid.news import News
from lofid.player.wire import Message
from lofid.seeding import Seeding
from lofid.settings import AUTO, Settings
from lofid.troupe import Troupe

if TYPE_CHECKING:
    from lofid.clerk import Clerk
    from lofid.commands import Commands
    from lofid.engine import Engine
    from lofid.takes import Takes

LOOK_SECONDS = 1.0
SILENT_SECONDS = 10.0
"""A player tells where it is every half beat: one that says nothing for so long is hanging."""
TURNS = 3
"""Of the event loop, until what has come to the socket is in the queue."""
MOST_LEFT = 3
"""So many answers in a row are left for who plays on; then the music has to be composed on."""
SIGNALS = [
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)
]
Say = Callable[[str], None]
_T = TypeVar("_T")


def play(settings: Settings, seconds: float | None, say: Say) -> None:
    """Play until a signal, ``ctl quit`` or ``seconds``. Blocks; LofidError if it cannot.

    ``say`` gets one line for each thing that a person should know.
    """
    asyncio.run(Daemon(settings, seconds, say).run())


class Daemon:
    """One session from start to end, in one event loop."""

    def __init__(self, settings: Settings, seconds: float | None, say: Say) -> None:
        self._settings = settings
        self._seconds = seconds
        self._say = say
        self._quit = asyncio.Event()
        self._news = News()
        self._desk = Desk(settings, Learnt(default_path()), self._obey, say)
        self._seeding = Seeding(settings, say)
        self._maybe_engine: Engine | None = None
        self._maybe_takes: Takes | None = None
        self._maybe_clerk: Clerk | None = None
        self._commands: Commands | None = None
        self._silent_seconds = 0.0
        self._left = 0
        self._is_heard = False
        """Whether there is something new to answer."""

    @property
    def _engine(self) -> "Engine":
        assert self._maybe_engine is not None, "the engine is loaded before anything needs it"
        return self._maybe_engine

    @property
    def _takes(self) -> "Takes":
        assert self._maybe_takes is not None, "they are there with the engine"
        return self._maybe_takes

    @property
    def _clerk(self) -> "Clerk":
        assert self._maybe_clerk is not None, "it is there with the engine"
        return self._maybe_clerk

    async def run(self) -> None:
        """Start, play; whatever happens, stop in mirrored order."""
        loop = asyncio.get_running_loop()
        for number in SIGNALS:
            loop.add_signal_handler(number, self._quit.set)
        self._troupe = Troupe(self._settings, self._say)
        async with contextlib.AsyncExitStack() as stack:
            control = ControlServer(self._settings.midi.name, self._obey, ("learn",))
            control.claim()
            stack.callback(control.release)
            stack.push_async_callback(self._keep_takes)
            stack.push_async_callback(self._seeding.end)
            stack.push_async_callback(self._leave)
            await self._troupe.start()
            self._load()
            if not await self._unless_quit(self._seeding.begin(self._engine)):
                return
            if not await self._unless_quit(self._troupe.ready()):
                return
            await self._takes.recover()
            if self._settings.record.file:
                await self._takes.begin(Path(self._settings.record.file))
            self._announce()
            await self._desk.open()
            await control.open()
            stack.push_async_callback(control.shut)
            await self._perform()

    async def _unless_quit(self, what: Awaitable[None]) -> bool:
        """Wait for ``what``, or until asked to leave; tell whether it was done."""
        doing = asyncio.ensure_future(what)
        quitting = asyncio.create_task(self._quit.wait())
        await asyncio.wait([doing, quitting], return_when=asyncio.FIRST_COMPLETED)
        quitting.cancel()
        if not doing.done():
            doing.cancel()
            await asyncio.gather(doing, return_exceptions=True)
            return False
        await doing
        return not self._quit.is_set()

    def _load(self) -> None:
        """Load the model, and all that needs it."""
        # Imported only now: the player opens its ports while onnxruntime is loaded here.
        from lofid.clerk import Clerk  # noqa: PLC0415
        from lofid.commands import Commands  # noqa: PLC0415
        from lofid.engine import new_seed  # noqa: PLC0415
        from lofid.predictor import Predictor, default_model_path  # noqa: PLC0415
        from lofid.takes import Takes  # noqa: PLC0415
        from lofid.witness import Witness  # noqa: PLC0415

        chosen, seed = self._settings.engine, self._settings.music.seed
        path = Path(chosen.model) if chosen.model else default_model_path()
        predictor = Predictor(path, chosen.device)
        seed = new_seed() if seed is None else seed
        self._maybe_engine = engine = Witness(predictor, self._settings, seed, time.monotonic)
        self._maybe_clerk = clerk = Clerk(engine, self._settings, self._say)
        self._maybe_takes = takes = Takes(engine, clerk, self._say)
        self._commands = Commands(
            engine, self._troupe, takes, self._desk, self._seeding, self._quit.set
        )
        gc.collect()
        gc.freeze()  # all of this stays: to look through it now and then takes tens of ms

    async def _keep_takes(self) -> None:
        if self._maybe_takes is not None:
            await self._takes.end()

    def _announce(self) -> None:
        opened, predictor = self._troupe.opened, self._engine.predictor
        music = self._settings.music
        heard = f", hears {opened['input']}" if opened["input"] and not opened["awaits"] else ""
        self._say(f"lofid plays on {opened['backend']} port {opened['output']}{heard}")
        if opened["awaits"]:
            self._say(f"lofid waits for your keyboard: {opened['awaits']}")
        follows = " until you play in another key" if music.key == AUTO else ""
        key = f"{self._engine.status()['key']}{follows}"
        self._say(
            f"{key}, {music.tempo:g} bpm, seed {self._engine.seed}; "
            f"model {predictor.card.recipe} on {predictor.device} ({predictor.device_note})"
        )
        if line := self._settings.without_effect():
            self._say(line)
        if not opened["realtime"]:
            self._say(f"no real-time priority: {opened['realtime_note']}")

    async def _perform(self) -> None:
        """Play until asked to stop."""
        assert self._commands is not None, "they are there with the engine"
        self._commands.start()
        self._troupe.send(self._engine.begin())
        works = (
            self._listen,
            self._clerk.run,
            self._look,
            self._watch,
            self._desk.run,
            self._seeding.keep,
        )
        jobs = [asyncio.create_task(work()) for work in works]
        quitting = asyncio.create_task(self._quit.wait())
        try:
            await asyncio.wait(
                [*jobs, quitting], timeout=self._seconds, return_when=asyncio.FIRST_COMPLETED
            )
        finally:
            for job in (*jobs, quitting):
                job.cancel()
            results = await asyncio.gather(*jobs, quitting, return_exceptions=True)
        for result in results:
            if isinstance(result, Exception):
                raise result

    async def _listen(self) -> None:
        """Pass the players' messages to the engine and its answers back, for ever."""
        async for message in self._troupe.messages():
            self._silent_seconds = 0.0
            if self._desk.takes(message):  # a command, and no music
                self._engine.pass_over(message)
            else:
                self._troupe.send(self._engine.receive(message))
            if line := self._news.line(message):
                self._say(line)
            self._is_heard |= message["is"] == "heard"
            if not self._troupe.has_more:  # what came together is answered together
                await self._answer()

    async def _answer(self) -> None:
        """Answer what was heard, unless more comes meanwhile: that may have to be heard first."""
        self._left, self._is_heard = self._left + self._is_heard, False
        for answer in self._engine.answer():
            self._troupe.send([answer])
            for _ in range(TURNS):
                await asyncio.sleep(0)
            if self._troupe.has_more and self._left <= MOST_LEFT:
                return
        self._left = 0

    async def _look(self) -> None:
        """Say it once when the model fails."""
        said_of_model = False
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            if self._engine.faults and not said_of_model:
                said_of_model = True
                self._say("the model gave no numbers: lofid repeats its last bar until it does")

    async def _watch(self) -> None:
        """Kill a player that hangs; it is then replaced like any that dies.

        Its silence is counted in looks: time in which this process stood still itself is none.
        """
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            self._silent_seconds += LOOK_SECONDS
            if self._troupe.waits_for:
                self._silent_seconds = 0.0
            if self._silent_seconds > SILENT_SECONDS:
                self._say("the player process hangs")
                self._silent_seconds = 0.0
                self._troupe.kill()

    async def _leave(self) -> None:
        """Have the notes ended and the ports closed; the recording hears their ends."""
        engine = self._maybe_engine
        if engine is None:
            await self._troupe.leave(lambda _message: None, list)
            return

        def hear(message: Message) -> None:
            if message["is"] in ("on", "off"):
                engine.receive(message)

        await self._troupe.leave(hear, engine.at_stake)

    async def _obey(self, command: str, arguments: list[str]) -> Any:
        """Do what ``lofid ctl`` or a controller asks, once lofid plays."""
        assert self._commands is not None, "nobody is heard before they are there"
        return await self._commands.obey(command, arguments)
