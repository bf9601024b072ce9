"""Mode ``answer`` in simulated time: the person's turn is the person's."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lofid.config import load
from lofid.music import GRID_TICKS, swung
from lofid.settings import Settings
from tests.fakes import PureModel
from tests.world import World

TEMPO = 120.0
TICKS_A_SECOND = TEMPO / 60 * 480


def options(rest: float = 1.0, reply: str = "wait", swing: float = 50.0) -> Settings:
    keyboard = {"keyboard.mode": "answer", "keyboard.rest": rest, "keyboard.reply": reply}
    return load(None, {"music.tempo": TEMPO, "music.swing": swing, **keyboard})


def begun(world: World, after: float, before: float = 1e9) -> list[float]:
    """When the model's notes were to begin."""
    dues = [due for _, due, message in world.sent if message[0] & 0xF0 == 0x90]
    return [due for due in dues if after < due < before]


def test_a_phrase_silences_lofid_which_replies_and_waits() -> None:
    """A phrase of two notes within a bar from 4.0 s to 5.0 s; the rest is a beat, half a second.

    The reply is a bar, two seconds, and begins on the grid at or just before 5.5 s.
    """
    world = World(PureModel(), options())
    world.run(4.0)
    assert len(begun(world, 0.0)) > 4
    for pitch in (60, 64):
        world.strike(0x90, pitch, 80)
        assert world.engine.status()["turn"] == "yours"
        world.run(0.5)
        world.strike(0x80, pitch, 64)
    world.run(20.0)
    notes = begun(world, 4.0)
    grid = GRID_TICKS / TICKS_A_SECOND
    assert 5.5 - grid <= notes[0] <= 5.5
    assert notes[-1] < notes[0] + 2.0
    assert len(notes) > 2
    assert world.engine.status()["turn"] == "waits"


def test_it_may_go_on_after_its_reply() -> None:
    world = World(PureModel(), options(reply="go-on"))
    world.run(2.0)
    world.strike(0x90, 60, 80)
    world.run(0.2)
    world.strike(0x80, 60, 64)
    world.run(30.0)
    assert len(begun(world, 25.0)) > 4
    assert world.engine.status()["turn"] == "lofid's"


def test_another_mode_ends_the_wait() -> None:
    world = World(PureModel(), options())
    world.strike(0x90, 60, 80)
    world.run(5.0)
    assert not begun(world, 0.1)
    world.ask(lambda: world.engine.set("mode", "listen"))
    world.run(5.0)
    assert begun(world, 5.0, 6.5)
    assert world.engine.status()["turn"] == "lofid's"


@pytest.mark.parametrize(("split", "chord"), [(0, []), (72, [1, 6, 10])])
def test_a_chord_steers_no_more_in_another_mode(split: int, chord: list[int]) -> None:
    """Unless there is a split, below which keys steer in any mode."""
    world = World(PureModel(), load(None, {"keyboard.mode": "chords", "keyboard.split": split}))
    for pitch in (66, 70, 61):
        world.strike(0x90, pitch, 80)
    assert world.engine.status()["chord"] == [1, 6, 10]
    world.ask(lambda: world.engine.set("mode", "off"))
    assert world.engine.status()["chord"] == chord


def test_so_does_a_reply_that_goes_on() -> None:
    world = World(PureModel(), options())
    world.strike(0x90, 60, 80)
    world.run(0.2)
    world.strike(0x80, 60, 64)
    world.run(20.0)
    assert not begun(world, 15.0)
    world.ask(lambda: world.engine.set("reply", "go-on"))
    world.run(5.0)
    assert begun(world, 20.0)


def test_panic_rests_for_whoever_plays() -> None:
    """A key whose end was never heard is let go of by panic: lofid replies."""
    world = World(PureModel(), options())
    world.run(1.0)
    world.strike(0x90, 60, 80)
    world.run(8.0)
    assert world.engine.status()["turn"] == "yours"
    world.ask(lambda: [{"do": "panic"}])
    world.run(8.0)
    assert begun(world, 9.0)
    assert world.engine.status()["turn"] == "waits"


def test_an_unplugged_keyboard_rests() -> None:
    """What it held has ended: lofid replies."""
    world = World(PureModel(), options())
    world.run(1.0)
    world.strike(0x90, 60, 80)
    world.run(0.5)
    world.unplug()
    world.run(8.0)
    assert begun(world, 1.5)
    assert world.engine.status()["turn"] == "waits"


PLAYING = st.lists(
    st.tuples(st.sampled_from(["strike", "lift", "wait"]), st.integers(60, 64), st.floats(0, 0.9)),
    min_size=1,
    max_size=30,
)


class Phrases:
    """Plays keys in a world, and looks at every moment whether lofid keeps the person's turn."""

    def __init__(self, rest: float, reply: str, swing: float) -> None:
        self.world = World(PureModel(), options(rest, reply, swing))
        self.world.run(1.0)
        self._rest, self._swing = rest, swing
        self._held = set[int]()
        self._end: float | None = None

    def strike(self, pitch: int) -> None:
        if pitch not in self._held:
            self.look()
            self._held.add(pitch)
            self._end = None
            self.world.strike(0x90, pitch, 80)

    def lift(self, pitch: int) -> None:
        if pitch in self._held:
            self._held.discard(pitch)
            self._end = None if self._held else self.world.seconds
            self.world.strike(0x80, pitch, 64)

    def wait(self, seconds: float) -> None:
        """While a key is held nothing begins."""
        before = self.world.seconds
        self.world.run(seconds)
        if self._held:
            assert not begun(self.world, before, self.world.seconds)

    def look(self) -> None:
        """Since the phrase ended nothing began before the reply was due, and then it did."""
        if self._end is None:
            return
        due = _reply_seconds(self._end, self._rest, self._swing)
        assert not begun(self.world, self._end, due - 1e-6)
        if self.world.seconds > due:
            assert abs(begun(self.world, self._end)[0] - due) < 1e-6

    def end(self) -> None:
        for pitch in sorted(self._held):
            self.lift(pitch)
        self.wait(6.0)
        self.look()
        self.world.leave()


@settings(max_examples=200)
@given(
    PLAYING,
    st.sampled_from([0.25, 0.5, 1.0, 2.0]),
    st.sampled_from(["wait", "go-on"]),
    st.sampled_from([50.0, 58.0, 66.7, 75.0]),
)
def test_nothing_begins_while_somebody_plays_and_the_reply_is_on_time(
    playing: list[tuple[str, int, float]], rest: float, reply: str, swing: float
) -> None:
    """Over random playing: from the first key of a phrase until a rest after its end, nothing.

    The reply begins on the grid as it swings, within the rest, on the last place there.
    """
    phrases = Phrases(rest, reply, swing)
    for what, pitch, seconds in playing:
        if what == "strike":
            phrases.strike(pitch)
        elif what == "lift":
            phrases.lift(pitch)
        phrases.wait(seconds)
    phrases.end()


def _reply_seconds(phrase_end: float, rest: float, swing: float) -> float:
    """When the reply is due: the last place of the grid within the rest."""
    until_tick = int(phrase_end * TICKS_A_SECOND + 1e-6) + round(rest * 480)
    places = (swung(tick, swing) for tick in range(0, until_tick + 1, GRID_TICKS))
    return max(tick for tick in places if tick <= until_tick) / TICKS_A_SECOND
