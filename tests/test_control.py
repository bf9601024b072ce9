"""The control socket, for real: two ends over a Unix socket in a folder of the test's own."""

import asyncio
import json
import os
import socket
import stat
import subprocess
import sys
import threading
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from lofid import control
from lofid.control import ControlServer, ask, socket_path
from lofid.errors import ConfigError, ControlError


@pytest.fixture(autouse=True)
def _runtime(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))


async def _handler(command: str, arguments: list[str]) -> Any:
    match command:
        case "fail":
            raise ConfigError("tempo is 1000; must be a number from 20 to 300")
        case "write":
            raise PermissionError(13, "Permission denied")
        case "name":
            (Path.cwd() / "a\0b").stat()
        case "stumble":
            raise KeyError(command)
        case "muddle":
            return {1, 2}
    return [command, *arguments]


@pytest.fixture
def complaints() -> list[str]:
    """What asyncio would have logged of the server: the types of the faults."""
    return []


@pytest.fixture
def served(complaints: list[str]) -> Iterator[str]:
    """A server in a thread of its own, which is up while the test runs."""
    ready, loop = threading.Event(), asyncio.new_event_loop()
    loop.set_exception_handler(lambda _, context: complaints.append(repr(context["exception"])))
    done = asyncio.Event()

    async def serve() -> None:
        server = ControlServer("test", _handler)
        server.claim()
        await server.open()
        ready.set()
        await done.wait()
        await server.shut()
        server.release()

    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),))
    thread.start()
    assert ready.wait(10)
    yield "test"
    loop.call_soon_threadsafe(done.set)
    thread.join()
    loop.close()


def test_a_missing_runtime_folder_is_no_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    """platformdirs takes another one; a person need not read of it."""
    monkeypatch.delenv("XDG_RUNTIME_DIR")
    assert socket_path("a").name == "a.sock"


def test_a_command_and_its_answer(served: str) -> None:
    assert ask(served, "set", "tempo", "76") == ["set", "tempo", "76"]


def test_a_refusal_is_told_as_it_was(served: str) -> None:
    with pytest.raises(ControlError, match="tempo is 1000; must be a number from 20 to 300"):
        ask(served, "fail")


def test_the_socket_is_its_owners_alone(served: str) -> None:
    assert stat.S_IMODE(os.stat(socket_path(served)).st_mode) == 0o600


@pytest.mark.parametrize(
    "line",
    [
        b"\n",
        b"nonsense\n",
        b"[]\n",
        b'{"lofid": 2, "command": "status"}\n',
        b'{"lofid": 1}\n',
        b"[" * 60_000 + b"\n",
        b"\xff\n",
        b"1" * 5000 + b"\n",
    ],
    ids=["empty", "words", "list", "version", "no command", "nested", "no text", "long number"],
)
def test_nonsense_gets_an_answer_and_the_line_stays_open(served: str, line: bytes) -> None:
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(str(socket_path(served)))
        file = connection.makefile("rwb")
        for _ in range(2):
            file.write(line)
            file.flush()
            answer = json.loads(file.readline())
            assert answer["ok"] is False
            assert "\n" not in answer["error"]
        file.write(b'{"lofid": 1, "command": "status"}\n')
        file.flush()
        assert json.loads(file.readline()) == {"lofid": 1, "ok": True, "result": ["status"]}


@pytest.mark.parametrize(
    ("command", "told"),
    [
        ("write", "^cannot write: Permission denied$"),
        ("name", "^cannot name: embedded null byte$"),
        ("stumble", "^internal error: KeyError$"),
        ("muddle", "^internal error: TypeError$"),
    ],
)
def test_whatever_the_handler_raises_is_answered(served: str, command: str, told: str) -> None:
    """And the daemon listens on."""
    with pytest.raises(ControlError, match=told):
        ask(served, command)
    assert ask(served, "status") == ["status"]


def test_only_a_fault_of_lofid_is_logged(served: str, complaints: list[str]) -> None:
    """What a person or the disk did wrong is told to who asked, and that is all."""
    for command in ("fail", "write", "name", "stumble"):
        with pytest.raises(ControlError):
            ask(served, command)
    ask(served, "status")
    assert complaints == ["KeyError('stumble')"]


def test_a_line_that_is_too_long_is_told(served: str) -> None:
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(str(socket_path(served)))
        connection.settimeout(10)
        connection.sendall(b"x" * 65537 + b"\n")
        file = connection.makefile("rb")
        assert json.loads(file.readline())["error"] == "the request is longer than 65536 bytes"
        assert file.readline() == b""


def test_a_line_without_an_end_harms_nobody(served: str) -> None:
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(str(socket_path(served)))
        connection.settimeout(10)
        try:
            connection.sendall(b"x" * 200_000)
            connection.recv(1)
        except ConnectionError:
            pass
    assert ask(served, "status") == ["status"]


def test_a_second_daemon_of_the_name_is_refused(served: str) -> None:
    with pytest.raises(ControlError, match="end it with 'lofid ctl quit --name test"):
        ControlServer(served, _handler).claim()


def test_a_stale_socket_is_replaced() -> None:
    """A crash leaves the socket behind, but not the lock."""
    path = socket_path("test")
    path.parent.mkdir(parents=True, exist_ok=True)
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(path))
    with pytest.raises(ControlError, match="no lofid called 'test' is playing"):
        ask("test", "status")

    async def serve() -> None:
        server = ControlServer("test", _handler)
        server.claim()
        await server.open()
        answer = await asyncio.to_thread(ask, "test", "status")
        assert answer == ["status"]
        await server.shut()
        server.release()

    asyncio.run(serve())
    assert not path.exists()


def test_nobody_there() -> None:
    with pytest.raises(ControlError, match="start one with 'lofid play'"):
        ask("nobody", "status")


# The end

Client = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def _shut_on(client: Client, handler: Any = _handler) -> list[str]:
    """Have a client do its part, shut the server, see the line end; give asyncio's complaints."""
    complaints: list[str] = []

    async def serve() -> None:
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda _, context: complaints.append(context["message"]))
        server = ControlServer("test", handler)
        server.claim()
        await server.open()
        reader, writer = await asyncio.open_unix_connection(socket_path("test"))
        await client(reader, writer)
        await server.shut()
        server.release()
        writer.close()
        assert asyncio.all_tasks() == {asyncio.current_task()}

    asyncio.run(serve())
    assert not socket_path("test").exists()
    return complaints


async def _asks(writer: asyncio.StreamWriter, command: str) -> None:
    writer.write(json.dumps({"lofid": 1, "command": command}).encode() + b"\n")
    await writer.drain()


def test_a_client_that_stays_connected_is_let_go() -> None:
    async def client(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await _asks(writer, "status")
        await reader.readline()

    assert _shut_on(client) == []


def test_a_client_that_never_reads_holds_nobody_up() -> None:
    """Its answer is larger than what the system keeps for it."""
    answered = asyncio.Event()

    async def handler(command: str, arguments: list[str]) -> str:
        answered.set()
        return "x" * 4_000_000

    async def client(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await _asks(writer, "status")
        await answered.wait()

    assert _shut_on(client, handler) == []


def test_what_has_begun_is_carried_out_though_nobody_hears_of_it() -> None:
    """Even a command that fails then: who asked has gone."""
    begun, go_on, ended = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def handler(command: str, arguments: list[str]) -> None:
        begun.set()
        await go_on.wait()
        ended.set()
        raise ConfigError("too late")

    async def serve() -> None:
        server = ControlServer("test", handler)
        server.claim()
        await server.open()
        reader, writer = await asyncio.open_unix_connection(socket_path("test"))
        await _asks(writer, "record")
        await begun.wait()
        await server.shut()
        server.release()
        assert await reader.read() == b""
        writer.close()
        assert not ended.is_set()
        go_on.set()
        await ended.wait()

    asyncio.run(serve())


@pytest.mark.parametrize("leaves", ["half", "whole"])
def test_what_is_asked_only_for_who_waits_ends_when_they_have_gone(
    leaves: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who has sent all that there is, and still reads, has not gone."""
    monkeypatch.setattr(control, "LOOK_SECONDS", 0.01)
    begun, called_off, go_on = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def handler(command: str, arguments: list[str]) -> str:
        begun.set()
        try:
            await go_on.wait()
        except asyncio.CancelledError:
            called_off.set()
            raise
        return "learnt"

    async def serve() -> None:
        server = ControlServer("test", handler, called_off_by_leaving=("learn",))
        server.claim()
        await server.open()
        reader, writer = await asyncio.open_unix_connection(socket_path("test"))
        await _asks(writer, "learn")
        await begun.wait()
        if leaves == "half":
            writer.write_eof()
            await asyncio.sleep(0.1)
            go_on.set()
            assert json.loads(await reader.readline())["result"] == "learnt"
            assert not called_off.is_set()
            writer.close()
        else:
            writer.close()
            await asyncio.wait_for(called_off.wait(), 10)
        await server.shut()
        server.release()

    asyncio.run(serve())


def test_what_was_never_begun_can_be_ended() -> None:
    server = ControlServer("test", _handler)
    asyncio.run(server.shut())
    server.release()
    server.claim()
    server.release()
    other = ControlServer("test", _handler)
    other.claim()
    other.release()


def test_a_socket_that_cannot_be_made_is_one_line() -> None:
    server = ControlServer("test", _handler)
    server.claim()
    socket_path("test").mkdir()
    with pytest.raises(ControlError, match=r"\Acannot listen at \S+test\.sock: Is a directory\Z"):
        asyncio.run(server.open())
    server.release()


def test_a_system_without_locks_is_told_and_can_still_render() -> None:
    """As on Windows, whose Python has no fcntl."""
    program = (
        "import sys; sys.modules['fcntl'] = None\n"
        "import lofid.cli\n"
        "from lofid.control import ControlServer\n"
        "from lofid.errors import ControlError\n"
        "try: ControlServer('test', print).claim()\n"
        "except ControlError as error: print(error)\n"
    )
    ended = subprocess.run(
        [sys.executable, "-P", "-c", program], capture_output=True, text=True, check=False
    )
    assert ended.stdout == (
        "this system has no file locks, which 'lofid play' needs: "
        "write a file with 'lofid render OUT.mid'\n"
    )
