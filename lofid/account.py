"""The account: a transcript as a session, which is what files are made of. Pure.

Rules:

* The file's first tick is the bar line at or before the transcript's begin.
* What has no length in ticks (a key struck while the music stood) gets one tick; struck again
  there, it comes a tick later, so that all is there and in its order.
* Markers say the seed, what the music went on from, settings as they were changed, and what is
  missing. A setting that is swept is marked where it comes to rest.
"""

import math
from collections.abc import Iterable, Iterator, Sequence
from typing import TypeVar

from lofid.entries import Set
from lofid.music import BAR_TICKS, TICKS_PER_QUARTER
from lofid.session import (
    FASTEST_BPM,
    LEAST_SWING,
    MOST_SWING,
    SLOWEST_BPM,
    Control,
    PlayedNote,
    Session,
    apart,
)
from lofid.transcript import Note, Transcript

SWEEP_TICKS = TICKS_PER_QUARTER
"""The same setting changed again within a beat is a sweep."""
_SAID_OTHERWISE = ("tempo", "key")
"""Settings that a file has changes of: a marker would say it twice."""


_T = TypeVar("_T")


def session_of(transcript: Transcript) -> Session:
    """Give what sounded, in ticks from the bar line where the file begins."""
    return _Account(transcript).session()


class _Account:
    def __init__(self, transcript: Transcript) -> None:
        self._whole = transcript
        self._origin = transcript.begin.tick // BAR_TICKS * BAR_TICKS

    def session(self) -> Session:
        whole = self._whole
        notes = tuple(sorted(apart(map(self._note, whole.notes))))
        tempos = {self._at(t.tick): min(max(t.bpm, SLOWEST_BPM), FASTEST_BPM) for t in whole.tempos}
        controls = tuple(Control(self._at(c.tick), c.data) for c in whole.controls)
        marks = tuple(sorted(self._marks(), key=lambda mark: mark[0]))
        ends = [note.end_tick for note in notes] + [self._at(whole.end.tick)]
        channels = whole.header.channels
        return Session(
            notes=notes,
            tempos=_from_the_start(tempos),
            keys=_from_the_start({self._at(key.tick): key.text for key in whole.keys}),
            lead_channel=channels["lead"],
            keys_channel=channels["keys"],
            end_tick=max([*ends, *(tick for tick, _ in marks)]),
            controls=controls,
            marks=marks,
            swings=_from_the_start(dict(self._swings())),
        )

    def _at(self, tick: int) -> int:
        return max(tick - self._origin, 0)

    def _note(self, note: Note) -> PlayedNote:
        tick, end_tick = self._at(note.tick), self._at(note.end_tick)
        voice = (note.channel, note.pitch, note.velocity, note.by_person)
        return PlayedNote(tick, max(end_tick - tick, 1), *voice)

    def _swings(self) -> Iterator[tuple[int, float]]:
        began = self._whole.header.settings.get("music", {}).get("swing")
        changed = [(self._at(s.tick), s.text) for s in self._whole.sets if s.name == "swing"]
        for tick, percent in [(0, began), *changed]:
            if (swing := _swing(percent)) is not None:
                yield tick, swing

    def _marks(self) -> Iterator[tuple[int, str]]:
        whole = self._whole
        yield self._at(whole.begin.tick), f"seed {whole.header.seed}"
        yield from ((self._at(mark.tick), mark.text) for mark in whole.marks)
        here = [s for s in whole.sets if s.seconds > whole.begin.seconds]
        said = [s for s in here if s.name not in _SAID_OTHERWISE]
        yield from ((self._at(s.tick), f"{s.name} = {s.text}") for s in _at_rest(said))
        for gap in whole.gaps:
            what = f"{gap.records} records are missing: {gap.why}"
            if gap.records:
                yield self._at(whole.at_seconds(gap.seconds).tick), what


def _at_rest(changes: Sequence[Set]) -> list[Set]:
    """Give the changes that no other of the same setting follows at once."""
    resting: list[Set] = []
    following: dict[str, int] = {}
    for change in reversed(changes):
        if following.get(change.name, math.inf) - change.tick >= SWEEP_TICKS:
            resting.append(change)
        following[change.name] = change.tick
    return resting[::-1]


def _swing(percent: object) -> float | None:
    """Give a swing within what a file can say; None for what is no number."""
    try:
        number = float(str(percent))
    except ValueError:
        return None
    return None if math.isnan(number) else min(max(number, LEAST_SWING), MOST_SWING)


def _from_the_start(changes: dict[int, _T]) -> tuple[tuple[int, _T], ...]:
    """Order changes by tick. The first one holds from the beginning."""
    ordered: Iterable[tuple[int, _T]] = sorted(changes.items(), key=lambda change: change[0])
    return tuple((tick if index else 0, value) for index, (tick, value) in enumerate(ordered))
