"""The control socket: how ``lofid ctl`` talks to a running daemon.

A Unix socket with mode 0600 in the runtime folder, one per daemon name; one JSON object a line
each way, each with the protocol's version::

    {"lofid": 1, "command": "set", "arguments": ["tempo", "76"]}
    {"lofid": 1, "ok": true, "result": {...}}      or {"lofid": 1, "ok": false, "error": "…"}

A lock beside the socket belongs to the living daemon; the system drops it with the process. So a
socket that a crash left behind is known to be stale, and is replaced.
"""

import asyncio
import json
import os
import select
import socket
import warnings
from collections.abc import Awaitable, Callable, Collection
from pathlib import Path
from typing import IO, Any

from platformdirs import user_runtime_path

from lofid.errors import AbsentError, ControlError, LofidError

VERSION = 1
ANSWER_SECONDS = 10.0
LOOK_SECONDS = 0.2
"""How soon it is seen that nobody waits any more."""
LONGEST_LINE_BYTES = 65536
LONGEST_PATH_BYTES = 100
Handler = Callable[[str, list[str]], Awaitable[Any]]


def socket_path(name: str) -> Path:
    """Where the daemon of this name listens."""
    with warnings.catch_warnings():
        # Where XDG_RUNTIME_DIR is missing or not safe, platformdirs takes another folder and warns,
        # by a category that differs from release to release; that is all right.
        warnings.simplefilter("ignore")
        folder = Path(user_runtime_path("lofid", appauthor=False))
    path = folder / f"{name}.sock"
    if len(os.fsencode(path)) > LONGEST_PATH_BYTES:
        raise ControlError(
            f"{path} is too long for a socket: set XDG_RUNTIME_DIR to a shorter path"
        )
    return path


class ControlServer:
    """The daemon's end. Everything here is called in the event loop.

    ``handler`` gets a command and its arguments, and its result goes out as JSON. What it raises
    goes out as an error; a fault that is none of LofidError, OSError or ValueError also ends the
    connection and is logged by asyncio. A command that has begun is carried out to its end, also
    when who asked has gone, or :meth:`shut` was called; but those of ``called_off_by_leaving`` are
    cancelled as soon as nobody waits for the answer.
    """

    def __init__(
        self, name: str, handler: Handler, called_off_by_leaving: Collection[str] = ()
    ) -> None:
        self._name = name
        self._handler = handler
        self._called_off_by_leaving = called_off_by_leaving
        self._path = socket_path(name)
        self._lock_file: IO[str] | None = None
        self._server: asyncio.Server | None = None
        self._connections: set[asyncio.Task[None]] = set()

    def claim(self) -> None:
        """Make this process the one daemon of its name. ControlError when another one is.

        Blocks only as long as the disk takes. ControlError also on a system without locks.
        """
        try:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            lock = self._path.with_suffix(".lock").open("a+", encoding="utf-8")
        except OSError as error:
            raise ControlError(f"cannot use {self._path.parent}: {error.strerror}") from None
        try:
            _lock(lock)
        except BlockingIOError:
            lock.close()
            raise ControlError(
                f"a lofid called '{self._name}' is already playing: end it with "
                f"'lofid ctl quit --name {self._name}', or give this one another --name"
            ) from None
        except OSError as error:
            lock.close()
            raise ControlError(f"cannot lock {lock.name}: {error.strerror}") from None
        self._lock_file = lock

    def release(self) -> None:
        """Give the name back; :meth:`shut` comes first. Does nothing when it was not claimed."""
        if self._lock_file is not None:
            self._lock_file.close()
            self._lock_file = None

    async def open(self) -> None:
        """Listen. :meth:`claim` comes first. ControlError when the socket cannot be made."""
        before = os.umask(0o177)
        try:
            self._path.unlink(missing_ok=True)
            self._server = await asyncio.start_unix_server(
                self._accept, self._path, limit=LONGEST_LINE_BYTES
            )
        except OSError as error:
            raise ControlError(f"cannot listen at {self._path}: {error.strerror}") from None
        finally:
            os.umask(before)

    async def shut(self) -> None:
        """Stop listening, end the connections and remove the socket.

        Waits for nobody: a command that is being carried out goes on, without an answer. Does
        nothing when nothing was opened.
        """
        if self._server is None:
            return
        self._server.close()
        self._server = None
        self._path.unlink(missing_ok=True)
        for connection in self._connections:
            connection.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._server is None:  # it came in the moment in which we were shut
            writer.transport.abort()
            return
        # A task of our own: asyncio's complains, in Python 3.11, when it is cancelled.
        task = asyncio.create_task(self._serve(reader, writer))
        self._connections.add(task)
        task.add_done_callback(self._served)

    def _served(self, task: asyncio.Task[None]) -> None:
        self._connections.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            context = {"message": "a command to lofid failed", "exception": error, "task": task}
            asyncio.get_running_loop().call_exception_handler(context)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while line := await _line(reader, writer):
                await self._answer(line, writer)
        except ConnectionError:
            pass  # the other side went away
        except asyncio.CancelledError:
            writer.transport.abort()  # without waiting until somebody reads what was answered
            raise
        finally:
            writer.close()

    async def _answer(self, line: bytes, writer: asyncio.StreamWriter) -> None:
        try:
            await _send(writer, await self._carry_out(line, writer))
        except ConnectionError:
            raise
        except Exception as error:
            await _send(writer, _refusal(f"internal error: {type(error).__name__}"))
            raise

    async def _carry_out(self, line: bytes, writer: asyncio.StreamWriter) -> bytes:
        command = ""
        try:
            command, arguments = _request(line)
            doing = asyncio.ensure_future(self._handler(command, arguments))
            if command in self._called_off_by_leaving:
                await _while_there(doing, writer)
            result = await asyncio.shield(doing)
        except LofidError as error:
            return _refusal(str(error))
        except OSError as error:
            return _refusal(f"cannot {command}: {error.strerror or type(error).__name__}")
        except ValueError as error:
            return _refusal(f"cannot {command}: {' '.join(str(error).split())}")
        return _encoded({"lofid": VERSION, "ok": True, "result": result})


async def _while_there(doing: "asyncio.Future[Any]", writer: asyncio.StreamWriter) -> None:
    """Wait until it is done, and cancel it when nobody is there any more.

    What comes from the other side is left for later. It may end while the answer is waited for.
    """
    connection = writer.get_extra_info("socket")
    hang_up = select.poll()
    hang_up.register(connection.fileno(), 0)  # which still tells when the other end is closed
    while not (await asyncio.wait([doing], timeout=LOOK_SECONDS))[0]:
        if writer.transport.is_closing() or hang_up.poll(0):
            doing.cancel()


def _lock(file: IO[str]) -> None:
    """Lock a file for this process. BlockingIOError when another process has it."""
    try:
        import fcntl  # noqa: PLC0415  # not there on Windows, where a file can be rendered
    except ImportError:
        raise ControlError(
            "this system has no file locks, which 'lofid play' needs: "
            "write a file with 'lofid render OUT.mid'"
        ) from None
    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


async def _line(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
    """Read a line; none at the end, and none that is too long, which is told."""
    try:
        return await reader.readline()
    except ValueError:
        await _send(writer, _refusal(f"the request is longer than {LONGEST_LINE_BYTES} bytes"))
        return b""


async def _send(writer: asyncio.StreamWriter, answer: bytes) -> None:
    writer.write(answer)
    await writer.drain()


def _encoded(answer: dict[str, Any]) -> bytes:
    return json.dumps(answer).encode() + b"\n"


def _refusal(error: str) -> bytes:
    return _encoded({"lofid": VERSION, "ok": False, "error": error})


def _request(line: bytes) -> tuple[str, list[str]]:
    try:
        request = json.loads(line)
    except (ValueError, RecursionError):
        raise ControlError("the request is not a line of JSON") from None
    if not isinstance(request, dict) or request.get("lofid") != VERSION:
        raise ControlError(f'the request must be an object with "lofid": {VERSION}')
    arguments = request.get("arguments", [])
    if not isinstance(request.get("command"), str) or not isinstance(arguments, list):
        raise ControlError('the request needs a "command" and a list of "arguments"')
    return request["command"], [str(argument) for argument in arguments]


def ask(name: str, command: str, *arguments: str, patience_seconds: float = ANSWER_SECONDS) -> Any:
    """Send one command to the daemon of this name and give its result. Blocks.

    AbsentError when there is none; ControlError when it does not answer, or refuses.
    """
    if not hasattr(socket, "AF_UNIX"):
        raise AbsentError("this system has no Unix sockets, which 'lofid ctl' needs")
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
        raise AbsentError(
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
