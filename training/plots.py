"""Plots: an evaluation on one sheet, a panel a figure, each with its bound or its rival."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from lofid.errors import ModelError
from training.chords import KINDS
from training.endless import PARTS
from training.evaluation import Evaluation
from training.recital import LONGEST_OWN
from training.texture import PACE
from training.verdicts import BOUNDS

INK, MUTED, RULE = "#22303c", "#8a97a3", "#d5503a"
COLOURS = ("#2f6f8f", "#e0a13c", "#7b5aa6")
OF_KIND = {
    "rich": "#2f6f8f",
    "triad": "#e0a13c",
    "suspended": "#8fb8a0",
    "other": "#b9c2ca",
    "none": "#edf0f2",
}
DPI = 120


def draw(evaluation: Evaluation, path: Path) -> None:
    """Write the sheet as a PNG. ModelError if that cannot be done."""
    figure = Figure(figsize=(18, 15), layout="constrained", facecolor="white")
    figure.suptitle(
        f"{Path(evaluation.model).name}, recipe {evaluation.recipe}", fontsize=17, color=INK
    )
    for panel, axes in zip(PANELS, figure.subplots(3, 3).flat, strict=True):
        _dress(axes)
        panel(axes, evaluation)
    partial = path.with_suffix(".partial.png")
    try:
        figure.savefig(partial, dpi=DPI)
        os.replace(partial, path)
    except OSError as error:
        raise ModelError(f"cannot write the plots {path}: {error.strerror}") from None


def _dress(axes: Any) -> None:
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    for side in ("left", "bottom"):
        axes.spines[side].set_color(MUTED)
    axes.tick_params(colors=INK, labelsize=10)
    axes.grid(axis="y", alpha=0.25)
    axes.set_axisbelow(True)


def _name(axes: Any, title: str, x: str = "", y: str = "") -> None:
    axes.set_title(title, loc="left", fontsize=13, color=INK, pad=10)
    axes.set_xlabel(x, color=INK)
    axes.set_ylabel(y, color=INK)


def _rule(axes: Any, value: float, *, upright: bool = False) -> None:
    """Draw what is asked for."""
    line = axes.axvline if upright else axes.axhline
    line(value, color=RULE, linewidth=1.4, linestyle=(0, (5, 3)), zorder=4)


def _legend(axes: Any, **where: Any) -> None:
    axes.legend(facecolor="white", edgecolor="none", framealpha=0.9, fontsize=9.5, **where)


def perplexity(axes: Any, evaluation: Evaluation) -> None:
    """Held-out perplexity of each head beside the best n-gram's."""
    pairs = [
        (mine.perplexity, evaluation.held_out.rival[head].perplexity)
        for head, mine in evaluation.held_out.model.items()
    ]
    _bars_in_twos(axes, evaluation, pairs, "{:.2f}")
    axes.set_yscale("log")
    axes.yaxis.set_major_formatter(lambda value, _place: f"{value:g}")
    axes.set_ylim(bottom=1, top=2.5 * max(max(pair) for pair in pairs))
    _name(axes, "Held out: perplexity (lower is better)")


def top1(axes: Any, evaluation: Evaluation) -> None:
    """Held-out share foretold right beside the best n-gram's."""
    pairs = [
        (mine.top1, evaluation.held_out.rival[head].top1)
        for head, mine in evaluation.held_out.model.items()
    ]
    _bars_in_twos(axes, evaluation, pairs, "{:.1%}")
    axes.set_ylim(0, 1.19)
    axes.set_yticks(np.linspace(0, 1, 6))
    axes.yaxis.set_major_formatter(_percent)
    _name(axes, "Held out: foretold right (higher is better)")


def _bars_in_twos(
    axes: Any, evaluation: Evaluation, pairs: list[tuple[float, float]], form: str
) -> None:
    heads = list(evaluation.held_out.model)
    orders = [str(evaluation.held_out.rival[head].order) for head in heads]
    names = ("model", f"best n-gram (order {', '.join(orders)})")
    for place, name in enumerate(names):
        at = np.arange(len(heads)) + 0.4 * (place - 0.5)
        values = [pair[place] for pair in pairs]
        bars = axes.bar(at, values, 0.36, color=(COLOURS[0], "#b9c2ca")[place], label=name)
        axes.bar_label(bars, [form.format(value) for value in values], fontsize=9.5, padding=2)
    axes.set_xticks(range(len(heads)), heads)
    _legend(axes, loc="upper right")


def chords(axes: Any, evaluation: Evaluation) -> None:
    """What the keys sound on the beats of each seed, rich chords at the bottom."""
    seeds = range(len(evaluation.seeds))
    floor = np.zeros(len(evaluation.seeds))
    for kind in reversed(KINDS):
        shares = np.array([measures[f"{kind} chords"] for measures in evaluation.seeds])
        axes.bar(seeds, shares, 0.82, floor, color=OF_KIND[kind], label=kind)
        floor += shares
    _rule(axes, BOUNDS["rich chords"].low)
    axes.set_xticks(seeds, [str(seed) for seed in seeds])
    axes.set_ylim(0, 1)
    axes.yaxis.set_major_formatter(_percent)
    _legend(axes, loc="upper center", bbox_to_anchor=(0.5, -0.11), ncols=len(KINDS))
    asked = f"rich: {BOUNDS['rich chords']}; plain triads: {BOUNDS['triad chords']}"
    _name(axes, f"Chords on the beat, seed by seed\n{asked}", y="share of beats")


def pace(axes: Any, evaluation: Evaluation) -> None:
    """Each seed's pace as a dot; the bar is the 5th to 95th percentile of the music learnt."""
    rng = np.random.default_rng(0)
    for row, name in enumerate(PACE):
        low, high = evaluation.usual.get(name, (0.0, 1.0))
        unit = (high - low) or 1.0
        values = np.array([measures[name] for measures in evaluation.seeds])
        axes.barh(row, 1, 0.5, color="#dfe9ee")
        places = row + rng.uniform(-0.16, 0.16, len(values))
        axes.scatter((values - low) / unit, places, s=26, color=COLOURS[0], alpha=0.8, zorder=3)
        for edge, value in enumerate((low, high)):
            axes.text(edge, row + 0.42, f"{value:.2f}", ha="center", fontsize=9.5, color=INK)
    axes.set_yticks(range(len(PACE)), list(PACE))
    axes.set_ylim(len(PACE) - 0.4, -0.6)
    axes.set_xticks([0, 1], ["5 %", "95 %"])
    axes.grid(visible=False)
    _name(axes, "Pace and touch: each seed, in the range\n(5 to 95 %) of the music that was learnt")


def fresh(axes: Any, evaluation: Evaluation) -> None:
    """How much of each tenth of a long session is its own."""
    for colour, (temperature, session) in zip(COLOURS, evaluation.endless.items(), strict=True):
        share = np.array(session.fresh) / max(session.events // PARTS - 4, 1)
        label = f"temperature {temperature:g}: {session.equal_bars} equal bars in a row at most"
        axes.plot(_middles(), share, "o-", color=colour, label=label)
    axes.set_ylim(0, 1.25)
    axes.set_yticks(np.linspace(0, 1, 6))
    axes.yaxis.set_major_formatter(_percent)
    _legend(axes, loc="upper left")
    events = next(iter(evaluation.endless.values())).events
    _name(axes, f"Endless: distinct runs of four events\nin each tenth of {events:,}",
          "percent of the session", "share of all runs of four")  # fmt: skip


def register(axes: Any, evaluation: Evaluation) -> None:
    """Where each tenth of a long session lies."""
    for colour, (temperature, session) in zip(COLOURS, evaluation.endless.items(), strict=True):
        label = f"temperature {temperature:g}: {session.drift_semitones:+.1f} semitones"
        axes.plot(_middles(), session.register, "o-", color=colour, label=label)
    middle = np.mean([session.register for session in evaluation.endless.values()])
    reach = 1 + max(
        np.abs(np.array(s.register) - middle).max() for s in evaluation.endless.values()
    )
    axes.set_ylim(middle - max(reach, 6), middle + 1.5 * max(reach, 6))
    _legend(axes, loc="upper left")
    _name(axes, "Endless: register", "percent of the session", "mean pitch (60 is middle C)")


def _middles() -> Any:
    return (np.arange(PARTS) + 0.5) * 100 / PARTS


def leading(axes: Any, evaluation: Evaluation) -> None:
    """A dot for each pair of phrases."""
    differing = [pair.differing for pair in evaluation.pairs]
    in_key = [pair.in_key for pair in evaluation.pairs]
    axes.scatter(differing, in_key, s=42, color=COLOURS[0], alpha=0.7, zorder=3)
    if evaluation.pairs:
        mean = (float(np.mean(differing)), float(np.mean(in_key)))
        axes.scatter(*mean, s=150, marker="P", color=RULE, label="mean", zorder=5)
        _legend(axes, loc="lower left")
    _rule(axes, BOUNDS["differing"].low, upright=True)
    _rule(axes, BOUNDS["in the phrase's key"].low)
    axes.set_xlim(min([0.5, *differing]) - 0.02, 1.02)
    axes.set_ylim(min([0.5, *in_key]) - 0.02, 1.02)
    axes.xaxis.set_major_formatter(_percent)
    axes.yaxis.set_major_formatter(_percent)
    _name(axes, f"Leading: {len(differing)} pairs of phrases, one session each",
          "events that differ over 8 bars", "note time in the phrase's key")  # fmt: skip


def recital(axes: Any, evaluation: Evaluation) -> None:
    """How long the runs are that are shared with a piece that was learnt."""
    rows = {"by token": evaluation.recited_tokens, "by token and rhythm": evaluation.recited_events}
    for colour, (name, recited) in zip(COLOURS, rows.items(), strict=False):
        shares = np.array(recited.lengths) / max(sum(recited.lengths), 1)
        label = f"{name}: {recited.own_share:.2%} own, longest {recited.longest_run}"
        axes.step(np.arange(len(shares)), shares, where="mid", color=colour, label=label)
        axes.fill_between(np.arange(len(shares)), shares, step="mid", color=colour, alpha=0.25)
    _rule(axes, LONGEST_OWN + 0.5, upright=True)
    axes.set_xlim(0, max(24, *(recited.longest_run + 1 for recited in rows.values())))
    axes.set_ylim(0, 1.3 * axes.get_ylim()[1])
    axes.yaxis.set_major_formatter(_percent)
    _legend(axes, loc="upper right")
    _name(axes, "Recital: the longest run that an event is part of,\nshared with one piece learnt",
          "events in the run", "share of composed events")  # fmt: skip


def times(axes: Any, evaluation: Evaluation) -> None:
    """How long steps and whole events take."""
    found = [(times.device, what, np.array(getattr(times, what)))
             for times in evaluation.times for what in ("step", "event")]  # fmt: skip
    longest = 1.3 * max(np.percentile(row, 99) for *_, row in found)
    edges = np.linspace(0, longest, 70)
    for number, (device, what, row) in enumerate(found):
        p50, p99 = np.percentile(row, (50, 99))
        label = f"{what}, {device}: p50 {p50:.2f}, p99 {p99:.2f} ms"
        colour = (*COLOURS, MUTED)[number]
        axes.hist(np.clip(row, 0, longest), edges, color=colour, alpha=0.55, label=label)
    _legend(axes, loc="upper right")
    _name(axes, "Time: one step, and a whole event\n(the last bar holds what is longer)",
          "milliseconds", "count")  # fmt: skip


def _percent(value: float, _place: int | None) -> str:
    return f"{value:.0%}"


PANELS: tuple[Callable[[Any, Evaluation], None], ...] = (
    perplexity,
    top1,
    chords,
    pace,
    fresh,
    register,
    leading,
    recital,
    times,
)
