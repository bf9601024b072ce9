"""The comparison: a session as its journal tells it, beside the same one made anew. No I/O.

Two things are compared, in the journal's order:

* what the engine answered to each input, by its checksum: every note's begin and end, channel,
  pitch and velocity, whether it was played or taken back;
* each note that sounded, by its tick, channel, pitch and velocity: it was composed anew, or it is
  of the last bar, where that was repeated because nothing had been composed in time.

So the first tells that something differs, and the second what it was.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from lofid.entries import End, Entry, Gap, Input, On
from lofid.errors import RecordingError
from lofid.inputs import RECEIVE, Given, Outcome, read
from lofid.music import BAR_TICKS
from lofid.player.wire import Message
from lofid.replay import Made, Replay

Voiced = tuple[int, int, int]
"""Channel, 0 to 15, pitch and velocity."""


@dataclass(frozen=True, slots=True)
class Difference:
    """Where two sessions part: the session's seconds, and a line that says what was and came."""

    seconds: float
    line: str


@dataclass(slots=True)
class Findings:
    """What was compared: inputs, notes composed and notes that sounded, until ``seconds``.

    ``stopped`` says why not to the journal's end; empty if it was. ``version`` of lofid played.
    """

    inputs: int = 0
    composed: int = 0
    sounded: int = 0
    seconds: float = 0.0
    difference: Difference | None = None
    stopped: str = ""
    version: str = ""


class Composed:
    """Which notes were composed, at any time, and which bars might be repeated."""

    def __init__(self) -> None:
        self._notes: defaultdict[int, set[Voiced]] = defaultdict(set)
        self._bars: defaultdict[int, set[Voiced]] = defaultdict(set)
        self._repeats_from: int | None = None

    def take(self, messages: Iterable[Message]) -> int:
        """Take what the player is to do; give how many notes that has."""
        count = 0
        for message in messages:
            if message["do"] != "play":
                continue
            for notes, known in ((message["notes"], self._notes), (message["bar"], self._bars)):
                for on_tick, _, channel, pitch, velocity in notes:
                    known[on_tick].add((channel, pitch, velocity))
            count += len(message["notes"])
        return count

    def repeat(self, tick: int) -> None:
        """Nothing was composed from here: a bar was repeated."""
        self._repeats_from = tick if self._repeats_from is None else min(tick, self._repeats_from)

    def has(self, on: On) -> bool:
        """Whether this may sound."""
        voiced = (on.channel, on.pitch, on.velocity)
        is_repeated = self._repeats_from is not None and on.tick >= self._repeats_from
        return voiced in self._notes.get(on.tick, ()) or (
            is_repeated and voiced in self._bars.get(on.tick % BAR_TICKS, ())
        )

    def at(self, tick: int) -> list[Voiced]:
        """List what was composed at a tick."""
        return sorted(self._notes.get(tick, ()))


class Comparison:
    """Compares one session; ``make`` makes it anew of what its engine was made of."""

    def __init__(self, make: Callable[[Made], Replay]) -> None:
        self._make = make
        self._replay: Replay | None = None
        self._findings = Findings()
        self._composed = Composed()
        self._untold: list[On] = []
        """What sounded since the last inputs were told: what led to it may not have been yet."""
        self._next_number = 0
        self._began = 0
        self._suspect: Difference | None = None
        """Where an answer was another, until a note tells what that was."""

    def run(self, entries: Iterable[Entry], faults: list[str]) -> Findings:
        """Compare to the end, or until it differs, or something is missing.

        ``faults`` gets a line where something cannot be read, before the entry that follows it.
        RecordingError for a journal that has not its beginning, or asks for what cannot be done.
        """
        findings = self._findings
        for entry in entries:
            if faults or findings.stopped or findings.difference is not None:
                break
            self._take(entry)
        if faults:
            findings.stopped = findings.stopped or faults[0]
        findings.difference = findings.difference or self._suspect
        if self._replay is None:
            why = findings.stopped or "it has no inputs"
            raise RecordingError(f"the session cannot be made anew from the beginning: {why}")
        return findings

    def _take(self, entry: Entry) -> None:
        match entry:
            case On(by_person=False):
                self._untold.append(entry)
            case Input():
                self._inputs(entry)
            case Gap(records=records) if records:
                self._findings.stopped = f"{records} records are missing: {entry.why}"
            case End():
                self._check_sounded()

    def _inputs(self, entry: Input) -> None:
        try:
            number, inputs = read(entry.data)
        except ValueError as error:
            raise RecordingError(f"a record at {entry.seconds:.3f} s {error}") from None
        if number != self._next_number:
            self._findings.stopped = f"inputs {self._next_number} to {number - 1} are missing"
            return
        self._next_number += len(inputs)
        for given in inputs:
            self._do(given)
        self._findings.seconds = self._seconds(inputs[-1])
        self._check_sounded()

    def _do(self, given: Given) -> None:
        if self._replay is None:
            self._began = given.microseconds
            made = Made.read(given)
            self._findings.version = made.version
            self._replay = self._make(made)
            return
        if given.name == RECEIVE and given.arguments[0].get("is") == "underrun":
            self._composed.repeat(given.arguments[0]["tick"])
        messages, outcome = self._replay.do(given)
        count = self._composed.take(messages)
        if self._suspect is None and outcome == given.outcome:
            self._findings.inputs += 1
            self._findings.composed += count
        elif self._suspect is None:
            self._suspect = _answered(self._seconds(given), given, messages, outcome)

    def _seconds(self, given: Given) -> float:
        return (given.microseconds - self._began) / 1_000_000

    def _check_sounded(self) -> None:
        for on in self._untold:
            if not self._composed.has(on):
                self._findings.difference = _sounded(on, self._composed.at(on.tick))
                break
            if self._suspect is None:
                self._findings.sounded += 1
        self._untold.clear()


def _sounded(on: On, came: list[Voiced]) -> Difference:
    was = _said((on.channel, on.pitch, on.velocity))
    now = "; ".join(map(_said, came)) or "nothing"
    return Difference(on.seconds, f"tick {on.tick}: {was} sounded, composed anew is {now}")


def _answered(
    seconds: float, given: Given, messages: list[Message], outcome: Outcome
) -> Difference:
    notes = [note for message in messages for note in message.get("notes", [])]
    if isinstance(outcome, str) or isinstance(given.outcome, str):
        what = f"gave {given.outcome or 'nothing'}, anew it gives {outcome or 'nothing'}"
    elif notes:
        on_tick, off_tick, *voiced = notes[0]
        what = (
            f"was other notes; anew they begin with tick {on_tick} to {off_tick}: {_said(voiced)}"
        )
    else:
        what = "was something else; anew it has no notes"
    return Difference(seconds, f"the answer to {given.name!r} at {seconds:.6f} s {what}")


def _said(voiced: Sequence[int]) -> str:
    channel, pitch, velocity = voiced
    return f"channel {channel + 1} note {pitch} velocity {velocity}"
