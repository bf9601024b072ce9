"""Moments at which a session went wrong once: engine and player in simulated time."""

from itertools import pairwise

import pytest

from lofid.config import load
from lofid.settings import Settings
from tests.fakes import ScriptedModel
from tests.world import World

START, CONTINUE, STOP = b"\xfa", b"\xfb", b"\xfc"
SCRIPT = [(1, 1, 5), (4, 1, 5)]
"""A note or a chord on each quarter."""


def options(**sync: object) -> Settings:
    given = {"music.tempo": 120.0, "music.swing": 50.0, "music.key": "C major"}
    return load(None, {**given, **{f"sync.{name}": value for name, value in sync.items()}})


def led(latency_seconds: float = 0.0, when_lost: str = "go-on", beats: int = 10) -> World:
    """A session that has followed a master for some beats, half a pulse before the next."""
    chosen = options(source="midi-clock", when_lost=when_lost)
    world = World(ScriptedModel(SCRIPT), chosen, latency_seconds)
    world.pulses(96, 120.0)
    world.master(START)
    world.pulses(24 * beats + 1, 120.0)
    world.run(0.01)
    return world


def onsets(world: World, after: float) -> list[tuple[float, float]]:
    """When note-ons left after a moment, and when they were due."""
    return [(at, due) for at, due, m in world.sent if at >= after and m[0] & 0xF0 == 0x90]


@pytest.mark.parametrize("seconds", [1.9, 60.0])
def test_a_machine_that_stood_still_under_a_master_bursts_nothing(seconds: float) -> None:
    """What was missed is left out: a beat's worth of notes at most, none of them late."""
    world = led()
    world.stand_still(seconds)
    at = world.seconds
    world.run(0.05)
    found = onsets(world, at)
    assert len(found) <= 10
    assert all(left - due <= 0.1 for left, due in found)
    world.leave()


def test_a_player_replaced_while_a_led_music_stands() -> None:
    """It knows where: Start takes the music to the next bar line, and it sounds."""
    world = led()
    world.master(STOP)
    world.run(1.0)
    stood_tick = world.engine.tick_now()
    world.crash()
    assert world.engine.tick_now() == pytest.approx(stood_tick, abs=20)
    world.pulses(24, 120.0)
    world.master(START)
    began = world.seconds
    world.pulses(25, 120.0)
    assert world.engine.tick_now() >= 5760
    assert onsets(world, began)
    world.leave()


@pytest.mark.parametrize("send", [False, True])
def test_a_player_replaced_while_the_music_stands(send: bool) -> None:
    """Stopped, killed, continued: on from there, and it sounds within a beat."""
    world = World(ScriptedModel(SCRIPT), options(send=send))
    world.run(5.1)
    world.ask(world.engine.halt)
    stood_tick = world.engine.tick_now()
    world.crash()
    world.strike(0x90, 60, 90)
    assert world.told_of("heard")[-1]["tick"] == stood_tick
    world.ask(world.engine.go_on)
    began = world.seconds
    world.run(0.6)
    assert stood_tick < world.engine.tick_now() < stood_tick + 960
    assert onsets(world, began)
    world.leave()


def test_start_without_a_clock_waits_for_one() -> None:
    """The pulses end with Start: the music stands after half a second, and begins with the next."""
    world = World(ScriptedModel(SCRIPT), options(source="midi-clock", when_lost="stop"))
    world.pulses(96, 120.0)
    world.master(START)
    world.run(3.0)
    assert world.engine.status()["transport"] == "stopped"
    tick = world.engine.tick_now()
    world.pulses(25, 120.0)
    assert world.engine.status()["transport"] == "playing"
    assert world.engine.tick_now() >= tick
    world.leave()


@pytest.mark.parametrize("again", [[START], [STOP, START], [START, START]])
def test_start_again_after_the_clock_was_lost(again: list[bytes]) -> None:
    """One pulse, four seconds of nothing, Start: the music goes on to a bar line, never back."""
    world = World(ScriptedModel(SCRIPT), options(source="midi-clock"))
    world.master(START)
    world.pulses(1, 120.0)
    world.run(4.0)
    tick = world.engine.tick_now()
    for message in again:
        world.master(message)
    began = world.seconds
    world.pulses(25, 120.0)
    assert world.engine.tick_now() >= tick
    assert onsets(world, began)
    world.leave()


def test_a_master_without_clock_while_stopped() -> None:
    """Start comes 0.4 s after the last pulse: the next one is the downbeat, nothing jumps back."""
    world = led()
    world.master(STOP)
    world.run(0.4)
    world.master(START)
    world.run(0.1)
    assert world.engine.status()["transport"] == "stopped"
    world.pulses(25, 120.0)
    assert world.engine.tick_now() == pytest.approx(5760 + 480, abs=25)
    world.leave()


@pytest.mark.parametrize("latency_seconds", [0.0, 0.03])
def test_a_song_position_where_it_stopped_goes_on_there(latency_seconds: float) -> None:
    """Stop after pulse 240, song position of pulse 246 (a sixteenth on), Continue: tick 4920."""
    world = led(latency_seconds)
    world.master(STOP)
    world.master(bytes((0xF2, 41, 0)))
    world.master(CONTINUE)
    world.pulses(1, 120.0)
    began = [m["tick"] for m in world.told_of("transport") if m["moving"]]
    assert 4920 <= began[-1] < 4960
    world.leave()


@pytest.mark.parametrize("latency_seconds", [0.0, 0.026, 0.062])
def test_a_player_replaced_under_a_master_keeps_its_pulses(latency_seconds: float) -> None:
    """What sounds after the crash lies on the master's beats, as before it."""
    world = led(latency_seconds)
    beat = world.seconds - 0.01
    world.crash()
    after = world.seconds
    world.pulses(24 * 6, 120.0)
    sounding = [due + latency_seconds - beat for at, due in onsets(world, after + 0.6)]
    assert len(sounding) > 4
    off = [(at + 0.25) % 0.5 - 0.25 for at in sounding]
    assert max(map(abs, off)) < 0.012
    world.leave()


def test_nothing_at_all_is_no_message() -> None:
    """JACK lets a client send an empty event."""
    world = led()
    world.master(b"")
    world.strike()
    world.leave()


def test_a_port_that_comes_and_goes_is_looked_at_under_a_fast_clock() -> None:
    """At 300 bpm a pulse is 8 ms: the look is not put off for ever."""
    world = World(ScriptedModel(SCRIPT), load(None, {"music.tempo": 300.0, "sync.send": True}))
    world.strike(0x90, 60, 90)
    world.unplug()
    world.run(4.0)
    assert world.told_of("plugged")
    assert world.told_of("heard")[-1]["data"] == [0x80, 60, 64]
    world.leave()


def test_a_start_swallows_no_pulse() -> None:
    """Less than a millisecond before a pulse: that one is sent, and the next is the downbeat."""
    world = World(ScriptedModel(SCRIPT), options(send=True))
    world.run(2.0)
    world.ask(world.engine.halt)
    pulse = next(due for _, due, m in reversed(world.sent) if m == b"\xf8")
    world.run(pulse + 3 / 48 - 0.0005 - world.seconds)
    world.ask(world.engine.start)
    world.run(0.2)
    pulses = [due for _, due, m in world.sent if m == b"\xf8"]
    steps = [round(b - a, 6) for a, b in pairwise(pulses)]
    assert set(steps) == {round(1 / 48, 6)}
    world.leave()
