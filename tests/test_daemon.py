"""The whole of lofid, from the command to an independent JACK client's ears."""

import os
import signal
import subprocess
from pathlib import Path

import mido
import numpy as np
import pytest

from tests.jackserver import (
    PERIOD_FRAMES,
    RATE,
    Heard,
    JackKeyboard,
    JackRecorder,
    JackServer,
    pair_notes,
    sounding,
    wait_until,
)
from tests.lofidprocess import LofidProcess, own_environment, run

LEAD, KEYS = 0, 1
FAST = ("--tempo", "240", "--seed", "7")


def _chords(notes: list[Heard]) -> list[list[Heard]]:
    """Group the keys' notes that begin within two periods: onsets a grid apart are farther."""
    groups: list[list[Heard]] = []
    for note in sorted((n for n in notes if n.channel == KEYS), key=lambda n: n.on_frame):
        if groups and note.on_frame - groups[-1][0].on_frame <= 2 * PERIOD_FRAMES:
            groups[-1].append(note)
        else:
            groups.append([note])
    return groups


def test_tests_never_meet_the_users_own_lofid(
    jack_server: JackServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever folders the user's session has set, a test's programs get the test's own."""
    monkeypatch.setenv("XDG_RUNTIME_DIR", "/run/user/of-a-person")
    environment = own_environment(tmp_path, jack_server)
    assert environment["XDG_RUNTIME_DIR"] == str(tmp_path / "run")
    assert environment["HOME"] == str(tmp_path)
    assert environment["JACK_DEFAULT_SERVER"] == jack_server.name


def test_a_session_is_heard(jack_server: JackServer, tmp_path: Path) -> None:
    """Notes and chords on their channels, many velocities and rhythms, nothing held at the end.

    pair_notes itself fails for a note-on over the same sounding pitch.
    """
    with (
        LofidProcess(jack_server, tmp_path, *FAST, "--seconds", "10") as lofid,
        JackRecorder(jack_server, "lofid:out") as recorder,
    ):
        assert lofid.wait() == 0
        notes = pair_notes(recorder.events)
        assert not sounding(recorder.events)
    assert {note.channel for note in notes} == {LEAD, KEYS}
    chords = _chords(notes)
    assert all(len(chord) > 1 for chord in chords)
    assert all(c[-1].on_frame - c[0].on_frame <= PERIOD_FRAMES for c in chords)
    assert len(chords) > 4
    assert len({note.velocity for note in notes}) > 4
    lengths = [round((note.off_frame or 0) - note.on_frame, -3) for note in notes]
    assert len(set(lengths)) > 2


def _played(path: Path, until_tick: int) -> dict[tuple[int, int, int, int], int]:
    """Lengths by (tick, channel, pitch, velocity) of the notes that end before a tick."""
    found: dict[tuple[int, int, int, int], int] = {}
    for track in mido.MidiFile(path).tracks:
        tick, ons = 0, {}
        for message in track:
            tick += message.time
            if message.type == "note_on":
                ons[message.channel, message.note] = (tick, message.velocity)
            elif message.type == "note_off":
                on_tick, velocity = ons.pop((message.channel, message.note))
                found[on_tick, message.channel, message.note, velocity] = tick - on_tick
    return {key: length for key, length in found.items() if key[0] + length < until_tick}


def test_a_recorded_session_is_what_render_writes(jack_server: JackServer, tmp_path: Path) -> None:
    """The same seed: the same notes at the same ticks, of the same lengths; render repeats."""
    with LofidProcess(
        jack_server, tmp_path, *FAST, "--seconds", "8", "--record", "played.mid"
    ) as lofid:
        assert lofid.wait() == 0
        assert "recorded" in lofid.said
    rendered = [tmp_path / "a.mid", tmp_path / "b.mid"]
    for path in rendered:
        assert run(tmp_path, "render", str(path), "--bars", "8", *FAST).returncode == 0
    assert rendered[0].read_bytes() == rendered[1].read_bytes()
    until_tick = 6 * 1920
    live = _played(tmp_path / "played.mid", until_tick)
    assert len(live) > 10
    assert live == _played(rendered[0], until_tick)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signals_end_every_note(jack_server: JackServer, tmp_path: Path, number: int) -> None:
    with (
        LofidProcess(jack_server, tmp_path, *FAST) as lofid,
        JackRecorder(jack_server, "lofid:out") as recorder,
    ):
        wait_until(lambda: sounding(list(recorder.events)), "a note that sounds")
        lofid.process.send_signal(number)
        assert lofid.wait() == 0
        assert not sounding(recorder.events)
        last = [event.data for event in recorder.events[-10:]]
    for channel in (LEAD, KEYS):
        panic = [bytes([0xB0 | channel, c, 0]) for c in (64, 123, 120, 121)]
        assert [data for data in last if data in panic] == panic


def test_the_engine_killed_leaves_nothing_held(jack_server: JackServer, tmp_path: Path) -> None:
    """By JACK's own count of frames, the last note ends within a second of the kill."""
    with (
        LofidProcess(jack_server, tmp_path, *FAST) as lofid,
        JackRecorder(jack_server, "lofid:out") as recorder,
    ):
        wait_until(lambda: sounding(list(recorder.events)), "a note that sounds")
        player = lofid.player_pid()
        killed_frame = recorder.frame_now()
        lofid.process.kill()
        events = recorder.wait_for_quiet()
        assert max(e.frame for e in events if e.data[0] >> 4 == 8) - killed_frame <= RATE
        wait_until(lambda: not Path(f"/proc/{player}").exists(), "the player to leave")


def test_the_player_killed_is_replaced(jack_server: JackServer, tmp_path: Path) -> None:
    """The next one plays to the same ears, ends what the first held, and the music goes on."""
    with (
        LofidProcess(jack_server, tmp_path, *FAST) as lofid,
        JackRecorder(jack_server, "lofid:out") as recorder,
    ):
        wait_until(lambda: sounding(list(recorder.events)), "a note that sounds")
        lofid.wait_for("seed")
        beats = len(recorder.events)
        wait_until(lambda: len(recorder.events) > beats + 20, "a second of music")
        wait_until(lambda: sounding(list(recorder.events)), "a note that sounds")
        os.kill(lofid.player_pid(), signal.SIGKILL)
        lofid.wait_for("the player process died")
        before = len(recorder.events)
        held = sounding(list(recorder.events))
        wait_until(lambda: len(recorder.events) > before + 20, "music from the new player")
        ended = {
            (e.data[0] & 15, e.data[1]) for e in recorder.events[before:] if e.data[0] >> 4 == 8
        }
        assert held <= ended
        assert lofid.status()["notes"]["restarts"] == 1
        lofid.process.send_signal(signal.SIGTERM)
        assert lofid.wait() == 0
        assert not sounding(recorder.events)


def test_control(jack_server: JackServer, tmp_path: Path) -> None:
    """Every command of ``lofid ctl``, against one session."""
    with LofidProcess(jack_server, tmp_path, *FAST) as lofid:
        status = lofid.status()
        assert status["tempo"] == 240
        assert status["output"] == "lofid:out"
        assert 0 < status["memory_mb"] < 1000
        assert status["cpu_percent"] >= 0
        assert lofid.ctl("set", "tempo", "120").stdout == "tempo = 120\n"
        assert lofid.ctl("set", "key", "F minor").returncode == 0
        changed = lofid.status()
        assert (changed["tempo"], changed["key"]) == (120, "F minor")
        refused = lofid.ctl("set", "tmepo", "120")
        assert refused.returncode == 1
        assert "did you mean 'tempo'" in refused.stderr
        assert refused.stderr.count("\n") == 1
        assert lofid.ctl("panic").returncode == 0
        assert lofid.ctl("record", "start", str(tmp_path / "take.mid")).returncode == 0
        played = lofid.status()["notes"]["played"]
        wait_until(lambda: lofid.status()["notes"]["played"] > played + 4, "more notes")
        stopped = lofid.ctl("record", "stop")
        assert stopped.stdout == f"recorded {tmp_path / 'take.mid'}\n"
        assert len(mido.MidiFile(tmp_path / "take.mid").tracks) == 3
        assert lofid.ctl("record", "stop").returncode == 1
        assert lofid.ctl("quit").stdout == "leaving\n"
        assert lofid.wait() == 0
    assert "no lofid called 'lofid' is playing" in lofid.ctl("status").stderr


def test_a_second_daemon_of_the_name_is_refused(jack_server: JackServer, tmp_path: Path) -> None:
    with LofidProcess(jack_server, tmp_path, *FAST) as first:
        first.wait_for("seed")
        second = subprocess.run(
            first.command,
            env=first.env,
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    assert second.returncode == 1
    assert second.stderr.startswith("lofid: a lofid called 'lofid' is already playing")
    assert second.stderr.count("\n") == 1


PERSON = 5
PHRASE = [60, 63, 67, 70, 72, 67, 63, 60]


def _tick_passes(lofid: LofidProcess, ticks: int) -> None:
    until_tick = lofid.status()["tick"] + ticks
    wait_until(lambda: lofid.status()["tick"] > until_tick, f"{ticks} more ticks")


def _play(keyboard: JackKeyboard, lofid: LofidProcess, pitch: int) -> None:
    """Press and release one key; returns once lofid has heard it."""
    heard = lofid.status()["notes"]["heard"]
    keyboard.play([0x90 | PERSON, pitch, 90])
    wait_until(lambda: lofid.status()["notes"]["heard"] > heard, "a heard note")
    keyboard.play([0x80 | PERSON, pitch, 0])


def _onsets(path: Path, channels: set[int]) -> list[tuple[int, int, int, int]]:
    """Give (tick, channel, pitch, velocity) of the notes on some channels, in order of tick."""
    found = []
    for track in mido.MidiFile(path).tracks:
        tick = 0
        for message in track:
            tick += message.time
            if message.type == "note_on" and message.channel in channels:
                found.append((tick, message.channel, message.note, message.velocity))
    return sorted(found)


def test_a_phrase_over_real_ports_is_kept_and_answered(
    jack_server: JackServer, tmp_path: Path
) -> None:
    """A keyboard is recorded as it was played, and the music after it is not what it had been.

    ``render`` tells what the same seed plays to nobody: until the phrase the session is equal to
    it, and once the horizon (two beats) has passed it is not.
    """
    path = tmp_path / "led.mid"
    with (
        JackKeyboard(jack_server, "keyboard") as keyboard,
        LofidProcess(
            jack_server, tmp_path, *FAST, "--input", "keyboard", "--record", str(path)
        ) as lofid,
    ):
        lofid.wait_for("hears keyboard:out")
        _tick_passes(lofid, 2 * 1920)
        for pitch in PHRASE:
            _play(keyboard, lofid, pitch)
        _tick_passes(lofid, 4 * 1920)
        lofid.process.send_signal(signal.SIGTERM)
        assert lofid.wait() == 0
    played = _onsets(path, {PERSON})
    assert [(pitch, velocity) for _, _, pitch, velocity in played] == [(p, 90) for p in PHRASE]
    first_tick, last_tick = played[0][0], played[-1][0]
    until_tick = last_tick + 3 * 1920

    alone = tmp_path / "alone.mid"
    bars = str(until_tick // 1920 + 1)
    assert run(tmp_path, "render", str(alone), "--bars", bars, *FAST).returncode == 0
    live, rendered = (_onsets(p, {LEAD, KEYS}) for p in (path, alone))
    before = [note for note in rendered if note[0] < first_tick]
    assert len(before) > 5
    assert [note for note in live if note[0] < first_tick] == before
    answer, silence = (
        [note for note in notes if last_tick + 960 <= note[0] < until_tick]
        for notes in (live, rendered)
    )
    assert answer
    assert answer != silence


def test_fluidsynth_sounds(jack_server: JackServer, tmp_path: Path) -> None:
    """A synthesiser that knows nothing of lofid makes sound of it."""
    fonts = [Path(f"/usr/share/sounds/sf2/{n}") for n in ("FluidR3_GM.sf2", "default-GM.sf2")]
    font = next((font for font in fonts if font.exists()), None)
    if font is None and os.environ.get("CI") != "true":
        pytest.skip("FluidSynth's soundfont is not installed")
    assert font is not None
    sound = tmp_path / "sound.raw"
    synth = subprocess.Popen(
        ["fluidsynth", "-s", "-i", "-a", "file", "-m", "jack", "-r", "44100",
         "-o", f"audio.file.name={sound}", "-o", f"midi.jack.server={jack_server.name}",
         "-o", "audio.file.type=raw", "-o", "midi.jack.id=synth", str(font)],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        env={**os.environ, **jack_server.env},
    )  # fmt: skip
    try:
        wait_until(lambda: any("synth" in port for port in jack_server.ports()), "FluidSynth")
        with LofidProcess(
            jack_server, tmp_path, *FAST, "--seconds", "6", "--output", "synth"
        ) as lofid:
            assert lofid.wait() == 0
    finally:
        synth.terminate()
        synth.wait(30)
    samples = np.fromfile(sound, np.int16)
    assert len(samples) > 44100
    loudest = [abs(part.astype(int)).max() for part in np.array_split(samples, 20)]
    assert sum(level > 200 for level in loudest) > 5
