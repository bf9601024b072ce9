"""The stage: the engine's side of the player process. Starts it, talks to it, ends it.

Used from the engine's event loop only.
"""

import asyncio
import contextlib
import socket
import sys
from collections.abc import AsyncIterator, Iterable

from lofid.config import Settings
from lofid.errors import NoMidiError, PortError
from lofid.player.wire import Decoder, Message, encode

FAREWELL_SECONDS = 3.0
"""How long a player may take to end its notes and leave, before it is killed."""


class Stage:
    """A running player process and the stream to it."""

    def __init__(
        self,
        process: asyncio.subprocess.Process,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> None:
        self._process = process
        self._reader = reader
        self._writer = writer
        self.opened: Message = {}

    @classmethod
    async def start(cls, settings: Settings) -> "Stage":
        """Start a player and have it open its ports; does not wait for them."""
        ours, theirs = socket.socketpair()
        with theirs:
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-P", "-m", "lofid.player", str(theirs.fileno()),
                stdin=asyncio.subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
                start_new_session=True,
            )  # fmt: skip
        ours.setblocking(False)
        stage = cls(process, *await asyncio.open_connection(sock=ours))
        stage.send([_open(settings)])
        return stage

    @property
    def pid(self) -> int:
        """The player's process number."""
        return self._process.pid

    async def ready(self) -> Message:
        """Wait for the ports; give what was opened. PortError when they were refused."""
        async for message in self.messages():
            if message["is"] == "open":
                self.opened = message
                return message
            if message["is"] == "refused":
                await self._process.wait()
                raise (NoMidiError if message["no_midi"] else PortError)(message["error"])
        raise PortError("the player process died before it opened a port: see its lines above")

    def send(self, messages: Iterable[Message]) -> None:
        """Hand messages to the player; never blocks. Nothing happens when it is dead."""
        data = b"".join(encode(message) for message in messages)
        if data and not self._writer.is_closing():
            self._writer.write(data)

    async def messages(self) -> AsyncIterator[Message]:
        """Give what the player says, until its end of the line is gone."""
        with contextlib.suppress(ConnectionError):
            while line := await self._reader.readline():
                for message in Decoder().feed(line):
                    yield message

    async def leave(self) -> None:
        """Have the player end its notes, close its ports and go; kill it if it does not.

        What it still had to say can be read from :meth:`messages`; then :meth:`close`.
        """
        self.send([{"do": "stop"}])
        try:
            await asyncio.wait_for(self._process.wait(), FAREWELL_SECONDS)
        except TimeoutError:
            self.kill()
            await self._process.wait()

    def kill(self) -> None:
        """Kill a player that hangs. Its successor silences what it held."""
        with contextlib.suppress(ProcessLookupError):
            self._process.kill()

    def close(self) -> None:
        """Close our end of the line."""
        self._writer.close()


def _open(settings: Settings) -> Message:
    midi, parts = settings.midi, settings.parts
    return {
        "do": "open",
        "backend": midi.backend,
        "name": midi.name,
        "output": midi.output or None,
        "input": midi.input or None,
        "channels": [parts.lead_channel - 1, parts.keys_channel - 1],
    }
