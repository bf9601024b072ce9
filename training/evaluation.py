"""The evaluation of one model: everything that is measured, in one value.

Nothing is judged here; what each figure is held against is in :mod:`training.verdicts`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from lofid.card import Card
from lofid.settings import Music
from lofid.vocabulary import Vocabulary
from training import endless, leading, recital, speed, texture
from training.evaluate import Rival, Score, held_out_batches, rivals, score
from training.modelfile import INT8_LOSS, forward, read
from training.passage import Ints, Passage, pieces
from training.prepared import Prepared
from training.sessions import Led, Session, Solo, play

PAIRS_SEED = 1
"""Draws the phrases; the sessions have seeds of their own."""

Progress = Callable[[str, int, int], None]
"""Called with (what is being done, how much of it is done, how much there is)."""


@dataclass(frozen=True)
class Plan:
    """How much is measured."""

    seeds: int = 20
    events: int = 10_000
    endless_events: int = 100_000
    pairs: int = 50
    steps: int = 5_000
    primes: int = 500


QUICK = Plan(seeds=4, events=1_000, endless_events=5_000, pairs=10, steps=500, primes=50)


@dataclass(frozen=True)
class HeldOut:
    """Each head's figures on test pieces, and the best n-gram's on the same."""

    model: dict[str, Score]
    rival: dict[str, Rival]


@dataclass(frozen=True)
class Evaluation:
    """Everything that was measured of one model.

    ``seeds`` has each session's measures, ``usual`` their 5th and 95th percentile over training
    pieces, ``endless`` a session for each temperature. ``recited_tokens`` compares events by token,
    ``recited_events`` by token and rhythm. ``int8_loss_percent`` is None where no card tells.
    """

    model: str
    recipe: str
    test_pieces: int
    held_out: HeldOut
    seeds: list[texture.Measures]
    usual: dict[str, tuple[float, float]]
    endless: dict[float, endless.Endless]
    pairs: list[leading.Pair]
    recited_tokens: recital.Recital
    recited_events: recital.Recital
    times: list[speed.Times]
    cuda_note: str
    size_bytes: int
    int8_loss_percent: float | None


def temperatures() -> tuple[float, ...]:
    """Give the default temperature, the lowest and the highest that may be set."""
    field = Music.model_fields["temperature"]
    ends = [getattr(limit, name) for limit in field.metadata for name in ("ge", "le")
            if hasattr(limit, name)]  # fmt: skip
    return (Music().temperature, min(ends), max(ends))


def evaluate(
    model: Path, prepared: Prepared, plan: Plan, jobs: int, progress: Progress
) -> Evaluation:
    """Measure a model on this music. Blocks for as long as ``plan`` asks for.

    ModelError when the file is no model.
    """
    card, _ = read(model)
    # Times first: what comes after keeps every core busy.
    progress("times", 0, 1)
    times, cuda_note = speed.on_every_device(model, plan.steps, plan.primes)
    progress("held-out music and n-grams", 0, 1)
    held_out = _held_out(model, prepared)
    pairs, led = _pairs(prepared, plan)
    long = [Solo(0, plan.endless_events, temperature) for temperature in temperatures()]
    solos = [Solo(seed, plan.events) for seed in range(plan.seeds)]
    played = _play(model, (long, solos, led), jobs, progress)
    progress("what it recites", 0, 1)
    recited = _recited(played[1], prepared)
    return Evaluation(
        model=str(model),
        recipe=card.recipe,
        test_pieces=len(prepared.split.test),
        held_out=held_out,
        seeds=[texture.measure(passage) for passage in played[1]],
        usual=texture.usual_range(pieces(prepared.corpus, prepared.split.train)),
        endless={
            temperature: endless.look_at(passage)
            for temperature, passage in zip(temperatures(), played[0], strict=True)
        },
        pairs=leading.look_at(pairs, led, played[2]),
        recited_tokens=recited[0],
        recited_events=recited[1],
        times=times,
        cuda_note=cuda_note,
        size_bytes=model.stat().st_size,
        int8_loss_percent=_int8_loss(card),
    )


def _int8_loss(card: Card) -> float | None:
    loss = card.figures.get(INT8_LOSS)
    return None if loss is None else float(loss)


def _held_out(model: Path, prepared: Prepared) -> HeldOut:
    """Score the model and its rival on the very same pieces."""
    test = prepared.pieces(prepared.split.test)
    found = score(forward(read(model)[1]), held_out_batches(prepared, test))
    return HeldOut(found, rivals(prepared, test))


def _pairs(
    prepared: Prepared, plan: Plan
) -> tuple[list[tuple[leading.Phrase, leading.Phrase]], list[Led]]:
    """Draw pairs of phrases from all songs that were not trained on."""
    rng = np.random.default_rng(PAIRS_SEED)
    split = prepared.split
    held_out = sorted({*split.valid, *split.test} - set(split.train))
    pairs = leading.pair_up(leading.phrases(prepared.corpus, held_out, rng), plan.pairs, rng)
    return pairs, leading.sessions(pairs, rng)


def _play(
    model: Path, groups: Sequence[Sequence[Session]], jobs: int, progress: Progress
) -> list[list[Passage]]:
    """Play all groups at once, so that no core waits at the end of one."""
    sessions = [session for group in groups for session in group]
    played = iter(play(model, sessions, jobs, lambda *at: progress("sessions", *at)))
    return [[next(played) for _ in group] for group in groups]


def _recited(
    made: Sequence[Passage], prepared: Prepared
) -> tuple[recital.Recital, recital.Recital]:
    """Compare sessions with all that was trained on, in early epochs too."""
    learnt = prepared.pieces(prepared.split.train) + [piece for piece, _ in prepared.early()]
    rhythms = prepared.sizes.rhythms
    spelled = [_spelled(passage, prepared.vocabulary) for passage in made]
    known = [(_past_start(piece.token), _past_start(piece.rhythm)) for piece in learnt]
    return (
        recital.compare([token for token, _ in spelled], [token for token, _ in known]),
        recital.compare(
            [token * rhythms + rhythm for token, rhythm in spelled],
            [token * rhythms + rhythm for token, rhythm in known],
        ),
    )


def _past_start(row: np.ndarray) -> Ints:
    return row[1:].astype(np.int64)


def _spelled(passage: Passage, vocabulary: Vocabulary) -> tuple[Ints, Ints]:
    """Give a session's ids of tokens and rhythms, less the last event's, which has no step."""
    tokens = np.array([vocabulary.token_id(pitches) for pitches in passage.voicings.pitches])
    steps, lengths = np.diff(passage.onset), passage.length[:-1]
    rhythms = [vocabulary.rhythm_id(*each) for each in zip(steps, lengths, strict=True)]
    return tokens[passage.voicing[:-1]], np.array(rhythms, np.int64)
