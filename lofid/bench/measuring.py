"""All measurements, one after another; what each is, its own module says."""

import os
import platform
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from lofid import __version__
from lofid.bench import contest
from lofid.bench.contest import Lateness
from lofid.bench.findings import Findings, Machine
from lofid.bench.grid import Grid
from lofid.bench.loads import CONDITIONS
from lofid.bench.session import attend
from lofid.bench.thinking import on_every_device
from lofid.player.wire import Message
from lofid.predictor import default_model_path
from lofid.settings import Settings

NAME = "lofid-bench"
Say = Callable[[str], None]


def measure(settings: Settings, say: Say, notes: int, seconds: float) -> Findings:
    """Measure everything: some 50 s of playing for 180 notes, and a session of ``seconds``.

    ``say`` gets a line for each part. NoMidiError where there is no MIDI system, PortError,
    ModelError, DeviceError, BenchError. Leaves no process behind, also when it is interrupted.
    """
    settings, grid = _alone(settings), Grid(notes)
    with _leaving_on_sigterm():
        opened = contest.ask_player(settings)
        say(f"the model {Path(settings.engine.model).name}")
        thoughts, note = on_every_device(Path(settings.engine.model))
        lateness = tuple(_lateness(settings, opened["backend"], grid, say))
        say(f"a session of {seconds:g} s")
        session = attend(settings, seconds)
    machine = _machine(opened)
    model = settings.engine.model
    return Findings(machine, grid, lateness, model, tuple(thoughts), note, session)


def _alone(settings: Settings) -> Settings:
    """Play into a virtual port of our own, which nobody listens to."""
    midi = {"name": NAME, "output": "", "input": ""}
    model = settings.engine.model or str(default_model_path())
    return settings.model_copy(
        update={
            "midi": settings.midi.model_copy(update=midi),
            "engine": settings.engine.model_copy(update={"model": model}),
        }
    )


def _on(settings: Settings, backend: str) -> Settings:
    return settings.model_copy(
        update={"midi": settings.midi.model_copy(update={"backend": backend})}
    )


def _lateness(settings: Settings, found: str, grid: Grid, say: Say) -> Iterator[Lateness]:
    """Play all there is under one load before the next, as machines change with time.

    On JACK by both ways there: only one of them has a send call that can be late.
    """
    wanted = settings.midi.backend
    backends = [found, "jack-rtmidi"] if (wanted, found) == ("auto", "jack") else [found]
    for condition, kinds in CONDITIONS.items():
        say(f"a grid of {grid.notes} notes, {condition}")
        for backend in backends:
            yield contest.lofid(_on(settings, backend), grid, condition, kinds)
        yield from contest.plain(_on(settings, found), grid, condition, kinds)


def _machine(opened: Message) -> Machine:
    return Machine(
        lofid=__version__,
        python=platform.python_version(),
        system=platform.platform(),
        cores=os.cpu_count() or 1,
        realtime=opened["realtime"],
        realtime_note=opened["realtime_note"],
    )


@contextmanager
def _leaving_on_sigterm() -> Iterator[None]:
    """End what was started, also when a service manager has us leave or a terminal closes."""

    def leave(number: int, _frame: FrameType | None) -> None:
        sys.exit(128 + number)

    numbers = [getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]
    before = {number: signal.signal(number, leave) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
