"""Hand-written stand-ins, for tests that need to know beforehand what will be said."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import replace

import numpy as np

from lofid.card import Card
from lofid.context import Window
from lofid.predictor import Floats, Prediction
from lofid.vocabulary import Vocabulary

CARD = Card(
    recipe="scripted",
    tokens=("start", "C4", "E4", "G4", "C3.E-3.G3.B-3"),
    rhythms=((0, 0), (12, 12), (0, 24), (24, 12), (6, 6)),
    context_length=8,
)


class ScriptedModel:
    """Says the tokens of a script in turn, and with each a rhythm and a velocity class.

    Its turn comes with each prediction it is asked for. Every window it was primed with is kept
    in ``primed``, every step in ``stepped``.
    """

    has_heads = True
    digest = "scripted"
    device = "cpu"
    device_note = "scripted"

    def __init__(self, script: list[tuple[int, int, int]], card: Card = CARD) -> None:
        self.card = card
        self.vocabulary: Vocabulary = card.vocabulary()
        self.script = script
        self.primed: list[Window] = []
        self.stepped: list[Window] = []
        self._said = 0

    def prime(self, window: Window) -> Prediction:
        self.primed.append(window)
        return self._say()

    def trail(self, window: Window, ends: Sequence[int]) -> list[Prediction]:
        return [self.prime(window)] * len(ends)

    def step(self, state: Floats, newest: Window) -> Prediction:
        self.stepped.append(newest)
        return self._say()

    def _say(self) -> Prediction:
        self._said += 1
        return Prediction(
            self._sure(self._now()[0], len(self.card.tokens)), None, np.zeros(1, np.float32)
        )

    def _now(self) -> tuple[int, int, int]:
        return self.script[(self._said - 1) % len(self.script)]

    def rhythm_logits(self, prediction: Prediction, token: int) -> Floats:
        return self._sure(self._now()[1], len(self.card.rhythms))

    def velocity_logits(self, prediction: Prediction, token: int, rhythm: int) -> Floats:
        return self._sure(self._now()[2], 9)

    @staticmethod
    def _sure(chosen: int, count: int) -> Floats:
        """Logits that leave no doubt, unless the chosen id is ruled out."""
        logits = np.full(count, -50.0, np.float32)
        logits[chosen] = 50.0
        return logits


class PureModel:
    """Says what the last four events alone decide: any way to the same four says the same.

    A step from a carried state and the whole window agree to the bit. ``heard`` counts the events
    that were heard, one by one or in one go, and ``runs`` how many goes that were.
    """

    has_heads = True
    digest = "pure"
    device = "cpu"
    device_note = "pure"
    KNOWN = 4

    def __init__(self, card: Card = CARD) -> None:
        self.card = card
        self.vocabulary: Vocabulary = card.vocabulary()
        self.heard = self.runs = 0

    def prime(self, window: Window) -> Prediction:
        rows = np.stack([window.token, window.rhythm, window.velocity, window.phase], axis=1)
        self.heard += len(rows)
        self.runs += 1
        known = np.zeros((self.KNOWN, 4), np.float32)
        newest = rows[-self.KNOWN :]
        known[len(known) - len(newest) :] = newest
        return self._say(known)

    def trail(self, window: Window, ends: Sequence[int]) -> list[Prediction]:
        return [self.prime(window.part(0, end)) for end in ends]

    def step(self, state: Floats, newest: Window) -> Prediction:
        rows = np.stack([newest.token, newest.rhythm, newest.velocity, newest.phase], axis=1)
        self.heard += len(rows)
        self.runs += 1
        return self._say(np.vstack([state, rows.astype(np.float32)])[-self.KNOWN :])

    def _say(self, known: Floats) -> Prediction:
        return Prediction(self._logits(known, 0, len(self.card.tokens)), None, known)

    def rhythm_logits(self, prediction: Prediction, token: int) -> Floats:
        return self._logits(prediction.state, 1 + token, len(self.card.rhythms))

    def velocity_logits(self, prediction: Prediction, token: int, rhythm: int) -> Floats:
        return self._logits(prediction.state, 100 + token + rhythm, 9)

    @staticmethod
    def _logits(known: Floats, salt: int, count: int) -> Floats:
        seed = [salt, *known.astype(int).ravel().tolist()]
        return np.random.default_rng(seed).normal(0, 2, count).astype(np.float32)


class FaultyModel(ScriptedModel):
    """Says in some turns, counted from 1, what is no number: one bad value among the logits.

    ``faults`` tells of a turn which logits: those of the ``token``, the ``rhythm`` or the
    ``velocity``; or of the token only where it was asked for a ``prime`` or a ``step``.
    """

    def __init__(
        self,
        script: list[tuple[int, int, int]],
        faults: Callable[[int], Collection[str]],
        card: Card = CARD,
        bad: float = np.nan,
    ) -> None:
        super().__init__(script, card)
        self._faults = faults
        self._bad = bad

    def prime(self, window: Window) -> Prediction:
        return self._but_for("prime", super().prime(window))

    def step(self, state: Floats, newest: Window) -> Prediction:
        return self._but_for("step", super().step(state, newest))

    def _but_for(self, how: str, prediction: Prediction) -> Prediction:
        logits = self._spoilt(prediction.token_logits, "token", how)
        return replace(prediction, token_logits=logits)

    def rhythm_logits(self, prediction: Prediction, token: int) -> Floats:
        return self._spoilt(super().rhythm_logits(prediction, token), "rhythm")

    def velocity_logits(self, prediction: Prediction, token: int, rhythm: int) -> Floats:
        return self._spoilt(super().velocity_logits(prediction, token, rhythm), "velocity")

    def _spoilt(self, logits: Floats, *names: str) -> Floats:
        if not set(names) & set(self._faults(self._said)):
            return logits
        spoilt = logits.copy()
        spoilt[-1] = self._bad
        return spoilt


class PoisonedModel(ScriptedModel):
    """Gives NaN from when it hears one token, for as long as its window or state knows of it."""

    def __init__(self, script: list[tuple[int, int, int]], poison: int, card: Card = CARD) -> None:
        super().__init__(script, card)
        self._poison = poison

    def prime(self, window: Window) -> Prediction:
        return self._after(window, super().prime(window), 0.0)

    def step(self, state: Floats, newest: Window) -> Prediction:
        return self._after(newest, super().step(state, newest), float(state[0]))

    def _after(self, heard: Window, prediction: Prediction, before: float) -> Prediction:
        dose = np.nan if self._poison in heard.token else before
        return replace(
            prediction,
            token_logits=prediction.token_logits + np.float32(dose),
            state=prediction.state + np.float32(dose),
        )
