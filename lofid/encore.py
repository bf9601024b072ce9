"""The encore: what sounded in a session is sent to a port again, in time, by a player process.

Rules:

* Notes keep their ticks, and are played at the tempos that held there, as they were: a tempo holds
  from its tick on, whenever the player comes there.
* A run begins when it did or, if that is later, when the player has come to the last note of the
  one before. Where the player is, it says itself.
"""

import asyncio
import signal
from collections import deque
from collections.abc import Coroutine, Sequence
from typing import Any

from lofid.entries import Tempo
from lofid.errors import PortError
from lofid.pieces import Piece
from lofid.player.clock import TempoClock
from lofid.player.wire import Message
from lofid.runs import Run, Say, runs_of
from lofid.settings import Settings
from lofid.stage import Stage, open_request

READY_SECONDS = 15.0
LEAD_IN_SECONDS = 2.0
"""What listens to a virtual port needs a moment to be connected to it."""
LOOK_SECONDS = 0.05
"""So long is waited at most between two looks at where the player is."""
POSITION_TICKS = 240
"""The player says where it is at each multiple of it."""
_SIGNALS = [getattr(signal, n) for n in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, n)]


def play(pieces: Sequence[Piece], settings: Settings, say: Say) -> None:
    """Play a session again, until its end or a signal. Blocks; LofidError if it cannot."""
    asyncio.run(_Encore(runs_of(pieces, say), settings, say).run())


class Progress:
    """Where the player is in the runs, and what it is to do next. No I/O.

    Seconds are of one monotonic clock. The first run begins at ``begin_seconds``.
    """

    def __init__(self, runs: Sequence[Run], begin_seconds: float) -> None:
        self._runs = deque(runs)
        self._began = begin_seconds - runs[0].seconds
        self._run: Run | None = None
        self._tempos: deque[Tempo] = deque()
        """Those of the run that are to come."""
        self._is_cued = False
        """Whether the player was told to begin the run, and has not said yet that it did."""
        self._clock = TempoClock()
        self._passed = self._reached = 0
        """The player's last position in the run, and the last tick that it said anything of."""

    @property
    def is_done(self) -> bool:
        """Whether all has sounded and ended."""
        if self._run is None or self._runs or self._is_cued:
            return False
        return self._passed >= self._run.end_tick

    def hear(self, message: Message, now: float) -> None:
        """Take what the player says; until it begins a run, that is still of the one before."""
        match message:
            case {"is": "transport", "moving": True, "tick": tick} if self._run is not None:
                self._is_cued = False
                self._passed = self._reached = tick
                self._clock.start(tick, now, self._run.tempo)
            case {"is": "position", "tick": tick} if not self._is_cued:
                self._passed, self._reached = tick, max(self._reached, tick)
                self._clock.start(tick, now, self._clock.tempo_bpm)
            case {"is": "on" | "dropped", "tick": tick} if not self._is_cued:
                self._reached = max(self._reached, tick)

    def take(self, now: float) -> list[Message]:
        """Give what the player is to do now."""
        messages: list[Message] = []
        while self._tempos and self._seconds_to(self._tempos[0].tick, now) <= 0:
            tempo = self._tempos.popleft().bpm
            self._clock.set_tempo(tempo, now)
            messages.append({"do": "tempo", "tempo": tempo})
        if self._runs and self._is_through and self._begin_seconds <= now:
            self._run, self._is_cued = self._runs.popleft(), True
            self._tempos = deque(self._run.tempos)
            messages += self._run.plays()
        return messages

    @property
    def _is_through(self) -> bool:
        """Whether all notes of the run have begun."""
        return self._run is None or (not self._is_cued and self._reached >= self._run.last_tick)

    @property
    def _begin_seconds(self) -> float:
        return self._began + self._runs[0].seconds

    def _seconds_to(self, tick: int, now: float) -> float:
        """How long it is to a tick by the tempo; longer than a look where it is too far to say."""
        next_position = self._passed - self._passed % POSITION_TICKS + POSITION_TICKS
        if self._is_cued or tick > next_position:
            return LOOK_SECONDS
        return self._clock.seconds_at(tick) - now

    def wait_seconds(self, now: float) -> float:
        """How long to wait before the next :meth:`take`, at most."""
        waits = [LOOK_SECONDS]
        if self._tempos:
            waits.append(self._seconds_to(self._tempos[0].tick, now))
        if self._runs and self._is_through:
            waits.append(self._begin_seconds - now)
        return max(0.0, min(waits))


class _Encore:
    """One session, in one event loop."""

    def __init__(self, runs: Sequence[Run], settings: Settings, say: Say) -> None:
        self._runs = runs
        ours_alone: Message = {"input": None, "clock": None, "tempo": runs[0].tempo}
        self._request = {**open_request(settings), **ours_alone}
        self._say = say

    async def run(self) -> None:
        """Open a port and play, until the end or a signal."""
        quitting = asyncio.Event()
        for number in _SIGNALS:
            asyncio.get_running_loop().add_signal_handler(number, quitting.set)
        stage = await Stage.start(self._request)
        try:
            await until_one_is_done(self._open(stage), quitting.wait())
            if not quitting.is_set():
                await until_one_is_done(self._perform(stage), quitting.wait())
        finally:
            await stage.leave(lambda _message: None)

    async def _open(self, stage: Stage) -> None:
        try:
            async with asyncio.timeout(READY_SECONDS):
                opened = await stage.ready()
        except TimeoutError:
            stage.kill()
            raise PortError("no MIDI port opened: is the MIDI system hanging?") from None
        if opened is None:
            raise PortError("the player process died before it opened a port: see 'lofid doctor'")
        notes = sum(len(run.notes) for run in self._runs)
        where = f"{opened['backend']} port {opened['output']}"
        self._say(f"lofid plays {notes} notes again on {where}")

    async def _perform(self, stage: Stage) -> None:
        loop = asyncio.get_running_loop()
        progress = Progress(self._runs, loop.time() + LEAD_IN_SECONDS)
        await until_one_is_done(self._send(stage, progress), self._listen(stage, progress))

    @staticmethod
    async def _send(stage: Stage, progress: Progress) -> None:
        loop = asyncio.get_running_loop()
        while not progress.is_done:
            stage.send(progress.take(loop.time()))
            await asyncio.sleep(progress.wait_seconds(loop.time()))

    @staticmethod
    async def _listen(stage: Stage, progress: Progress) -> None:
        loop = asyncio.get_running_loop()
        async for message in stage.messages():
            progress.hear(message, loop.time())
        raise PortError("the player process died: see 'lofid doctor'")


async def until_one_is_done(*works: Coroutine[Any, Any, Any]) -> None:
    """Do all of it until one is done, and call the others off. Raises what one of them raised."""
    jobs = [asyncio.ensure_future(work) for work in works]
    try:
        await asyncio.wait(jobs, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for job in jobs:
            job.cancel()
        results = await asyncio.gather(*jobs, return_exceptions=True)
    for result in results:
        if isinstance(result, Exception):
            raise result
