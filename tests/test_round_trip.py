"""Journal to MIDI file to events: what a file holds is what sounded, note for note.

Sessions are random, in simulated time, with the real engine, player and journal.
``benchmarks/round_trips.py`` draws thousands of them.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import mido
import symusic
from hypothesis import given, settings
from hypothesis import strategies as st

from lofid.account import session_of
from lofid.config import load
from lofid.engine import Engine
from lofid.midifile import write_midi
from lofid.music import Key
from lofid.pieces import pieces_in
from lofid.player.wire import Message
from lofid.scribe import Scribe
from lofid.transcript import read_transcript
from tests.fakes import PureModel
from tests.test_laws import ACTS, PLAYING, Act, some
from tests.world import World

Sounded = tuple[bool, int, int, int, int, int]
"""By a person, tick, length, channel, pitch, velocity."""
QUIET = ("crash", "sleep", "stall")
"""What leaves others to say how a session went on: tests/test_moments.py has those."""
LOUD = {name: act for name, act in {**ACTS, **PLAYING}.items() if name not in QUIET}
SESSIONS = some(LOUD, "wait")


@settings(max_examples=25)
@given(SESSIONS, st.sampled_from([(1, 2), (16, 1), (10, 3)]), st.sampled_from(["listen", "answer"]))
def test_a_file_holds_what_sounded(acts: list[Act], channels: tuple[int, int], mode: str) -> None:
    """Every note at its tick, as long as it was, by whom and on which channel it was."""
    with TemporaryDirectory() as folder:
        check(acts, channels, mode, Path(folder))


def test_a_file_holds_how_hard_keys_were_held(tmp_path: Path) -> None:
    """A keyboard that tells it five hundred times a second, of the channel and of a key."""
    kept = _Kept(tmp_path)
    world = World(PureModel(), load(None, {"music.tempo": 120.0}), make=kept.make)
    world.strike(0x90, 60, 80)
    for i in range(500):
        world.strike(*((0xD0, i % 128) if i % 2 else (0xA0, 60, i % 100)))
        world.run(0.002)
    world.strike(0xD0, 5)
    world.strike(0x80, 60, 64)
    world.run(0.5)
    kept.scribe.close()
    transcript = read_transcript(pieces_in(tmp_path))
    assert transcript.faults == ()
    write_midi(session_of(transcript), tmp_path / "a.mid")
    file = mido.MidiFile(tmp_path / "a.mid")
    channel = _timed(file, lambda m: m.type == "aftertouch" and [m.value])
    key = _timed(file, lambda m: m.type == "polytouch" and [m.note, m.value])
    assert channel[-1] == (960, 5)
    assert key[-1] == (956, 60, 98)
    assert 90 <= len(channel) + len(key) <= 110
    pressed = {(i * 960 // 500, i % 128) for i in range(500) if i % 2}
    assert set(channel[:-1]) <= pressed


def check(acts: list[Act], channels: tuple[int, int], mode: str, folder: Path) -> int:
    """Play a session, make a file of its journal, and compare; give how many notes it has."""
    lead, keys = channels
    values: dict[str, Any] = {"parts.lead_channel": lead, "parts.keys_channel": keys}
    chosen = load(None, {"music.tempo": 120.0, "keyboard.mode": mode, **values})
    kept = _Kept(folder)
    world = World(PureModel(), chosen, make=kept.make)
    engine = world.engine
    for act in acts:
        act(world)
        world.run(0.3)
    world.leave()
    for message in world._heard_from_player():
        if message["is"] in ("on", "off"):
            engine.receive(message)
    engine.chronicle.end()
    kept.scribe.close()
    path = folder / "session.mid"
    pieces = pieces_in(folder)
    if not pieces:
        assert not world.told_of("on", "heard")
        return 0
    transcript = read_transcript(pieces)
    assert transcript.faults == ()
    write_midi(session_of(transcript), path)
    truth, found = _truth(world.told, transcript.end.tick), _by_mido(path)
    assert sorted(found) == sorted(_one_after_the_other(truth))
    by_symusic = [(n.time, n.pitch) for track in symusic.Score(path).tracks for n in track.notes]
    assert sorted(by_symusic) == sorted((tick, pitch) for _, tick, _, _, pitch, _ in found)
    _assert_the_rest(path, world.told, kept, engine.seed)
    return len(truth)


def _assert_the_rest(path: Path, told: Iterable[Message], session: "_Kept", seed: int) -> None:
    """Pedals and pressures as played; tempos, keys and markers as the engine told its journal."""
    file = mido.MidiFile(path, charset="utf-8")
    heard = [m for m in told if m["is"] == "heard" and m["data"][0] & 0xE0 != 0x80]
    moved = sorted((m["tick"], *m["data"][: 2 if m["data"][0] == 0xD0 else 3]) for m in heard)
    kinds = ("control_change", "aftertouch", "polytouch")
    assert sorted(_timed(file, lambda m: m.type in kinds and m.bytes())) == moved
    tempos, keys, marks, sets = (
        [each for each in session.scribe.kept if each["what"] == what]
        for what in ("tempo", "key", "mark", "set")
    )
    bpm = {0: 120.0, **{each["tick"]: each["bpm"] for each in tempos}}
    microseconds = _timed(file, lambda m: m.type == "set_tempo" and [m.tempo])
    assert microseconds == [(tick, int(60e6 / at)) for tick, at in sorted(bpm.items())]
    key = {0: session.key, **{each["tick"]: each["text"] for each in keys}}
    found = _timed(file, lambda m: m.type == "key_signature" and [m.key])
    assert [(tick, _key(text)) for tick, text in found] == [
        (tick, Key.parse(text)) for tick, text in sorted(key.items())
    ]
    markers = _timed(file, lambda m: m.type == "marker" and [m.text])
    wanted = [(0, f"seed {seed}"), *((each["tick"], each["text"]) for each in marks)]
    assert not Counter(wanted) - Counter(markers)
    sets = [s for s in sets if s["name"] not in ("tempo", "key") and s["seconds"] > 0]
    changed = [(s["tick"], s["name"], s["text"]) for s in sets]
    swept = {(tick, f"{name} = {text}") for tick, name, text in changed}
    assert {marker for marker in markers if "=" in marker[1]} <= swept
    last = {name: (tick, f"{name} = {text}") for tick, name, text in changed}
    assert set(last.values()) <= set(markers)
    assert len(markers) <= len(wanted) + len(changed)


def _timed(file: mido.MidiFile, what: Callable[[Any], Any]) -> list[tuple[Any, ...]]:
    """Give the tick, and what is wanted of it, of each message that anything is wanted of."""
    found = []
    for track in file.tracks:
        now = 0
        for message in track:
            now += message.time
            if values := what(message):
                found.append((now, *values))
    return found


def _key(text: str) -> Key:
    """Read a key as mido writes it, such as ``Ebm``."""
    return Key.parse(f"{text.removesuffix('m')} {'minor' if text.endswith('m') else 'major'}")


class _Told(Scribe):
    """One that keeps also what it was told."""

    def __init__(self, *how: Any, **more: Any) -> None:
        self.kept: list[dict[str, Any]] = []
        super().__init__(*how, **more)

    def write(self, what: str, **values: Any) -> None:
        self.kept.append({"what": what, **values})
        super().write(what, **values)


class _Kept:
    """Makes an engine whose chronicle is kept from its first word on."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def make(self, *how: Any) -> Engine:
        engine = Engine(*how)
        self.scribe = _Told(self._folder, engine.chronicle.holds, now=how[-1])
        engine.chronicle.write_to(self.scribe)
        self.key: str = engine.status()["key"]
        return engine


class _Pairs:
    """Notes from their beginnings and ends; a beginning ends the one before of its voice."""

    def __init__(self) -> None:
        self.notes: list[Sounded] = []
        self.sounding: dict[tuple[bool, int, int], tuple[int, int]] = {}

    def on(self, by_person: bool, tick: int, channel: int, pitch: int, velocity: int) -> None:
        self.off(by_person, tick, channel, pitch)
        self.sounding[by_person, channel, pitch] = tick, velocity

    def off(self, by_person: bool, tick: int, channel: int, pitch: int) -> None:
        if (begun := self.sounding.pop((by_person, channel, pitch), None)) is not None:
            length = max(tick - begun[0], 1)
            self.notes.append((by_person, begun[0], length, channel, pitch, begun[1]))


def _truth(told: Iterable[Message], end_tick: int) -> list[Sounded]:
    """Pair what the player told of: what left, and what was played in."""
    pairs = _Pairs()
    for message in told:
        match message:
            case {"is": "on", "tick": tick, "channel": channel, "pitch": pitch}:
                pairs.on(False, tick, channel, pitch, message["velocity"])
            case {"is": "off", "tick": tick, "channel": channel, "pitch": pitch}:
                pairs.off(False, tick, channel, pitch)
            case {"is": "heard", "tick": tick, "data": [status, pitch, velocity]}:
                if status & 0xF0 == 0x90:
                    pairs.on(True, tick, status & 0x0F, pitch, velocity)
                elif status & 0xF0 == 0x80:
                    pairs.off(True, tick, status & 0x0F, pitch)
    for by_person, channel, pitch in list(pairs.sounding):
        pairs.off(by_person, end_tick, channel, pitch)
    return pairs.notes


def _one_after_the_other(truth: list[Sounded]) -> Iterator[Sounded]:
    """What was struck again at one tick, while the music stood, comes a tick later each time."""
    free: dict[tuple[bool, int, int], int] = {}
    for by_person, tick, length, channel, pitch, velocity in truth:
        voice = (by_person, channel, pitch)
        begun = max(tick, free.get(voice, tick))
        free[voice] = begun + 1
        yield by_person, begun, max(tick + length - begun, 1), channel, pitch, velocity


def _by_mido(path: Path) -> list[Sounded]:
    notes: list[Sounded] = []
    for track in mido.MidiFile(path, charset="utf-8").tracks:
        by_person, now = track.name.startswith("played"), 0
        sounding: dict[tuple[int, int], tuple[int, int]] = {}
        for message in track:
            now += message.time
            if message.type == "note_on" and message.velocity > 0:
                assert (message.channel, message.note) not in sounding
                sounding[message.channel, message.note] = now, message.velocity
            elif message.type in ("note_on", "note_off"):
                begun, velocity = sounding.pop((message.channel, message.note))
                voice = (message.channel, message.note, velocity)
                notes.append((by_person, begun, now - begun, *voice))
        assert not sounding
    return notes
