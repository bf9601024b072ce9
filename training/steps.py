"""The steps of training as functions: what each command of ``lofid-train`` does."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.progress import Progress as Bar
from rich.table import Table

from lofid.errors import ModelError
from training.corpus import Corpus
from training.dataset import Piece
from training.evaluate import HEADS, Logits, Rival, Score, held_out_batches, rivals, score
from training.export import (
    Trained,
    card_of,
    check_agreement,
    forward,
    read,
    to_graphs,
    write,
)
from training.fit import Prepared, Progress, fit
from training.recipe import Recipe
from training.run import Run


def train(recipe: str, corpus: Path, out: Path, *, quiet: bool = False) -> Run:
    """Fit a recipe to a corpus; goes on where an earlier call stopped."""
    wanted = Recipe.load(recipe)
    with _epoch_bar(wanted.fit.epochs, shown=not quiet) as progress:
        run = fit(Corpus.load(corpus), wanted, out, progress)
    best = min(run.history(), key=lambda row: float(row["val_loss"]))
    print(f"{out}: best epoch {best['epoch']}, held-out loss {best['val_loss']} nats per event")
    return run


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
    found = score(forward(graphs, trained.state_shape), batches)
    if int8:
        exact, graphs = found["token"].perplexity, graphs.as_int8()
        found = score(forward(graphs, trained.state_shape), batches)
        loss = 100 * (found["token"].perplexity / exact - 1)
        print(f"8-bit weights: token perplexity {exact:.3f} becomes "
              f"{found['token'].perplexity:.3f} ({loss:+.2f} %)")  # fmt: skip
    best = rivals(prepared, test)
    size = write(graphs, card_of(run, credits_text, _figures(found, best)), out)
    show(found, best)
    print(f"{out}: {size / 1e6:.1f} MB")


def evaluate(run: Run, model: Path | None) -> None:
    """Print the held-out figures of a run, or of a model file made from it."""
    prepared, test = _prepare(run)
    show(score(_logits(run, model), held_out_batches(prepared, test)), rivals(prepared, test))


def _logits(run: Run, model: Path | None) -> Logits:
    trained = Trained.load(run)
    if model is not None:
        card, graphs = read(model)
        if card.tokens != run.vocabulary().tokens:
            raise ModelError(f"{model} was not made from {run.folder}: its tokens are others")
        return forward(graphs, trained.state_shape)
    network = trained.net.trainable(run.recipe().data.window_events)
    return lambda inputs: dict(network.predict_on_batch(inputs))


def _prepare(run: Run) -> tuple[Prepared, list[Piece]]:
    prepared = Prepared(run.corpus(), run.recipe())
    return prepared, prepared.pieces(prepared.split.test)


def _figures(found: dict[str, Score], best: dict[str, Rival]) -> dict[str, float | str]:
    figures: dict[str, float | str] = {}
    for head, scored in found.items():
        figures[f"held-out {head} perplexity"] = round(scored.perplexity, 4)
        figures[f"held-out {head} top-1"] = round(scored.top1, 4)
        figures[f"best n-gram {head} perplexity"] = round(best[head].perplexity, 4)
    return figures


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
