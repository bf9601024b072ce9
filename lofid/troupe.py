"""The troupe: the player that plays now, and the one that steps in when it dies.

Whatever becomes of a player, the notes it held are ended: by itself, by its successor, or, when
lofid leaves and no player is left to end them, by one that is started only for that.

A session that began on JACK stays there: when the server goes, it waits for the next one. That is
no death of the player's.

Used from the engine's event loop only.
"""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable, Sequence

from lofid.errors import NoMidiError, PortError
from lofid.patchbay import News, Patchbay, own_ports, why_no_patchbay
from lofid.player.ports import VIRTUAL
from lofid.player.wire import Message
from lofid.settings import Settings
from lofid.stage import Stage, open_request

MOST_DEATHS_A_MINUTE = 5
READY_SECONDS = 15.0
RESTORE_SECONDS = 2.0
NEWS_SECONDS = 1.0
"""How long the patchbay may need to see whether the server is there."""
WAIT_SECONDS = 1.0
"""The least time between two players that look for a server."""
REFUSALS = 3
"""How often a successor may be refused its ports."""
Say = Callable[[str], None]


class Troupe:
    """One player process at a time. ``opened`` is what the latest one said of its ports.

    ``waits_for`` is what there has to be before another player can play; empty when one does.
    ``is_playing`` is False while a player is being replaced.
    """

    def __init__(self, settings: Settings, say: Say) -> None:
        self._name = settings.midi.name
        self._wanted_input = settings.midi.input
        self._request = open_request(settings)
        self._say = say
        self._stage: Stage | None = None
        self._patchbay: Patchbay | None = None
        self._server_there = asyncio.Event()
        self._server_gone = asyncio.Event()
        self._deaths: list[float] = []
        self.is_playing = False
        self.opened: Message = {}
        self.waits_for = ""

    @property
    def pid(self) -> int:
        """The process number of the latest player."""
        assert self._stage is not None, "a player is started before anyone asks for it"
        return self._stage.pid

    @property
    def keyboard(self) -> str:
        """Where the keyboard is: ``none``, ``virtual``, ``there`` or ``waited for``."""
        if self._wanted_input in ("", VIRTUAL):
            return self._wanted_input or "none"
        is_there = self.opened["input"] is not None and not self.opened["awaits"]
        return "there" if is_there else "waited for"

    async def start(self) -> None:
        """Start a player; does not wait for its ports."""
        self._stage = await Stage.start(self._request)

    async def ready(self) -> None:
        """Wait for the ports; a player that dies meanwhile is replaced. PortError if refused."""
        while True:
            assert self._stage is not None, "a player is started before anyone waits for it"
            opened = await self._opened(self._stage)
            if opened is not None:
                break
            self._count_death()
            await self.start()
        is_first = not self.opened
        self.opened = opened
        if is_first:
            self.is_playing = True
            self._settle()

    @staticmethod
    async def _opened(stage: Stage) -> Message | None:
        try:
            async with asyncio.timeout(READY_SECONDS):
                return await stage.ready()
        except TimeoutError:
            stage.kill()
            raise PortError(
                f"no MIDI port opened within {READY_SECONDS:g} s: is the MIDI system hanging?"
            ) from None

    def _settle(self) -> None:
        """Have whoever steps in later open the same ports, on the same system."""
        self._request["backend"] = self.opened["backend"]
        if not self._is_on_jack:
            return
        if why_not := why_no_patchbay():
            self._say(f"{why_not}: a player that dies will lose its connections")
            return
        self._patchbay = Patchbay(
            own_ports(self._name, self.opened),
            News(*map(_told_to_loop, (self._server_goes, self._server_comes, self._rejoined))),
        )
        self._patchbay.start()
        # Not every peer may be back in time: then a later look connects it.
        self._request["patient"] = True
        if self._request["backend"] == "jack-rtmidi":  # whose looks are the patchbay's alone
            self._request["output"] = None
            self._request["clock"] = self._request["clock"] and VIRTUAL

    @property
    def _is_on_jack(self) -> bool:
        return str(self._request["backend"]).startswith("jack")

    def _server_goes(self) -> None:
        self._server_there.clear()
        self._server_gone.set()
        if self.is_playing:
            self.kill()  # it could find out only at its next note

    def _server_comes(self) -> None:
        self._server_gone.clear()
        self._server_there.set()

    def _rejoined(self) -> None:
        """End what a listener may hold since it was lost; keys that are held stay so."""
        self.send([{"do": "silence", "notes": []}])

    def send(self, messages: Sequence[Message]) -> None:
        """Hand messages to the player; nothing while it is being replaced (see resume)."""
        for message in messages:
            if "tempo" in message:
                self._request["tempo"] = message["tempo"]  # for the clock that a successor sends
        if self.is_playing and self._stage is not None:
            self._stage.send(messages)

    @property
    def has_more(self) -> bool:
        """Whether the player has said more that has come already."""
        return self._stage is not None and self._stage.has_more

    async def messages(self) -> AsyncIterator[Message]:
        """Give what the players say, for ever.

        Also ``gone`` when one has, and ``replaced`` when a new one waits for its cue.
        PortError when players keep dying, or a new one gets no port.
        """
        while True:
            assert self._stage is not None, "a player is started before anyone listens to it"
            refusal = ""
            async for message in self._stage.messages():
                if message["is"] == "refused":
                    refusal = message["error"]
                    continue
                if message["is"] == "plugged":
                    self._plugged(message)
                yield message
            yield {"is": "gone"}
            await self._replace(refusal)
            self.is_playing = True
            yield {"is": "replaced"}

    def _plugged(self, message: Message) -> None:
        """Keep what is known of the ports up to date."""
        self.opened[message["side"]] = message["port"]
        if message["side"] == "input":
            self.opened["awaits"] = "" if message["there"] else message["why"] or "it has gone"

    async def _replace(self, refusal: str) -> None:
        """See to a player's end; ``refusal`` is its last word, if it had one."""
        self.is_playing = False
        if self._patchbay is not None:
            self._patchbay.pause()
        if not await self._lost_server():
            if refusal and not self._is_on_jack:
                raise PortError(refusal)
            why = f" ({refusal})" if refusal else ""
            self._say(f"the player process died{why}: a new one ends what it held, and goes on")
            self._count_death()
        await self._fresh()

    async def _lost_server(self) -> bool:
        """Whether the server has gone; one that hangs is as good as gone."""
        if self._patchbay is not None:
            is_told = await asyncio.to_thread(self._patchbay.check, NEWS_SECONDS)
            if not is_told:
                self._server_goes()
        return self._server_gone.is_set()

    async def _fresh(self) -> None:
        """Have another player; on JACK, as soon as there is a server."""
        while self._server_gone.is_set() or not await self._got_another():
            await self._wait_for_server()
        if self.waits_for:
            self.waits_for = ""
            self._say("the JACK server is back: the music goes on")

    async def _got_another(self) -> bool:
        """Whether there is another player now: False when JACK has no server."""
        try:
            await self._another()
        except NoMidiError:
            if not self._is_on_jack:
                raise
            if self._patchbay is not None:
                self._patchbay.doubt()
            return False
        return True

    async def _wait_for_server(self) -> None:
        """Wait until the patchbay finds one; without a patchbay, until it is time to try again."""
        if not self.waits_for:
            self.waits_for = "the JACK server"
            self.opened |= {"output": None, "input": None, "clock": None}
            self._say("the JACK server does not answer: lofid waits for it")
        await asyncio.sleep(WAIT_SECONDS)
        if self._patchbay is not None:
            await self._server_there.wait()

    async def _another(self) -> None:
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
            except PortError as error:
                if not tries_left or isinstance(error, NoMidiError):
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
        is_heard = self._server_there.is_set() or not (self.waits_for or self._server_gone.is_set())
        if is_heard and not (closed and self.is_playing) and (notes := at_stake()):
            await self._silence(notes)
        if self._patchbay is not None:
            self._patchbay.close()

    async def _silence(self, notes: list[tuple[int, int]]) -> None:
        if self._patchbay is not None:
            self._patchbay.pause()
        self._deaths.clear()
        try:
            await self._another()
        except PortError as error:
            self._say(f"{len(notes)} notes could not be ended: {error}")
            return
        self.is_playing = True
        self.send([{"do": "silence", "notes": [list(note) for note in notes]}])
        assert self._stage is not None, "it was started just now"
        await self._stage.leave(lambda _message: None)


def _told_to_loop(call: Callable[[], None]) -> Callable[[], None]:
    """Make ``call`` one that other threads may call; it is then done in the event loop."""
    loop = asyncio.get_running_loop()

    def tell() -> None:
        with contextlib.suppress(RuntimeError):  # the loop is closed: lofid has left
            loop.call_soon_threadsafe(call)

    return tell
