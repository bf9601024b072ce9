"""What was read and what was not, as a table for people."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

from rich import box
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from training.build import Built
from training.sources import Skipped

EXAMPLES = 3


def show(built: Built, *, verbose: bool = False) -> None:
    """Print the table and, as the last line, ``N files, N notes, N chords``, on stdout."""
    console = Console()
    console.print(_table(built, verbose=verbose))
    console.print(last_line(built), highlight=False, soft_wrap=True)


@contextmanager
def progress_bar(
    what: str = "reading", *, shown: bool = True
) -> Iterator[Callable[[int, int], None]]:
    """Give a function that moves a bar on stderr; where that is no terminal, it does nothing."""
    console = Console(stderr=True)
    columns = (TextColumn(what), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    disable = not (shown and console.is_terminal)
    with Progress(*columns, console=console, transient=True, disable=disable) as bar:
        task = bar.add_task(what, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def last_line(built: Built) -> str:
    """Count what is in the corpus."""
    return f"{built.files} files, {built.corpus.notes} notes, {built.corpus.chords} chords"


def _table(built: Built, *, verbose: bool) -> Table:
    table = Table(box=box.SIMPLE)
    table.add_column("files", justify="right", no_wrap=True)
    table.add_column("")
    table.add_column("which", overflow="fold")
    table.add_row(str(built.files), "read", Text(_folders(built.corpus.names)))
    for reason, group in _by_reason(built.skipped):
        table.add_row(str(len(group)), Text(reason), Text(_which(group, verbose=verbose)))
    return table


def _folders(names: Iterable[str]) -> str:
    return ", ".join(sorted({name.split("/")[0] for name in names}))


def _by_reason(skipped: Iterable[Skipped]) -> list[tuple[str, list[Skipped]]]:
    """Group by reason, the most frequent first."""
    groups: defaultdict[str, list[Skipped]] = defaultdict(list)
    for skip in skipped:
        groups[skip.reason].append(skip)
    return sorted(groups.items(), key=lambda group: (-len(group[1]), group[0]))


def _which(group: list[Skipped], *, verbose: bool) -> str:
    shown = group if verbose else group[:EXAMPLES]
    lines = [f"{skip.name} ({skip.detail})" if skip.detail else skip.name for skip in shown]
    if len(group) > len(shown):
        lines.append(f"and {len(group) - len(shown)} more (see --verbose)")
    return "\n".join(lines)
