"""The real daemon as a subprocess, in folders of the test's own."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any, Self

from tests.jackserver import JackServer, wait_until

PATIENCE_SECONDS = 30.0
LOFID = [sys.executable, "-P", "-c", "from lofid.cli import main; main()"]


def own_folders(tmp_path: Path) -> dict[str, str]:
    """An environment in which nothing of the user's is read or written."""
    runtime = tmp_path / "run"
    runtime.mkdir(mode=0o700, exist_ok=True)
    runtime.chmod(0o700)
    names = ("XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME", "XDG_MUSIC_DIR", "HOME")
    return {**os.environ, **dict.fromkeys(names, str(tmp_path)), "XDG_RUNTIME_DIR": str(runtime)}


def own_environment(tmp_path: Path, server: JackServer) -> dict[str, str]:
    """The same, for programs that shall play on a test's JACK server."""
    return {**own_folders(tmp_path), **server.env}


def run(tmp_path: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    """Run one command of lofid to its end."""
    return subprocess.run(
        [*LOFID, *arguments],
        env=own_folders(tmp_path),
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


class LofidProcess:
    """``lofid play`` on a test's JACK server. ``lines`` is what it said until now."""

    def __init__(self, server: JackServer, tmp_path: Path, *arguments: str) -> None:
        self._tmp_path = tmp_path
        self._said = tmp_path / "said.txt"
        self.command = [*LOFID, "play", "--backend", "jack", *arguments]
        self.env = own_environment(tmp_path, server)
        with self._said.open("w") as said:
            self.process = subprocess.Popen(self.command, env=self.env, cwd=tmp_path, stderr=said)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(PATIENCE_SECONDS)
        finally:
            self.process.kill()

    @property
    def said(self) -> str:
        return self._said.read_text()

    def wait_for(self, text: str) -> None:
        """Return once it has said this."""
        wait_until(lambda: text in self.said or self.process.poll() is not None, f"{text!r}")
        assert text in self.said, self.said

    def wait(self) -> int:
        """Wait for its end; give the exit code."""
        return self.process.wait(PATIENCE_SECONDS)

    def ctl(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        """Run ``lofid ctl`` against it."""
        return run(self._tmp_path, "ctl", *arguments)

    def status(self) -> dict[str, Any]:
        """Ask for its status once it answers."""
        self.wait_for("seed")
        socket = self._tmp_path / "run" / "lofid" / "lofid.sock"
        wait_until(socket.exists, "a socket")
        answer = self.ctl("status", "--json")
        assert answer.returncode == 0, answer.stderr
        result: dict[str, Any] = json.loads(answer.stdout)
        return result

    def players(self) -> set[int]:
        """Find the players among this process's children: one, or none at the moment."""
        path = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        try:
            children = [int(pid) for pid in path.read_text().split()]
            return {
                p for p in children if b"lofid.player" in Path(f"/proc/{p}/cmdline").read_bytes()
            }
        except OSError:
            return set()

    def player_pid(self) -> int:
        """Find the player, once there is one."""
        wait_until(self.players, "the player process")
        return min(self.players())
