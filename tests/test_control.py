"""The control socket, for real: two ends over a Unix socket in a folder of the test's own."""

import asyncio
import json
import os
import socket
import stat
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lofid.control import ControlServer, ask, socket_path
from lofid.errors import ConfigError, ControlError


@pytest.fixture(autouse=True)
def _runtime(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))


async def _handler(command: str, arguments: list[str]) -> Any:
    if command == "fail":
        raise ConfigError("tempo is 1000; must be a number from 20 to 300")
    return [command, *arguments]


@pytest.fixture
def served() -> Iterator[str]:
    """A server in a thread of its own, which is up while the test runs."""
    ready, loop = threading.Event(), asyncio.new_event_loop()
    done = asyncio.Event()

    async def serve() -> None:
        server = ControlServer("test", _handler)
        server.claim()
        await server.open()
        ready.set()
        await done.wait()
        server.close()

    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),))
    thread.start()
    assert ready.wait(10)
    yield "test"
    loop.call_soon_threadsafe(done.set)
    thread.join()
    loop.close()


def test_a_command_and_its_answer(served: str) -> None:
    assert ask(served, "set", "tempo", "76") == ["set", "tempo", "76"]


def test_a_refusal_is_told_as_it_was(served: str) -> None:
    with pytest.raises(ControlError, match="tempo is 1000; must be a number from 20 to 300"):
        ask(served, "fail")


def test_the_socket_is_its_owners_alone(served: str) -> None:
    assert stat.S_IMODE(os.stat(socket_path(served)).st_mode) == 0o600


@pytest.mark.parametrize(
    "line",
    [b"\n", b"nonsense\n", b"[]\n", b'{"lofid": 2, "command": "status"}\n', b'{"lofid": 1}\n'],
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
        server.close()

    asyncio.run(serve())
    assert not path.exists()


def test_nobody_there() -> None:
    with pytest.raises(ControlError, match="start one with 'lofid play'"):
        ask("nobody", "status")
