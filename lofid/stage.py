"""The stage: the engine's side of the player process. Starts it, talks to it, ends it.

Used from the engine's event loop only.
"""

import asyncio
import contextlib
import socket
import sys
from collections.abc import AsyncIterator, Callable, Iterable

from lofid.errors import NoMidiError, PortError
from lofid.player.wire import Decoder, Message, WireError, encode
from lofid.settings import Settings

FAREWELL_SECONDS = 3.0
"""How long a player may take to end its notes and leave, before it is killed."""
READ_BYTES = 1 << 16


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
        self._heard: asyncio.Queue[Message | WireError | None] = asyncio.Queue()
        self._listening = asyncio.create_task(self._listen())

    @classmethod
    async def start(cls, request: Message) -> "Stage":
        """Start a player and send it ``request``, to open its ports; does not wait for them."""
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
        stage.send([request])
        return stage

    @property
    def pid(self) -> int:
        """The player's process number."""
        return self._process.pid

    async def ready(self) -> Message | None:
        """Wait for the ports; give what was opened, or None when the player died.

        PortError when the ports were refused.
        """
        async for message in self.messages():
            if message["is"] == "open":
                return message
            if message["is"] == "refused":
                await self._process.wait()
                raise (NoMidiError if message["no_midi"] else PortError)(message["error"])
        return None

    def send(self, messages: Iterable[Message]) -> None:
        """Hand messages to the player; never blocks. Nothing happens when it is dead."""
        data = b"".join(encode(message) for message in messages)
        if data and not self._writer.is_closing():
            self._writer.write(data)

    async def messages(self) -> AsyncIterator[Message]:
        """Give what the player says, until its end of the line is gone. WireError for no sense."""
        while (message := await self._heard.get()) is not None:
            if isinstance(message, WireError):
                raise message
            yield message
        self._heard.put_nowait(None)  # for whoever asks again

    @property
    def has_more(self) -> bool:
        """Whether the player has said more that has come already."""
        return not self._heard.empty()

    async def _listen(self) -> None:
        """Take in what the player says, whoever is busy meanwhile; None is the end."""
        decoder = Decoder()
        try:
            while data := await self._reader.read(READ_BYTES):
                for message in decoder.feed(data):
                    self._heard.put_nowait(message)
        except WireError as error:
            self._heard.put_nowait(error)
        except ConnectionError:
            pass  # as at its end
        self._heard.put_nowait(None)

    async def leave(self, hear: Callable[[Message], object]) -> bool:
        """Have the player end its notes, close its ports and go, and ``hear`` its last words.

        True when it said that it did; one that takes too long is killed.
        """
        closed = False
        self.send([{"do": "stop"}])
        try:
            async with asyncio.timeout(FAREWELL_SECONDS):
                async for message in self.messages():
                    hear(message)
                    closed = closed or message["is"] == "closed"
                await self._process.wait()
        except TimeoutError:
            self.kill()
            await self._process.wait()
        self.close()
        return closed

    def kill(self) -> None:
        """Kill a player that hangs. Its successor silences what it held."""
        with contextlib.suppress(ProcessLookupError):
            self._process.kill()

    def close(self) -> None:
        """Close our end of the line."""
        self._listening.cancel()
        self._writer.close()


def open_request(settings: Settings) -> Message:
    """Ask for the ports that the settings name."""
    midi, parts, sync, keyboard = settings.midi, settings.parts, settings.sync, settings.keyboard
    is_led = sync.source == "midi-clock"
    return {
        "do": "open",
        "backend": midi.backend,
        "name": midi.name,
        "output": midi.output or None,
        "input": midi.input or None,
        "clock": sync.input if is_led else None,
        "waits_when_lost": sync.when_lost == "stop",
        "sends_clock": sync.send,
        "tempo": settings.music.tempo,
        "keyboard": {
            "thru": _wire_channel(keyboard.thru),
            "transpose": keyboard.transpose,
            "channel": _wire_channel(keyboard.channel),
        },
        "channels": [parts.lead_channel - 1, parts.keys_channel - 1],
    }


def _wire_channel(channel: int) -> int | None:
    """Channels are 1 to 16 for people, with 0 for none or all; 0 to 15 on the wire, or None."""
    return channel - 1 if channel else None
