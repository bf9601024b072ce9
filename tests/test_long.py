"""Eight hours in simulated time."""

import gc
from fractions import Fraction

from lofid.config import load
from lofid.player.clock import TempoClock
from tests.fakes import ScriptedModel
from tests.world import World

HOURS = 8
RATE = 48_000
SCRIPT = [(1, 1, 5), (4, 4, 5), (2, 4, 3), (3, 1, 6)]


def test_eight_hours_do_not_drift_by_a_sample() -> None:
    """At 397 bpm (no whole frames) each tick is where exact arithmetic has it, also late on."""
    clock = TempoClock()
    start = 123_456.789
    clock.start(0, start, 397.0)
    for tick in range(0, HOURS * 3600 * 397 * 8, 40_037):
        exact = Fraction(start) + Fraction(tick * 60, 397 * 480)
        assert abs(Fraction(clock.seconds_at(tick)) - exact) * RATE < Fraction(1, 100)


def test_an_eight_hour_session_keeps_its_grid_and_its_memory() -> None:
    """Every pulse at its time to the sample, nothing dropped, nothing held, no more objects.

    At 20 bpm, which is slow only so that the test is quick: its seconds are 8 hours of them.
    """
    model = ScriptedModel(SCRIPT)
    world = World(model, load(None, {"music.tempo": 20.0, "sync.send": True}))
    world.keep_told = False
    step_seconds, count, objects = 60 / 20 / 24, 0, []
    begin_seconds = next(due for _, due, message in world.sent if message == b"\xfa")
    for _ in range(HOURS):
        world.run(3600)
        for at, due, message in world.sent:
            if message == b"\xf8" and due > begin_seconds:
                assert abs(due - begin_seconds - (count + 1) * step_seconds) * RATE < 0.01
                assert at - due < 1e-6
                count += 1
        for record in (world.sent, model.primed, model.stepped):
            record.clear()
        gc.collect()
        objects.append(len(gc.get_objects()))
    assert count == HOURS * 3600 / step_seconds
    assert max(objects[1:]) - objects[0] < 1000
    notes = world.engine.status()["notes"]
    assert notes["played"] > 10_000
    assert (notes["dropped"], notes["underruns"], notes["lost"]) == (0, 0, 0)
    world.leave()
