"""What keeps a machine busy: the model that thinks all the time, an interpreter that spins.

``python -P -m lofid.bench.loads KIND PARENT MODEL DEVICE`` is one load as a process. It says
``ready`` when it has begun, and leaves when the process PARENT has gone.
"""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from lofid.errors import BenchError

INFERENCE, BUSY = "inference", "busy"
CONDITIONS = {
    "idle": (),
    "inference": (INFERENCE,),
    "busy interpreter": (BUSY,),
    "both": (INFERENCE, BUSY),
}
"""The kinds of load by the name of what is measured under them."""
_SPINS = 100_000
"""So often a busy interpreter turns before it looks whether to go on: some milliseconds."""
READY = "ready"
GoesOn = Callable[[], bool]


def spin(goes_on: GoesOn, ready: Callable[[], object]) -> None:
    """Keep this interpreter busy."""
    ready()
    while goes_on():
        for _ in range(_SPINS):
            pass


def think(goes_on: GoesOn, ready: Callable[[], object], model: Path, device: str) -> None:
    """Step the model without a pause."""
    from lofid.bench.thinking import full_window  # noqa: PLC0415  # a load that spins stays light
    from lofid.predictor import Predictor  # noqa: PLC0415

    predictor = Predictor(model, device)
    window = full_window(predictor.card)
    state, newest = predictor.prime(window).state, window.part(len(window) - 1, len(window))
    ready()
    while goes_on():
        state = predictor.step(state, newest).state


def carry(
    kind: str, goes_on: GoesOn, ready: Callable[[], object], model: Path, device: str
) -> None:
    """Be a load of this kind for as long as it goes on. Blocks."""
    if kind == INFERENCE:
        think(goes_on, ready, model, device)
    else:
        spin(goes_on, ready)


def processes(kinds: tuple[str, ...], without_own: bool) -> list[str]:
    """Give the loads that are processes: one that thinks, one that spins for each core.

    ``without_own``: all but one of each kind, which a plain script has in a thread of its own.
    So there is as much to do on the machine either way.
    """
    counts = {INFERENCE: 1, BUSY: os.cpu_count() or 1}
    return [kind for kind in kinds for _ in range(counts[kind] - without_own)]


@contextmanager
def loaded(kinds: list[str], model: Path, device: str) -> Iterator[None]:
    """Have these loads at work. BenchError when one cannot begin."""
    with ExitStack() as stack:
        running = [stack.enter_context(_process(kind, model, device)) for kind in kinds]
        for kind, process in zip(kinds, running, strict=True):
            assert process.stdout is not None, "it is a pipe"
            if process.stdout.readline().strip() != READY:
                raise BenchError(f"the load '{kind}' could not begin: see 'lofid doctor'")
        yield


@contextmanager
def _process(kind: str, model: Path, device: str) -> Iterator["subprocess.Popen[str]"]:
    command = [sys.executable, "-P", "-m", "lofid.bench.loads", kind, str(os.getpid())]
    with subprocess.Popen(
        [*command, str(model), device],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        start_new_session=True,  # Ctrl-C is for the bench, which ends its loads itself
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def main() -> None:
    """Be one load, as the module says."""
    kind, parent, model, device = sys.argv[1:]
    carry(
        kind,
        lambda: os.getppid() == int(parent),
        lambda: print(READY, flush=True),
        Path(model),
        device,
    )


if __name__ == "__main__":
    main()
