"""The steps of training as functions: what each command of ``lofid-train`` does."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.progress import Progress as Bar
from rich.table import Table

from training.arranged import arrange_corpus
from training.corpus import Corpus
from training.dataset import Piece
from training.evaluate import HEADS, Rival, Score, card_figures, held_out_batches, rivals, score
from training.export import Trained, card_of, check_agreement, to_graphs
from training.fit import Progress, fit
from training.modelfile import INT8_LOSS, forward, write
from training.prepared import Prepared
from training.recipe import Arrange, Recipe
from training.report import progress_bar
from training.run import Run


def train(
    recipe: str, corpus: Path, out: Path, *, versions: int | None = None, quiet: bool = False
) -> Run:
    """Fit a recipe to a corpus, arranged as the recipe says; goes on where an earlier call stopped.

    With ``versions`` everything is arranged, that many times, whatever the recipe says.
    """
    wanted = Recipe.load(recipe)
    if versions is not None:
        wanted = wanted.model_copy(update={"arrange": Arrange(versions={"*": versions})})
    music = _arranged(Corpus.load(corpus), wanted, quiet=quiet)
    with _epoch_bar(wanted.fit.epochs, shown=not quiet) as progress:
        run = fit(music, wanted, out, progress)
    best = min(run.history(), key=lambda row: float(row["val_loss"]))
    print(f"{out}: best epoch {best['epoch']}, held-out loss {best['val_loss']} nats per event")
    return run


def _arranged(corpus: Corpus, recipe: Recipe, *, quiet: bool) -> Corpus:
    """Arrange what the recipe says and print what became of it; nothing where it says nothing."""
    if not recipe.arrange.versions:
        return corpus
    with progress_bar("arranging", shown=not quiet) as progress:
        made = arrange_corpus(corpus, recipe.arrange, recipe.fit.seed, progress)
    print(made.told())
    return made.corpus


@contextmanager
def _epoch_bar(epochs: int, *, shown: bool) -> Iterator[Progress]:
    """Give a function that moves a bar on stderr; where that is no terminal, it does nothing."""
    console = Console(stderr=True)
    disable = not (shown and console.is_terminal)
    with Bar(console=console, transient=True, disable=disable) as bar:
        task = bar.add_task("epoch", total=None)

        def progress(epoch: int, batch: int, batches: int) -> None:
            what = f"epoch {epoch} of {epochs}"
            bar.update(task, description=what, completed=batch, total=batches)

        yield progress


def export(run: Run, out: Path, *, int8: bool, credits_text: str) -> None:
    """Convert a run, check it against Keras on held-out music, score it, write it."""
    prepared, test = _prepare(run)
    trained = Trained.load(run)
    graphs = to_graphs(trained)
    batches = held_out_batches(prepared, test)
    distance = check_agreement(trained, graphs, batches[0][0])
    print(f"agrees with Keras to {distance:.1e} over {len(batches[0][0]['token'])} real windows")
    found = score(forward(graphs), batches)
    rounded: dict[str, float | str] = {}
    if int8:
        exact, graphs = found["token"].perplexity, graphs.as_int8()
        found = score(forward(graphs), batches)
        loss = 100 * (found["token"].perplexity / exact - 1)
        rounded = {INT8_LOSS: round(loss, 4)}
        print(f"8-bit weights: token perplexity {exact:.3f} becomes "
              f"{found['token'].perplexity:.3f} ({loss:+.2f} %)")  # fmt: skip
    best = rivals(prepared, test)
    figures = card_figures(found, best) | rounded
    size = write(graphs, card_of(run, credits_text, figures, int8=int8), out)
    show(found, best)
    print(f"{out}: {size / 1e6:.1f} MB")


def _prepare(run: Run) -> tuple[Prepared, list[Piece]]:
    prepared = Prepared(run.corpus(), run.recipe())
    return prepared, prepared.pieces(prepared.split.test)


def show(found: dict[str, Score], best: dict[str, Rival]) -> None:
    """Print a table: each head's perplexity and top-1, the model's beside the n-gram's."""
    table = Table("head", "model", "top-1", "n-gram", "top-1", "order", "ratio")
    for head in HEADS:
        if head in found:
            mine, rival = found[head], best[head]
            table.add_row(
                head, f"{mine.perplexity:.3f}", f"{mine.top1:.1%}", f"{rival.perplexity:.3f}",
                f"{rival.top1:.1%}", str(rival.order), f"{mine.perplexity / rival.perplexity:.3f}",
            )  # fmt: skip
    Console().print(table)
