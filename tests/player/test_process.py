"""The real player process over a real JACK server, heard by an independent client."""

import os
import signal
import subprocess
import sys

import pytest

from tests.jackserver import (
    JackKeyboard,
    JackRecorder,
    JackServer,
    Recorded,
    pair_notes,
    sounding,
    wait_until,
)
from tests.player.driver import PlayerProcess

BOTH = pytest.mark.parametrize("backend", ["jack", "jack-rtmidi"])
CHORD = [[0, 4800, 1, pitch, 70] for pitch in (48, 51, 55, 58)]


def frames(server: JackServer, ticks: int, tempo: float) -> float:
    return ticks * 60 / (480 * tempo) * server.rate


@BOTH
def test_plays_both_channels_at_their_ticks(jack_server: JackServer, backend: str) -> None:
    """Notes are heard in order, at their ticks to well within an eighth, each with its length."""
    notes = [
        [0, 240, 0, 60, 100],
        [0, 480, 1, 48, 80],
        [240, 480, 0, 62, 90],
        [480, 600, 0, 64, 95],
    ]
    with PlayerProcess(jack_server.env) as player:
        assert player.open(backend=backend)["output"] == "lofid:out"
        with JackRecorder(jack_server, "lofid:out") as recorder:
            player.say("play", notes=notes)
            player.say("start", tick=0, tempo=120.0)
            player.hear_until("off", count=4)
            heard = pair_notes(recorder.wait_for(8))
    assert [(n.channel, n.pitch, n.velocity) for n in heard] == [tuple(n[2:]) for n in notes]
    assert [m["tick"] for m in player.said_of("on")] == [0, 0, 240, 480]
    start = heard[0].on_frame
    for note, (on_tick, off_tick, *_) in zip(heard, notes, strict=True):
        assert note.off_frame is not None
        late = max(m["late_us"] for m in player.said_of("on")) * jack_server.rate / 1e6
        slack = 16 * jack_server.period_frames + late
        assert abs(note.on_frame - start - frames(jack_server, on_tick, 120)) <= slack
        assert abs(note.off_frame - start - frames(jack_server, off_tick, 120)) <= slack


def test_on_jack_every_message_is_at_its_sample(jack_server: JackServer) -> None:
    """On a grid whose steps are no whole frames: nothing early or lost, nearly all in its frame.

    A busy machine's server may skip periods, and what belonged into them comes late. The pulses of
    MIDI clock keep the same grid. (benchmarks/jack_grid.py shows each of them within a frame.)

    Clients have come and gone before: then JACK 2's own estimate of the time is off by periods.
    """
    notes = [[40 * i, 40 * i + 20, 0, 48 + i % 24, 90] for i in range(200)]
    with PlayerProcess(jack_server.env) as player:
        opened = player.open(sends_clock=True, tempo=397.0)
        assert opened["latency_ms"] >= 1000 * jack_server.period_frames / jack_server.rate
        with JackRecorder(jack_server, "lofid:out") as recorder:
            recorder.wait_for_cycles()
            player.say("play", notes=notes)
            player.say("start", tick=0, tempo=397.0)
            player.hear_until("off", count=200)
            recorder.wait_for(400)
            wait_until(lambda: len(_struck(recorder)) >= 400, "400 note messages")
            heard, pulses = _struck(recorder), _pulses_after_start(recorder)
    off_grid = [e.frame - frames(jack_server, 20 * i, 397) for i, e in enumerate(heard)]
    start = min(off_grid)
    assert sum(off - start <= 1 for off in off_grid) > 360
    assert len(pulses) >= 400
    clock = [e.frame - frames(jack_server, 20 * i, 397) - start for i, e in enumerate(pulses)]
    assert min(clock) >= -1
    assert sum(off <= 1 for off in clock) > 360


def _struck(recorder: JackRecorder) -> list[Recorded]:
    return [event for event in recorder.events if event.data[0] in (0x80, 0x90)]


def _pulses_after_start(recorder: JackRecorder) -> list[Recorded]:
    events = list(recorder.events)
    at = next(i for i, event in enumerate(events) if event.data == b"\xfa")
    return [event for event in events[at:] if event.data == b"\xf8"]


@BOTH
def test_a_chord_leaves_within_one_period(jack_server: JackServer, backend: str) -> None:
    """All four notes of a chord are heard no further apart than one period."""
    with PlayerProcess(jack_server.env) as player:
        player.open(backend=backend)
        with JackRecorder(jack_server, "lofid:out") as recorder:
            player.say("play", notes=CHORD)
            player.say("start", tick=0, tempo=80.0)
            on_frames = [event.frame for event in recorder.wait_for(4)]
    assert max(on_frames) - min(on_frames) <= jack_server.period_frames


@BOTH
def test_when_the_engine_dies_every_note_ends(jack_server: JackServer, backend: str) -> None:
    """The socket closes mid-chord: note-offs are heard, then panic; the player leaves."""
    with PlayerProcess(jack_server.env) as player:
        player.open(backend=backend)
        with JackRecorder(jack_server, "lofid:out") as recorder:
            player.say("play", notes=CHORD)
            player.say("start", tick=0, tempo=80.0)
            recorder.wait_for(4)
            player.die()
            assert player.end() == (0, "")
            events = recorder.wait_for(4 + 4 + 10)
    assert [event.data[0] for event in events[4:8]] == [0x81] * 4
    assert sounding(events) == set()
    quiet = [(64, 0), (123, 0), (120, 0), (121, 0)]
    for at, channel in ((8, 0), (13, 1)):
        controls = [bytes((0xB0 | channel, *control)) for control in quiet]
        assert [e.data for e in events[at : at + 5]] == [*controls, bytes((0xE0 | channel, 0, 64))]


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells of a parent's death")
def test_a_killed_parent_is_news_before_the_socket_closes(jack_server: JackServer) -> None:
    """We keep the engine's end open, as a dying process does while its memory is given back."""
    with PlayerProcess(jack_server.env, has_parent=True) as player:
        player.open()
        with JackRecorder(jack_server, "lofid:out") as recorder:
            player.say("play", notes=CHORD)
            player.say("start", tick=0, tempo=80.0)
            recorder.wait_for(4)
            player.kill()
            player.hear_until("closed")
            assert sounding(recorder.wait_for(4 + 4 + 10)) == set()


@pytest.mark.parametrize("how", ["stop", "SIGTERM"])
def test_stopping_loses_no_note_off(jack_server: JackServer, how: str) -> None:
    """On stop and on SIGTERM: note-offs, panic, ``closed`` as the last word, exit 0."""
    with PlayerProcess(jack_server.env) as player:
        player.open()
        with JackRecorder(jack_server, "lofid:out") as recorder:
            player.say("play", notes=CHORD)
            player.say("start", tick=0, tempo=80.0)
            recorder.wait_for(4)
            player.process.send_signal(signal.SIGINT)  # the engine's business: ignored
            if how == "stop":
                player.say("stop")
            else:
                player.process.send_signal(signal.SIGTERM)
            player.hear_until("closed")
            assert player.end() == (0, "")
            assert sounding(recorder.wait_for(4 + 4 + 10)) == set()
    assert player.said[-1] == {"is": "closed"}
    assert len(player.said_of("off")) == 4


@BOTH
def test_a_successor_silences_what_a_killed_one_held(jack_server: JackServer, backend: str) -> None:
    """After kill -9 notes hang; the next player has the same name and ends them."""
    with JackRecorder(jack_server) as recorder:
        with PlayerProcess(jack_server.env) as player:
            player.open(backend=backend)
            recorder.listen_to("lofid:out")
            player.say("play", notes=CHORD)
            player.say("start", tick=0, tempo=80.0)
            recorder.wait_for(4)
            player.kill()
        assert len(sounding(recorder.events)) == 4
        with PlayerProcess(jack_server.env) as player:
            assert player.open(backend=backend)["output"] == "lofid:out"
            recorder.listen_to("lofid:out")
            player.say("silence", notes=[[1, pitch] for pitch in (48, 51, 55, 58)])
            recorder.wait_for_quiet()


def test_hears_a_keyboard(jack_server: JackServer) -> None:
    """All that is a channel's is reported with its tick; clock and sensing are not."""
    with PlayerProcess(jack_server.env) as player:
        assert player.open(input="virtual")["input"] == "lofid:in"
        with JackKeyboard(jack_server) as keyboard:
            keyboard.connect("lofid:in")
            keyboard.play([0x90, 60, 80])
            player.hear_until("heard")
            player.say("start", tick=960, tempo=120.0)
            player.hear_until("position")
            keyboard.play([0xF8], [0xFE], [0x90, 60, 0], [0xB0, 64, 127], [0xE0, 1, 65], [0xC0, 5])
            player.hear_until("heard", count=4)
            keyboard.play([0xD0, 9], [0xA0, 60, 7])
            player.hear_until("heard", count=2)
    heard = player.said_of("heard")
    assert [message["data"] for message in heard] == [
        [0x90, 60, 80],
        [0x80, 60, 64],
        [0xB0, 64, 127],
        [0xE0, 1, 65],
        [0xC0, 5, 0],
        [0xD0, 9, 0],
        [0xA0, 60, 7],
    ]
    assert heard[0]["tick"] == 0
    assert all(message["tick"] >= 960 for message in heard[1:])


@BOTH
def test_connects_to_ports_by_name(jack_server: JackServer, backend: str) -> None:
    """An existing output and input are found by part of their names."""
    with (
        JackRecorder(jack_server, name="Synth") as recorder,
        JackKeyboard(jack_server, "Keystation") as keyboard,
        PlayerProcess(jack_server.env) as player,
    ):
        answer = player.open(backend=backend, output="synth", input="KEYS")
        assert (answer["output"], answer["input"]) == ("Synth:in", "Keystation:out")
        player.say("play", notes=[[0, 10, 0, 60, 100]])
        player.say("start", tick=0, tempo=120.0)
        keyboard.play([0x91, 61, 7])
        assert player.hear_until("heard")["data"] == [0x91, 61, 7]
        recorder.wait_for(2)


def test_refuses_a_port_that_is_not_there(jack_server: JackServer) -> None:
    """One clear line that names what there is; nothing on stderr; exit 1."""
    with JackRecorder(jack_server, name="Synth"), PlayerProcess(jack_server.env) as player:
        assert player.open(output="Prophet") == {
            "is": "refused",
            "error": "no MIDI output has 'Prophet' in its name; there is: Synth:in",
            "no_midi": False,
        }
        assert player.end() == (1, "")


@pytest.mark.parametrize("backend", ["auto", "jack"])
@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere MIDI is part of the system")
@pytest.mark.skipif(os.path.exists("/dev/snd/seq"), reason="this machine has ALSA MIDI")
def test_no_midi_system_says_both_ways_out(backend: str) -> None:
    """Without any MIDI system the answer says how to get one, and how to do without."""
    with PlayerProcess({"JACK_DEFAULT_SERVER": "lofid-nobody"}) as player:
        answer = player.open(backend=backend)
        assert player.end() == (1, "")
    assert answer["no_midi"]
    assert "jack has no server running under the name lofid-nobody" in answer["error"]
    assert "jackd -d dummy" in answer["error"]
    assert "lofid render" in answer["error"]


def test_a_name_that_another_program_has_is_refused(jack_server: JackServer) -> None:
    """JACK would call the port taken-01:out, which no saved connection finds; no client stays."""
    with (
        JackRecorder(jack_server, name="taken"),
        JackKeyboard(jack_server, "ears"),
        PlayerProcess(jack_server.env) as player,
        PlayerProcess(jack_server.env) as listener,
    ):
        before = jack_server.ports()
        for answer, name in (
            (player.open(name="taken"), "taken"),
            (listener.open(name="ears", input="virtual"), "ears"),
        ):
            assert answer == {
                "is": "refused",
                "error": f"the name {name} is taken on jack by another program: "
                "give another by --name",
                "no_midi": False,
            }
        assert (player.end(), listener.end()) == ((1, ""), (1, ""))
        assert jack_server.ports() == before


def test_a_message_that_makes_no_sense_is_refused(jack_server: JackServer) -> None:
    """The player ends what sounds, says what it was sent, and leaves with 1."""
    with PlayerProcess(jack_server.env) as player:
        player.open()
        with JackRecorder(jack_server, "lofid:out") as recorder:
            player.say("play", notes=CHORD)
            player.say("start", tick=0, tempo=80.0)
            recorder.wait_for(4)
            player.say("dance")
            answer = player.hear_until("refused")
            assert sounding(recorder.wait_for(8)) == set()
        assert player.end() == (1, "")
    assert "'dance'" in answer["error"]


@pytest.mark.usefixtures("jack_server")
def test_a_dead_jack_server_does_not_hang_rtmidi() -> None:
    """The server dies: RtMidi would wait for ever once its buffer is full; the kernel ends it."""
    with JackServer() as server, PlayerProcess(server.env) as player:
        player.open(backend="jack-rtmidi")
        player.say("start", tick=0, tempo=120.0)
        player.hear_until("position")
        server.stop()
        for _ in range(300):
            player.say("panic")
        assert player.end()[0] == -signal.SIGALRM


@pytest.mark.usefixtures("jack_server")
def test_a_dead_jack_server_is_told_in_one_line() -> None:
    """The next message finds that it has gone; the player leaves with 1 and nothing on stderr."""
    with JackServer() as server, PlayerProcess(server.env) as player:
        player.open()
        player.say("play", notes=[[480 * i, 480 * i + 240, 0, 60, 90] for i in range(40)])
        player.say("start", tick=0, tempo=240.0)
        player.hear_until("on")
        server.stop()
        assert player.hear_until("refused")["error"] == (
            "the MIDI output lofid:out is gone: the JACK server has ended"
        )
        assert player.end() == (1, "")


def test_plays_in_its_own_light_world() -> None:
    """The player imports none of the heavy libraries."""
    heavy = ["numpy", "onnxruntime", "music21", "pydantic", "psutil", "typer", "rich", "mido"]
    code = f"import lofid.player.__main__, sys; print([m for m in {heavy} if m in sys.modules])"
    found = subprocess.run([sys.executable, "-P", "-c", code], capture_output=True, check=True)
    assert found.stdout == b"[]\n"
