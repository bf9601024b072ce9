"""A session is made anew from its inputs, note for note, whatever happened in it."""

from random import Random
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from lofid.config import load
from tests.fakes import PureModel
from tests.test_laws import ACTS, LED, PLAYING, Act, options, some, some_latency
from tests.witnessed import Journalled, Stage, compared, witnessed


def played(acts: list[Act], world: Stage, engine: Journalled) -> None:
    for act in acts:
        act(world)
        world.run(0.3)
    world.run(max(0.0, world.stalled_until - world.seconds) + 2.0)
    world.leave()
    engine.end()


def assert_identical(world: Stage, engine: Journalled) -> None:
    findings, plays = compared(engine.entries(), PureModel())
    assert plays == world.plays
    assert findings.difference is None
    assert findings.stopped == ""
    assert findings.sounded == len(world.told_of("on"))
    assert findings.composed > 0


@settings(max_examples=150)
@given(
    some({**ACTS, **PLAYING}, "mode"),
    st.sampled_from(["listen", "answer", "chords"]),
    st.sampled_from([0, 60]),
    some_latency,
    st.randoms(use_true_random=False),
)
def test_a_session_is_made_anew_whatever_happened_in_it(
    acts: list[Act], mode: str, split: int, latency_seconds: float, lot: Random
) -> None:
    """Keys, phrases, seeds, other keys and tempos, stops, stalls, crashes: all is identical."""
    keyboard: dict[str, Any] = {"keyboard.mode": mode, "keyboard.split": split}
    chosen = load(None, {"music.tempo": 120.0, "music.key": "C major", **keyboard})
    world, engine = witnessed(PureModel(), chosen, latency_seconds, lot.random)
    played(acts, world, engine)
    assert_identical(world, engine)


def test_what_a_dead_player_had_begun_may_be_begun_again() -> None:
    """It was handed over, and not heard yet: the next player goes on before it."""
    world, engine = witnessed(PureModel(), load(None, {"music.tempo": 120.0}), 0.062)
    world.run(2.0)
    count = len(world.told_of("on"))
    while len(world.told_of("on")) == count:
        world.run(0.001)
    world.crash()
    played([], world, engine)
    ons = [(on["tick"], on["channel"], on["pitch"]) for on in world.told_of("on")]
    assert len(set(ons)) < len(ons)
    assert_identical(world, engine)


@settings(max_examples=75)
@given(some(LED, "pulses"), st.sampled_from(["go-on", "stop"]), some_latency)
def test_the_same_under_a_masters_clock(
    acts: list[Act], when_lost: str, latency_seconds: float
) -> None:
    chosen = options((1, 2), source="midi-clock", when_lost=when_lost)
    world, engine = witnessed(PureModel(), chosen, latency_seconds)
    played(acts, world, engine)
    assert_identical(world, engine)
