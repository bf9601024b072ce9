"""What a session goes on from: a MIDI file, or the session before it."""

import asyncio
import os
import shutil
import signal
import struct
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import partial
from pathlib import Path

import mido
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lofid import material, seeding
from lofid.composer import Composer
from lofid.config import load
from lofid.context import MemoryRow
from lofid.engine import Engine
from lofid.errors import ControlError, MaterialError
from lofid.feel import Feel
from lofid.keylock import HOME_CLASSES
from lofid.memory import Keeper, Remembered, memory_path, read_memory
from lofid.music import BAR_TICKS, Event, Key
from lofid.predictor import Predictor, default_model_path
from lofid.seeding import Seeding
from tests.fakes import CARD, ScriptedModel
from tests.jackserver import JackServer, wait_until
from tests.lofidprocess import LOFID, LofidProcess, run
from tests.test_daemon import _played

QUARTERS = [(1, 1, 5), (2, 1, 5)]
"""C4 and E4 in quarters."""


def _composer(model: ScriptedModel) -> Composer:
    return Composer(model, Feel(), seed=1)


# The composer


def test_a_seed_ends_where_the_composers_bar_begins() -> None:
    """Two bars of a file, and the beat of its bars is kept: G4 on the second beat of the last."""
    composer = _composer(ScriptedModel(QUARTERS))
    composer.seed([Event((60,), 0, 480, 80), Event((67,), 2400, 960, 16)])
    assert composer.memory() == [[-96, 12, 1, 6], [-36, 24, 3, 2]]


def test_what_follows_a_seed_is_foretold_from_the_seed_alone() -> None:
    model = ScriptedModel(QUARTERS)
    composer = _composer(model)
    composer.seed([Event((60,), 0, 480, 80), Event((67,), 960, 480, 80)])
    composer.compose(1)
    assert model.primed[-1].token.tolist() == [0, 1, 3]
    assert model.primed[-1].phase.tolist() == [0, 24, 0]


def test_while_it_plays_a_seed_takes_its_place_before_the_bar_that_is_composed() -> None:
    composer = _composer(ScriptedModel(QUARTERS))
    composer.compose(BAR_TICKS + 481)
    composer.seed([Event((67,), 0, 480, 80)])
    assert composer.memory() == [[-96, 12, 3, 6]]  # from the end of the second bar


def test_the_seed_is_heard_in_the_key_that_is_played_in() -> None:
    """F minor lies 4 below A minor: A-flat 3 is its C, as C4 is A minor's."""
    composer = _composer(ScriptedModel(QUARTERS))
    composer.feel = Feel(key=Key.parse("F minor"))
    composer.seed([Event((56,), 0, 480, 80)])
    assert [token for _, _, token, _ in composer.memory()] == [1]


def test_who_forgets_begins_anew() -> None:
    model = ScriptedModel(QUARTERS)
    composer = _composer(model)
    composer.compose(BAR_TICKS)
    composer.forget()
    assert composer.memory() == []
    composer.compose(2 * BAR_TICKS)
    assert model.primed[-1].token.tolist() == [0]


ROWS = st.lists(
    st.tuples(st.integers(-900, -1), st.integers(1, 96), st.integers(1, 4), st.integers(1, 8)),
    max_size=8,
)


@given(ROWS, st.integers(0, 7))
def test_what_is_remembered_is_recalled(rows: list[tuple[int, ...]], bars: int) -> None:
    """At whatever bar line the next composer stands; it has room for 8."""
    ordered: list[MemoryRow] = sorted((list(row) for row in rows), key=lambda row: row[0])
    composer = _composer(ScriptedModel(QUARTERS))
    composer.compose(bars * BAR_TICKS)
    composer._waiting = None
    composer._onset_grid = bars * 48
    composer.recall(ordered)
    assert composer.memory() == ordered


# The model that comes with lofid: a seed leads

PROGRESSION = [(45, 52, 55, 60), (41, 48, 52, 57), (48, 52, 55, 59), (43, 50, 53, 57)]
TUNE = [69, 71, 72, 74, 76, 77, 79, 81]
LED_BARS = 8


def _sparse(key: Key) -> list[Event]:
    """Two events a bar, for 16 bars: a chord and a long note."""
    shift, events = key.shift_semitones, []
    for bar in range(16):
        chord = tuple(pitch + shift for pitch in PROGRESSION[bar % 4])
        events += [Event(chord, bar * BAR_TICKS, 1800, 70)]
        events += [Event((TUNE[4 - bar % 3] + shift,), bar * BAR_TICKS + 960, 900, 80)]
    return events


def _dense(key: Key) -> list[Event]:
    """Twelve events a bar, for 8 bars: a chord to each quarter, a note to each eighth."""
    shift, events = key.shift_semitones, []
    for eighth in range(64):
        bar = eighth // 8
        if eighth % 2 == 0:
            chord = tuple(pitch + shift for pitch in PROGRESSION[bar % 4])
            events += [Event(chord, 240 * eighth, 400, 70)]
        events += [Event((TUNE[(3 * eighth + bar) % 8] + shift,), 240 * eighth, 220, 85)]
    return events


@pytest.fixture(scope="module")
def predictor() -> Predictor:
    return Predictor(default_model_path(), "cpu")


def _led(predictor: Predictor, seed: int, key: Key, events: list[Event]) -> list[Event]:
    """Give eight bars after a seed. The key lock is off: only the seed tells of its key."""
    composer = Composer(predictor, Feel(key=key, key_lock="off"), seed)
    composer.seed(events)
    return composer.compose(LED_BARS * BAR_TICKS)


def _in_key(events: list[Event], key: Key) -> float:
    """The share of note time in the key's scale."""
    notes = [(e.length_ticks, pitch - key.shift_semitones) for e in events for pitch in e.pitches]
    return sum(t for t, p in notes if p % 12 in HOME_CLASSES) / sum(t for t, _ in notes)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_seed_leads_the_music(predictor: Predictor, seed: int) -> None:
    """Its key, its density, and other music than after another seed, with one session seed.

    Measured with seeds 1 to 6: after the sparse one, of 2 events a bar, 2.3 to 3.1; after the dense
    one, of 12, 4.3 to 7.8. Of the note time 0.87 to 1.00 lies in its key, and of the two sets of
    events 0.98 to 1.00 differ.
    """
    key = Key.parse("F# minor")
    sparse, again, dense = (
        _led(predictor, seed, key, events) for events in (_sparse(key), _sparse(key), _dense(key))
    )
    assert sparse == again
    assert len(sparse) > LED_BARS
    assert len(dense) > 1.2 * len(sparse)
    for events in (sparse, dense):
        assert _in_key(events, key) > 0.8
    places, others = ({(e.onset_ticks, e.pitches) for e in side} for side in (sparse, dense))
    assert len(places ^ others) / len(places | others) > 0.5


# The engine


@pytest.mark.parametrize(
    ("setting", "named", "played"),
    [
        ("auto", "F# minor", "F# minor"),
        ("auto", None, "A major"),
        ("auto", "C major", "A major"),
        ("G minor", "F# minor", "G minor"),
    ],
)
def test_the_key_follows_the_seed_only_where_none_is_set(
    setting: str, named: str | None, played: str
) -> None:
    """A key that the notes contradict does not count; of relative keys the named one does."""
    engine = _engine(setting)
    engine.seed_with(_sparse(Key.parse("F# minor")), None if named is None else Key.parse(named))
    assert str(engine.memory().key) == played
    engine.set("swing", "50")
    assert str(engine.memory().key) == played


def _engine(key: str = "C minor") -> Engine:
    model = ScriptedModel(QUARTERS)
    return Engine(model, load(None, {"music.key": key}), 1, lambda: 0.0)


# What a session begins with


def _write_midi(path: Path, events: list[Event], key: Key) -> None:
    """A file of one track, as a person may have played it."""
    midi = mido.MidiFile(type=0, ticks_per_beat=480)
    name = str(key).removesuffix(" major").replace(" minor", "m")
    midi.tracks.append(mido.MidiTrack([mido.MetaMessage("key_signature", key=name)]))
    timed = []
    for event in events:
        channel, end = int(event.is_chord), event.onset_ticks + event.length_ticks
        for pitch in event.pitches:
            on = mido.Message("note_on", channel=channel, note=pitch, velocity=event.velocity)
            off = mido.Message("note_off", channel=channel, note=pitch)
            timed += [(event.onset_ticks, 1, on), (end, 0, off)]
    before = 0
    for tick, _, message in sorted(timed, key=lambda each: each[:2]):
        midi.tracks[0].append(message.copy(time=tick - before))
        before = tick
    midi.save(path)


REMEMBERED = Remembered(Key.parse("G minor"), [[-48, 12, 4, 5], [-24, 12, 3, 5]])


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a memory and a MIDI file in it."""
    for name in ("XDG_STATE_HOME", "HOME"):
        monkeypatch.setenv(name, str(tmp_path))
    Keeper(memory_path("lofid"), CARD).write(REMEMBERED)
    _write_midi(tmp_path / "one.mid", [Event((60,), 0, 480, 80)], Key.parse("F minor"))
    return tmp_path


def _begun(said: list[str], **music: object) -> Engine:
    """An engine as a session with these settings begins."""
    settings = load(None, {"music.key": "auto", **{f"music.{k}": v for k, v in music.items()}})
    engine = Engine(ScriptedModel(QUARTERS), settings, 1, lambda: 0.0)
    asyncio.run(Seeding(settings, said.append).begin(engine))
    return engine


FILE, MEMORY, NEITHER = "the file", "the memory", "neither"


@pytest.mark.parametrize(
    ("music", "begins_with"),
    [
        ({}, MEMORY),
        ({"memory": "on"}, MEMORY),
        ({"memory": "fresh"}, NEITHER),
        ({"memory": "off"}, NEITHER),
        ({"seed": 7}, NEITHER),
        ({"seed": 7, "memory": "on"}, MEMORY),
        ({"seed_midi": "one.mid"}, FILE),
        ({"seed_midi": "one.mid", "memory": "on"}, MEMORY),
        ({"seed_midi": "one.mid", "memory": "fresh", "seed": 7}, FILE),
    ],
)
def test_what_a_session_begins_with(
    home: Path, monkeypatch: pytest.MonkeyPatch, music: dict[str, object], begins_with: str
) -> None:
    monkeypatch.chdir(home)
    said: list[str] = []
    begun = _begun(said, **music).memory()
    if begins_with is MEMORY:
        assert begun == REMEMBERED
        assert said == ["goes on from the last session: 2 events, G minor"]
    elif begins_with is FILE:
        # C4 in F minor is E at home.
        assert begun == Remembered(Key.parse("F minor"), [[-48, 12, 2, 6]])
        assert said == ["goes on from one.mid: 1 event, F minor"]
    else:
        assert len(begun.rows) == CARD.context_length
        assert not said


def test_without_a_memory_it_goes_on_from_the_file(home: Path) -> None:
    memory_path("lofid").unlink()
    said: list[str] = []
    assert len(_begun(said, seed_midi=str(home / "one.mid"), memory="on").memory().rows) == 1
    assert len(_begun(said, memory="on").memory().rows) == CARD.context_length
    assert len(said) == 1


def _make_instead(make: Callable[[Path], None], path: Path) -> None:
    path.unlink()
    make(path)


@pytest.mark.parametrize(
    ("spoil", "why"),
    [
        (lambda path: path.write_text("{"), "is damaged, or another lofid's"),
        (
            lambda path: path.write_text(path.read_text().replace('"format": 1', '"format": 2')),
            "is damaged, or another lofid's",
        ),
        (
            lambda path: Keeper(path, CARD.model_copy(update={"rhythms": ()})).write(REMEMBERED),
            "is of a model with another vocabulary",
        ),
        (partial(_make_instead, Path.mkdir), "cannot be read: Is a directory"),
        (partial(_make_instead, os.mkfifo), "cannot be read: Not a regular file"),
    ],
    ids=["damaged", "newer", "another model", "folder", "pipe"],
)
def test_a_memory_of_no_use_is_kept_aside_with_one_warning(
    home: Path, spoil: Callable[[Path], object], why: str
) -> None:
    """The model, or the lofid, that it is of can have it back; nothing is written over it."""
    path, said = memory_path("lofid"), list[str]()
    kept = path.with_name("lofid.context.json.bad")
    spoil(path)
    before = path.lstat()
    _session(said, _play_a_bar, memory="on")
    assert said == [f"{path}: {why}; it is kept as {kept.name}, and the music begins without it"]
    assert (kept.lstat().st_ino, kept.lstat().st_size) == (before.st_ino, before.st_size)
    assert read_memory(path, CARD) not in (None, REMEMBERED)


def test_what_cannot_be_kept_aside_is_not_written_over(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: Path) -> Path:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(seeding, "set_aside", refuse)
    path, said = memory_path("lofid"), list[str]()
    path.write_text("{")
    _session(said, _play_a_bar, memory="on")
    assert said == [
        f"{path}: is damaged, or another lofid's; it cannot be set aside (Permission denied), so "
        "this session is not remembered: mend it or remove it"
    ]
    assert path.read_text() == "{"


def test_a_file_of_no_use_ends_the_beginning(home: Path) -> None:
    (home / "text.mid").write_text("la la la")
    with pytest.raises(MaterialError, match=r"text\.mid: is not a MIDI file"):
        _begun([], seed_midi=str(home / "text.mid"))


async def _kept(
    kept: Seeding, engine: Engine, deeds: Iterable[Callable[[], object]], is_played: bool
) -> None:
    """A session in which these things happen, each followed by many occasions to keep it."""
    await kept.begin(engine)
    job = asyncio.create_task(kept.keep()) if is_played else None
    for deed in deeds:
        deed()
        await asyncio.sleep(0.2)
    if job is not None:
        job.cancel()
        await asyncio.gather(job, return_exceptions=True)
    await kept.end()


def _session(
    said: list[str], *deeds: Callable[[Engine], object], memory: str = "fresh", played: bool = True
) -> Engine:
    settings = load(None, {"music.memory": memory})
    engine = Engine(ScriptedModel(QUARTERS), settings, 1, lambda: 0.0)
    bound = [partial(deed, engine) for deed in deeds]
    asyncio.run(_kept(Seeding(settings, said.append), engine, bound, played))
    return engine


def _play_a_bar(engine: Engine) -> None:
    engine.begin()
    engine.receive({"is": "position", "tick": BAR_TICKS, "tempo": 80.0})


def test_a_session_is_kept_and_at_its_end(home: Path) -> None:
    engine = _session([], _play_a_bar)
    assert read_memory(memory_path("lofid"), CARD) == engine.memory() != REMEMBERED


@pytest.mark.parametrize(("memory", "played"), [("off", True), ("fresh", False)])
def test_what_is_not_to_be_kept_or_was_never_heard_is_not(
    home: Path, memory: str, played: bool
) -> None:
    _session([], _play_a_bar, memory=memory, played=played)
    assert read_memory(memory_path("lofid"), CARD) == REMEMBERED


def test_it_is_kept_while_it_plays_and_only_when_it_changed(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(seeding, "KEEP_SECONDS", 0.01)
    found: list[int] = []

    def look(_engine: Engine) -> None:
        found.append(memory_path("lofid").stat().st_ino)

    _session([], _play_a_bar, look, look)
    assert found[0] == found[1]  # each write makes another file
    assert read_memory(memory_path("lofid"), CARD) != REMEMBERED


def test_a_disk_that_fails_is_said_once_and_the_music_goes_on(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A folder lies where the file should be; when it has gone, the file is there again."""
    monkeypatch.setattr(seeding, "KEEP_SECONDS", 0.01)
    path, said = memory_path("lofid"), list[str]()
    path.unlink()
    path.mkdir()
    engine = _session(said, _play_a_bar, lambda _: path.rmdir())
    assert len(said) == 1
    assert said[0].endswith("; the next session will not know of this one")
    assert read_memory(path, CARD) == engine.memory()


def _endless(path: Path) -> Path:
    """A file whose one time has two million bytes, which takes mido a minute and more."""
    track = b"\xff" * 2_000_000
    header = b"MThd" + struct.pack(">LHHH", 6, 0, 1, 480)
    path.write_bytes(header + b"MTrk" + struct.pack(">L", len(track)) + track)
    return path


def _readers(path: Path) -> set[int]:
    """The processes that read this file."""
    found = set()
    for process in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):
            if process.read_bytes().endswith(b"lofid.material\0" + os.fsencode(path) + b"\0"):
                found.add(int(process.parent.name))
    return found


def test_what_was_asked_for_last_wins(home: Path) -> None:
    """A file that is still being read is no longer wanted after 'forget', or another file."""

    async def play(newer: str) -> tuple[BaseException | object, list[MemoryRow]]:
        settings = load(None, {"music.memory": "fresh"})
        engine = Engine(ScriptedModel(QUARTERS), settings, 1, lambda: 0.0)
        seeding = Seeding(settings, lambda _: None)
        await seeding.begin(engine)
        engine.forget()
        older = asyncio.create_task(seeding.seed(_endless(home / "endless.mid")))
        while not _readers(home / "endless.mid"):
            await asyncio.sleep(0.01)
        if newer:
            await seeding.seed(home / newer)
        else:
            seeding.call_off()
        (answer,) = await asyncio.gather(older, return_exceptions=True)
        return answer, engine.memory().rows

    for newer, rows in (("", 0), ("one.mid", 1)):
        answer, memory = asyncio.run(play(newer))
        assert isinstance(answer, ControlError)
        assert str(answer) == (
            f"{home}/endless.mid: was not taken up: something newer was asked for"
        )
        assert len(memory) == rows
        assert not _readers(home / "endless.mid")


# The whole


def test_render_goes_on_from_a_file(tmp_path: Path) -> None:
    """Each seed leads elsewhere, the same one to the same; the key is the file's."""
    for name, make, key in (("a", _sparse, "F# minor"), ("b", _dense, "Eb major")):
        _write_midi(tmp_path / f"{name}.mid", make(Key.parse(key)), Key.parse(key))
    written = []
    for name in ("a", "b", "a"):
        flags = ("--seed", "3", "--key", "auto", "--seed-midi", f"{name}.mid", "--bars", "4")
        answer = run(tmp_path, "render", "out.mid", *flags)
        assert answer.returncode == 0, answer.stderr
        written.append((tmp_path / "out.mid").read_bytes())
    assert written[0] == written[2] != written[1]
    keys = [
        m.key for m in mido.MidiFile(tmp_path / "out.mid").tracks[0] if m.type == "key_signature"
    ]
    assert keys == ["F#m"]


def test_a_render_from_what_is_no_music_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "text.mid").write_text("la la la")
    answer = run(tmp_path, "render", "out.mid", "--seed-midi", "text.mid")
    assert answer.returncode == 1
    assert answer.stderr == "lofid: text.mid: is not a MIDI file\n"
    assert not (tmp_path / "out.mid").exists()


FAST = ("--tempo", "240")


def test_a_restart_goes_on_from_the_session_before(jack_server: JackServer, tmp_path: Path) -> None:
    """The same seed and the same memory: the same music. Without the memory: other music."""
    path = tmp_path / "lofid" / "lofid.context.json"
    with LofidProcess(jack_server, tmp_path, *FAST, "--seconds", "4") as lofid:
        assert lofid.wait() == 0, lofid.said
        assert "goes on from" not in lofid.said
    shutil.copy(path, tmp_path / "kept.json")
    played = []
    for number, flag in enumerate(("--remember", "--remember", "--fresh")):
        shutil.copy(tmp_path / "kept.json", path)
        flags = (*FAST, "--seed", "7", flag, "--seconds", "5", "--record", f"{number}.mid")
        with LofidProcess(jack_server, tmp_path, *flags) as lofid:
            assert lofid.wait() == 0, lofid.said
            told = "goes on from the last session: 100 events, C minor\n" in lofid.said
            assert told == (flag == "--remember"), lofid.said
        played.append(_played(tmp_path / f"{number}.mid", 3 * BAR_TICKS))
        assert path.read_text() != (tmp_path / "kept.json").read_text()
    assert len(played[0]) > 8
    assert played[0] == played[1]
    assert len(played[0].keys() & played[2].keys()) < len(played[0]) / 2


def test_a_file_leads_a_session_and_forgetting_does(
    jack_server: JackServer, tmp_path: Path
) -> None:
    key = Key.parse("F# minor")
    _write_midi(tmp_path / "song.mid", _sparse(key), key)
    (tmp_path / "text.mid").write_text("la la la")
    with LofidProcess(jack_server, tmp_path, *FAST, "--seed-midi", "song.mid") as lofid:
        assert lofid.status()["notes"]["played"] >= 0
        assert "goes on from song.mid: 32 events, F# minor\n" in lofid.said
        seeded = lofid.ctl("seed", "song.mid")
        assert seeded.stdout == f"goes on from {tmp_path}/song.mid: 32 events, F# minor\n"
        asked = [*LOFID, "ctl", "seed", str(_endless(tmp_path / "endless.mid"))]
        with subprocess.Popen(asked, env=lofid.env, stderr=subprocess.PIPE, text=True) as asking:
            wait_until(lambda: _readers(tmp_path / "endless.mid"), "the reader")
            assert lofid.ctl("forget").stdout == "forgotten: what comes next begins anew\n"
            assert asking.communicate(timeout=20)[1].endswith(
                "/endless.mid: was not taken up: something newer was asked for\n"
            )
        refused = lofid.ctl("seed", "text.mid")
        assert refused.returncode == 1
        assert refused.stderr == f"lofid: {tmp_path}/text.mid: is not a MIDI file\n"
        assert lofid.ctl("quit").returncode == 0
        assert lofid.wait() == 0, lofid.said


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel tells of a death on Linux only")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
def test_a_signal_is_heard_while_a_file_is_read(
    jack_server: JackServer, tmp_path: Path, number: signal.Signals
) -> None:
    """lofid says that it reads, leaves at once, and so does the reader."""
    path = _endless(tmp_path / "endless.mid")
    with LofidProcess(jack_server, tmp_path, "--seed-midi", str(path)) as lofid:
        lofid.wait_for(f"reading {path} …\n")
        assert _readers(path)
        begun = time.monotonic()
        lofid.process.send_signal(number)
        assert lofid.wait() == (-number if number is signal.SIGKILL else 0), lofid.said
        wait_until(lambda: not _readers(path), "the reader's end")
        # The file would have kept it for READ_SECONDS.
        assert time.monotonic() - begun < material.READ_SECONDS / 3
        assert lofid.said == f"reading {path} …\n"


def test_fresh_does_not_keep_what_is_not_to_be_kept(
    jack_server: JackServer, tmp_path: Path
) -> None:
    """``memory = "off"`` in the configuration; ``--remember`` is the way to have it kept."""
    (tmp_path / "config.toml").write_text('[music]\nmemory = "off"\n')
    for flag, is_kept in (("--fresh", False), ("--remember", True)):
        with LofidProcess(jack_server, tmp_path, *FAST, flag, "--seconds", "2") as lofid:
            assert lofid.wait() == 0, lofid.said
        assert (tmp_path / "lofid" / "lofid.context.json").exists() == is_kept
