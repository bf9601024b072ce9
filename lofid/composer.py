"""The composer: context to predictor to sampler to events, up to a horizon. No I/O, no clock.

A pure function of the session's seed, the settings, and what was heard and when in composed time: a
session that is played live and one that is rendered are the same events. In whatever pieces the
time is asked for, the music is the same; and what is taken back is composed the same again, unless
something was heard meanwhile, or the model heard its window anew: then it may come out otherwise. A
model that gives no numbers does not stop it: the last bar is repeated (:mod:`lofid.refrain`) until
it does.
"""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace

import numpy as np

from lofid.card import LONGEST_STEP_GRID
from lofid.chooser import MOST_AT_ONCE, Chooser, Place
from lofid.context import Context, Entry, MemoryRow
from lofid.density import Habit
from lofid.errors import ModelError
from lofid.feel import Feel
from lofid.guard import LoopGuard
from lofid.marks import Mark, Marks
from lofid.music import BAR_GRID, GRID_PER_QUARTER, GRID_TICKS, Event, first_place, to_home
from lofid.played import Played, placed
from lofid.predictor import Foreteller, Prediction
from lofid.recollection import Recollection
from lofid.refrain import Choice, Known, NoNumbers, Refrain, numbers
from lofid.vocabulary import velocity_id


class Composer:
    """One session's composer. Not thread-safe.

    ``faults`` counts the events that were repeated because the model gave no numbers.
    """

    def __init__(self, predictor: Foreteller, feel: Feel, seed: int):
        """Compose until the context is full. ModelError if the model gives no numbers for that."""
        self.faults = 0
        self._predictor = predictor
        self._card = predictor.card
        self._vocabulary = predictor.vocabulary
        self._context = Context(self._vocabulary, self._card.context_length, self._card.pad_context)
        self._recollection = Recollection(predictor, self._card.context_length)
        self._rng = np.random.default_rng(seed)
        self._chooser = Chooser(predictor, self._rng)
        self._guard = LoopGuard(len(self._vocabulary.tokens))
        self._refrain = Refrain()
        self._habit = Habit()
        self._onset_grid = 0
        self._step_grid = 0
        self._begun_here: list[int] = []
        self._marks = Marks()
        self._waiting: Event | None = None
        self._played = Played(self._card.context_length)
        self._is_awaited = False
        """Whether the next event is to answer what was heard."""
        # What nobody hears is as dense as learnt: a density is the same from the start as later.
        self._feel = replace(feel, density=1.0)
        self._fill()
        self._feel = feel

    @property
    def feel(self) -> Feel:
        """What is composed by. In another key, what was heard is understood anew."""
        return self._feel

    @feel.setter
    def feel(self, feel: Feel) -> None:
        is_other_key = feel.key.shift_semitones != self._feel.key.shift_semitones
        self._feel = feel
        if is_other_key:
            self._played.take_all()
            self._understand({n: self._meant(event) for n, event in self._played.events.items()})

    @property
    def context(self) -> list[Entry]:
        """The context as it is, the oldest entry first."""
        return self._context.entries()

    @property
    def heard(self) -> int:
        """How many events of the context are a person's."""
        return self._context.heard

    def _fill(self) -> None:
        """Fill the context with music that nobody hears, so that the first bar is in its stride.

        What follows begins on a bar line, which becomes tick 0. ModelError if the model says
        nothing, or nothing after the first.
        """
        events = self._card.context_length
        with suppress(NoNumbers):
            for _ in range(events):
                self._next()
            if not 0 < self.faults == events - 1:
                self._begin_at(-(-self._onset_grid // BAR_GRID) * BAR_GRID)
                return
        raise ModelError("the model gives no numbers: train it again, or play another one")

    def _begin_at(self, bar_grid: int) -> None:
        """Call a bar line 0, and go on from there."""
        self._context.shift(-bar_grid)
        self._guard.shift(-bar_grid)
        self._refrain.shift(-bar_grid)
        self._recollection.forget()
        self._marks.clear()
        self._go_to(0)

    def _go_to(self, onset_grid: int) -> None:
        self._onset_grid, self._step_grid = onset_grid, 0
        self._begun_here = []

    def compose(self, until_ticks: int) -> list[Event]:
        """Give the events that begin before ``until_ticks`` and were not given before.

        They are in concert pitch and swung time, in the order of their onsets.
        """
        events: list[Event] = []
        while (event := self.compose_one(until_ticks)) is not None:
            events.append(event)
        return events

    def compose_one(self, until_ticks: int) -> Event | None:
        """Give only the next event, if it begins before ``until_ticks``: that is soonest done."""
        event = self._waiting or self._next()
        self._waiting = event if event.onset_ticks >= until_ticks else None
        return None if self._waiting else event

    def settle(self, until_ticks: int) -> None:
        """What begins before ``until_ticks`` will not be taken back."""
        self._marks.settle(until_ticks)

    def take_back(self, from_ticks: int) -> None:
        """Forget what was composed to begin at ``from_ticks`` or later, unless it is settled."""
        if (mark := self._marks.take_back(from_ticks)) is None:
            return
        self._waiting = None
        self._context.take_back(mark.onset_grid)
        self._recollection.change(mark.onset_grid)
        self._onset_grid, self._step_grid = mark.onset_grid, mark.step_grid
        self._begun_here = mark.begun_here
        self._rng.bit_generator.state = mark.rng
        self._guard, self._refrain, self._habit = mark.guard, mark.refrain, mark.habit

    def go_on_at(self, from_ticks: int) -> None:
        """Let the next event begin at the first place of the grid at or after ``from_ticks``.

        To be called when nothing waits that begins later: after :meth:`take_back`.
        """
        self._understand(self._played.take_all())
        self._go_to(first_place(from_ticks, self._feel.swing_percent))

    def come_in(self, from_ticks: int) -> None:
        """Let the next event begin when the model would have one follow what was heard last.

        Not before ``from_ticks``, not later than it would without, and only where that is over a
        beat away: answering each note with one more would be too busy. To be called after
        :meth:`hear` and :meth:`take_back`.
        """
        first_grid = first_place(from_ticks, self._feel.swing_percent)
        if not self._played.events or self._onset_grid - first_grid <= GRID_PER_QUARTER:
            return
        number = self._played.newest
        entry = self._meant(self._played.events[number])
        steps = range(first_grid - entry.onset_grid, self._onset_grid - entry.onset_grid)
        if not self._chooser.knows_step(steps):
            return
        with suppress(NoNumbers):
            prediction = self._recollection.predict(self._context.rows_before(number))
            token = entry.token_id
            step = self._chooser.step(prediction, token, steps, self._feel)
            self._go_to(entry.onset_grid + step)

    def hear(self, number: int, event: Event) -> tuple[str, float]:
        """Take what a person played into the context, in place of what had this number before.

        Gives the token it was heard as and its likeness, 0 to 1. What was composed already stays,
        unless it is taken back; what is composed next follows from it. Only how long it was is
        known when something else is heard, and one event has answered that.
        """
        entry = self._meant(event)
        if self._played.hear(number, event, entry):
            self._understand({number: entry})
            self._recollection.expect(entry.onset_grid)
            self._is_awaited = True
        _, likeness = self._vocabulary.nearest(to_home(event.pitches, self._feel.key))
        return self._vocabulary.tokens[entry.token_id], likeness

    def _understand(self, entries: Mapping[int, Entry]) -> None:
        """Put a person's entries into the context, and have the model hear them."""
        for number, entry in entries.items():
            self._context.hear(number, entry)
            self._recollection.change(entry.onset_grid)

    def _meant(self, event: Event) -> Entry:
        onset, length = placed(event, self._feel.swing_percent)
        return self._entry(event)._replace(onset_grid=onset, length_grid=length)

    def _entry(self, event: Event) -> Entry:
        return Entry(
            onset_grid=round(event.onset_ticks / GRID_TICKS),
            length_grid=max(1, round(event.length_ticks / GRID_TICKS)),
            token_id=self._vocabulary.token_id(to_home(event.pitches, self._feel.key)),
            velocity_id=velocity_id(event.velocity),
        )

    def seed(self, events: Sequence[Event]) -> None:
        """Replace the context by events, in concert pitch and in order: what follows, follows them.

        They are moved by whole bars, so that the last one's bar ends where the composer's begins.
        """
        entries = [self._entry(event) for event in events]
        last_bar = entries[-1].onset_grid // BAR_GRID + 1 if entries else 0
        self._replace(entries, -last_bar * BAR_GRID)

    def forget(self) -> None:
        """Empty the context: what follows is the beginning of a piece."""
        self._replace([], 0)

    def memory(self) -> list[MemoryRow]:
        """Give the context, for :meth:`recall`; onsets count from the bar line that comes next."""
        next_bar = -(-self._onset_grid // BAR_GRID) * BAR_GRID
        return [
            [e.onset_grid - next_bar, e.length_grid, e.token_id, e.velocity_id]
            for e in self._context.entries()
        ]

    def recall(self, rows: Iterable[MemoryRow]) -> None:
        """Replace the context by what :meth:`memory` gave, maybe in another session."""
        self._replace([Entry(*row) for row in rows], 0)

    def _replace(self, entries: Iterable[Entry], shift_grid: int) -> None:
        """Make a context anew; onset 0, after the shift, is where the composer's bar begins."""
        self._context.clear()
        self._played.clear()
        self._recollection.forget()
        self._habit = Habit()
        self._marks.clear()
        self._waiting = None
        for entry in entries:
            self._context.add(entry)
        self._context.shift(self._onset_grid // BAR_GRID * BAR_GRID + shift_grid)

    def _next(self) -> Event:
        is_awaited, self._is_awaited = self._is_awaited, False
        self._understand({} if is_awaited else self._played.take_due())
        rng = self._rng.bit_generator.state
        guard, refrain, begun = self._guard.copy(), self._refrain.copy(), self._begun_here
        before = (self._onset_grid, self._step_grid, begun, rng, guard, refrain, self._habit)
        choice = self._foretold() or self._repeated()
        token, length = choice.token, choice.length_grid
        self._context.add(Entry(self._onset_grid, length, token, choice.velocity_class))
        event = self._chooser.event(choice, self._onset_grid, self._feel)
        self._marks.add(Mark(event.onset_ticks, *before))
        self._guard.add(self._onset_grid, token, choice.rhythm, length, event.pitches)
        self._habit = self._habit.after(self._feel.density)
        self._move_on(choice.step_grid, token)
        return event

    def _foretold(self) -> Choice | None:
        """Draw what the model says; where that is no numbers, once more from the window."""
        with suppress(NoNumbers):
            return self._drawn(self._predict())
        was_carried = self._recollection.is_carried
        self._recollection.forget()
        return self._foretold() if was_carried else None

    def _predict(self) -> Prediction:
        return self._recollection.predict(self._context.rows(self._onset_grid))

    def _drawn(self, prediction: Prediction) -> Choice:
        """Draw an event. NoNumbers where the model gives none."""
        numbers(prediction.token_logits)
        self._refrain.trust()
        place = Place(self._onset_grid, self._begun_here, self._habit)
        choice = self._chooser.choose(prediction, place, self._guard, self._feel)
        self._refrain.add(self._onset_grid, choice)
        return choice

    def _repeated(self) -> Choice:
        """Go on to what began a bar ago, and repeat it. NoNumbers where nothing ever began."""
        wait, choice = self._recall(self._begun_here)
        self.faults += 1
        if wait := min(wait, LONGEST_STEP_GRID - self._step_grid):
            self._move_on(wait, choice.token)
        step, _ = self._recall([*self._begun_here, choice.token])
        self._refrain.repeat(self._onset_grid, choice)
        return replace(choice, step_grid=step)

    def _recall(self, begun: list[int]) -> Known:
        return self._refrain.next(self._onset_grid, begun, len(begun) >= MOST_AT_ONCE)

    def _move_on(self, step_grid: int, token: int) -> None:
        self._begun_here = [*self._begun_here, token] if step_grid == 0 else []
        self._onset_grid += step_grid
        self._step_grid = step_grid
