"""The engine, given the player's messages by hand and a clock that stands still."""

from pathlib import Path
from typing import Any

import pytest

from lofid.config import load
from lofid.engine import Engine
from lofid.errors import ConfigError
from lofid.scribe import Scribe
from tests.fakes import FaultyModel, ScriptedModel

SETTINGS = load(None, {"music.key": "C major", "music.swing": 50.0, "parts.keys_velocity": 100})


class Clock:
    """Time that moves when a test says so."""

    def __init__(self) -> None:
        self.seconds = 100.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def engine(clock: Clock) -> Engine:
    return Engine(ScriptedModel([(1, 1, 5), (4, 1, 5)]), SETTINGS, 7, clock)


def position(tick: int) -> dict[str, Any]:
    return {"is": "position", "tick": tick, "tempo": 80.0}


def moving(tick: int) -> dict[str, Any]:
    return {"is": "transport", "tick": tick, "moving": True, "sync": "internal"}


def heard(tick: int, *data: int) -> dict[str, Any]:
    """At 80 bpm a quarter is three quarters of a second."""
    return {
        "is": "heard", "tick": tick, "ahead": tick, "seconds": tick / 640, "data": list(data)
    }  # fmt: skip


def told(engine: Engine, message: dict[str, Any]) -> list[dict[str, Any]]:
    """What the engine has the player do on one message, composed on to the horizon."""
    return [*engine.receive(message), *engine.answer()]


def _without_velocity(notes: list[list[int]]) -> list[list[int]]:
    return [note[:4] for note in notes]


def test_it_begins_a_horizon_ahead(engine: Engine) -> None:
    """Two beats: a lead note on channel 0, then a chord on channel 1; then the clock starts."""
    play, start = engine.begin()
    assert _without_velocity(play["notes"]) == [
        [0, 480, 0, 60],
        *[[480, 960, 1, pitch] for pitch in (48, 51, 55, 58)],
    ]
    assert start == {"do": "start", "tick": 0, "tempo": 80.0}
    assert play["until"] == 960
    assert play["bar"] == play["notes"]


def test_each_position_brings_what_the_horizon_uncovers(engine: Engine) -> None:
    engine.begin()
    assert told(engine, position(0)) == []
    note, end = told(engine, position(240))
    assert _without_velocity(note["notes"]) == [[960, 1440, 0, 60]]
    assert (end["notes"], end["until"]) == ([], 1200)
    [play] = told(engine, position(480))
    assert (play["notes"], play["until"]) == ([], 1440)


def test_a_dead_players_notes_are_silenced_and_what_was_queued_plays_on(
    engine: Engine, clock: Clock
) -> None:
    """At 80 bpm an eighth of a second after tick 240 is tick 320."""
    engine.begin()
    engine.receive(moving(0))
    engine.receive({"is": "on", "tick": 0, "channel": 0, "pitch": 60, "velocity": 70, "late_us": 9})
    told(engine, position(240))
    clock.seconds += 0.125
    silence, play, start = engine.resume()
    assert silence == {"do": "silence", "notes": [[0, 60]]}
    assert [note[0] for note in play["notes"]] == [480, 480, 480, 480, 960]
    assert start == {"do": "start", "tick": 321, "tempo": 80.0, "song_tick": 0}
    assert engine.status()["notes"]["restarts"] == 1
    assert engine.resume()[0]["notes"] == []


def test_a_note_that_was_due_is_silenced_though_nobody_told_of_it(
    engine: Engine, clock: Clock
) -> None:
    """The player may have sent it and died before it said so. At 80 bpm 0.75 s is a quarter."""
    engine.begin()
    engine.receive(moving(0))
    clock.seconds += 0.75
    assert engine.at_stake() == [(0, 60), (1, 48), (1, 51), (1, 55), (1, 58)]
    silence, play, _start = engine.resume()
    assert silence["notes"] == [[0, 60], [1, 48], [1, 51], [1, 55], [1, 58]]
    assert play["notes"] == []


def test_it_resumes_no_later_than_what_is_composed(engine: Engine, clock: Clock) -> None:
    """Nobody played for an hour: on from the end of the two beats that were there, none missing.

    What was still queued lies before that and is left out; it may have been sent, so it is ended.
    """
    engine.begin()
    engine.receive(moving(0))
    clock.seconds += 3600
    assert engine.tick_now() == 960
    silence, play, more, start = engine.resume()
    assert silence["notes"] == [[0, 60], [1, 48], [1, 51], [1, 55], [1, 58]]
    assert play["notes"] == []
    assert [note[0] for note in more["notes"]] == [960, *[1440] * 4]
    assert start == {"do": "start", "tick": 960, "tempo": 80.0, "song_tick": 0}


def test_a_change_while_nobody_plays_does_not_move_the_music(engine: Engine, clock: Clock) -> None:
    engine.begin()
    engine.receive(moving(0))
    clock.seconds += 3600
    engine.set("tempo", "160")
    clock.seconds += 3600
    assert engine.status()["tick"] == 960


def test_a_tempo_change_goes_to_the_player_at_once(engine: Engine, clock: Clock) -> None:
    engine.begin()
    engine.receive(moving(0))
    clock.seconds += 0.75
    assert engine.set("tempo", "160") == [{"do": "tempo", "tempo": 160.0}]
    assert engine.tick_now() == 480
    clock.seconds += 0.25
    assert engine.tick_now() == 480 + 320


def test_a_setting_out_of_range_changes_nothing(engine: Engine) -> None:
    with pytest.raises(ConfigError, match="20 to 300"):
        engine.set("tempo", "1000")
    assert engine.settings.music.tempo == 80


def test_what_a_person_plays_is_heard(engine: Engine) -> None:
    engine.begin()
    engine.receive(heard(100, 0x90, 48, 80))
    engine.receive(heard(105, 0x90, 51, 80))
    engine.receive(heard(110, 0xB0, 64, 127))
    status = engine.status()
    assert status["notes"]["heard"] == 2
    assert status["heard_as"] == "C3.E-3.G3.B-3"


def test_the_key_is_followed_while_the_pedal_is_down(clock: Clock) -> None:
    """Two octaves of F# major, two bars long: no key is struck again, which would end the first."""
    engine = Engine(ScriptedModel([(1, 1, 5)]), load(None, {"music.key": "auto"}), 7, clock)
    engine.begin()
    told(engine, heard(0, 0xB0, 64, 127))
    scale = (54, 56, 58, 59, 61, 63, 65)
    for i, pitch in enumerate((*scale, *(pitch + 12 for pitch in scale), 78)):
        told(engine, heard(240 * i, 0x90, pitch, 80))
        told(engine, heard(240 * i + 200, 0x80, pitch, 64))
    assert engine.status()["key"] == "F# major"


@pytest.mark.parametrize("mode", ["listen", "answer", "chords"])
def test_pressure_asks_for_no_answer(engine: Engine, mode: str) -> None:
    """Nor does it end a rest: a key that is let go is answered, whatever is pressed after it."""
    engine.set("mode", mode)
    engine.begin()
    told(engine, heard(100, 0x90, 60, 80))
    told(engine, heard(200, 0x80, 60, 64))
    turn = engine.status()["turn"]
    for data in ((0xD0, 90, 0), (0xA0, 60, 90), (0xD0, 0, 0)):
        assert told(engine, heard(300, *data)) == []
    assert (engine.status()["turn"], engine.status()["notes"]["heard"]) == (turn, 1)


def test_lateness_is_shown(engine: Engine) -> None:
    for late in [*range(100), 5000]:
        on = {"is": "on", "tick": 0, "channel": 0, "pitch": 60, "velocity": 70, "late_us": late}
        engine.receive(on)
    assert engine.status()["lateness_us"] == {"p50": 50, "p99": 99, "max": 5000}


def test_what_was_repeated_for_want_of_numbers_is_counted(clock: Clock) -> None:
    """From the third heard event on, which begins at the second beat: it and the one that waits."""
    model = FaultyModel([(1, 1, 5), (2, 1, 5)], lambda turn: ("token",) if turn > 10 else ())
    engine = Engine(model, SETTINGS, 7, clock)
    assert engine.status()["notes"]["faults"] == 0
    engine.begin()
    assert engine.status()["notes"]["faults"] == 1
    told(engine, position(480))
    assert engine.status()["notes"]["faults"] == 2


class Written(Scribe):
    """A scribe that also keeps what it is told."""

    def __init__(self, folder: Path, engine: Engine, clock: Clock) -> None:
        super().__init__(folder, engine.chronicle.holds, now=clock, wall=clock)
        self.told: list[tuple[Any, ...]] = []

    def write(self, what: str, **values: Any) -> None:
        super().write(what, **values)
        values["seconds"] = round(values["seconds"], 9)
        self.told.append((what, *values.values()))


def test_the_journal_has_what_sounded_and_what_was_played(
    engine: Engine, clock: Clock, tmp_path: Path
) -> None:
    """Notes and controllers at their ticks, whatever the engine's clock; all of them raw.

    The third number is the session's second: at 80 bpm 640 ticks are one. What is late is so.
    """
    engine.chronicle.write_to(scribe := Written(tmp_path, engine, clock))
    engine.begin()
    engine.receive(moving(0))
    clock.seconds += 0.75
    on = {"is": "on", "tick": 320, "channel": 0, "pitch": 60, "velocity": 70}
    engine.receive({**on, "late_us": 250_000})
    engine.receive(heard(160, 0x92, 67, 81))
    engine.receive(heard(170, 0xB2, 64, 127))
    engine.receive(heard(180, 0xC2, 5, 0))
    engine.receive(heard(303, 0x82, 67, 33))
    engine.receive({"is": "off", "tick": 480, "channel": 0, "pitch": 60})
    engine.set("tempo", "160")
    engine.set("key", "F minor")
    engine.forget()
    assert scribe.told == [
        ("transport", 0, 0.0, True),
        ("on", 320, 0.75, 0, 60, 70),
        ("on", 160, 0.25, 2, 67, 81, True),
        ("control", 170, 0.265625, [0xB2, 64, 127]),
        ("control", 180, 0.28125, [0xC2, 5]),
        ("off", 303, 0.4734375, 2, 67, 33, True),
        ("off", 480, 0.75, 0, 60),
        ("set", 480, 0.75, "tempo", "160"),
        ("tempo", 480, 0.75, 160.0),
        ("set", 480, 0.75, "key", "F minor"),
        ("key", 480, 0.75, "F minor"),
        ("mark", 480, 0.75, "forgets what was played"),
    ]


def test_what_ends_with_a_player_ends_in_the_journal(
    engine: Engine, clock: Clock, tmp_path: Path
) -> None:
    """What it held, and the keys that were down; the music stands from then on."""
    engine.chronicle.write_to(scribe := Written(tmp_path, engine, clock))
    engine.begin()
    engine.receive(moving(0))
    on = {"is": "on", "tick": 0, "channel": 0, "pitch": 60, "velocity": 70, "late_us": 0}
    engine.receive(on)
    engine.receive(heard(0, 0x92, 67, 81))
    engine.receive({"is": "gone"})
    engine.receive({"is": "replaced"})
    assert scribe.told[3:] == [
        ("transport", 0, 0.0, False),
        ("off", 0, 0.0, 0, 60),
        ("off", 0, 0.0, 2, 67, 64, True),
    ]


def test_a_journal_says_what_holds(engine: Engine) -> None:
    """What a piece begins with; the settings are those of now."""
    engine.begin()
    engine.receive(moving(0))
    engine.set("key", "F minor")
    holds = engine.chronicle.holds()
    assert holds["settings"]["music"]["key"] == holds["key"] == "F minor"
    assert (holds["tick"], holds["tempo"], holds["moving"], holds["seed"]) == (0, 80.0, True, 7)
    assert holds["channels"] == {"lead": 0, "keys": 1}
    assert set(holds["model"]) == {"recipe", "weights", "file_sha256"}
