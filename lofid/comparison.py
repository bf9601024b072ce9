"""The comparison: a session as its journal tells it, beside the same one made anew. No I/O.

Two things are compared, in the journal's order:

* what the engine answered to each input, by its checksum: every note's begin and end, channel,
  pitch and velocity, whether it was played or taken back;
* each note that sounded, by its tick, channel, pitch and velocity, with what may have sounded; and
  what must have sounded with what did (:mod:`lofid.prospect`).

So the first tells that something differs, and the second what it was.
"""

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from lofid.entries import End, Entry, Gap, Input, On
from lofid.errors import LofidError, RecordingError
from lofid.inputs import ANSWER, ANSWER_BEGUN, Given, Outcome, read, to_engine
from lofid.player.wire import Message
from lofid.prospect import Place, Prospect, Voiced
from lofid.replay import Made, Replay

TOLD_AGAIN = 2048
"""So many notes may have been told already after a gap: a megabyte has about as many."""


@dataclass(frozen=True, slots=True)
class Difference:
    """Where two sessions part: the session's seconds, and a line that says what was and came."""

    seconds: float
    line: str


@dataclass(slots=True)
class Findings:
    """What was compared: inputs, notes composed and notes that sounded, until ``seconds``.

    ``stopped`` says why not to the journal's end; empty if it was. That is the session's if it
    ``is_ended``; else it ``is_going_on``, or was cut off. ``version`` of lofid played.
    """

    inputs: int = 0
    composed: int = 0
    sounded: int = 0
    seconds: float = 0.0
    difference: Difference | None = None
    stopped: str = ""
    is_ended: bool = False
    is_going_on: bool = False
    version: str = ""


class Comparison:
    """Compares one session; ``make`` makes it anew of what its engine was made of."""

    def __init__(self, make: Callable[[Made], Replay]) -> None:
        self._make = make
        self._replay: Replay | None = None
        self._findings = Findings()
        self._prospect = Prospect()
        self._untold: list[On] = []
        """What sounded since the last inputs were told: what led to it may not have been yet."""
        self._told: deque[On] = deque(maxlen=TOLD_AGAIN)
        self._is_gapped = False
        """After a gap, a disk that took a part before may have been given that once more."""
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
                if not (self._is_gapped and entry in self._told):
                    self._untold.append(entry)
                self._told.append(entry)
            case Input():
                self._inputs(entry)
            case Gap(records=records) if records:
                self._findings.stopped = f"{records} records are missing: {entry.why}"
            case Gap():
                self._is_gapped = True
            case End():
                self._check_sounded()
                self._findings.is_ended = True

    def _inputs(self, entry: Input) -> None:
        try:
            number, inputs = read(entry.data)
        except ValueError as error:
            raise RecordingError(f"a record at {entry.seconds:.3f} s {error}") from None
        if number + len(inputs) <= self._next_number and self._is_gapped:
            return
        if number < self._next_number:
            self._findings.stopped = f"the inputs from {number} on are told a second time"
        elif number > self._next_number:
            self._findings.stopped = f"inputs {self._next_number} to {number - 1} are missing"
        else:
            self._next_number += len(inputs)
            self._do_all(inputs)

    def _do_all(self, inputs: Sequence[Given]) -> None:
        for given in inputs:
            try:
                self._do(given)
            except LofidError:
                raise
            except (KeyError, TypeError, ValueError, IndexError, AttributeError) as error:
                where = f"the input {given.name!r} at {self._seconds(given):.6f} s"
                raise RecordingError(f"{where} cannot be done: {error!r}") from error
        self._findings.seconds = self._seconds(inputs[-1])
        self._check_sounded()

    def _do(self, given: Given) -> None:
        if self._replay is None:
            self._began = given.microseconds
            made = Made.read(given)
            self._findings.version = made.version
            self._replay = self._make(made)
            return
        self._expect(given)
        messages, outcome = self._replay.do(given)
        count = self._prospect.tell(given.microseconds, messages)
        if self._suspect is None and outcome == given.outcome:
            self._findings.inputs += 1
            self._findings.composed += count
        elif self._suspect is None:
            self._suspect = _answered(self._seconds(given), given, messages, outcome)

    def _expect(self, given: Given) -> None:
        """Learn what may sound and what must from an input, before it is done."""
        if (message := to_engine(given)) is not None:
            self._prospect.hear(given.microseconds, message)
        elif given.name in (ANSWER, ANSWER_BEGUN):
            self._prospect.answer(given.microseconds)
        elif given.name in ("lose", "resume"):
            self._prospect.lose()

    def _seconds(self, given: Given) -> float:
        return (given.microseconds - self._began) / 1_000_000

    def _check_sounded(self) -> None:
        for on in self._untold:
            if not self._prospect.sounds(on):
                self._findings.difference = _sounded(on, self._prospect.at(on.tick))
                break
            if self._suspect is None:
                self._findings.sounded += 1
        self._untold.clear()
        missing = self._prospect.missing()
        if missing is not None and self._suspect is None and self._findings.difference is None:
            came = self._prospect.at(missing[0])
            self._findings.difference = _missed(self._findings.seconds, missing, came)


def _sounded(on: On, came: list[Voiced]) -> Difference:
    voiced = on.channel, on.pitch, on.velocity
    if voiced in came:
        line = f"{_said(voiced)} sounded more often than it is composed anew"
    else:
        now = "; ".join(map(_said, came)) or "nothing"
        line = f"{_said(voiced)} sounded, composed anew is {now}"
    return Difference(on.seconds, f"tick {on.tick}: {line}")


def _missed(seconds: float, place: Place, came: list[Voiced]) -> Difference:
    tick, *voice = place
    now = "; ".join(_said(each) for each in came if [*each[:2]] == voice)
    return Difference(seconds, f"tick {tick}: composed anew is {now}, which did not sound")


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
