"""What holds after any sequence of playing, settings, stopping, seeking, unplugging, crashing."""

from collections.abc import Callable
from itertools import pairwise
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from lofid.config import load
from lofid.errors import ControlError
from lofid.music import Event
from lofid.settings import Settings
from tests.fakes import PureModel, ScriptedModel
from tests.world import World

Act = Callable[[World], None]
SCRIPT = st.lists(
    st.tuples(st.integers(1, 4), st.integers(1, 4), st.integers(1, 8)), min_size=1, max_size=6
)


def options(channels: tuple[int, int], **sync: Any) -> Settings:
    lead, keys = channels
    values = {"parts.lead_channel": lead, "parts.keys_channel": keys}
    values |= {f"sync.{name}": value for name, value in sync.items()}
    return load(None, {"music.tempo": 120.0, "music.key": "C major", **values})


def _set(name: str, text: str) -> Act:
    return lambda world: world.ask(lambda: world.engine.set(name, text))


def _go_on(world: World) -> None:
    try:
        world.ask(world.engine.go_on)
    except ControlError:
        assert world.engine.status()["transport"] == "playing"


def _said(message: bytes) -> Act:
    return lambda world: world.master(message)


ACTS: dict[str, st.SearchStrategy[Act]] = {
    "wait": st.floats(0.0, 3.0).map(lambda seconds: lambda world: world.run(seconds)),
    "tempo": st.integers(20, 300).map(lambda tempo: _set("tempo", str(tempo))),
    "key": st.sampled_from(["F minor", "E major", "B minor"]).map(lambda key: _set("key", key)),
    "halt": st.just(lambda world: world.ask(world.engine.halt)),
    "start": st.just(lambda world: world.ask(world.engine.start)),
    "continue": st.just(_go_on),
    "panic": st.just(lambda world: world.ask(lambda: [{"do": "panic"}])),
    "strike": st.integers(48, 72).map(lambda p: lambda world: world.strike(0x90, p, 90)),
    "lift": st.integers(48, 72).map(lambda p: lambda world: world.strike(0x80, p, 64)),
    "unplug": st.just(lambda world: world.unplug()),
    "crash": st.just(lambda world: world.crash()),
    "stall": st.floats(0.0, 6.0).map(lambda seconds: lambda world: world.stall(seconds)),
    "sleep": st.floats(0.0, 9.0).map(lambda seconds: lambda world: world.stand_still(seconds)),
}


def _all_at_once(pitches: list[int]) -> Act:
    def act(world: World) -> None:
        for pitch in pitches:
            world.strike(0x90, pitch, 80)

    return act


def _pressed(keys: list[tuple[int, int]]) -> Act:
    def act(world: World) -> None:
        for pitch, value in keys:
            world.strike(0xA0, pitch, value)

    return act


def _let_go(world: World) -> None:
    """All keys, and the pedal."""
    for pitch in range(36, 84):
        world.strike(0x80, pitch, 64)
    world.strike(0xB0, 64, 0)


SEED = [Event((60 + i % 5,), 240 * i, 240, 80) for i in range(10)]
PLAYING: dict[str, st.SearchStrategy[Act]] = {
    "mode": st.sampled_from(["listen", "answer", "chords", "off"]).map(lambda m: _set("mode", m)),
    "reply": st.sampled_from(["wait", "go-on"]).map(lambda reply: _set("reply", reply)),
    "rest": st.sampled_from(["0.25", "1", "8"]).map(lambda rest: _set("rest", rest)),
    "swing": st.sampled_from(["50", "60", "75"]).map(lambda swing: _set("swing", swing)),
    "density": st.sampled_from(["0.5", "1", "2"]).map(lambda density: _set("density", density)),
    "auto": st.just(_set("key", "auto")),
    "seed": st.just(lambda world: world.ask(lambda: world.engine.seed_with(SEED, None))),
    "forget": st.just(lambda world: world.ask(world.engine.forget)),
    "pedal": st.sampled_from([0, 127]).map(lambda v: lambda world: world.strike(0xB0, 64, v)),
    "pressure": st.integers(0, 127).map(lambda v: lambda world: world.strike(0xD0, v)),
    "pressures": st.lists(st.tuples(st.integers(48, 50), st.integers(0, 127)), max_size=9).map(
        _pressed
    ),
    "chord": st.lists(st.integers(36, 72), min_size=2, max_size=4, unique=True).map(_all_at_once),
    "let go": st.just(_let_go),
}
"""What a person at a keyboard does besides."""

LED: dict[str, st.SearchStrategy[Act]] = {
    "pulses": st.tuples(st.integers(1, 120), st.sampled_from([90.0, 120.0, 160.0])).map(
        lambda how: lambda world: world.pulses(*how)
    ),
    **{
        name: st.just(_said(message))
        for name, message in (("start", b"\xfa"), ("continue", b"\xfb"), ("stop", b"\xfc"))
    },
    "locate": st.integers(0, 40).map(lambda at: lambda world: world.master(bytes((0xF2, at, 0)))),
    **{
        name: ACTS[name]
        for name in ("wait", "key", "panic", "strike", "unplug", "crash", "stall", "sleep")
    },
}


def played(
    acts: list[Act], script: list[tuple[int, int, int]], chosen: Settings, latency_seconds: float
) -> World:
    world = World(ScriptedModel(script), chosen, latency_seconds)
    for act in acts:
        act(world)
        world.run(0.3)
    return world


def is_on(message: bytes) -> bool:
    return message[0] & 0xF0 == 0x90


def is_off(message: bytes) -> bool:
    return message[0] & 0xF0 == 0x80


def some(acts: dict[str, st.SearchStrategy[Act]], often: str) -> st.SearchStrategy[list[Act]]:
    return st.lists(st.one_of(*acts.values(), acts[often], acts[often]), max_size=25)


some_channels = st.sampled_from([(1, 2), (16, 1), (10, 3)])
some_latency = st.sampled_from([0.0, 0.0, 0.026, 0.062])


@settings(max_examples=150)
@given(some(ACTS, "wait"), SCRIPT, st.booleans(), some_channels, some_latency)
def test_every_on_has_one_off_and_order_is_kept(
    acts: list[Act],
    script: list[Any],
    sends_clock: bool,
    channels: tuple[int, int],
    latency_seconds: float,
) -> None:
    """And where the music plays at the end, it is heard within five beats."""
    world = played(acts, script, options(channels, send=sends_clock), latency_seconds)
    world.run(max(0.0, world.stalled_until - world.seconds))
    status, before = world.engine.status(), len(world.sent)
    world.run(5 * 60 / status["tempo"])
    if status["transport"] == "playing":
        assert any(is_on(message) for _, _, message in world.sent[before:])
    _assert_laws(world, channels)


@settings(max_examples=150)
@given(some(LED, "pulses"), SCRIPT, st.sampled_from(["go-on", "stop"]), some_latency)
def test_the_same_under_a_masters_clock(
    acts: list[Act], script: list[Any], when_lost: str, latency_seconds: float
) -> None:
    """And after a bar of clock, Start and five beats it is heard."""
    chosen = options((1, 2), source="midi-clock", when_lost=when_lost)
    world = played(acts, script, chosen, latency_seconds)
    world.run(max(0.0, world.stalled_until - world.seconds))
    world.pulses(96, 120.0)
    world.master(b"\xfa")
    before = len(world.sent)
    world.pulses(120, 120.0)
    assert world.engine.status()["transport"] == "playing"
    assert any(is_on(message) for _, _, message in world.sent[before:])
    _assert_laws(world, (1, 2))


def _assert_laws(world: World, channels: tuple[int, int]) -> None:
    """Laws of what leaves the port, in the order in which it leaves.

    No note-on with velocity 0 or over a note that sounds; an end for each; nothing sounds at the
    end; of what is planned for one tick ends come before beginnings. No note begins before it is
    due, nor over a tenth of a second after.
    """
    world.leave()
    sounding: set[tuple[int, int]] = set()
    for at, due, message in world.sent:
        key = (message[0] & 15, message[1]) if len(message) > 1 else (0, 0)
        if is_on(message):
            assert message[2] > 0
            assert key not in sounding
            assert key[0] + 1 in channels
            assert -1e-6 <= at - due <= 0.1001
            sounding.add(key)
        elif is_off(message):
            sounding.discard(key)
    assert sounding == set()
    _assert_ends_first(world)
    _assert_told(world)


def _assert_ends_first(world: World) -> None:
    """Of what was planned for one tick and told one after the other, ends come first."""
    for first, second in pairwise(world.told):
        if "late_us" in first and "late_us" in second and first["tick"] == second["tick"]:
            assert (first["is"], second["is"]) != ("on", "off")


def _assert_told(world: World) -> None:
    """Each note-on that the engine was told of was told to end, or its player was killed."""
    counts = world.engine.status()["notes"]
    ons, offs = len(world.told_of("on")), len(world.told_of("off"))
    assert offs <= ons
    if counts["restarts"] == 0:
        assert ons == sum(is_on(message) for _, _, message in world.sent)


@settings(max_examples=150)
@given(
    some({**ACTS, **PLAYING}, "mode"),
    st.sampled_from(["listen", "answer", "chords"]),
    st.sampled_from([0, 60]),
    some_latency,
)
def test_the_same_whatever_the_keyboard_does(
    acts: list[Act], mode: str, split: int, latency_seconds: float
) -> None:
    """And when all is let go it is not the person's turn, and ``listen`` is heard."""
    keyboard = {"keyboard.mode": mode, "keyboard.split": split}
    chosen = load(None, {"music.tempo": 120.0, "music.key": "C major", **keyboard})
    world = World(PureModel(), chosen, latency_seconds)
    for act in acts:
        act(world)
    world.run(max(0.0, world.stalled_until - world.seconds) + 0.3)
    _let_go(world)
    assert world.engine.status()["turn"] != "yours"
    world.ask(lambda: world.engine.set("mode", "listen"))
    before = len(world.sent)
    world.run(8 * 60 / world.engine.status()["tempo"])
    if world.engine.status()["transport"] == "playing":
        assert any(is_on(message) for _, _, message in world.sent[before:])
    _assert_laws(world, (1, 2))


@settings(max_examples=60)
@given(some(ACTS, "wait"), SCRIPT)
def test_pulses_keep_their_grid(acts: list[Act], script: list[Any]) -> None:
    """While a player lives, the machine runs and the tempo stays, pulses are equally far apart."""
    world = World(ScriptedModel(script), options((1, 2), send=True))
    for act in acts:
        before, begin = _circumstances(world), _pulses(world)[-1:]
        act(world)
        world.run(0.5)
        if before == _circumstances(world):
            pulses = [*begin, *_pulses(world, after=begin)]
            step = 60 / world.engine.status()["tempo"] / 24
            for one, other in pairwise(pulses):
                assert abs(other - one - step) < 1e-6
    world.leave()


def _pulses(world: World, after: list[float] | None = None) -> list[float]:
    pulses = [due for _, due, message in world.sent if message == b"\xf8"]
    return [due for due in pulses if not after or due > after[0]]


def _circumstances(world: World) -> tuple[Any, ...]:
    tempo = world.engine.status()["tempo"]
    return tempo, id(world.player), len(world.told_of("suspended"))
