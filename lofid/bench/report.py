"""What people see of the findings: the tables, and the files that they ask for."""

import importlib.util
import json
import os
from pathlib import Path

from rich import box
from rich.console import Console
from rich.table import Table

from lofid.bench.contest import AT_FRAME, LOFID, Lateness, shown_name
from lofid.bench.findings import Findings, spread
from lofid.errors import BenchError


def show(findings: Findings, console: Console) -> None:
    """Print both tables."""
    console.print(lateness_table(findings))
    console.print(cost_table(findings))


def lateness_table(findings: Findings) -> Table:
    """Rows by load; times in milliseconds. A ratio is of two p99, both at the send call."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, title=_title(findings), title_justify="left")
    table.add_column("under load")
    table.add_column("played by")
    table.add_column("late at")
    for name in ("p50 ms", "p99 ms", "max ms", "dropped", "drift ms/min", "p99 ratio"):
        table.add_column(name, justify="right")
    before = ""
    for one in findings.lateness:
        if before and one.condition != before:
            table.add_section()
        shown = "" if one.condition == before else one.condition
        table.add_row(shown, *_cells(findings, one))
        before = one.condition
    return table


def _title(findings: Findings) -> str:
    grid = findings.grid
    return f"lateness of {grid.notes} notes, one each {1000 * grid.step_seconds:.1f} ms"


def _cells(findings: Findings, one: Lateness) -> list[str]:
    drift = findings.drift_ms_a_minute(one)
    is_measure = one.player == LOFID and one.at != AT_FRAME
    ratio = findings.times_earlier(one.condition) if is_measure else None
    return [
        shown_name(one),
        one.at if not one.latency_ms else f"{one.at}, {one.latency_ms:g} ms on",
        *_three(one.late_us, 1000),
        str(one.dropped) if one.player == LOFID else "",
        "" if drift is None else f"{drift:+.0f}",
        "" if ratio is None else f"1 : {ratio:.{0 if ratio >= 10 else 1}f}",
    ]


def _three(values: tuple[int, ...], divisor: float) -> list[str]:
    found = spread(values)
    return [f"{found[name] / divisor:.3f}" if found else "-" for name in ("p50", "p99", "max")]


def cost_table(findings: Findings) -> Table:
    """What a session costs, and how long the model thinks."""
    table = Table(box=None, show_header=False, pad_edge=False)
    session, machine = findings.session, findings.machine
    rights = f"granted: {machine.realtime_note}" if machine.realtime else machine.realtime_note
    table.add_row("real-time priority", rights)
    for one in findings.thoughts:
        step, prime = spread(one.step_ms), spread(one.prime_ms)
        table.add_row(
            f"model on {one.device}",
            f"a step {step['p50']:.2f} ms (p99 {step['p99']:.2f}), "
            f"a prime {prime['p50']:.1f} ms (p99 {prime['p99']:.1f})",
        )
    if findings.thoughts_note:
        table.add_row("", findings.thoughts_note)
    table.add_row("start-up", f"{session.start_seconds:.2f} s until it plays and takes commands")
    table.add_row(
        f"{session.seconds:.0f} s at {session.tempo:g} bpm",
        f"{session.cpu_percent:.2f} % of one core, {session.memory_mb:.0f} MB, "
        f"both processes, on {session.backend}",
    )
    return table


def check_files(json_: Path | None, png: Path | None) -> None:
    """Find out before a minute has passed in vain. BenchError."""
    for path in (json_, png):
        if path is not None and (path.is_dir() or not os.access(path.absolute().parent, os.W_OK)):
            raise BenchError(f"{path}: cannot be written there")
    if png is not None and importlib.util.find_spec("matplotlib") is None:
        raise BenchError("--png needs matplotlib: pip install 'lofid[bench]'")


def write(findings: Findings, json_: Path | None, png: Path | None) -> None:
    """Write the files that were asked for. BenchError."""
    if json_ is not None:
        write_json(findings, json_)
    if png is not None:
        from lofid.bench.histogram import draw  # noqa: PLC0415  # imports matplotlib

        draw(findings, png)


def write_json(findings: Findings, path: Path) -> None:
    """Write everything that was measured. BenchError if that cannot be done."""
    try:
        path.write_text(json.dumps(findings.as_json(), indent=1) + "\n", encoding="utf-8")
    except OSError as error:
        raise BenchError(f"{path}: cannot be written: {error.strerror}") from None
