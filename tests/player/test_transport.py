"""Where the music is, whether it moves, and when pulses fall."""

from lofid.player.transport import Transport, next_place


def pulses(transport: Transport, count: int) -> list[float]:
    found = []
    for _ in range(count):
        found.append(round(transport.pulse_seconds, 9))
        transport.pulse_tick += 20
    return found


def test_pulses_go_on_while_the_music_stands() -> None:
    """At 50 bpm a pulse is 50 ms; they keep their grid through start and stop."""
    transport = Transport()
    transport.idle(10.0, 50.0)
    assert pulses(transport, 3) == [10.0, 10.05, 10.1]
    at_seconds = transport.next_pulse_after(10.12)
    assert round(at_seconds, 9) == 10.15
    transport.start(0, at_seconds, 50.0)
    assert pulses(transport, 2) == [10.15, 10.2]
    assert transport.stop(10.21) == 24
    assert pulses(transport, 2) == [10.25, 10.3]
    assert not transport.is_moving
    assert transport.tick_at(99.0) == 24


def test_a_start_leaves_a_millisecond_before_its_pulse() -> None:
    """Too near a pulse, the next one is taken."""
    transport = Transport()
    transport.idle(10.0, 50.0)
    transport.pulse_tick = 20
    assert round(transport.next_pulse_after(10.0485), 9) == 10.05
    assert round(transport.next_pulse_after(10.0495), 9) == 10.1


def test_a_start_off_the_pulses_is_followed_by_the_next_of_them() -> None:
    """Tick 30 is between pulses: the next is at tick 40."""
    transport = Transport()
    transport.start(30, 5.0, 50.0)
    assert pulses(transport, 1) == [round(5 + 10 / 400, 9)]
    assert transport.tick_at(4.0) == 30


def test_a_shift_takes_time_out() -> None:
    transport = Transport()
    transport.start(0, 5.0, 60.0)
    transport.shift(100.0)
    assert transport.tick_at(106.0) == 480


def test_places_in_the_bar() -> None:
    """At or after a tick, never before."""
    assert [next_place(tick, 0) for tick in (0, 1, 1920)] == [0, 1920, 1920]
    assert [next_place(tick, 480) for tick in (0, 480, 481, 2000)] == [480, 480, 2400, 2400]
