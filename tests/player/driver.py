"""The engine's side of a real player process, for the tests."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable
from typing import Any, Self

from lofid.player.wire import Decoder, encode

PATIENCE_SECONDS = 10.0
PLAYER = [sys.executable, "-P", "-m", "lofid.player"]
_PARENT = "import subprocess, sys; subprocess.run(sys.argv[2:], pass_fds=[int(sys.argv[1])])"


class PlayerProcess:
    """``python -P -m lofid.player FD`` and the other end of its socket.

    ``settings`` go over this process's environment. With ``has_parent`` a process between us
    and the player starts it, and that one is ``process``. ``prepare`` runs in the player-to-be.
    """

    def __init__(
        self,
        settings: dict[str, str],
        has_parent: bool = False,
        prepare: Callable[[], None] | None = None,
    ) -> None:
        self.said: list[dict[str, Any]] = []
        self._waiting: deque[dict[str, Any]] = deque()
        self._decoder = Decoder()
        self._engine, theirs = socket.socketpair()
        self._engine.settimeout(PATIENCE_SECONDS)
        fd = str(theirs.fileno())
        between = [sys.executable, "-c", _PARENT, fd] if has_parent else []
        self.process = subprocess.Popen(
            [*between, *PLAYER, fd],
            pass_fds=[theirs.fileno()],
            env={**os.environ, **settings},
            stderr=subprocess.PIPE,
            start_new_session=True,
            preexec_fn=prepare,  # noqa: PLW1509 (only for tests that need it)
        )
        theirs.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.die()
        self.process.kill()
        self.process.communicate()

    def say(self, do: str, **values: Any) -> None:
        """Send one message."""
        self._engine.sendall(encode({"do": do, **values}))

    def open(self, **values: Any) -> dict[str, Any]:
        """Ask for ports and return the answer, ``open`` or ``refused``."""
        request = {"backend": "jack", "name": "lofid", "output": None, "input": None}
        self.say("open", **{**request, "channels": [0, 1], **values})
        return self.hear_until("open", "refused")

    def hear_until(self, *what: str, count: int = 1) -> dict[str, Any]:
        """Read until ``count`` more messages of a kind came, and return the last of them."""
        until = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < until:
            if not self._waiting:
                self._waiting.extend(self._receive())
                continue
            message = self._waiting.popleft()
            self.said.append(message)
            count -= message["is"] in what
            if count == 0:
                return message
        raise TimeoutError(f"waited {PATIENCE_SECONDS:g} s in vain for {what}")

    def said_of(self, *what: str) -> list[dict[str, Any]]:
        """All that was said of some kinds."""
        return [message for message in self.said if message["is"] in what]

    def die(self) -> None:
        """Close the engine's end, as the kernel does for a process that was killed."""
        self._engine.close()

    def end(self) -> tuple[int, str]:
        """Wait until the player has left: its exit status and what it wrote to stderr."""
        _, stderr = self.process.communicate(timeout=PATIENCE_SECONDS)
        return self.process.returncode, stderr.decode()

    def kill(self) -> None:
        """Kill the player with no chance to clean up."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(PATIENCE_SECONDS)

    def _receive(self) -> list[dict[str, Any]]:
        """Take one read; several messages that came together stay together in order."""
        data = self._engine.recv(1 << 16)
        if not data:
            raise EOFError(f"the player has gone; it said {self.said}")
        return self._decoder.feed(data)
