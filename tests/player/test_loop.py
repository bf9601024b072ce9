"""The loop under a clock moved by hand: what leaves when, and what the engine is told."""

from typing import Any

import pytest

from lofid.player.ports import Change
from lofid.player.spin import LEAST_SECONDS, MARGIN_SECONDS, MOST_SECONDS, Spin
from tests.player.fakes import (
    Act,
    Stage,
    Told,
    say,
    send_slowly,
    sleep_late,
    stall,
    strike,
    unplug,
)

OPEN = say("open", backend="auto", name="lofid", output=None, input=None, channels=[0])
PANIC = ["b0 40 00", "b0 7b 00", "b0 78 00", "b0 79 00", "e0 00 40"]


def play(
    *script: tuple[float, Act], until: float = 10.0, status: int = 0
) -> tuple[list[tuple[float, list[str]]], Told]:
    """Perform a script; return the batches sent, the farewell's last, and what was told."""
    stage = Stage([(0.0, OPEN), *script], until)
    assert stage.perform() == status
    assert stage.ports.is_closed
    return stage.ports.batches, Told(stage.engine)


def notes(*rows: tuple[int, int, int, int, int]) -> Act:
    return say("play", notes=rows)


START = (1.0, say("start", tick=0, tempo=60.0))


def test_a_chord_leaves_in_one_go_at_its_deadline() -> None:
    """At 60 a quarter is a second: the chord at tick 480 leaves at 2 s, its end at 3 s."""
    batches, told = play((0.5, notes((480, 960, 0, 60, 100), (480, 960, 0, 64, 90))), START)
    assert batches == [
        (2.0, ["90 3c 64", "90 40 5a"]),
        (3.0, ["80 3c 40", "80 40 40"]),
        (10.0, PANIC),
    ]
    assert told.of("on") == [
        {"is": "on", "tick": 480, "channel": 0, "pitch": 60, "velocity": 100, "late_us": 0},
        {"is": "on", "tick": 480, "channel": 0, "pitch": 64, "velocity": 90, "late_us": 0},
    ]
    assert [message["tick"] for message in told.of("off")] == [960, 960]


def test_a_tempo_change_moves_what_is_queued() -> None:
    """Half a beat in, the tempo halves: the other half takes twice as long."""
    batches, _ = play((0.5, notes((480, 960, 0, 60, 100))), START, (1.5, say("tempo", tempo=30.0)))
    assert batches[0] == (2.5, ["90 3c 64"])
    assert batches[1] == (4.5, ["80 3c 40"])


def test_too_late_ons_are_dropped_and_offs_never() -> None:
    """The machine stands still for half a second over two note-ons and a note-off.

    The first of the ons is 0.35 s late and dropped; the second, 0.1 s late, is played.
    """
    batches, told = play(
        (0.5, notes((0, 240, 0, 60, 100), (288, 480, 0, 62, 100), (408, 600, 0, 64, 100))),
        START,
        (1.45, stall(0.5)),
    )
    assert batches[:4] == [
        (1.0, ["90 3c 64"]),
        (1.95, ["80 3c 40"]),
        (1.95, ["90 40 64"]),
        (2.25, ["80 40 40"]),
    ]
    assert told.of("dropped") == [
        {"is": "dropped", "tick": 288, "channel": 0, "pitch": 62, "late_us": 350000}
    ]
    assert told.of("on")[1]["late_us"] == 100000


def test_late_is_until_the_midi_system_has_it() -> None:
    """The chord is due at 1 s and sent at once; the MIDI system takes 2 ms to take it in."""
    _, told = play(
        (0.5, notes((0, 480, 0, 60, 100), (0, 480, 0, 64, 90))), (0.6, send_slowly(0.002)), START
    )
    assert [message["late_us"] for message in told.of("on")] == [2000, 2000]


def test_when_the_engine_goes_everything_is_released() -> None:
    """Single note-offs first, then panic on each channel used, then the port is closed."""
    batches, _ = play((0.5, notes((0, 9600, 0, 60, 100), (0, 9600, 1, 48, 80))), START, until=1.25)
    assert batches[-1] == (
        1.25,
        ["80 3c 40", "81 30 40", *PANIC, *(f"{int(m[0:2], 16) + 1:x}{m[2:]}" for m in PANIC)],
    )


def test_panic_releases_and_playing_goes_on() -> None:
    """The offs are told with the current tick; what is queued still comes."""
    batches, told = play(
        (0.5, notes((0, 960, 0, 60, 100), (480, 960, 0, 62, 100))), START, (1.25, say("panic"))
    )
    assert batches[1:3] == [(1.25, ["80 3c 40", *PANIC]), (2.0, ["90 3e 64"])]
    assert told.of("off")[0] == {"is": "off", "tick": 120, "channel": 0, "pitch": 60}
    assert len(told.of("off")) == 2


def test_silence_ends_what_a_predecessor_held() -> None:
    """Note-offs for its notes, then panic, also on channels that only it used."""
    batches, told = play((0.5, say("silence", notes=[[0, 60], [0, 64]])))
    assert batches[0] == (0.5, ["80 3c 40", "80 40 40", *PANIC])
    assert told.of("off") == []


def test_stop_says_closed_last() -> None:
    """After stop nothing more is obeyed or sent."""
    batches, told = play(
        (0.5, notes((0, 960, 0, 60, 100))), START, (1.25, say("stop")), (1.25, say("panic"))
    )
    assert batches == [(1.0, ["90 3c 64"]), (1.25, ["80 3c 40", *PANIC])]
    assert told.messages[-1] == {"is": "closed"}


def test_positions_are_exact_and_in_order() -> None:
    """The start's tick, then multiples of 240; what is heard before a position precedes it."""
    _, told = play(
        (0.2, strike(0x90, 60, 1)),
        (1.0, say("start", tick=100, tempo=60.0)),
        (1.2, strike(0x90, 61, 1)),
        (1.6, strike(0x80, 61, 1)),
        until=2.0,
    )
    assert _short(told) == [
        ("heard", 0),
        ("position", 100),
        ("heard", 196),
        ("position", 240),
        ("heard", 388),
        ("position", 480),
    ]


def test_after_a_stall_what_was_heard_still_falls_between_positions() -> None:
    """Keys struck while the loop stood still keep their ticks and their place."""

    def stand_still(stage: Stage) -> None:
        for wait, pitch in ((0.4, 60), (0.2, 61), (0.4, 62)):
            stage.seconds += wait
            stage.inbox.hear(bytes((0x90, pitch, 1)), stage.seconds)

    _, told = play(START, (1.0, stand_still), until=2.1)
    assert _short(told) == [
        ("position", 0),
        ("heard", 192),
        ("position", 240),
        ("heard", 288),
        ("position", 480),
        ("heard", 480),
    ]


def test_a_broken_port_is_told_and_ends_the_player() -> None:
    """One clear line, exit 1."""
    _, told = play(
        (0.5, notes((0, 960, 0, 60, 100), (480, 960, 0, 62, 100))), START, (1.5, unplug), status=1
    )
    assert told.messages[-1] == {
        "is": "refused",
        "error": "the MIDI output fake:out is gone",
        "no_midi": False,
    }


def test_a_port_that_is_missing_is_refused() -> None:
    """The opener's own words reach the engine."""
    request = {"backend": "auto", "name": "lofid", "output": "missing", "input": None}
    stage = Stage([(0.0, say("open", **request, channels=[0]))], 1.0)
    assert stage.perform() == 1
    assert Told(stage.engine).messages[0]["error"].startswith("no MIDI output has 'missing'")


def test_nonsense_ends_the_notes_and_the_player() -> None:
    """A fault of the engine's leaves no note hanging and says what was sent."""
    for nonsense in (say("dance"), notes((5, 5, 0, 60, 9)), say("tempo", tempo=0.0), OPEN):
        batches, told = play((0.5, notes((0, 9600, 0, 60, 100))), START, (1.25, nonsense), status=1)
        assert batches[-1] == (1.25, ["80 3c 40", *PANIC])
        assert told.messages[-1]["error"].startswith("the engine sent {'do': ")


def test_nothing_plays_before_a_port_is_open() -> None:
    """Playing into nothing is refused, not swallowed."""
    for early in (notes((0, 9, 0, 60, 9)), say("start", tick=0, tempo=60.0), say("panic")):
        stage = Stage([(0.0, early)], 1.0)
        assert stage.perform() == 1
        assert "no port is open yet" in Told(stage.engine).messages[0]["error"]


def test_the_last_stretch_is_spun() -> None:
    """Under real-time priority the loop sleeps to just before the deadline and spins the rest.

    Nothing is sent meanwhile, by the way that the note will take.
    """
    script: list[tuple[float, Act]] = [
        (0.0, OPEN),
        (0.5, notes((480, 960, 0, 60, 100))),
        (1.0, say("start", tick=0, tempo=60.0)),
    ]
    stage = Stage(script, 2.1, tick_seconds=0.00001)
    assert stage.perform(Spin()) == 0
    sent_seconds, _ = stage.ports.batches[0]
    assert 2.0 <= sent_seconds < 2.0002
    assert max(stage.timeouts) < 0.5
    assert 1.9995 < stage.ports.rehearsed_seconds < 2.0
    stage.engine.close()


EACH_BEAT = notes(*((tick, tick + 240, 0, 60, 100) for tick in range(480, 4800, 480)))
"""From 2 s on; with the note-offs and the positions there is a deadline each half second."""


def late_of(spin: Spin | None, *script: tuple[float, Act], until: float) -> list[float]:
    """How many milliseconds after its moment each note of ``EACH_BEAT`` was sent."""
    stage = Stage([(0.0, OPEN), (0.5, EACH_BEAT), START, *script], until, tick_seconds=0.000001)
    assert stage.perform(spin) == 0
    stage.engine.close()
    sent = [at for at, _ in sent_of(stage, "90")]
    return [round(1000 * (at - beat), 1) for beat, at in enumerate(sent, start=2)]


def test_a_machine_that_wakes_late_is_woken_earlier() -> None:
    """All sleeps end 1.2 ms late from 1.9 s on: 0.7 ms more than is spun at first, and but once."""
    spin = Spin()
    assert late_of(spin, (1.9, sleep_late(0.0012)), until=4.1) == [0.7, 0.0, 0.0]
    assert spin.seconds == pytest.approx(0.0012 + MARGIN_SECONDS, abs=0.00002)


def test_without_a_spin_a_late_sleep_is_late() -> None:
    """Nothing is woken for earlier where there is no real-time priority."""
    assert late_of(None, (1.9, sleep_late(0.0012)), until=4.1) == [1.2, 1.2, 1.2]


@pytest.mark.parametrize("stall_seconds", [0.00058, 0.0012])
def test_what_comes_with_a_message_tells_nothing_of_waking(stall_seconds: float) -> None:
    """0.6 ms before a deadline the machine stands still; when it goes on, a message is there."""
    spin = Spin()
    assert late_of(spin, (2.4994, stall(stall_seconds)), until=3.1) == [0.0, 0.0]
    assert spin.seconds == pytest.approx(LEAST_SECONDS, abs=0.00002)


def test_a_message_seen_to_within_the_last_stretch_leaves_the_rest_of_it() -> None:
    """It keeps the loop until 0.3 ms before a note: that is spun through, not looked through."""
    script = [(0.0, OPEN), (0.5, EACH_BEAT), START, (1.9994, stall(0.0003))]
    stage = Stage(script, 2.1, tick_seconds=0.000001)
    assert stage.perform(Spin()) == 0
    assert stage.timeouts.count(0.0) == 1
    assert stage.ports.batches[0][0] == pytest.approx(2.0, abs=0.00001)
    stage.engine.close()


def test_a_stand_still_is_neither_spun_for_nor_played_after() -> None:
    """A sleep ends 0.3 s late: the note is dropped as any that is too late, and that is all."""
    spin = Spin()
    script = [(0.0, OPEN), (0.5, EACH_BEAT), START, (1.9, sleep_late(0.3)), (2.31, sleep_late(0.0))]
    stage = Stage(script, 3.1, tick_seconds=0.000001)
    assert stage.perform(spin) == 0
    assert [at for at, _ in sent_of(stage, "90")] == pytest.approx([3.0], abs=0.00001)
    assert [m["late_us"] // 1000 for m in Told(stage.engine).of("dropped")] == [299]
    assert spin.seconds <= LEAST_SECONDS + 0.00002 < MOST_SECONDS


def _short(told: Told) -> list[tuple[str, int]]:
    return [(m["is"], m["tick"]) for m in told.of("heard", "position")]


def open_with(**more: Any) -> Act:
    request = {"backend": "auto", "name": "lofid", "output": None, "input": None}
    return say("open", **request, channels=[0], **more)


def perform(
    *script: tuple[float, Act], until: float = 10.0, latency_seconds: float = 0.0
) -> tuple[Stage, Told]:
    """Perform a whole script."""
    stage = Stage(list(script), until)
    stage.ports.latency_seconds = latency_seconds
    assert stage.perform() == 0
    return stage, Told(stage.engine)


def sent_of(stage: Stage, *messages: str) -> list[tuple[float, str]]:
    """When messages were sent, of some kinds."""
    batches = stage.ports.batches
    return [(at, each) for at, batch in batches for each in batch if each[:2] in messages]


def test_clock_goes_out_while_the_music_stands_and_moves() -> None:
    """At 50 bpm a pulse is 0.05 s. Start comes before the pulse that is the downbeat."""
    stage, _ = perform(
        (0.0, open_with(sends_clock=True, tempo=50.0)),
        (0.5, notes((0, 480, 0, 60, 100))),
        (1.02, say("start", tick=0, tempo=50.0)),
        (1.52, say("halt")),
        (1.71, say("start", tick=240, tempo=50.0, song_tick=0)),
        until=2.0,
    )
    clock = [at for at, _ in sent_of(stage, "f8")]
    assert clock == [round(0.05 * i, 6) for i in range(len(clock))]
    assert len(clock) == 41
    transport = sent_of(stage, "fa", "fb", "fc", "f2", "90", "80")
    assert transport == [
        (1.02, "fa"),
        (1.05, "90 3c 64"),
        (1.52, "fc"),
        (1.52, "80 3c 40"),
        (1.71, "fc"),
        (1.71, "f2 02 00"),
        (1.71, "fb"),
        (2.0, "fc"),
    ]


def test_a_tempo_change_keeps_the_pulses_with_the_music() -> None:
    """From 50 to 100 bpm half way between pulses: the other half takes half as long."""
    stage, _ = perform(
        (0.0, open_with(sends_clock=True, tempo=50.0)),
        (0.1, say("start", tick=0, tempo=50.0)),
        (1.075, say("tempo", tempo=100.0)),
        until=1.15,
    )
    assert [at for at, _ in sent_of(stage, "f8")][-4:] == [1.05, 1.0875, 1.1125, 1.1375]


def test_halt_ends_what_sounds_and_keeps_what_is_queued() -> None:
    """The chord ends at the halt; what was queued beyond comes after the next start."""
    stage, told = perform(
        (0.0, OPEN),
        (0.5, notes((0, 960, 0, 60, 100), (480, 960, 0, 62, 100))),
        START,
        (1.5, say("halt")),
        (5.0, say("start", tick=240, tempo=60.0)),
    )
    assert sent_of(stage, "80", "90") == [
        (1.0, "90 3c 64"),
        (1.5, "80 3c 40"),
        (5.5, "90 3e 64"),
        (6.5, "80 3e 40"),
    ]
    moves = [(m["moving"], m["tick"]) for m in told.of("transport")]
    assert moves == [(True, 0), (False, 240), (True, 240)]


def test_a_start_further_on_leaves_out_what_lies_between() -> None:
    """From tick 240 to the next bar line: what was queued for the rest of the bar never sounds."""
    stage, told = perform(
        (0.0, OPEN),
        (0.5, notes((480, 960, 0, 60, 100), (1920, 2400, 0, 62, 100))),
        START,
        (1.5, say("halt")),
        (2.0, say("start", tick=1920, tempo=60.0)),
    )
    assert sent_of(stage, "90") == [(2.0, "90 3e 64")]
    assert told.of("dropped") == []


def test_where_the_engine_does_not_come_the_bar_is_repeated() -> None:
    """Composed up to tick 960, and then nothing for a while: beat three and four of the bar."""
    bar = [[960, 1200, 0, 72, 50], [1440, 1500, 0, 74, 50]]
    stage, told = perform(
        (0.0, OPEN),
        (0.5, say("play", notes=[[0, 240, 0, 60, 100]], until=960, bar=bar)),
        START,
        (
            3.7,
            say("play", notes=[[960, 990, 0, 61, 9], [1440, 1680, 0, 65, 9]], until=9600, bar=[]),
        ),
    )
    assert sent_of(stage, "90") == [(1.0, "90 3c 64"), (3.0, "90 48 32"), (4.0, "90 41 09")]
    assert [m["tick"] for m in told.of("underrun")] == [960]


def test_a_jump_beyond_what_is_composed_repeats_nothing_from_before_it() -> None:
    """Composed up to tick 960; at tick 240 the music is taken to 1920, and the engine is late."""
    bar = [[0, 240, 0, 72, 50], [960, 1200, 0, 74, 50]]
    stage, told = perform(
        (0.0, OPEN),
        (0.5, say("play", notes=[[0, 240, 0, 60, 100]], until=960, bar=bar)),
        START,
        (1.5, say("start", tick=1920, tempo=60.0)),
        until=2.0,
    )
    assert [m["tick"] for m in told.of("underrun")] == [1920]
    assert sent_of(stage, "90") == [(1.0, "90 3c 64"), (1.5, "90 48 32")]


def test_after_a_sleep_the_music_goes_on_where_it_was() -> None:
    """The machine stood still for a minute: what is next comes now; no burst, nothing dropped."""
    stage, told = perform(
        (0.0, OPEN),
        (0.5, notes((0, 480, 0, 60, 100), (720, 960, 0, 62, 100))),
        START,
        (1.5, stall(60.0)),
        until=100.0,
    )
    assert sent_of(stage, "80", "90") == [
        (1.0, "90 3c 64"),
        (61.5, "80 3c 40"),
        (62.0, "90 3e 64"),
        (62.5, "80 3e 40"),
    ]
    assert told.of("dropped") == []
    assert [m["seconds"] for m in told.of("suspended")] == [59.5]


def test_a_keyboard_that_is_unplugged_lets_go() -> None:
    """Two keys and the pedal are held when it goes; it is told once."""

    def pull(stage: Stage) -> None:
        stage.ports.changes = [Change("input", "went")]

    _, told = perform(
        (0.0, OPEN),
        START,
        (1.1, strike(0x90, 60, 1)),
        (1.1, strike(0x90, 62, 1)),
        (1.2, strike(0x80, 60, 1)),
        (1.3, strike(0xB0, 64, 127)),
        (1.3, pull),
        until=4.0,
    )
    assert [m["data"] for m in told.of("heard")[4:]] == [[0x80, 62, 64], [0xB0, 64, 0]]
    assert [(m["side"], m["there"]) for m in told.of("plugged")] == [("input", False)]


def test_with_a_latency_keys_are_where_they_were_heard() -> None:
    """What leaves 0.1 s later is heard 0.1 s later: a key at 1.6 s was struck at 1.5 s's tick.

    A position is told when it is heard, so a key that was struck before it comes before it.
    """
    _, told = perform(
        (0.0, OPEN),
        START,
        (1.55, strike(0x90, 60, 1)),
        (1.65, strike(0x90, 61, 1)),
        until=2.05,
        latency_seconds=0.1,
    )
    assert _short(told) == [("position", 0), ("heard", 216), ("position", 240), ("heard", 264)]
