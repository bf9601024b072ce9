"""The composition root: starts everything, and stops it in mirrored order.

Start: claim the name, start the player, load the model, seed it, open the ports, begin the
recording, listen for commands, play. Stop: stop listening, end the notes and close the ports, keep
the context, make the recording, give the name back.
"""

import asyncio
import contextlib
import signal
import time
from collections.abc import Awaitable, Callable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from platformdirs import user_music_path, user_state_path

from lofid.control import ControlServer
from lofid.errors import ControlError, RecordingError
from lofid.meter import Meter
from lofid.news import News
from lofid.player.wire import Message
from lofid.recorder import unused
from lofid.seeding import Seeding
from lofid.settings import Settings
from lofid.troupe import Troupe

if TYPE_CHECKING:
    from lofid.engine import Engine

FLUSH_SECONDS = 1.0
SILENT_SECONDS = 10.0
"""A player tells where it is every half beat: one that says nothing for so long is hanging."""
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
        self._meter = Meter()
        self._news = News()
        self._seeding = Seeding(settings, say)
        self._maybe_engine: Engine | None = None
        self._takes: set[Path] = set()
        self._conversions: set[asyncio.Task[str]] = set()
        self._started = time.monotonic()
        self._silent_seconds = 0.0

    @property
    def _engine(self) -> "Engine":
        assert self._maybe_engine is not None, "the engine is loaded before anything needs it"
        return self._maybe_engine

    async def run(self) -> None:
        """Start, play; whatever happens, stop in mirrored order."""
        loop = asyncio.get_running_loop()
        for number in SIGNALS:
            loop.add_signal_handler(number, self._quit.set)
        self._troupe = Troupe(self._settings, self._say)
        async with contextlib.AsyncExitStack() as stack:
            control = ControlServer(self._settings.midi.name, self._obey)
            control.claim()
            stack.callback(control.release)
            stack.push_async_callback(self._keep_recording)
            stack.push_async_callback(self._seeding.end)
            stack.push_async_callback(self._leave)
            await self._troupe.start()
            self._maybe_engine = self._load_engine()
            await self._seeding.begin(self._engine)
            if not await self._unless_quit(self._troupe.ready()):
                return
            if self._settings.record.file:
                self._record(Path(self._settings.record.file))
            self._announce()
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

    def _load_engine(self) -> "Engine":
        # Imported only now: the player opens its ports while onnxruntime is loaded here.
        from lofid.engine import Engine, new_seed  # noqa: PLC0415
        from lofid.predictor import Predictor, default_model_path  # noqa: PLC0415

        chosen = self._settings.engine
        path = Path(chosen.model) if chosen.model else default_model_path()
        seed = self._settings.music.seed
        return Engine(
            Predictor(path, chosen.device),
            self._settings,
            new_seed() if seed is None else seed,
            time.monotonic,
        )

    def _announce(self) -> None:
        opened, predictor = self._troupe.opened, self._engine.predictor
        music = self._settings.music
        heard = f", hears {opened['input']}" if opened["input"] else ""
        self._say(f"lofid plays on {opened['backend']} port {opened['output']}{heard}")
        self._say(
            f"{music.key}, {music.tempo:g} bpm, seed {self._engine.seed}; "
            f"model {predictor.card.recipe} on {predictor.device} ({predictor.device_note})"
        )
        if not opened["realtime"]:
            self._say(f"no real-time priority: {opened['realtime_note']}")

    async def _perform(self) -> None:
        """Play until asked to stop."""
        self._meter.start(self._troupe.pid)
        self._troupe.send(self._engine.begin())
        self._started = time.monotonic()
        jobs = [
            asyncio.create_task(job())
            for job in (self._listen, self._flush, self._watch, self._seeding.keep)
        ]
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
            self._troupe.send(self._engine.receive(message))
            if line := self._news.line(message):
                self._say(line)

    async def _flush(self) -> None:
        """Bring the journal to the disk once a second; say it once when that or the model fails."""
        said = said_of_model = False
        while True:
            await asyncio.sleep(FLUSH_SECONDS)
            if self._engine.faults and not said_of_model:
                said_of_model = True
                self._say("the model gave no numbers: lofid repeats its last bar until it does")
            recorder = self._engine.recorder
            if recorder is None:
                said = False
                continue
            recorder.flush()
            if recorder.fault is not None and not said:
                said = True
                self._say(f"recording stopped: {recorder.fault}")

    async def _watch(self) -> None:
        """Kill a player that hangs; it is then replaced like any that dies.

        Its silence is counted in looks: time in which this process stood still itself is none.
        """
        while True:
            await asyncio.sleep(FLUSH_SECONDS)
            self._silent_seconds += FLUSH_SECONDS
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

    async def _keep_recording(self) -> None:
        if self._maybe_engine is not None and self._engine.recorder is not None:
            self._begin_conversion()
        for conversion in list(self._conversions):
            self._say(f"recorded {await conversion}")

    def _begin_conversion(self) -> "asyncio.Task[str]":
        """Have the MIDI file made by its own process, and wait for it in a thread."""
        conversion = self._engine.stop_recording()
        task = asyncio.create_task(asyncio.to_thread(lambda: str(conversion.wait())))
        self._conversions.add(task)
        task.add_done_callback(self._conversions.discard)
        return task

    async def _obey(self, command: str, arguments: list[str]) -> Any:
        """Do what ``lofid ctl`` asks. LofidError with the reason when it cannot be done."""
        match command, arguments:
            case "status", []:
                return self._status()
            case "set", [name, text]:
                self._troupe.send(self._engine.set(name, text))
                return f"{name} = {text}"
            case ("stop" | "start" | "continue" | "panic" | "forget") as what, []:
                return self._conduct(what)
            case "seed", [file]:
                seeded, answer = await self._seeding.seed(Path(file))
                self._troupe.send(seeded)
                return answer
            case "record", ["start"] | ["start", _] | ["stop"]:
                return await self._take(*arguments)
            case "quit", []:
                self._quit.set()
                return "leaving"
        raise ControlError(f"unknown command {command!r} with {len(arguments)} arguments")

    async def _take(self, what: str, where: str = "") -> str:
        """Begin a take, or end it and wait for its file."""
        if what == "start":
            return f"recording to {self._record(Path(where) if where else _new_take())}"
        return f"recorded {await self._begin_conversion()}"

    def _conduct(self, what: str) -> str:
        engine = self._engine
        deeds: dict[str, tuple[Callable[[], list[Message]], str]] = {
            "stop": (engine.halt, "stopped"),
            "start": (engine.start, "playing from the next bar line"),
            "continue": (engine.go_on, "playing"),
            "panic": (lambda: [{"do": "panic"}], "all notes off"),
            "forget": (engine.forget, "forgotten: what comes next begins anew"),
        }
        deed, answer = deeds[what]
        if what not in ("panic", "forget") and not self._troupe.is_playing:
            what_for = self._troupe.waits_for or "another player process"
            raise ControlError(f"lofid waits for {what_for}: '{what}' when it plays again")
        self._troupe.send(deed())
        return answer

    def _record(self, wanted: Path) -> Path:
        """Begin a take under a name that no other take of this session has, nor any file."""
        path: Path = unused(wanted.absolute(), self._takes)
        self._engine.record(path, Path(user_state_path("lofid", appauthor=False)) / "journals")
        self._takes.add(path)
        return path

    def _status(self) -> dict[str, Any]:
        opened, pid = self._troupe.opened, self._troupe.pid
        seconds = time.monotonic() - self._started
        names = ("backend", "output", "input", "clock", "latency_ms", "realtime", "realtime_note")
        return {
            **self._engine.status(),
            **{name: opened[name] for name in names},
            "waits_for": self._troupe.waits_for,
            "seconds": round(seconds, 1),
            "memory_mb": round(self._meter.memory_bytes(pid) / 2**20, 1),
            "cpu_percent": round(100 * self._meter.cpu_seconds(pid) / max(seconds, 1e-3), 2),
        }


def _new_take() -> Path:
    stamp = datetime.now().astimezone().strftime("%Y-%m-%d-%H%M%S")
    folder = Path(user_music_path()) / "lofid"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise RecordingError(f"{folder} cannot be made: {error.strerror}") from None
    return folder / f"lofid-{stamp}.mid"
