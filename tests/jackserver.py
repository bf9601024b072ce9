"""A JACK server of the tests' own, and independent clients that listen to lofid and play to it.

Nothing here shares code with lofid: the recorder reads JACK's own sample times.
"""

import contextlib
import ctypes.util
import fcntl
import gc
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import IO, Any, Self

RATE = 48_000
PERIOD_FRAMES = 256
PATIENCE_SECONDS = 10.0
"""Only ever waited out by a test that is about to fail."""


SWITCH_SECONDS = 0.0005
"""How long a test may keep a client of JACK's from the interpreter."""


def why_no_jack() -> str:
    """Why this machine cannot run a JACK server; empty where it can."""
    if shutil.which("jackd") is None:
        return "jackd is not installed"
    if ctypes.util.find_library("jack") is None:
        return "libjack is not installed"
    return ""


def wait_until(
    met: Callable[[], Any], what: str, patience_seconds: float = PATIENCE_SECONDS
) -> None:
    """Return as soon as ``met()`` is true. AssertionError when patience ends first."""
    until = time.monotonic() + patience_seconds
    while not met():
        assert time.monotonic() < until, f"waited {patience_seconds:g} s in vain for {what}"
        time.sleep(0.002)


class JackServer:
    """``with JackServer() as server:`` runs jackd's dummy driver under a name of its own.

    One that ``is_patient`` waits 0.1 s for a client; else it skips, under load too, the periods for
    which a client was late, and their MIDI is lost: that is jackd's default.

    While it runs, this process's JACK clients find it; ``env`` is for those of others: only what
    is the server's own, to be merged over an environment.
    """

    def __init__(
        self, rate: int = RATE, period_frames: int = PERIOD_FRAMES, is_patient: bool = True
    ) -> None:
        self.name, self._claim = _free_name()
        self.rate = rate
        self.period_frames = period_frames
        self._is_patient = is_patient
        self.env = {"JACK_DEFAULT_SERVER": self.name, "JACK_NO_START_SERVER": "1"}
        self._kept: dict[str, str | None] = {}
        self._process: subprocess.Popen[bytes] | None = None
        self._log = tempfile.TemporaryFile()  # noqa: SIM115 (closed by stop)

    def __enter__(self) -> Self:
        self._kept = {key: os.environ.get(key) for key in self.env}
        os.environ.update(self.env)
        try:
            self.start()
        except AssertionError:
            self.stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Run the server, also once more after :meth:`end` or :meth:`kill`."""
        how = [*(["--sync"] if self._is_patient else []), *_realtime_flag()]
        command = ["jackd", *how, "-n", self.name, "-d", "dummy"]
        command += ["-r", str(self.rate), "-p", str(self.period_frames)]
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            pass_fds=[self._claim.fileno()],  # while it lives, though we may not, it has its name
        )
        wait_until(self._answers, "the JACK server")

    def end(self) -> None:
        """End the server and keep its name; :meth:`start` may follow.

        By force only if it must be: jackd2 knows eight servers a machine, and one that was
        killed keeps its place until another of the same name starts.
        """
        if self._process is not None:
            self._process.terminate()
            try:
                self._process.wait(5)
            except subprocess.TimeoutExpired:
                self.kill()
            self._process = None

    def kill(self) -> None:
        """End it by force; let :meth:`start` follow, which takes its place back."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def stop(self) -> None:
        """End the server and give its name back; more than once does no harm."""
        self.end()
        for key, value in self._kept.items():
            if value is None:
                os.environ.pop(key, None)
            else:
                os.environ[key] = value
        self._kept = {}
        self._log.close()
        self._claim.close()

    def freeze(self) -> None:
        """Make the server hang, as a stopped process does; :meth:`thaw` comes after."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it run again."""
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)

    def ports(self) -> list[str]:
        """The MIDI ports there are, by JACK's names (``client:port``)."""
        with _client("look", self) as client:
            return _midi_ports(client)

    def _said(self) -> str:
        self._log.seek(0)
        return self._log.read().decode(errors="replace")

    def _answers(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, f"jackd could not start: {self._said()}"
        try:
            with _client("knock", self):
                return True
        except _jack().JackOpenError:
            return False


@dataclass(frozen=True, slots=True)
class Recorded:
    """One MIDI message and the absolute frame it came at."""

    frame: int
    data: bytes


class JackRecorder:
    """Records what ``source`` (``lofid:out``) plays, by the sample; waits for that port first.

    ``events`` may be read at any time from any thread. ``xruns`` counts when the server did not
    wait for a client any longer (0.1 s, when a machine stands still): what was to be read or
    written then may be lost or come twice, and nobody is to blame for it but the machine.
    """

    def __init__(self, server: JackServer, source: str | None = None, name: str = "rec") -> None:
        self.events: list[Recorded] = []
        self.cycles = 0
        self.xruns = 0
        self._sleep: tuple[int, float] | None = None
        self._server = server
        self._source = source
        self._switch_seconds = sys.getswitchinterval()
        self._client = _new_client(name, server)
        self._frame = int(self._client.last_frame_time)
        self._port = self._client.midi_inports.register("in")
        self._client.set_process_callback(self._process)
        self._client.set_xrun_callback(self._count_xrun)

    def __enter__(self) -> Self:
        # A full collection of pytest's heap takes 0.1 s, in which the server would wait for us.
        gc.collect()
        gc.freeze()
        # And a test that computes keeps the interpreter for as long as a whole period.
        sys.setswitchinterval(SWITCH_SECONDS)
        self._client.activate()
        if self._source is not None:
            self.listen_to(self._source)
        return self

    def __exit__(self, *_: object) -> None:
        self._client.deactivate()
        self._client.close()
        sys.setswitchinterval(self._switch_seconds)
        gc.unfreeze()

    def listen_to(self, source: str, patience_seconds: float = PATIENCE_SECONDS) -> None:
        """Connect one more output."""
        there = lambda: source in _midi_ports(self._client)  # noqa: E731
        wait_until(there, f"the port {source}", patience_seconds)
        self._client.connect(source, self._port)

    def connect(self, source: str, target: str) -> None:
        """Connect two ports of others."""
        self._client.connect(source, target)

    def wait_for(self, count: int, patience_seconds: float = PATIENCE_SECONDS) -> list[Recorded]:
        """Return what was recorded once it is at least ``count`` messages."""
        met = lambda: len(self.events) >= count  # noqa: E731
        wait_until(met, f"{count} MIDI messages, heard {self.events}", patience_seconds)
        return list(self.events)

    def wait_for_quiet(self, patience_seconds: float = PATIENCE_SECONDS) -> list[Recorded]:
        """Return what was recorded once something was heard and every note is off."""
        met = lambda: self.events and not sounding(list(self.events))  # noqa: E731
        wait_until(met, f"all notes to end, heard {self.events}", patience_seconds)
        return list(self.events)

    def frame_now(self) -> int:
        """The newest period's first frame (JACK 2's estimate of this moment may be far off)."""
        return self._frame

    def sleep_at(self, frame: int, seconds: float) -> None:
        """Hold the server up in a period to come."""
        self._sleep = frame, seconds

    def wait_for_cycles(self, count: int = 20) -> None:
        """Return once the server has gone round: it may skip periods when a client joins."""
        after = self.cycles + count
        wait_until(lambda: self.cycles >= after, "the server's periods")

    def _process(self, _frames: int) -> None:
        self.cycles += 1
        self._frame = start = int(self._client.last_frame_time)
        if self._sleep is not None and start >= self._sleep[0]:
            (_, seconds), self._sleep = self._sleep, None
            time.sleep(seconds)
        for offset, data in self._port.incoming_midi_events():
            self.events.append(Recorded(start + offset, bytes(data)))

    def _count_xrun(self, _microseconds: float) -> None:
        self.xruns += 1


class JackKeyboard:
    """A keyboard: a client with a MIDI output, ``NAME:out``, and perhaps more that say nothing."""

    def __init__(
        self, server: JackServer, name: str = "keyboard", more: Iterable[str] = ()
    ) -> None:
        self.port_name = f"{name}:out"
        self._waiting: deque[bytes] = deque()
        self._timed: deque[tuple[int, bytes]] = deque()
        self._sent = threading.Event()
        self._client = _new_client(name, server)
        self._frame = int(self._client.last_frame_time)
        self._port, *_ = [self._client.midi_outports.register(each) for each in ("out", *more)]
        self._client.set_process_callback(self._process)

    def __enter__(self) -> Self:
        self._client.activate()
        return self

    def __exit__(self, *_: object) -> None:
        self._client.deactivate()
        self._client.close()

    def connect(self, target: str) -> None:
        """Plug into an input such as ``lofid:in``, once it is there."""
        wait_until(lambda: target in _midi_ports(self._client), f"the port {target}")
        self._client.connect(self._port, target)

    def disconnect(self, target: str) -> None:
        """Unplug from it, as a person does."""
        self._client.disconnect(self._port, target)

    def frame_now(self) -> int:
        """The newest period's first frame (JACK 2's estimate of this moment may be far off)."""
        return self._frame

    def play_at(self, timed: Iterable[tuple[int, bytes]]) -> None:
        """Send messages at frames to come, in this order; returns at once."""
        self._timed.extend(timed)

    def play(self, *messages: Iterable[int]) -> None:
        """Send messages in the next period, a frame apart; returns once they are sent."""
        self._sent.clear()
        self._waiting.extend(bytes(message) for message in messages)
        assert self._sent.wait(PATIENCE_SECONDS), "the JACK server does not run"

    def _process(self, frames: int) -> None:
        self._port.clear_buffer()
        self._frame = start = int(self._client.last_frame_time)
        while self._timed and self._timed[0][0] < start + frames:
            at, message = self._timed.popleft()
            self._port.write_midi_event(max(0, at - start), message)
        had_any = bool(self._waiting)
        offset = 0
        while self._waiting:
            self._port.write_midi_event(offset, self._waiting.popleft())
            offset += 1
        if had_any:
            self._sent.set()


@dataclass(frozen=True, slots=True)
class Heard:
    """A note as it was heard: ``off_frame`` is None while it sounds."""

    channel: int
    pitch: int
    velocity: int
    on_frame: int
    off_frame: int | None


def pair_notes(events: Iterable[Recorded]) -> list[Heard]:
    """Pair each note-on with the next note-off of its channel and pitch, in order of onset.

    AssertionError for a note that is struck again while it sounds; a stray note-off is ignored.
    """
    notes: list[Heard] = []
    open_notes: dict[tuple[int, int], int] = {}
    for event in events:
        kind, key = event.data[0] & 0xF0, (event.data[0] & 0x0F, event.data[1])
        if kind == 0x90 and event.data[2] > 0:
            assert key not in open_notes, f"{key} is struck again while it sounds"
            open_notes[key] = len(notes)
            notes.append(Heard(*key, event.data[2], event.frame, None))
        elif kind in (0x80, 0x90) and key in open_notes:
            at = open_notes.pop(key)
            on = notes[at]
            notes[at] = Heard(on.channel, on.pitch, on.velocity, on.on_frame, event.frame)
    return notes


def without_repeats(events: Iterable[Recorded]) -> list[Recorded]:
    """Leave out note-offs of what does not sound: after an xrun they are said again."""
    held: set[bytes] = set()
    kept = []
    for event in events:
        kind, note = event.data[0] & 0xF0, bytes([event.data[0] & 0x0F, event.data[1]])
        if kind == 0x80 and note not in held:
            continue
        if kind == 0x90:
            held.add(note)
        elif kind == 0x80:
            held.discard(note)
        kept.append(event)
    return kept


def sounding(events: Iterable[Recorded]) -> set[tuple[int, int]]:
    """The (channel, pitch) pairs that still sound. All Sound Off does not count as an end."""
    return {(note.channel, note.pitch) for note in pair_notes(events) if note.off_frame is None}


def _free_name() -> tuple[str, IO[str]]:
    """Claim the first name that no other test run on this machine uses; closing gives it back.

    The names are few and come back, because jackd2 knows eight servers a machine and forgets one
    that was killed only when another of its name starts.
    """
    for number in count():
        name = f"lofid-test-{number}"
        claim = (Path(tempfile.gettempdir()) / f"{name}.lock").open("a", encoding="utf-8")
        try:
            fcntl.flock(claim, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            claim.close()
        else:
            return name, claim
    raise AssertionError


def _realtime_flag() -> list[str]:
    """Ask for what this machine grants: jackd grumbles about the rest."""
    try:
        old = os.sched_getscheduler(0)
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))
        os.sched_setscheduler(0, old, os.sched_param(0))
    except PermissionError:
        return ["--no-realtime"]
    return []


def _jack() -> Any:
    """JACK-Client raises OSError on import where libjack is missing, so import it on use."""
    import jack  # noqa: PLC0415

    return jack


def _midi_ports(client: Any) -> list[str]:
    """JACK-Client first asks for names, then for each port; one that has gone meanwhile raises."""
    with contextlib.suppress(_jack().JackError):
        return [port.name for port in client.get_ports(is_midi=True)]
    return [port.name for port in client.get_ports(is_midi=True)]


def _new_client(name: str, server: JackServer) -> Any:
    jack = _jack()
    jack.set_error_function(lambda _: None)
    jack.set_info_function(lambda _: None)
    return jack.Client(name, no_start_server=True, servername=server.name)


@contextlib.contextmanager
def _client(name: str, server: JackServer) -> Iterator[Any]:
    client = _new_client(name, server)
    try:
        yield client
    finally:
        client.close()
