"""Verdicts: each figure of an evaluation beside its bound or its rival, and whether it is met.

What is asked for stands in :data:`BOUNDS`, and nowhere else.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from math import inf
from statistics import fmean, median

from training.endless import Endless
from training.evaluation import Evaluation
from training.leading import Pair
from training.recital import Recital
from training.speed import Times, percentiles
from training.texture import PACE, Measures


@dataclass(frozen=True)
class Bound:
    """From ``low`` to ``high``, both included. ``percent`` is how it is written."""

    low: float = -inf
    high: float = inf
    percent: bool = False

    def holds(self, values: Iterable[float]) -> bool:
        """Tell whether every value lies inside."""
        return all(self.low <= value <= self.high for value in values)

    def write(self, value: float) -> str:
        """Write a value as this bound does."""
        return f"{value:.1%}" if self.percent else f"{value:.3g}"

    def __str__(self) -> str:
        low, high = self.write(self.low), self.write(self.high)
        if self.low == -inf:
            return "" if self.high == inf else f"at most {high}"
        return f"at least {low}" if self.high == inf else f"{low} to {high}"


BOUNDS = {
    "token ratio to the n-gram": Bound(high=0.7),
    "rhythm ratio to the n-gram": Bound(high=1.0),
    "velocity ratio to the n-gram": Bound(high=1.0),
    "rich chords": Bound(low=0.45, percent=True),
    "triad chords": Bound(high=0.25, percent=True),
    "in the scale": Bound(low=0.9, percent=True),
    "equal bars in a row": Bound(high=8),
    "fresh in the last tenth": Bound(0.9, 1.1, percent=True),
    "longest silence": Bound(high=2),
    "drift": Bound(-2, 2),
    "differing": Bound(low=0.8, percent=True),
    "in the phrase's key": Bound(low=0.85, percent=True),
    "not recited": Bound(low=0.99, percent=True),
    "int8 loss": Bound(high=1.0),
    "size": Bound(high=10.0),
    "one step": Bound(high=1.0),
    "one step at worst": Bound(high=3.0),
    "prime": Bound(high=40.0),
}
"""Shares are of beats, of note time or of events; silence is in bars, drift in semitones, size in
megabytes, times in milliseconds (a median, and at worst the 99th percentile)."""

SHOWN_SHARES = ("rich chords", "triad chords", "suspended chords", "other chords", "none chords")


@dataclass(frozen=True)
class Verdict:
    """One row of the report; ``met`` is None where nothing is asked for."""

    part: str
    figure: str
    found: str
    bound: str = ""
    met: bool | None = None


def verdicts(evaluation: Evaluation) -> list[Verdict]:
    """Give every row, in the order of the report."""
    rows = [*_held_out(evaluation), *_style(evaluation.seeds, evaluation.usual)]
    for temperature, session in evaluation.endless.items():
        rows += _endless(f"endless at {temperature:g}", session)
    rows += _leading(evaluation.pairs)
    rows += _recital("by token", evaluation.recited_tokens)
    rows += _recital("by token and rhythm", evaluation.recited_events)
    return [*rows, *_times(evaluation)]


def _held_out(evaluation: Evaluation) -> Iterator[Verdict]:
    part = "held out"
    for head, mine in evaluation.held_out.model.items():
        rival, bound = evaluation.held_out.rival[head], BOUNDS[f"{head} ratio to the n-gram"]
        ratio = mine.perplexity / rival.perplexity
        yield Verdict(
            part,
            f"{head} perplexity",
            f"{mine.perplexity:.3f}",
            f"{rival.perplexity:.3f} (order {rival.order}), ratio {ratio:.3f}",
            bound.holds([ratio]),
        )
        yield Verdict(part, f"{head} top-1", f"{mine.top1:.1%}", f"{rival.top1:.1%}")


def _style(seeds: Sequence[Measures], usual: dict[str, tuple[float, float]]) -> Iterator[Verdict]:
    """The chords and the scale against fixed bounds, the pace against what is usual."""
    for name in (*SHOWN_SHARES, "in the scale"):
        yield _of_seeds(name, seeds, BOUNDS.get(name, Bound(percent=True)))
        if name in SHOWN_SHARES[:2]:
            yield _of_seeds(f"{name} with the lead", seeds, Bound(percent=True))
    for name in PACE:
        yield _of_seeds(name, seeds, Bound(*usual.get(name, ())))


def _of_seeds(name: str, seeds: Sequence[Measures], bound: Bound) -> Verdict:
    values = [measures[name] for measures in seeds]
    asked = str(bound)
    inside = sum(bound.holds([value]) for value in values)
    many = f" ({inside} of {len(values)} seeds)" if asked else ""
    met = bound.holds(values) if asked else None
    return Verdict("seeds", name, _spread(values, bound), asked + many, met)


def _spread(values: Sequence[float], bound: Bound) -> str:
    return " / ".join(bound.write(value) for value in (min(values), median(values), max(values)))


def _endless(part: str, session: Endless) -> Iterator[Verdict]:
    def row(name: str, figure: str, value: float) -> Verdict:
        bound = BOUNDS[name]
        return Verdict(part, figure, bound.write(value), str(bound), bound.holds([value]))

    yield row("equal bars in a row", "equal bars in a row", session.equal_bars)
    yield row("fresh in the last tenth", "runs of 4 events, last tenth to first",
              session.fresh_ratio)  # fmt: skip
    yield row("longest silence", "longest silence, bars", session.longest_silence_bars)
    yield row("drift", "drift of register, semitones", session.drift_semitones)
    yield Verdict(part, "slope of register, semitones", f"{session.slope_semitones:.3g}")


def _leading(pairs: Sequence[Pair]) -> Iterator[Verdict]:
    """The mean over all pairs is the figure; the rest says how far it can be trusted."""
    if not pairs:
        yield Verdict("leading", "pairs of phrases", "none: fewer than two held-out melodies")
        return
    columns = {
        "differing": [pair.differing for pair in pairs],
        "in the phrase's key": [pair.in_key for pair in pairs],
    }
    for name, values in columns.items():
        bound = BOUNDS[name]
        yield Verdict("leading", f"{name}, mean of {len(pairs)} pairs", bound.write(fmean(values)),
                      str(bound), bound.holds([fmean(values)]))  # fmt: skip
        yield Verdict("leading", f"{name}, worst / median / best", _spread(values, bound))
    both = sum(
        all(BOUNDS[name].holds([value]) for name, value in zip(columns, row, strict=True))
        for row in zip(*columns.values(), strict=True)
    )
    yield Verdict("leading", "pairs that meet both bounds", f"{both} of {len(pairs)}")


def _recital(how: str, recited: Recital) -> Iterator[Verdict]:
    bound = BOUNDS["not recited"]
    share = recited.own_share
    yield Verdict("recital", f"in no shared run above 16, {how}",
                  f"{share:.2%}", str(bound), bound.holds([share]))  # fmt: skip
    yield Verdict("recital", f"longest shared run, {how}", f"{recited.longest_run} events")


def _times(evaluation: Evaluation) -> Iterator[Verdict]:
    for times in evaluation.times:
        yield from _device(times)
    size, most = evaluation.size_bytes / 1e6, BOUNDS["size"]
    yield Verdict("file", "size, MB", f"{size:.1f}", str(most), most.holds([size]))
    loss, bound = evaluation.int8_loss_percent, BOUNDS["int8 loss"]
    if loss is None:
        yield Verdict("file", "int8 loss", "its card does not tell")
    else:
        yield Verdict("file", "int8 loss, percent", f"{loss:+.2f}", str(bound), bound.holds([loss]))


def _device(times: Times) -> Iterator[Verdict]:
    rows = {"one step": times.step, "a whole event": times.event, "prime": times.prime}
    for name, found in rows.items():
        if found:
            p50, p99 = percentiles(found)
            asked = [(BOUNDS.get(name), p50), (BOUNDS.get(f"{name} at worst"), p99)]
            limits = [(bound, value) for bound, value in asked if bound]
            yield Verdict(
                f"times, {times.device}",
                f"{name}, p50 / p99, ms",
                f"{p50:.2f} / {p99:.2f}",
                " / ".join(str(bound) for bound, _ in limits),
                all(bound.holds([value]) for bound, value in limits) if limits else None,
            )
