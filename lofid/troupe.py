"""The troupe: the player that plays now, and the one that steps in when it dies.

Whatever becomes of a player, the notes it held are ended: by itself, by its successor, or, when
lofid leaves and no player is left to end them, by one that is started only for that.

Used from the engine's event loop only.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterable

from lofid.config import Settings
from lofid.errors import PortError
from lofid.patchbay import Patchbay, why_no_patchbay
from lofid.player.wire import Message
from lofid.stage import Stage

MOST_DEATHS_A_MINUTE = 5
READY_SECONDS = 15.0
RESTORE_SECONDS = 2.0
REFUSALS = 3
"""How often a successor may be refused its ports."""
Say = Callable[[str], None]


class Troupe:
    """One player process at a time. ``opened`` is what the latest one said of its ports."""

    def __init__(self, settings: Settings, say: Say, gone: Callable[[], None]) -> None:
        self._settings = settings
        self._say = say
        self._gone = gone
        self._stage: Stage | None = None
        self._patchbay: Patchbay | None = None
        self._deaths: list[float] = []
        self._is_playing = False
        self.opened: Message = {}

    @property
    def pid(self) -> int:
        """The process number of the latest player."""
        assert self._stage is not None, "a player is started before anyone asks for it"
        return self._stage.pid

    async def start(self) -> None:
        """Start a player; does not wait for its ports."""
        self._stage = await Stage.start(self._settings)

    async def ready(self) -> None:
        """Wait for the ports; a player that dies meanwhile is replaced. PortError if refused."""
        while True:
            assert self._stage is not None, "a player is started before anyone waits for it"
            opened = await self._opened(self._stage)
            if opened is not None:
                break
            self._count_death()
            await self.start()
        self.opened = opened
        self._is_playing = True
        if self._patchbay is None:
            self._watch_connections()

    @staticmethod
    async def _opened(stage: Stage) -> Message | None:
        try:
            return await asyncio.wait_for(stage.ready(), READY_SECONDS)
        except TimeoutError:
            stage.kill()
            raise PortError(
                f"no MIDI port opened within {READY_SECONDS:g} s: is the MIDI system hanging?"
            ) from None

    def _watch_connections(self) -> None:
        if not self.opened["backend"].startswith("jack"):
            return
        if why_not := why_no_patchbay():
            self._say(f"{why_not}: a player that dies will lose its connections")
            return
        ports = [port for port in (self.opened["output"], self.opened["input"]) if port]
        self._patchbay = Patchbay(ports, self._gone)
        self._patchbay.start()

    def send(self, messages: Iterable[Message]) -> None:
        """Hand messages to the player; nothing while it is being replaced (see resume)."""
        if self._is_playing and self._stage is not None:
            self._stage.send(messages)

    async def messages(self) -> AsyncIterator[Message]:
        """Give what the players say, for ever; ``replaced`` when a new one waits for its cue.

        PortError when players keep dying, or a new one gets no port.
        """
        while True:
            assert self._stage is not None, "a player is started before anyone listens to it"
            async for message in self._stage.messages():
                if message["is"] == "refused":
                    raise PortError(message["error"])
                yield message
            await self._replace()
            yield {"is": "replaced"}

    async def _replace(self) -> None:
        self._is_playing = False
        if self._patchbay is not None:
            self._patchbay.pause()
        self._say("the player process died: a new one ends what it held, and goes on")
        self._count_death()
        await self._fresh()

    async def _fresh(self) -> None:
        """Have another player, connected as the last one was.

        A dead player's name may be free only after a moment, so a refusal is not the last word.
        """
        for tries_left in reversed(range(REFUSALS)):
            if self._stage is not None:
                self._stage.close()
            await self.start()
            try:
                await self.ready()
                break
            except PortError:
                if not tries_left:
                    raise
        if self._patchbay is not None:
            await asyncio.to_thread(self._patchbay.restore, RESTORE_SECONDS)

    def _count_death(self) -> None:
        now = time.monotonic()
        self._deaths = [*(t for t in self._deaths if now - t < 60), now]
        if len(self._deaths) > MOST_DEATHS_A_MINUTE:
            raise PortError("the player process keeps dying: see 'lofid doctor'")

    def kill(self) -> None:
        """Kill a player that hangs; :meth:`messages` then replaces it."""
        if self._stage is not None:
            self._stage.kill()

    async def leave(
        self, hear: Callable[[Message], object], at_stake: Callable[[], list[tuple[int, int]]]
    ) -> None:
        """Have the player end its notes and go, hearing its last words.

        If it cannot, a last player is started to end what is ``at_stake``.
        """
        closed = self._stage is not None and await self._stage.leave(hear)
        if not (closed and self._is_playing) and (notes := at_stake()):
            await self._silence(notes)
        if self._patchbay is not None:
            self._patchbay.close()

    async def _silence(self, notes: list[tuple[int, int]]) -> None:
        if self._patchbay is not None:
            self._patchbay.pause()
        self._deaths.clear()
        try:
            await self._fresh()
        except PortError as error:
            self._say(f"{len(notes)} notes could not be ended: {error}")
            return
        self.send([{"do": "silence", "notes": [list(note) for note in notes]}])
        assert self._stage is not None, "it was started just now"
        await self._stage.leave(lambda _message: None)
