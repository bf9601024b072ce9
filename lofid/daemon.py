"""The composition root: starts everything, and stops it in mirrored order.

``start``: claim the name, start the player, load the model, open the ports, listen for commands,
play. ``stop``: end the notes and close the ports, make the recording, give the name back.
"""

import asyncio
import contextlib
import signal
import time
from collections.abc import Callable
from datetime import datetime
from itertools import chain, count
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil
from platformdirs import user_music_path, user_state_path

from lofid.config import Settings
from lofid.control import ControlServer
from lofid.errors import ControlError, PortError
from lofid.patchbay import Patchbay
from lofid.stage import Stage

if TYPE_CHECKING:
    from lofid.engine import Engine

FLUSH_SECONDS = 1.0
SILENT_SECONDS = 10.0
"""A player tells where it is every half beat: one that says nothing for so long is hanging."""
MOST_RESTARTS_A_MINUTE = 5
Say = Callable[[str], None]


def play(settings: Settings, seconds: float | None, say: Say) -> None:
    """Play until SIGINT, SIGTERM, ``ctl quit`` or ``seconds``. Blocks; LofidError if it cannot.

    ``say`` gets one line for each thing that a person should know.
    """
    asyncio.run(Daemon(settings, seconds, say).run())


class Daemon:
    """One session from start to end, in one event loop."""

    _stage: Stage
    _patchbay: Patchbay

    def __init__(self, settings: Settings, seconds: float | None, say: Say) -> None:
        self._settings = settings
        self._seconds = seconds
        self._say = say
        self._quit = asyncio.Event()
        self._maybe_engine: Engine | None = None
        self._restarts: list[float] = []
        self._conversions: set[asyncio.Task[str]] = set()
        self._started = self._heard_player = time.monotonic()
        self._cpu_seconds_before = 0.0

    @property
    def _engine(self) -> "Engine":
        assert self._maybe_engine is not None, "the engine is loaded before anything needs it"
        return self._maybe_engine

    async def run(self) -> None:
        """Start, play; whatever happens, stop in mirrored order."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self._quit.set)
        async with contextlib.AsyncExitStack() as stack:
            control = ControlServer(self._settings.midi.name, self._obey)
            control.claim()
            stack.callback(control.close)
            stack.push_async_callback(self._keep_recording)
            self._stage = await Stage.start(self._settings)
            stack.push_async_callback(self._leave)
            self._maybe_engine = self._load_engine()
            opened = await self._stage.ready()
            ports = [port for port in (opened["output"], opened["input"]) if port]
            self._patchbay = Patchbay(opened["backend"], ports)
            stack.callback(self._patchbay.close)
            if self._settings.record.file:
                self._engine.record(_unused(Path(self._settings.record.file)), _journals())
            self._announce(opened)
            await control.open()
            await self._perform()

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

    def _announce(self, opened: dict[str, Any]) -> None:
        music, predictor = self._settings.music, self._engine.predictor
        heard = f", hears {opened['input']}" if opened["input"] else ""
        self._say(f"lofid plays on {opened['backend']} port {opened['output']}{heard}")
        self._say(
            f"{music.key}, {music.tempo:g} bpm, seed {self._engine.seed}; "
            f"model {predictor.card.recipe} on {predictor.device} ({predictor.device_note})"
        )
        if not opened["realtime"]:
            self._say(f"no real-time priority: {opened['realtime_note']}")

    async def _perform(self) -> None:
        """Play until asked to stop; a player that dies is replaced."""
        self._cpu_seconds_before = self._cpu_seconds()
        self._stage.send(self._engine.begin())
        self._started = self._heard_player = time.monotonic()
        jobs = [asyncio.create_task(job()) for job in (self._listen, self._flush, self._watch)]
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
        """Pass the player's messages to the engine and its answers back, for ever."""
        while True:
            async for message in self._stage.messages():
                if message["is"] == "refused":
                    raise PortError(message["error"])
                self._heard_player = time.monotonic()
                self._stage.send(self._engine.receive(message))
            await self._replace_player()

    async def _replace_player(self) -> None:
        now = time.monotonic()
        self._restarts = [t for t in self._restarts if now - t < 60] + [now]
        if len(self._restarts) > MOST_RESTARTS_A_MINUTE:
            raise PortError("the player process keeps dying: see 'lofid doctor'")
        self._say("the player process died: silencing what it held with a new one")
        self._stage.close()
        self._stage = await Stage.start(self._engine.settings)
        await self._stage.ready()
        self._patchbay.restore()
        self._stage.send(self._engine.resume())

    async def _flush(self) -> None:
        """Bring the journal to the disk once a second; say it once when that fails."""
        said = False
        while True:
            await asyncio.sleep(FLUSH_SECONDS)
            self._patchbay.look()
            recorder = self._engine.recorder
            if recorder is None:
                said = False
                continue
            recorder.flush()
            if recorder.fault is not None and not said:
                said = True
                self._say(f"recording stopped: {recorder.fault}")

    async def _watch(self) -> None:
        """Kill a player that hangs; :meth:`_listen` then finds it dead and replaces it."""
        while True:
            await asyncio.sleep(FLUSH_SECONDS)
            if time.monotonic() - self._heard_player > SILENT_SECONDS:
                self._say("the player process hangs")
                self._heard_player = time.monotonic()
                self._stage.kill()

    async def _leave(self) -> None:
        """Have the player end its notes and go, and hear its last words for the recording."""
        await self._stage.leave()
        if self._maybe_engine is not None:
            async for message in self._stage.messages():
                if message["is"] in ("on", "off"):
                    self._engine.receive(message)
        self._stage.close()

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
                self._stage.send(self._engine.set(name, text))
                return f"{name} = {text}"
            case "panic", []:
                self._stage.send([{"do": "panic"}])
                return "all notes off"
            case "record", ["start", *where]:
                return self._record(Path(where[0]) if where else _new_take())
            case "record", ["stop"]:
                return f"recorded {await self._begin_conversion()}"
            case "quit", []:
                self._quit.set()
                return "leaving"
        raise ControlError(f"unknown command {command!r} with {len(arguments)} arguments")

    def _record(self, path: Path) -> str:
        path = _unused(path)
        self._engine.record(path, _journals())
        return f"recording to {path}"

    def _status(self) -> dict[str, Any]:
        opened = self._stage.opened
        processes = self._processes()
        seconds = time.monotonic() - self._started
        used = self._cpu_seconds() - self._cpu_seconds_before
        return {
            **self._engine.status(),
            "backend": opened["backend"],
            "output": opened["output"],
            "input": opened["input"],
            "realtime": opened["realtime"],
            "realtime_note": opened["realtime_note"],
            "seconds": round(seconds, 1),
            "memory_mb": round(sum(p.memory_info().rss for p in processes) / 2**20, 1),
            "cpu_percent": round(100 * used / max(seconds, 1e-3), 2),
        }

    def _processes(self) -> list[psutil.Process]:
        """Give the engine and, when it lives, the player."""
        with contextlib.suppress(psutil.NoSuchProcess):
            return [psutil.Process(), psutil.Process(self._stage.pid)]
        return [psutil.Process()]

    def _cpu_seconds(self) -> float:
        """Processor time of both processes until now."""
        return sum(t.user + t.system for t in (p.cpu_times() for p in self._processes()))


def _journals() -> Path:
    return Path(user_state_path("lofid", appauthor=False)) / "journals"


def _new_take() -> Path:
    stamp = datetime.now().astimezone().strftime("%Y-%m-%d-%H%M%S")
    folder = Path(user_music_path()) / "lofid"
    folder.mkdir(parents=True, exist_ok=True)
    return folder / f"lofid-{stamp}.mid"


def _unused(path: Path) -> Path:
    """Give ``path``, or with a number after its name where an earlier take has that one."""
    names = (path.with_name(f"{path.stem}-{n}{path.suffix}") for n in count(2))
    return next(p for p in chain([path], names) if not p.exists())
