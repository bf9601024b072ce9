"""The control socket: how ``lofid ctl`` talks to a running daemon.

A Unix socket with mode 0600 in the runtime folder, one per daemon name; one JSON object a line
each way, each with the protocol's version::

    {"lofid": 1, "command": "set", "arguments": ["tempo", "76"]}
    {"lofid": 1, "ok": true, "result": {...}}      or {"lofid": 1, "ok": false, "error": "…"}

A lock beside the socket belongs to the living daemon; the system drops it with the process. So a
socket that a crash left behind is known to be stale, and is replaced.
"""

import asyncio
import fcntl
import json
import os
import socket
import warnings
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import IO, Any

from platformdirs import user_runtime_path

from lofid.errors import ControlError, LofidError

VERSION = 1
ANSWER_SECONDS = 10.0
LONGEST_LINE_BYTES = 65536
LONGEST_PATH_BYTES = 100
Handler = Callable[[str, list[str]], Awaitable[Any]]


def socket_path(name: str) -> Path:
    """Where the daemon of this name listens."""
    with warnings.catch_warnings():
        # Where XDG_RUNTIME_DIR is not safe, platformdirs takes another folder; that is all right.
        warnings.simplefilter("ignore", RuntimeWarning)
        folder = Path(user_runtime_path("lofid", appauthor=False))
    path = folder / f"{name}.sock"
    if len(os.fsencode(path)) > LONGEST_PATH_BYTES:
        raise ControlError(
            f"{path} is too long for a socket: set XDG_RUNTIME_DIR to a shorter path"
        )
    return path


class ControlServer:
    """The daemon's end. ``handler`` gets a command and its arguments, in the event loop."""

    def __init__(self, name: str, handler: Handler) -> None:
        self._name = name
        self._handler = handler
        self._path = socket_path(name)
        self._lock: IO[str] | None = None
        self._server: asyncio.Server | None = None

    def claim(self) -> None:
        """Make this process the one daemon of its name. ControlError when another one is."""
        try:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            lock = self._path.with_suffix(".lock").open("a+", encoding="utf-8")
        except OSError as error:
            raise ControlError(f"cannot use {self._path.parent}: {error.strerror}") from None
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.close()
            raise ControlError(
                f"a lofid called '{self._name}' is already playing: end it with "
                f"'lofid ctl quit --name {self._name}', or give this one another --name"
            ) from None
        self._lock = lock

    async def open(self) -> None:
        """Listen. :meth:`claim` comes first."""
        self._path.unlink(missing_ok=True)
        before = os.umask(0o177)
        try:
            self._server = await asyncio.start_unix_server(
                self._serve, self._path, limit=LONGEST_LINE_BYTES
            )
        finally:
            os.umask(before)

    def close(self) -> None:
        """Stop listening and give the name back."""
        if self._server is not None:
            self._server.close()
            self._path.unlink(missing_ok=True)
        if self._lock is not None:
            self._lock.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while line := await reader.readline():
                writer.write(json.dumps(await self._answer(line)).encode() + b"\n")
                await writer.drain()
        except (ConnectionError, ValueError):
            pass  # the other side went away, or sent a line without an end
        finally:
            writer.close()

    async def _answer(self, line: bytes) -> dict[str, Any]:
        try:
            command, arguments = _request(line)
            result = await self._handler(command, arguments)
        except LofidError as error:
            return {"lofid": VERSION, "ok": False, "error": str(error)}
        return {"lofid": VERSION, "ok": True, "result": result}


def _request(line: bytes) -> tuple[str, list[str]]:
    try:
        request = json.loads(line)
    except ValueError:
        raise ControlError("the request is not a line of JSON") from None
    if not isinstance(request, dict) or request.get("lofid") != VERSION:
        raise ControlError(f'the request must be an object with "lofid": {VERSION}')
    arguments = request.get("arguments", [])
    if not isinstance(request.get("command"), str) or not isinstance(arguments, list):
        raise ControlError('the request needs a "command" and a list of "arguments"')
    return request["command"], [str(argument) for argument in arguments]


def ask(name: str, command: str, *arguments: str, patience_seconds: float = ANSWER_SECONDS) -> Any:
    """Send one command to the daemon of this name and give its result. Blocks.

    ControlError when no daemon answers, or when it refuses.
    """
    path = socket_path(name)
    request = {"lofid": VERSION, "command": command, "arguments": arguments}
    try:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(patience_seconds)
            connection.connect(str(path))
            connection.sendall(json.dumps(request).encode() + b"\n")
            answer = connection.makefile("rb").readline()
    except TimeoutError:
        raise ControlError(f"the lofid called '{name}' does not answer: is it hanging?") from None
    except OSError:
        raise ControlError(
            f"no lofid called '{name}' is playing: start one with 'lofid play'"
        ) from None
    return _result(answer, name)


def _result(line: bytes, name: str) -> Any:
    try:
        answer = json.loads(line)
    except ValueError:
        raise ControlError(f"the lofid called '{name}' went away before it answered") from None
    if answer.get("lofid") != VERSION:
        raise ControlError(f"the lofid called '{name}' is of another version than this command")
    if not answer["ok"]:
        raise ControlError(answer["error"])
    return answer["result"]
