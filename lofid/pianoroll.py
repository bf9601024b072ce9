"""A session as a picture: a piano roll, eight bars to the line.

Imports matplotlib, which is there only for those who want pictures: import it where it is used.
"""

import io
import warnings
from collections.abc import Iterable, Sequence
from typing import Any

from matplotlib.collections import PolyCollection
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure

from lofid.music import BAR_TICKS, TICKS_PER_QUARTER, pitch_name
from lofid.parts import Part, parts_of
from lofid.session import PlayedNote, Session

LINE_BARS = 8
LINE_TICKS = LINE_BARS * BAR_TICKS
_COLOURS = {"lead": "#d1495b", "keys": "#30638e", "person": "#e8a33d", "other": "#6a994e"}
_INK, _BAR, _BEAT, _BLACK_KEY = "#222222", "#8c8c8c", "#dcdcdc", "#f3f3f3"
_BLACK_KEYS = (1, 3, 6, 8, 10)
_WIDTH_INCHES, _HEAD_INCHES, _DPI = 16.0, 0.7, 100
_INCHES_PER_SEMITONE, _LABELS_INCHES, _GAP_INCHES = 0.065, 0.36, 0.35
_LONGEST_LABEL, _LABEL_ROWS = 48, 2


def png_bytes(session: Session, title: str) -> bytes:
    """Draw a session. A letter that no font here has is a box, as everywhere."""
    bar_count = max(-(-session.end_tick // BAR_TICKS), 1)
    data = io.BytesIO()
    figure = _figure(session, -(-bar_count // LINE_BARS), title)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing from", UserWarning)
        figure.savefig(data, format="png", dpi=_DPI)
    return data.getvalue()


def _figure(session: Session, line_count: int, title: str) -> Figure:
    pitches = [note.pitch for note in session.notes] or [60]
    lowest, highest = min(*pitches, 53) - 2, max(*pitches, 67) + 2
    roll_inches = (highest - lowest) * _INCHES_PER_SEMITONE
    line_inches = roll_inches + _LABELS_INCHES + _GAP_INCHES
    height = _HEAD_INCHES + line_count * line_inches
    figure = Figure(figsize=(_WIDTH_INCHES, height), facecolor="white")
    parts = parts_of(session)
    for line in range(line_count):
        bottom = height - _HEAD_INCHES - (line + 1) * line_inches + _GAP_INCHES
        axes = figure.add_axes((0.04, bottom / height, 0.95, roll_inches / height))
        _draw_line(axes, session, parts, line * LINE_TICKS, (lowest, highest))
    _draw_head(figure, parts, title, height)
    return figure


def _draw_head(figure: Figure, parts: Sequence[Part], title: str, height: float) -> None:
    middle = 1 - 0.25 / height
    figure.text(
        0.04, middle, title, fontsize=13, color=_INK, va="center", weight="bold", parse_math=False
    )
    shown = [part for part in parts if part.notes]
    for index, part in enumerate(reversed(shown)):
        right = 0.985 - index * 0.07
        figure.text(
            right,
            middle,
            f"■ {part.name}",
            fontsize=9,
            color=_colour(part),
            va="center",
            ha="right",
        )


def _draw_line(
    axes: Any, session: Session, parts: Sequence[Part], start: int, span: tuple[int, int]
) -> None:
    """Draw one line of the roll: ticks from ``start``, pitches within ``span``."""
    _draw_grid(axes, start, span, session.end_tick)
    # What is drawn last covers the others: keys first, and a person last.
    for part in sorted(parts, key=lambda part: (part.by_person, part.name != "keys")):
        notes = [n for n in part.notes if n.tick < start + LINE_TICKS and n.end_tick > start]
        axes.add_collection(_blocks(notes, _colour(part)), autolim=False)
    _draw_labels(axes, session, start)


def _draw_grid(axes: Any, start: int, span: tuple[int, int], end_tick: int) -> None:
    lowest, highest = span
    axes.set_xlim(start, start + LINE_TICKS)
    axes.set_ylim(lowest - 0.5, highest + 0.5)
    for pitch in range(lowest, highest + 1):
        if pitch % 12 in _BLACK_KEYS:
            axes.axhspan(pitch - 0.5, pitch + 0.5, color=_BLACK_KEY, linewidth=0, zorder=0)
    named = [pitch for pitch in range(max(lowest, 12), highest + 1) if pitch % 12 in (0, 7)]
    axes.set_yticks(named, [pitch_name(pitch) for pitch in named], fontsize=6.5, color=_INK)
    for tick in range(start, start + LINE_TICKS + 1, TICKS_PER_QUARTER):
        is_bar = tick % BAR_TICKS == 0
        axes.axvline(
            tick, color=_BAR if is_bar else _BEAT, linewidth=0.9 if is_bar else 0.6, zorder=1
        )
    bars = range(start, min(start + LINE_TICKS, max(end_tick, 1)), BAR_TICKS)
    axes.set_xticks(bars, [str(tick // BAR_TICKS + 1) for tick in bars], fontsize=7, color=_INK)
    axes.axvspan(
        end_tick, max(end_tick, start + LINE_TICKS), color="#ececec", linewidth=0, zorder=1.5
    )
    axes.tick_params(length=0, pad=2)
    axes.spines[["top", "right", "left", "bottom"]].set_color(_BEAT)


def _blocks(notes: Iterable[PlayedNote], colour: str) -> PolyCollection:
    """Draw notes as blocks, the softer the paler; opaque, so that no two colours mix."""
    corners, shades = [], []
    for note in notes:
        left, right, low, high = note.tick, note.end_tick, note.pitch - 0.45, note.pitch + 0.45
        corners.append([(left, low), (left, high), (right, high), (right, low)])
        paleness = 0.6 * (1 - note.velocity / 127)
        shades.append([part + (1 - part) * paleness for part in to_rgb(colour)])
    return PolyCollection(corners, facecolors=shades, edgecolors="white", linewidths=0.7, zorder=3)


def _draw_labels(axes: Any, session: Session, start: int) -> None:
    """Write tempos, keys and marks above the line; what has no room there is left out.

    A mark also has a line of its own through the roll, so that none is lost.
    """
    ends = [float(start)] * _LABEL_ROWS
    for tick, text in _labels(session, start):
        width = len(text) * LINE_TICKS / 220
        row = next((row for row, end in enumerate(ends) if end <= tick), None)
        if row is None or tick + width > start + LINE_TICKS * 1.02:
            continue
        ends[row] = tick + width
        axes.annotate(
            text, (tick, 1), (1, 3 + 9 * row), xycoords=("data", "axes fraction"),
            textcoords="offset points", fontsize=6.5, color=_INK,
            annotation_clip=False, parse_math=False,
        )  # fmt: skip
    for tick, _ in session.marks:
        if start <= tick < start + LINE_TICKS:
            axes.axvline(tick, color=_INK, linewidth=0.8, linestyle=(0, (4, 3)), zorder=2)


def _labels(session: Session, start: int) -> list[tuple[int, str]]:
    """Give the line's labels, one a tick."""
    said: dict[int, list[str]] = {}
    tempos = [(tick, f"{bpm:.0f} bpm") for tick, bpm in session.tempos]
    for tick, text in [*tempos, *session.keys, *session.marks]:
        if start <= tick < start + LINE_TICKS:
            said.setdefault(tick, []).append(text)
    return [(tick, _shortened(" · ".join(texts))) for tick, texts in sorted(said.items())]


def _shortened(text: str) -> str:
    return text if len(text) <= _LONGEST_LABEL else text[: _LONGEST_LABEL - 1] + "…"


def _colour(part: Part) -> str:
    return _COLOURS["person" if part.by_person else part.name if part.name in _COLOURS else "other"]
