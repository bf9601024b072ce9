"""A real session: how soon ``lofid play`` plays, and what it costs, as its own status says."""

import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lofid.control import ask, socket_path
from lofid.errors import BenchError
from lofid.settings import Settings

TEMPO_BPM = 80
_PROGRAM = """
from lofid.player.realtime import ask_for_news_of_the_engine
ask_for_news_of_the_engine()
from lofid.cli import main
main()
"""
"""``lofid``, that leaves when the bench is killed."""
START_SECONDS = 60.0
LOOK_SECONDS = 0.005
LEAVE_SECONDS = 15.0


@dataclass(frozen=True, slots=True)
class Session:
    """``start_seconds`` is from starting the program until it takes commands.

    That is the moment in which its music's clock starts too. The rest is the status's own.
    """

    backend: str
    tempo: float
    seconds: float
    start_seconds: float
    memory_mb: float
    cpu_percent: float


def attend(settings: Settings, seconds: float) -> Session:
    """Have lofid play alone for so long, into a virtual port. Blocks. BenchError, ControlError."""
    began = time.monotonic()
    with _playing(settings, seconds + START_SECONDS) as process:
        start_seconds = _wait_for(socket_path(settings.midi.name), process, began)
        time.sleep(seconds)
        status: dict[str, Any] = ask(settings.midi.name, "status")
    names = ("backend", "tempo", "seconds", "memory_mb", "cpu_percent")
    return Session(start_seconds=start_seconds, **{name: status[name] for name in names})


@contextmanager
def _playing(settings: Settings, seconds: float) -> Iterator["subprocess.Popen[bytes]"]:
    """Run ``lofid play`` with a settings file of our own, so that no one's recording is begun.

    Nor does it go on from anybody's music, or leave its own to be gone on from.
    """
    with tempfile.TemporaryDirectory(prefix="lofid-bench-") as folder:
        config = Path(folder, "config.toml")
        config.write_text('[music]\nmemory = "off"\n', encoding="utf-8")
        engine, midi = settings.engine, settings.midi
        flags = ["--config", str(config), "--name", midi.name, "--backend", midi.backend]
        flags += ["--model", engine.model, "--device", engine.device, "--tempo", str(TEMPO_BPM)]
        with subprocess.Popen(
            # Where the system does not tell of the bench's end, it leaves by itself, if later.
            [sys.executable, "-P", "-c", _PROGRAM, "play", *flags, "--seconds", str(seconds)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        ) as process:
            try:
                yield process
            finally:
                _end(process)


def _end(process: "subprocess.Popen[bytes]") -> None:
    process.terminate()
    try:
        process.wait(LEAVE_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()


def _wait_for(path: Path, process: "subprocess.Popen[bytes]", began: float) -> float:
    """Give the seconds until it listens."""
    while not _listens(path):
        if process.poll() is not None:
            raise BenchError(f"'lofid play' left with {process.returncode}: see 'lofid doctor'")
        if time.monotonic() - began > START_SECONDS:
            raise BenchError(f"'lofid play' did not start within {START_SECONDS:g} s")
        time.sleep(LOOK_SECONDS)
    return time.monotonic() - began


def _listens(path: Path) -> bool:
    """Knock, which costs it less than a question. A socket that a crash left does not answer."""
    with socket.socket(socket.AF_UNIX) as knock:
        return path.exists() and knock.connect_ex(str(path)) == 0
