"""The MIDI file says exactly what the session says, for two readers that are not music21."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from itertools import accumulate, pairwise
from pathlib import Path
from subprocess import run

import mido
import music21
import pytest
import symusic
from hypothesis import given, settings
from hypothesis import strategies as st

from lofid.errors import RecordingError
from lofid.midifile import midi_bytes, write_midi
from lofid.music import BAR_TICKS
from lofid.session import Control, PlayedNote, Session

PITCHES = st.integers(12, 127)
TICKS = st.integers(0, 5000)
MOVED = [(0xB0, 64, 127), (0xB0, 64, 0), (0xE9, 0, 64), (0xC5, 9), (0xD0, 77), (0xA2, 60, 1)]
"""A pedal down and up, a bend, a program, pressure, and a single key's."""


def session(*notes: PlayedNote, end_tick: int = BAR_TICKS) -> Session:
    """A session in F minor at 76 bpm; the lead is on channel 0, the keys on channel 1."""
    return Session(notes, ((0, 76.0),), ((0, "F minor"),), 0, 1, end_tick)


@st.composite
def voices(draw: st.DrawFn) -> list[PlayedNote]:
    """One pitch of one part: notes at any tick and of any length, one after the other."""
    by_person, channel, pitch = draw(st.booleans()), draw(st.sampled_from([0, 1, 9])), draw(PITCHES)
    ticks = sorted(draw(st.sets(TICKS, min_size=2, max_size=6)))
    velocity = st.integers(1, 127)
    return [
        PlayedNote(a, draw(st.integers(1, b - a)), channel, pitch, draw(velocity), by_person)
        for a, b in pairwise(ticks)
    ]


@st.composite
def sessions(draw: st.DrawFn) -> Session:
    """Any session: parts overlap, chords break up, person and model share a pitch."""
    drawn = draw(st.lists(voices(), max_size=8))
    found = {(n[0].by_person, n[0].channel, n[0].pitch): n for n in drawn}
    notes = draw(st.permutations([note for voice in found.values() for note in voice]))
    tempos = draw(st.dictionaries(TICKS, st.floats(20, 300), max_size=3))
    keys = draw(st.dictionaries(TICKS, st.sampled_from(["C minor", "Ab major", "G# major"])))
    end_tick = max([n.end_tick for n in notes], default=0) + 5000 + draw(st.integers(0, 999))
    changes = (tuple(sorted(tempos.items())), tuple(sorted(keys.items())))
    moved = st.builds(Control, TICKS, st.sampled_from(MOVED))
    controls = tuple(sorted(draw(st.lists(moved, max_size=6)), key=lambda control: control.tick))
    marks = draw(st.lists(st.tuples(TICKS, st.text(max_size=9)), max_size=4))
    marks.sort(key=lambda mark: mark[0])
    return Session(tuple(notes), *changes, 0, 1, end_tick, controls, tuple(marks))


def read_by_mido(path: Path) -> dict[str, list[PlayedNote]]:
    """The notes of each track by its name; a note-off ends the note of its pitch and channel."""
    tracks = mido.MidiFile(path).tracks[1:]
    return {track.name: list(_notes(track)) for track in tracks}


def _notes(track: mido.MidiTrack) -> Iterator[PlayedNote]:
    sounding = {}
    for tick, message in _at_ticks(track):
        if message.type == "note_on":
            assert (message.channel, message.note) not in sounding
            sounding[message.channel, message.note] = (tick, message.velocity)
        elif message.type == "note_off":
            onset, velocity = sounding.pop((message.channel, message.note))
            by_person = track.name.startswith("played")
            yield PlayedNote(
                onset, tick - onset, message.channel, message.note, velocity, by_person
            )
    assert not sounding


def read_by_symusic(path: Path) -> dict[str, list[tuple[int, int, int, int]]]:
    """Tick, length, pitch and velocity, by the name of the track."""
    score = symusic.Score(path)
    return {
        track.name: sorted((n.time, n.duration, n.pitch, n.velocity) for n in track.notes)
        for track in score.tracks
    }


@given(sessions())
@settings(max_examples=25, deadline=None)
def test_what_is_written_is_what_sounded(
    tmp_path_factory: pytest.TempPathFactory, take: Session
) -> None:
    """Every note, tempo and name is read back as it was, by mido and by symusic."""
    path = tmp_path_factory.mktemp("midi") / "take.mid"
    write_midi(take, path)
    by_mido = read_by_mido(path)
    assert sorted(note for notes in by_mido.values() for note in notes) == sorted(take.notes)
    assert list(by_mido)[:2] == ["lead", "keys"]
    assert read_by_symusic(path) == {
        name: sorted((n.tick, n.length_ticks, n.pitch, n.velocity) for n in notes)
        for name, notes in by_mido.items()
        if notes
    }
    file = mido.MidiFile(path)
    assert file.ticks_per_beat == symusic.Score(path).ticks_per_quarter == 480
    assert {sum(m.time for m in track) for track in file.tracks} == {take.end_tick}
    tempos = [(t.time, t.mspq) for t in symusic.Score(path).tempos]
    expected = [(tick, int(60_000_000 / bpm)) for tick, bpm in take.tempos]
    assert tempos == expected or (not expected and tempos == [(0, 500_000)])
    assert controls_by_mido(path) == sorted(take.controls, key=lambda c: (c.tick, c.data))
    assert marks_by_mido(path) == list(take.marks)


def controls_by_mido(path: Path) -> list[Control]:
    """What a person moved, by tick and data."""
    found = [
        Control(tick, tuple(message.bytes()))
        for track in mido.MidiFile(path).tracks
        if track.name.startswith("played")
        for tick, message in _at_ticks(track)
        if not message.is_meta
        and message.type not in ("note_on", "note_off")
        and (tick, message.type, message.dict().get("program")) != (0, "program_change", 0)
    ]
    return sorted(found, key=lambda control: (control.tick, control.data))


def marks_by_mido(path: Path) -> list[tuple[int, str]]:
    """The conductor's markers."""
    conductor = mido.MidiFile(path, charset="utf-8").tracks[0]
    return [(tick, m.text) for tick, m in _at_ticks(conductor) if m.type == "marker"]


def _at_ticks(track: mido.MidiTrack) -> Iterator[tuple[int, mido.Message]]:
    return zip(accumulate(message.time for message in track), track, strict=True)


def test_the_file_word_for_word(tmp_path: Path) -> None:
    """Name, one program, offs before ons; the person has a track of their own."""
    write_midi(
        session(
            PlayedNote(480, 481, 0, 65, 90),
            PlayedNote(961, 100, 0, 65, 1),
            PlayedNote(500, 1, 0, 65, 127, by_person=True),
        ),
        tmp_path / "take.mid",
    )
    conductor, *tracks = mido.MidiFile(tmp_path / "take.mid").tracks
    assert [str(message) for message in conductor] == [
        "MetaMessage('set_tempo', tempo=789473, time=0)",
        "MetaMessage('key_signature', key='Fm', time=0)",
        "MetaMessage('time_signature', numerator=4, denominator=4, clocks_per_click=24, "
        "notated_32nd_notes_per_beat=8, time=0)",
        "MetaMessage('end_of_track', time=1920)",
    ]
    assert [[str(message) for message in track] for track in tracks] == [
        [
            "MetaMessage('track_name', name='lead', time=0)",
            "program_change channel=0 program=11 time=0",
            "note_on channel=0 note=65 velocity=90 time=480",
            "note_off channel=0 note=65 velocity=0 time=481",
            "note_on channel=0 note=65 velocity=1 time=0",
            "note_off channel=0 note=65 velocity=0 time=100",
            "MetaMessage('end_of_track', time=859)",
        ],
        [
            "MetaMessage('track_name', name='keys', time=0)",
            "program_change channel=1 program=4 time=0",
            "MetaMessage('end_of_track', time=1920)",
        ],
        [
            "MetaMessage('track_name', name='played', time=0)",
            "note_on channel=0 note=65 velocity=127 time=500",
            "note_off channel=0 note=65 velocity=0 time=1",
            "MetaMessage('end_of_track', time=1419)",
        ],
    ]


def test_music21_opens_it(tmp_path: Path) -> None:
    """Each note lies where it did; what overlaps on one pitch is told apart by its track."""
    notes = [PlayedNote(480 * i, 480, i % 2, 60 + i, 80, i > 5) for i in range(9)]
    write_midi(session(*notes, end_tick=9 * 480), tmp_path / "take.mid")
    score = music21.converter.parse(tmp_path / "take.mid", quantizePost=False, forceSource=True)
    found = [(n.pitch.midi, n.getOffsetInHierarchy(score)) for n in score.recurse().notes]
    assert sorted(found) == [(60 + i, float(i)) for i in range(9)]


def test_whole_tempos_are_not_a_trifle_less(tmp_path: Path) -> None:
    """Rosegarden's ruler cuts decimals off: 83.99998 would be 83."""
    write_midi(replace(session(), tempos=((0, 84.0),)), tmp_path / "take.mid")
    conductor = mido.MidiFile(tmp_path / "take.mid").tracks[0]
    assert [m.tempo for m in conductor if m.type == "set_tempo"] == [714_285]


def test_marks_and_pedals_word_for_word(tmp_path: Path) -> None:
    """Marks are the conductor's. A pedal lies among its player's notes: after ends, before ons."""
    notes = [PlayedNote(0, 480, 2, 65, 90, True), PlayedNote(480, 9, 2, 65, 90, True)]
    take = replace(
        session(*notes),
        controls=(Control(480, (0xB2, 64, 127)), Control(481, (0xE2, 0, 32))),
        marks=((0, "seed 7"), (0, "größer"), (960, "swing 60")),
    )
    write_midi(take, tmp_path / "take.mid")
    conductor, *_, played = mido.MidiFile(tmp_path / "take.mid", charset="utf-8").tracks
    assert [str(m) for m in conductor if m.type == "marker"] == [
        "MetaMessage('marker', text='seed 7', time=0)",
        "MetaMessage('marker', text='größer', time=0)",
        "MetaMessage('marker', text='swing 60', time=960)",
    ]
    assert [str(message) for message in played] == [
        "MetaMessage('track_name', name='played', time=0)",
        "program_change channel=2 program=0 time=0",
        "note_on channel=2 note=65 velocity=90 time=0",
        "note_off channel=2 note=65 velocity=0 time=480",
        "control_change channel=2 control=64 value=127 time=0",
        "note_on channel=2 note=65 velocity=90 time=0",
        "pitchwheel channel=2 pitch=-4096 time=1",
        "note_off channel=2 note=65 velocity=0 time=8",
        "MetaMessage('end_of_track', time=1431)",
    ]


def test_a_pedal_without_notes_has_a_track(tmp_path: Path) -> None:
    write_midi(replace(session(), controls=(Control(5, (0xB4, 64, 9)),)), tmp_path / "take.mid")
    assert controls_by_mido(tmp_path / "take.mid") == [Control(5, (0xB4, 64, 9))]


def test_tracks_for_whoever_played_where(tmp_path: Path) -> None:
    """A channel has one program: the first track's on it. People count channels from 1."""
    on_channels = [(0, True), (9, True), (4, False)]
    notes = [PlayedNote(0, 9, channel, 60, 80, person) for channel, person in on_channels]
    write_midi(session(*notes), tmp_path / "take.mid")
    programs = {
        track.name: [(m.channel, m.program) for m in track if m.type == "program_change"]
        for track in mido.MidiFile(tmp_path / "take.mid").tracks[1:]
    }
    assert programs == {
        "lead": [(0, 11)],
        "keys": [(1, 4)],
        "channel 5": [(4, 0)],
        "played 1": [],
        "played 10": [(9, 0)],
    }


@pytest.mark.parametrize(
    ("key", "signature"),
    [
        ("C major", "C"),
        ("A minor", "Am"),
        ("F# major", "F#"),
        ("C# major", "Db"),
        ("G# major", "Ab"),
        ("Eb minor", "Ebm"),
        ("E- minor", "Ebm"),
        ("d# minor", "D#m"),
        ("Gb major", "Gb"),
        ("G# minor", "G#m"),
    ],
)
def test_a_key_has_the_fewest_accidentals(tmp_path: Path, key: str, signature: str) -> None:
    """MIDI has no signature of eight sharps; six of either are as the key is called."""
    write_midi(replace(session(), keys=((7, key),)), tmp_path / "take.mid")
    conductor = mido.MidiFile(tmp_path / "take.mid").tracks[0]
    assert [m.key for m in conductor if m.type == "key_signature"] == [signature]


def test_long_sessions_come_out_whole(tmp_path: Path) -> None:
    """music21 gets them in pieces; notes sound across the seams, and hours of silence are kept."""
    many = [PlayedNote(7 * i, 60, 0, 12 + i % 100, 1 + i % 127) for i in range(1201)]
    last = PlayedNote(480 * 60 * 12 * 80, 5, 0, 60, 60)
    write_midi(session(*many, last, end_tick=last.end_tick), tmp_path / "take.mid")
    assert sorted(read_by_mido(tmp_path / "take.mid")["lead"]) == [*many, last]


def test_equal_sessions_give_equal_bytes() -> None:
    """Whatever the order of the notes."""
    notes = [PlayedNote(10 * i % 70, 9, i % 2, 60 + i, 80, i % 3 == 0) for i in range(20)]
    assert midi_bytes(session(*notes)) == midi_bytes(session(*reversed(notes)))


@contextmanager
def files_no_longer_than(size_bytes: int) -> Iterator[None]:
    """The system refuses to write more into any file, as when the disk is full."""
    resource = pytest.importorskip("resource", reason="only Unix can limit a file's size")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size_bytes, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)


def test_a_file_is_whole_or_not_there(tmp_path: Path) -> None:
    """A full disk leaves the file that was there, and nothing beside it."""
    path = tmp_path / "take.mid"
    path.write_bytes(b"before")
    with (
        pytest.raises(RecordingError, match=r"take\.mid: cannot be written: "),
        files_no_longer_than(20),
    ):
        write_midi(session(PlayedNote(0, 9, 0, 60, 80)), path)
    assert path.read_bytes() == b"before"
    assert list(tmp_path.iterdir()) == [path]


def test_no_folder_to_write_in(tmp_path: Path) -> None:
    with pytest.raises(RecordingError, match=r"nowhere/take\.mid: cannot be written: No such file"):
        write_midi(session(), tmp_path / "nowhere" / "take.mid")


def test_music21_is_imported_only_to_write() -> None:
    """The engine's process imports this module and must not wait for music21."""
    command = "import sys, lofid.midifile, lofid.takes; sys.exit('music21' in sys.modules)"
    assert run([sys.executable, "-P", "-c", command], env=os.environ, check=False).returncode == 0
