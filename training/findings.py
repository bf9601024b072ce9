"""Findings: an evaluation as a table for people, a file for programs, and lines for a card."""

import json
import os
from dataclasses import asdict
from itertools import groupby
from pathlib import Path
from statistics import fmean
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from lofid.errors import ModelError
from training.evaluate import card_figures
from training.evaluation import Evaluation
from training.modelfile import read, write
from training.speed import Times, percentiles
from training.verdicts import verdicts

WIDTH = 120
"""Columns of the report where it goes into a file."""

MARKS = {True: Text("met", "green"), False: Text("not met", "bold red"), None: Text("")}


def show(evaluation: Evaluation, out: Path) -> None:
    """Print every figure beside its bound or rival."""
    console = Console()
    if not console.is_terminal:
        console.width = WIDTH
    table = Table(box=box.SIMPLE_HEAD, title=f"{evaluation.model}, recipe {evaluation.recipe}")
    for heading in ("figure", "found", "bound or rival", ""):
        table.add_column(heading, overflow="fold")
    for part, rows in groupby(verdicts(evaluation), key=lambda row: row.part):
        table.add_row(Text(part, "bold"))
        for row in rows:
            cells = (f"  {row.figure}", row.found, row.bound)
            table.add_row(*map(Text, cells), MARKS[row.met])
    console.print(table)
    if note := evaluation.cuda_note:
        console.print(f"CUDA's times are not shown: {note}", highlight=False, soft_wrap=True)
    console.print(f"{out}: figures.json, figures.png", highlight=False, soft_wrap=True)


def save(evaluation: Evaluation, path: Path) -> None:
    """Write all that was measured, and the verdicts, as JSON. ModelError if it cannot be."""
    content = {"verdicts": [asdict(row) for row in verdicts(evaluation)], **_plain(evaluation)}
    partial = path.with_name(path.name + ".partial")
    try:
        partial.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
        os.replace(partial, path)
    except OSError as error:
        raise ModelError(f"cannot write the figures {path}: {error.strerror}") from None


def _plain(evaluation: Evaluation) -> dict[str, Any]:
    """Give the values without the thousands of single times."""
    values = asdict(evaluation)
    values["times"] = [_times(times) for times in evaluation.times]
    return values


def _times(times: Times) -> dict[str, Any]:
    rows = {"step": times.step, "event": times.event, "prime": times.prime}
    found = {name: percentiles(row) for name, row in rows.items() if row}
    return {
        "device": times.device,
        **{f"{name} p50 ms": p50 for name, (p50, _) in found.items()},
        **{f"{name} p99 ms": p99 for name, (_, p99) in found.items()},
    }


def published(evaluation: Evaluation) -> dict[str, float | str]:
    """Give the main figures as they stand in a model's card."""
    held_out = evaluation.held_out
    figures: dict[str, float | str] = {
        **card_figures(held_out.model, held_out.rival),
        "not recited, by token": round(evaluation.recited_tokens.own_share, 5),
        "not recited, by token and rhythm": round(evaluation.recited_events.own_share, 5),
        "longest shared run, by token": float(evaluation.recited_tokens.longest_run),
        "longest shared run, by token and rhythm": float(evaluation.recited_events.longest_run),
    }
    for name in ("rich chords", "triad chords", "in the scale"):
        values = [measures[name] for measures in evaluation.seeds]
        figures[f"{name}, lowest to highest seed"] = f"{min(values):.4f} to {max(values):.4f}"
    if pairs := evaluation.pairs:
        figures["differing by phrase"] = round(fmean(pair.differing for pair in pairs), 4)
        figures["in the phrase's key"] = round(fmean(pair.in_key for pair in pairs), 4)
    return figures


def publish(evaluation: Evaluation, model: Path) -> None:
    """Put the main figures into the model's own card; the file is replaced in one move."""
    card, graphs = read(model)
    figures = {**card.figures, **published(evaluation)}
    write(graphs, card.model_copy(update={"figures": figures}), model)
