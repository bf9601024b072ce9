"""A picture of the lateness: a panel for each load, lofid's notes beside the plain loop's."""

from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from lofid.bench.contest import AT_FRAME, DELTAS, PLAIN, Lateness, shown_name
from lofid.bench.findings import Findings
from lofid.errors import BenchError

INK, MUTED = "#22303c", "#8a97a3"
LOFID_COLOUR, FRAME_COLOUR = "#2f6f8f", "#8fb8a0"
COLOURS = {PLAIN: "#d5503a", DELTAS: "#e0a13c"}
EDGES_MS = np.logspace(-3, 4, 71)
TICKS_MS = {0.001: "1 µs", 0.01: "10 µs", 0.1: "0.1 ms", 1: "1 ms", 10: "10 ms"}
TICKS_MS |= {100: "0.1 s", 1000: "1 s", 10_000: "10 s"}
DPI = 120


def draw(findings: Findings, path: Path) -> None:
    """Write the PNG. BenchError if that cannot be done."""
    conditions = list(dict.fromkeys(one.condition for one in findings.lateness))
    figure = Figure(figsize=(11, 2.4 * len(conditions) + 1.2), layout="constrained")
    panels = figure.subplots(len(conditions), 1, sharex=True, squeeze=False)[:, 0]
    for condition, axes in zip(conditions, panels, strict=True):
        _panel(axes, condition, [o for o in findings.lateness if o.condition == condition])
    panels[-1].set_xlabel("late by (what is earlier or on time stands at 1 µs)", color=INK)
    figure.suptitle(_title(findings), color=INK, fontsize=13)
    handles, labels = panels[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=2, frameon=False)
    try:
        figure.savefig(path, dpi=DPI, format="png")
    except OSError as error:
        raise BenchError(f"{path}: cannot be written: {error.strerror}") from None


def _title(findings: Findings) -> str:
    machine = findings.machine
    rights = "with" if machine.realtime else "without"
    return (
        f"How late {findings.grid.notes} notes were sent, {machine.cores} cores, "
        f"{rights} real-time priority"
    )


def _panel(axes: Any, condition: str, found: list[Lateness]) -> None:
    for one in found:
        late_ms = np.clip(np.array(one.late_us) / 1000, EDGES_MS[0], EDGES_MS[-1])
        shares = np.histogram(late_ms, EDGES_MS)[0] * 100 / max(len(late_ms), 1)
        axes.stairs(shares, EDGES_MS, fill=True, alpha=0.55, color=_colour(one), label=_label(one))
    axes.set_xscale("log")
    axes.set_xticks(list(TICKS_MS), list(TICKS_MS.values()))
    axes.set_xlim(EDGES_MS[0], EDGES_MS[-1])
    axes.set_ylim(0, 100)
    axes.set_ylabel("% of the notes", color=INK)
    axes.set_title(condition, loc="left", color=INK, fontsize=11)
    axes.minorticks_off()
    axes.grid(alpha=0.25)
    axes.set_axisbelow(True)
    axes.tick_params(colors=INK)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    for side in ("left", "bottom"):
        axes.spines[side].set_color(MUTED)


def _colour(one: Lateness) -> str:
    return COLOURS.get(one.player, FRAME_COLOUR if one.at == AT_FRAME else LOFID_COLOUR)


def _label(one: Lateness) -> str:
    return f"{shown_name(one)}, at {one.at}"
