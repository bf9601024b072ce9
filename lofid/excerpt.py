"""An excerpt: a transcript between two moments, such as the last five minutes. Pure.

A note that sounds where it is cut is kept with the part inside. The tempo, the key, the transport,
the controllers and the changed settings that hold where it begins are said there (a DAW calls that
chasing).
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import chain
from operator import attrgetter
from typing import Any, TypeVar

from lofid.entries import Control, KeyChange, Set, Tempo, Transport
from lofid.transcript import Moment, Note, Transcript, what_changes

_Entry = TypeVar("_Entry")
_Change = TypeVar("_Change", Tempo, KeyChange, Transport, Control, Set)


def between_seconds(transcript: Transcript, begin: float, end: float) -> Transcript:
    """Cut by the session's seconds; within what there is. ValueError unless begin is before end."""
    _check(begin, end)
    return _Cut(
        transcript, transcript.at_seconds(begin), transcript.at_seconds(end), "seconds"
    ).done()


def between_ticks(
    transcript: Transcript, begin: int, end: int, end_seconds: float | None = None
) -> Transcript:
    """Cut by the session's ticks; within what there is. ValueError unless begin is before end.

    What happens at the end tick is outside; with ``end_seconds``, what happens there until then is
    inside, and the music may have stood at one tick from begin to end.
    """
    begins = transcript.at_tick(begin) if begin > transcript.begin.tick else transcript.begin
    if end_seconds is None:
        _check(begin, end)
        return _Cut(transcript, begins, transcript.at_tick(end), "tick").done()
    seconds = min(end_seconds, transcript.end.seconds)
    ends = replace(transcript.at_tick(end), seconds=seconds)
    return _Cut(transcript, begins, ends, "tick", is_closed=True).done()


def _check(begin: float, end: float) -> None:
    if not begin < end:
        raise ValueError(f"an excerpt from {begin} to {end} is none")


@dataclass(frozen=True, slots=True)
class _Cut:
    """``axis`` says by which time what is inside is told: ``tick`` or ``seconds``.

    The end itself is outside, unless it is the transcript's or the cut ``is_closed``.
    """

    whole: Transcript
    begin: Moment
    end: Moment
    axis: str
    is_closed: bool = False

    def done(self) -> Transcript:
        whole = self.whole
        return replace(
            whole,
            begin=self.begin,
            end=self.end,
            notes=tuple(sorted(self._parts(whole.notes))),
            tempos=self._chased(whole.tempos),
            keys=self._chased(whole.keys),
            transports=self._chased(whole.transports),
            controls=self._chased(whole.controls),
            sets=self._chased(whole.sets),
            marks=self._inside(whole.marks),
            takes=self._inside(whole.takes),
            gaps=tuple(gap for gap in whole.gaps if self._meets(gap.from_seconds, gap.seconds)),
            is_ended=whole.is_ended and self.end == whole.end,
        )

    def _is_before_end(self, place: Any) -> bool:
        at, end = attrgetter(self.axis), self.end
        is_at_end = at(place) == at(end) and place.seconds <= end.seconds
        return bool(at(place) < at(end) or (self.is_closed and is_at_end)) or end == self.whole.end

    def _inside(self, entries: Iterable[_Entry]) -> tuple[_Entry, ...]:
        at = attrgetter(self.axis)
        return tuple(e for e in entries if at(e) >= at(self.begin) and self._is_before_end(e))

    def _meets(self, from_seconds: float, until_seconds: float) -> bool:
        return until_seconds >= self.begin.seconds and from_seconds <= self.end.seconds

    def _parts(self, notes: Iterable[Note]) -> Iterator[Note]:
        at, at_end = attrgetter(self.axis), attrgetter(f"end_{self.axis}")
        border = at(self.begin)
        for note in notes:
            is_after_begin = at(note) >= border or at_end(note) > border
            if is_after_begin and self._is_before_end(note):
                yield self._part(note)

    def _part(self, note: Note) -> Note:
        begin, end = self.begin, self.end
        return replace(
            note,
            tick=min(max(note.tick, begin.tick), end.tick),
            end_tick=min(max(note.end_tick, begin.tick), end.tick),
            seconds=min(max(note.seconds, begin.seconds), end.seconds),
            end_seconds=min(max(note.end_seconds, begin.seconds), end.seconds),
        )

    def _chased(self, changes: Iterable[_Change]) -> tuple[_Change, ...]:
        """Give what holds where this begins, and the changes since; those at its beginning too."""
        at = attrgetter(self.axis, "seconds")  # while the music stands, ticks do not tell
        begin, tick = at(self.begin), self.begin.tick
        before: dict[object, _Change] = {}
        since: list[_Change] = []
        for change in filter(self._is_before_end, changes):
            if at(change) < begin:
                moved = replace(change, tick=tick, seconds=self.begin.seconds)
                before[what_changes(change)] = moved
            else:
                since.append(replace(change, tick=max(change.tick, tick)))
        news = {what_changes(change) for change in since if at(change) == begin}
        held = (change for what, change in before.items() if what not in news)
        return tuple(chain(held, since))
