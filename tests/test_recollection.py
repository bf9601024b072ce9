"""The states along the way are those of the whole window."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from lofid.context import Context, Entry, Window
from lofid.predictor import Floats, Prediction, Predictor, default_model_path
from lofid.recollection import PIECE, STEPS_BETWEEN_PRIMES, TAIL, Recollection
from tests.fakes import CARD, PureModel

LENGTH = 100
LONG = CARD.model_copy(update={"context_length": LENGTH})


def _filled(events: int = LENGTH) -> Context:
    context = Context(LONG.vocabulary(), LENGTH)
    for i in range(events):
        context.add(Entry(6 * i, 6, 1 + i % 4, 1 + i % 8))
    return context


ACTS = st.one_of(
    st.tuples(st.just("add"), st.integers(0, 12), st.integers(1, 4)),
    st.tuples(st.just("hear"), st.just(0) | st.integers(0, 200), st.integers(1, 2)),
    st.tuples(st.just("take back"), st.integers(0, 30) | st.integers(0, 300), st.just(0)),
)


class Hearer(PureModel):
    """Its state is all that it heard, so that nothing of it can be missing unseen."""

    KNOWN = 0

    def prime(self, window: Window) -> Prediction:
        rows = np.stack([window.token, window.rhythm, window.velocity, window.phase], axis=1)
        return self._say(rows.astype(np.float32))

    def step(self, state: Floats, newest: Window) -> Prediction:
        return self._say(np.vstack([state, self.prime(newest).state]))

    def _say(self, known: Floats) -> Prediction:
        return Prediction(np.zeros(1, np.float32), None, known)


@settings(max_examples=150)
@given(st.lists(ACTS, max_size=40), st.integers(0, LENGTH))
def test_what_it_heard_is_the_window(acts: list[tuple[str, int, int]], events: int) -> None:
    """Whatever is added, put in or taken back, equal events among it: it heard these very rows.

    Only of the oldest some may be missing, when as many of the newest were taken back.
    """
    model, context, now = Hearer(LONG), _filled(events), 6 * events
    recollection = Recollection(model, LENGTH)
    for number, (what, by, token) in enumerate(acts):
        if what == "add":
            context.add(Entry(now, 6, token, 5))
            now += by
        elif what == "hear":
            context.hear(number, Entry(now - by, 6, token, 5))
            recollection.change(now - by)
            recollection.expect(now - by)
        else:
            context.take_back(now - by)
            recollection.change(now - by)
            now -= by
        rows = context.rows(now)
        heard = recollection.predict(rows).state[-LENGTH:]
        wanted = np.array([row[1:] for row in rows[-LENGTH:]], np.float32)
        known = min(len(heard), len(wanted))
        assert known >= len(wanted) - TAIL
        assert np.array_equal(heard[-known:], wanted[-known:])


def test_a_key_costs_a_few_events() -> None:
    """From a state a piece before it at most, it, and what was committed after it; no window."""
    model, context = PureModel(LONG), _filled()
    recollection = Recollection(model, LENGTH)
    recollection.predict(context.rows(600))
    context.take_back(6 * 90)
    context.hear(1, Entry(6 * 88 + 1, 6, 2, 5))
    recollection.change(6 * 88 + 1)
    before = model.heard
    recollection.predict(context.rows(600))
    assert 3 <= model.heard - before < PIECE + 3


def test_each_key_costs_as_much_as_the_last() -> None:
    """The length of one is known with the next: heard anew is what follows it, and no more.

    It costs two runs of the model, however many lengths become known.
    """
    model, context = PureModel(LONG), _filled()
    recollection = Recollection(model, LENGTH)
    recollection.predict(context.rows(600))
    costs = list[tuple[int, int]]()
    for number, onset in enumerate(range(600, 800, 36)):
        if number:
            context.hear(number, Entry(onset - 36, 24, 2, 5))
            recollection.change(onset - 36)
        context.hear(number + 1, Entry(onset, 1, 2, 5))
        recollection.change(onset)
        recollection.expect(onset)
        before, runs = model.heard, model.runs
        recollection.predict(context.rows(onset + 3))
        costs.append((model.heard - before, model.runs - runs))
        for composed in range(onset + 3, onset + 36, 6):
            context.add(Entry(composed, 6, 3, 5))
            recollection.predict(context.rows(composed + 6))
    assert costs == [(1, 1), *[(8, 2)] * 5]


def test_lengths_that_become_known_together_cost_no_runs() -> None:
    """The pedal comes up after eight keys: what follows the first is heard anew in two goes."""
    model, context = PureModel(LONG), _filled()
    recollection = Recollection(model, LENGTH)
    recollection.predict(context.rows(600))
    for number in range(9):
        context.hear(number, Entry(600 + 12 * number, 1, 2, 5))
        recollection.change(600 + 12 * number)
        recollection.expect(600 + 12 * number)
        context.add(Entry(600 + 12 * number + 3, 6, 3, 5))
        recollection.predict(context.rows(600 + 12 * number + 12))
    for number in range(8):
        context.hear(number, Entry(600 + 12 * number, 24, 2, 5))
        recollection.change(600 + 12 * number)
    before, runs = model.heard, model.runs
    recollection.predict(context.rows(708))
    assert (model.heard - before, model.runs - runs) == (18, 2)


def test_after_so_many_steps_the_window_is_heard_anew() -> None:
    model, context = PureModel(LONG), _filled()
    recollection = Recollection(model, LENGTH)
    heard = list[int]()
    for i in range(2 * STEPS_BETWEEN_PRIMES + 3):
        before = model.heard
        recollection.predict(context.rows(6 * (LENGTH + i)))
        heard.append(model.heard - before)
        context.add(Entry(6 * (LENGTH + i), 6, 1 + i % 4, 5))
    primes = [i for i, events in enumerate(heard) if events > 1]
    assert primes == [0, STEPS_BETWEEN_PRIMES + 1, 2 * (STEPS_BETWEEN_PRIMES + 1)]
    assert all(events == 1 for i, events in enumerate(heard) if i not in primes)


def test_what_is_put_in_long_ago_is_heard_too() -> None:
    model, context = PureModel(LONG), _filled()
    recollection = Recollection(model, LENGTH)
    recollection.predict(context.rows(600))
    context.hear(1, Entry(60, 6, 2, 5))
    recollection.change(60)
    before = model.heard
    recollection.predict(context.rows(600))
    assert model.heard - before > LENGTH


def test_the_real_model_agrees_with_itself() -> None:
    """Lofid's own: steps from states along the way, and the window heard anew."""
    predictor = Predictor(default_model_path(), "cpu")
    length = predictor.card.context_length
    context = Context(predictor.vocabulary, length)
    for i in range(length):
        context.add(Entry(6 * i, 6, 1 + i % 40, 1 + i % 8))
    recollection = Recollection(predictor, length)
    recollection.predict(context.rows(6 * length))
    context.take_back(6 * (length - TAIL // 2))
    context.hear(1, Entry(6 * (length - TAIL // 2 - 2) + 1, 6, 9, 5))
    recollection.change(6 * (length - TAIL // 2 - 2) + 1)
    rows = context.rows(6 * length)
    found = recollection.predict(rows).token_logits
    anew = predictor.prime(Window.of(rows[-length:])).token_logits
    assert np.abs(found - anew).max() < 0.25
    assert int(found.argmax()) == int(anew.argmax())
