"""The rival: the grid as a plain script plays it, with mido and ``time.sleep`` in one process.

``python -P -m lofid.bench.rival JOB`` plays it twice. First it sleeps until each note's place on
the grid, counted from the beginning; then it sleeps from one note to the next, as most scripts do,
and drifts. What keeps a script busy besides runs in a thread of it. Nothing is asked of the system.
"""

import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lofid.bench.grid import CHANNEL, VELOCITY, Grid, pitch
from lofid.bench.loads import carry
from lofid.errors import BenchError
from lofid.player.realtime import ask_for_news_of_the_engine

if TYPE_CHECKING:
    from collections.abc import Iterator

APIS = {
    "jack": "UNIX_JACK",
    "jack-rtmidi": "UNIX_JACK",
    "alsa": "LINUX_ALSA",
    "coremidi": "MACOSX_CORE",
    "windows": "WINDOWS_MM",
}
"""mido's names of lofid's backends."""
Now = Callable[[], float]
Sleep = Callable[[float], object]
PATIENCE_SECONDS = 60.0
"""On top of what the grid takes: under load all is late, and a model loads slowly."""


@dataclass(frozen=True, slots=True)
class Job:
    """What to play, where, and what to do besides."""

    backend: str
    notes: int
    threads: tuple[str, ...]
    model: str
    device: str


@dataclass(frozen=True, slots=True)
class Rivalry:
    """How late each note of the two loops was sent, in µs; below 0 is early."""

    absolute_us: tuple[int, ...]
    delta_us: tuple[int, ...]


def compete(job: Job) -> Rivalry:
    """Have the rival play. Blocks. BenchError when it cannot."""
    command = [sys.executable, "-P", "-m", "lofid.bench.rival", json.dumps(asdict(job))]
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            start_new_session=True,
            timeout=10 * Grid(job.notes).seconds + PATIENCE_SECONDS,
            check=True,
        )
    except subprocess.TimeoutExpired:
        raise BenchError(
            "the plain loop did not come to its end: is the machine too busy?"
        ) from None
    except subprocess.CalledProcessError as error:
        last = (error.stderr.strip() or f"exit status {error.returncode}").splitlines()[-1]
        raise BenchError(f"the plain loop could not play: {last}") from None
    found = json.loads(done.stdout)
    return Rivalry(tuple(found["absolute_us"]), tuple(found["delta_us"]))


def main() -> None:
    """Play as the module says; print a :class:`Rivalry` as JSON."""
    ask_for_news_of_the_engine()
    told = json.loads(sys.argv[1])
    job = Job(**{**told, "threads": tuple(told["threads"])})
    with _busy(job), _port(job.backend) as port:
        absolute = by_the_clock(port, job.notes, time.monotonic, time.sleep)
        delta = by_deltas(port, job.notes, time.monotonic, time.sleep)
    print(json.dumps({"absolute_us": absolute, "delta_us": delta}))


def by_the_clock(port: Any, notes: int, now: Now, sleep: Sleep) -> list[int]:
    """Sleep until each note's place on the grid; give how late each was sent, in µs."""
    dues, late = Grid(notes).due_seconds(), []
    begin = now()
    for due, messages in zip(dues, _messages(notes), strict=True):
        if (left := begin + due - now()) > 0:
            sleep(left)
        for message in messages:
            port.send(message)
        late.append(now() - begin - due)
    return _microseconds(late)


def by_deltas(port: Any, notes: int, now: Now, sleep: Sleep) -> list[int]:
    """Sleep from each note to the next; give how late each was sent, in µs."""
    dues, late = Grid(notes).due_seconds(), []
    deltas = [dues[0], *(after - before for before, after in pairwise(dues))]
    begin = now()
    for due, delta, messages in zip(dues, deltas, _messages(notes), strict=True):
        sleep(delta)
        for message in messages:
            port.send(message)
        late.append(now() - begin - due)
    return _microseconds(late)


def _microseconds(late: list[float]) -> list[int]:
    """Leave the last out: it is the end of a note, and note-ons are what is measured."""
    return [round(1e6 * seconds) for seconds in late[:-1]]


def _messages(notes: int) -> list[list[Any]]:
    """Give what is sent at each place: the end of one note, the beginning of the next."""
    import mido  # noqa: PLC0415  # the bench takes no part in this

    ons = [
        mido.Message("note_on", channel=CHANNEL, note=pitch(i), velocity=VELOCITY)
        for i in range(notes)
    ]
    offs = [mido.Message("note_off", channel=CHANNEL, note=pitch(i)) for i in range(notes)]
    return [[ons[0]], *([off, on] for off, on in zip(offs, ons[1:], strict=False)), [offs[-1]]]


@contextmanager
def _port(backend: str) -> "Iterator[Any]":
    import mido  # noqa: PLC0415

    system = mido.Backend(f"mido.backends.rtmidi/{APIS[backend]}")
    port = system.open_output("out", client_name="lofid-rival")
    try:
        yield port
    finally:
        port.close()


@contextmanager
def _busy(job: Job) -> "Iterator[None]":
    """Have the script's own loads in threads of it, and begin when they have."""
    running = threading.Event()
    running.set()
    threads = list(_threads(job, running))
    try:
        yield
    finally:
        running.clear()
        for thread in threads:
            thread.join()


def _threads(job: Job, running: threading.Event) -> Iterable[threading.Thread]:
    for kind in job.threads:
        begun = threading.Event()
        given = (kind, running.is_set, begun.set, Path(job.model), job.device)
        thread = threading.Thread(target=carry, args=given)
        thread.start()
        begun.wait(PATIENCE_SECONDS)
        yield thread


if __name__ == "__main__":
    main()
