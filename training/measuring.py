"""``lofid-train evaluate``, without TensorFlow: measure, print, draw, and publish if asked to."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.progress import Progress as Bar

from lofid.errors import ModelError
from training import findings, plots
from training.evaluation import Plan, Progress, evaluate
from training.material import material
from training.modelfile import read


@dataclass(frozen=True)
class Request:
    """What a person asked for; ``write`` puts the main figures into the model's own card."""

    model: Path
    sources: Sequence[Path]
    recipe: str
    out: Path
    plan: Plan
    jobs: int
    write: bool = False


def measure(request: Request) -> None:
    """Measure a model on some music; leave ``figures.json`` and ``figures.png``. Blocks."""
    card, _ = read(request.model)
    _make(request.out)
    with _bar() as progress:
        prepared = material(
            request.sources, request.recipe, card, request.jobs,
            lambda done, total: progress("reading and arranging", done, total),
        )  # fmt: skip
        found = evaluate(request.model, prepared, request.plan, request.jobs, progress)
    findings.save(found, request.out / "figures.json")
    plots.draw(found, request.out / "figures.png")
    if request.write:
        findings.publish(found, request.model)
    findings.show(found, request.out)


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ModelError(f"no figures can be kept in {folder}: {error.strerror}") from None


@contextmanager
def _bar() -> Iterator[Progress]:
    """Give a function that moves a bar on stderr; where that is no terminal, it does nothing."""
    console = Console(stderr=True)
    with Bar(console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("starting", total=None)

        def progress(what: str, done: int, total: int) -> None:
            bar.update(task, description=what, completed=done, total=total)

        yield progress
