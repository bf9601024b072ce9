"""A session becomes the file that was asked for, whole, and nothing else is touched."""

import importlib.util
import io
import os
import shutil
import signal
import subprocess
import sys
import wave
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree as ET

import matplotlib.image
import music21
import numpy as np
import pytest
import symusic
from hypothesis import given, settings
from hypothesis import strategies as st

from lofid import audio, exporting
from lofid.audio import find_sound_font, seconds_of
from lofid.errors import RecordingError
from lofid.exporting import ENDING_SIGNALS, export, export_take, main
from lofid.library import Library
from lofid.music import BAR_TICKS
from lofid.notation import musicxml_bytes
from lofid.pianoroll import png_bytes
from lofid.session import Control, PlayedNote, Session
from lofid.transcript import Transcript
from tests.journals import Desk
from tests.test_midifile import files_no_longer_than, read_by_mido

NOTES = (
    PlayedNote(0, 960, 1, 48, 60),
    PlayedNote(0, 960, 1, 64, 60),
    PlayedNote(160, 80, 0, 72, 90),
    PlayedNote(1925, 470, 2, 68, 70, True),
)
SESSION = Session(
    NOTES, ((0, 80.0), (1920, 90.0)), ((0, "F minor"),), 0, 1, 2 * BAR_TICKS,
    (Control(1925, (0xB2, 64, 127)),), ((0, "seed 7"),), ((0, 66.7),),
)  # fmt: skip
SILENCE = Session((), (), (), 0, 1, 0)
RED, BLUE, YELLOW = (0xD1, 0x49, 0x5B), (0x30, 0x63, 0x8E), (0xE8, 0xA3, 0x3D)


def why_no_sound() -> str:
    if shutil.which("fluidsynth") is None:
        return "no fluidsynth here"
    try:
        find_sound_font()
    except RecordingError as error:
        return str(error)
    return ""


def score_of(session: Session) -> music21.stream.Score:
    return music21.converter.parseData(musicxml_bytes(session, "take"), format="musicxml")


def sounding(part: music21.stream.Part) -> list[tuple[float, float, int]]:
    """Offset and length in quarters, and the pitch, of a part's notes; tied ones are one."""
    written = [
        (pitch.midi, float(note.getOffsetInHierarchy(part)), float(note.quarterLength), note.tie)
        for note in part.recurse().notes
        for pitch in note.pitches
    ]
    notes: list[tuple[float, float, int]] = []
    for pitch, offset, length, tie in sorted(written, key=lambda piece: piece[:2]):
        if tie is None or tie.type == "start":
            notes.append((offset, length, pitch))
        else:
            begun, before, same_pitch = notes.pop()
            assert same_pitch == pitch
            assert begun + before == pytest.approx(offset)
            notes.append((begun, before + length, pitch))
    return sorted(notes)


def test_a_midi_file_as_heard_and_straight(tmp_path: Path) -> None:
    """The second sixteenth lies at 160 or at 120; what a person played stays where it was."""
    export(SESSION, tmp_path / "heard.mid")
    export(SESSION, tmp_path / "straight.MIDI", straight=True)
    heard, straight = read_by_mido(tmp_path / "heard.mid"), read_by_mido(tmp_path / "straight.MIDI")
    assert [note for notes in heard.values() for note in notes] == [NOTES[2], *NOTES[:2], NOTES[3]]
    assert straight["lead"] == [PlayedNote(120, 120, 0, 72, 90)]
    assert straight["played"] == [NOTES[3]]


def test_the_kind_can_be_said(tmp_path: Path) -> None:
    """Then the name may end as it likes."""
    assert export(SESSION, tmp_path / "take", "musicxml") == tmp_path / "take"
    assert (tmp_path / "take").read_bytes().startswith(b"<?xml")


def test_notation_note_for_note() -> None:
    """Straight, in three parts of which keys has two staves; key, metre and tempo are there."""
    score = score_of(SESSION)
    assert [part.partName for part in score.parts] == ["lead", "keys", "keys", "played"]
    lead, right, left, played = score.parts
    assert sounding(lead) == [(0.25, 0.25, 72)]
    assert (sounding(right), sounding(left)) == ([(0.0, 2.0, 64)], [(0.0, 2.0, 48)])
    assert sounding(played) == [(4.0, 1.0, 68)]
    assert played.recurse().notes[0].nameWithOctave == "A-4"
    assert [len(part.getElementsByClass(music21.stream.Measure)) for part in score.parts] == [2] * 4
    assert lead.recurse().getElementsByClass(music21.key.KeySignature)[0].sharps == -4
    assert lead.recurse().getElementsByClass(music21.meter.TimeSignature)[0].ratioString == "4/4"
    marks = score.recurse().getElementsByClass(music21.tempo.MetronomeMark)
    assert [(mark.number, mark.getOffsetInHierarchy(score)) for mark in marks] == [(80, 0), (90, 4)]


@pytest.mark.skipif(shutil.which("musescore3") is None, reason="no MuseScore 3 here")
def test_musescore_plays_it_as_it_is_written(tmp_path: Path) -> None:
    """Its MIDI file has every note where the grid has it: ties are one note, triplets are three."""
    export(SESSION, tmp_path / "take.musicxml")
    subprocess.run(
        ["musescore3", "-o", str(tmp_path / "take.mid"), str(tmp_path / "take.musicxml")],
        env={**os.environ, "QT_QPA_PLATFORM": "offscreen", "HOME": str(tmp_path)},
        capture_output=True, check=True,
    )  # fmt: skip
    score = symusic.Score(tmp_path / "take.mid")
    onsets = sorted((n.time / score.tpq, n.pitch) for track in score.tracks for n in track.notes)
    assert onsets == [(0.0, 48), (0.0, 64), (0.25, 72), (4.0, 68)]


def test_a_bracket_for_each_beat_of_triplets() -> None:
    """Also where its first note is two thirds of it, which music21 would get wrong."""
    notes = [PlayedNote(0, 320, 0, 72, 80), PlayedNote(320, 160, 0, 74, 80)]
    xml = ET.fromstring(musicxml_bytes(replace(SILENCE, notes=tuple(notes), end_tick=480), "take"))
    assert [t.get("type") for t in xml.iter("tuplet")] == ["start", "stop"]
    assert [t.text for t in xml.iter("type")][:2] == ["quarter", "eighth"]


def test_what_comes_after_the_last_bar_line_gets_a_bar() -> None:
    """A note just before it may be written just after it, and a tempo may change there."""
    late = replace(
        SILENCE, notes=(PlayedNote(1910, 10, 0, 72, 80),), tempos=((1920, 80.0),), end_tick=1920
    )
    assert sounding(score_of(late).parts[0]) == [(4.0, 0.25, 72)]


@st.composite
def grid_sessions(draw: st.DrawFn) -> Session:
    """Chords and lines in sixteenths, up to four voices to the staff."""
    taken: dict[int, int] = {}
    notes = []
    for start, length, pitch in sorted(draw(st.lists(st.tuples(*SIXTEENTHS), max_size=24))):
        sounding_now = sum(end > start for end in taken.values())
        if taken.get(pitch, 0) <= start and sounding_now < 4:
            taken[pitch] = start + length
            channel = draw(st.sampled_from([0, 1]))
            notes.append(PlayedNote(start * 120, length * 120, channel, pitch, 80))
    return replace(SILENCE, notes=tuple(sorted(notes)), end_tick=4 * BAR_TICKS)


SIXTEENTHS = (st.integers(0, 40), st.integers(1, 20), st.integers(40, 80))


@given(grid_sessions().filter(lambda session: bool(session.notes)))
@settings(max_examples=25)
def test_what_is_on_the_grid_is_written_as_it_is(session: Session) -> None:
    """Over bar lines, in any voices: what music21 reads back is every note."""
    score = score_of(session)
    found = sorted(found for part in score.parts for found in sounding(part))
    assert found == sorted((n.tick / 480, n.length_ticks / 480, n.pitch) for n in session.notes)


def test_a_picture_has_every_part_in_its_colour() -> None:
    """Lead, keys and person, the loudest in their full colours."""
    loud = replace(SESSION, notes=tuple(replace(note, velocity=127) for note in NOTES))
    pixels = matplotlib.image.imread(io.BytesIO(png_bytes(loud, "take")))
    seen = {tuple(colour) for colour in (pixels[..., :3].reshape(-1, 3) * 255).round().astype(int)}
    assert {RED, BLUE, YELLOW} <= seen


@pytest.mark.parametrize(("bars", "lines"), [(8, 1), (9, 2), (256, 32)])
def test_a_picture_has_a_line_for_eight_bars(bars: int, lines: int) -> None:
    heights = [
        matplotlib.image.imread(io.BytesIO(png_bytes(replace(SILENCE, end_tick=end), "x"))).shape[0]
        for end in (0, 9 * BAR_TICKS, bars * BAR_TICKS)
    ]
    assert heights[2] - heights[0] == pytest.approx((lines - 1) * (heights[1] - heights[0]), abs=32)


def test_marks_in_a_picture_may_be_any_text() -> None:
    """Also what matplotlib would read as mathematics, and more of them than there is room for."""
    marks = [(tick, text) for tick in range(0, 3840, 60) for text in ("$x^$", "a" * 99)]
    assert png_bytes(replace(SESSION, marks=tuple(marks)), "$take$").startswith(b"\x89PNG")


def test_a_picture_of_any_title_is_made_without_a_warning() -> None:
    """Also of letters that no font here has, and of what matplotlib would read as mathematics."""
    title = "$x^ \u65e5\u672c \U0001f3b9"
    assert png_bytes(SESSION, title).startswith(b"\x89PNG")


@pytest.mark.skipif(bool(why_no_sound()), reason=why_no_sound())
@pytest.mark.parametrize("kind", ["wav", "flac"])
def test_sound_is_not_silent(tmp_path: Path, kind: str) -> None:
    """It lasts as long as the session, or longer while the last notes fade."""
    path = export(SESSION, tmp_path / f"take.{kind}")
    if kind == "flac":
        assert path.read_bytes().startswith(b"fLaC")
        return
    with wave.open(str(path)) as file:
        frames = np.frombuffer(file.readframes(file.getnframes()), "<i2")
        assert file.getnframes() / file.getframerate() >= seconds_of(SESSION) - 0.1
    assert np.abs(frames.astype(int)).max() > 1000


@pytest.mark.skipif(bool(why_no_sound()), reason=why_no_sound())
def test_fluidsynth_says_what_it_could_not_do(tmp_path: Path) -> None:
    """It leaves with status 0 whatever happens; a file that is no sound font is found before."""
    (font := tmp_path / "x.sf2").write_bytes(b"RIFF0000sfbk")
    with pytest.raises(RecordingError, match=r"take\.wav: FluidSynth could not make it \(.*\)$"):
        export(SESSION, tmp_path / "take.wav", sound_font=font)
    assert list(tmp_path.iterdir()) == [font]


@pytest.mark.skipif(bool(why_no_sound()), reason=why_no_sound())
def test_sound_is_as_loud_whatever_the_users_own_fluidsynth_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also with a font by a relative path that looks like an option."""
    (tmp_path / ".fluidsynth").write_text("gain 0.001\n")
    (tmp_path / "-o.sf2").symlink_to(find_sound_font())
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    path = export(SESSION, tmp_path / "take.wav", sound_font=Path("-o.sf2"))
    with wave.open(str(path)) as file:
        frames = np.frombuffer(file.readframes(file.getnframes()), "<i2")
    assert np.abs(frames.astype(int)).max() > 1000


def test_how_long_it_sounds() -> None:
    """Four beats at 80 and four at 90; 120 where nobody says a tempo."""
    assert seconds_of(SESSION) == pytest.approx(3 + 4 * 60 / 90)
    assert seconds_of(replace(SILENCE, end_tick=960)) == 1.0


def font_of(folder: Path, name: str, data: bytes = b"RIFF0000sfbk") -> Path:
    (font := folder / name).write_bytes(data)
    return font


def test_the_best_sound_font_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Known ones first, whatever their folder; any other is better than none."""
    (other := tmp_path / "other").mkdir()
    monkeypatch.setattr(
        audio, "SOUND_FONT_FOLDERS", (str(tmp_path / "nowhere"), str(tmp_path), str(other))
    )
    with pytest.raises(RecordingError, match=r"^there is no sound font in the usual places"):
        find_sound_font()
    some = font_of(tmp_path, "Aaa.SF2")
    (tmp_path / "readme.txt").touch()
    (tmp_path / "default.sf2").mkdir()
    assert find_sound_font() == some
    known = font_of(other, "FluidR3_GM.sf2")
    assert find_sound_font() == known


PIPE = b"a named pipe, to which nobody writes"
LONG = replace(SESSION, end_tick=8 * 3600 * 2 * 480)


@pytest.mark.parametrize(
    ("session", "name", "said"),
    [
        (SESSION, "take.doc", r"what is that to be\? Names end in \.mid, \.musicxml, \.png, \.wav"),
        (SESSION, "take", r"what is that to be\? Names end in "),
        (SESSION, "nowhere/take.mid", "cannot be written: No such file or directory"),
        (SESSION, "there.mid", "is there already; give another name, or --overwrite"),
        (SESSION, "folder.png", "is a folder; give another name"),
        (SESSION, "take\0.mid", r"no file can be called so \(embedded null byte\)"),
        (SILENCE, "take.musicxml", "there is no note in it that could be written down"),
        (LONG, "take.xml", "14400 bars are too many to be written down, 512 are the most; export"),
        (LONG, "take.png", "14400 bars are too many for a picture, 256 are the most; export a"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_line(
    tmp_path: Path, session: Session, name: str, said: str
) -> None:
    """Which file, what is wrong, what to do; and nothing is left or lost."""
    (there := tmp_path / "there.mid").write_bytes(b"before")
    (folder := tmp_path / "folder.png").mkdir()
    with pytest.raises(RecordingError, match=f": ({said})") as caught:
        export(session, tmp_path / name)
    assert str(caught.value).isprintable()
    assert sorted(tmp_path.iterdir()) == [folder, there]
    assert there.read_bytes() == b"before"


def test_missing_programs_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With what to install."""
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(RecordingError, match=r"no FluidSynth .* install FluidSynth \(Debian: "):
        export(SESSION, tmp_path / "take.wav")
    monkeypatch.setattr(importlib.util, "find_spec", lambda _name: None)
    with pytest.raises(RecordingError, match=r"needs matplotlib: pip install 'lofid\[export\]'"):
        export(SESSION, tmp_path / "take.png")
    assert not list(tmp_path.iterdir())


@pytest.mark.skipif(shutil.which("fluidsynth") is None, reason="no fluidsynth here")
@pytest.mark.parametrize(
    ("session", "data", "said"),
    [
        (SESSION, None, "cannot be read: No such file or directory"),
        (SESSION, b"ID3", "is no sound font; give an .sf2 or .sf3 file"),
        (SESSION, PIPE, "is no sound font; give an .sf2 or .sf3 file"),
        (LONG, b"RIFF0000sfbk", "is longer than a .wav can be, which is 6.8 hours; make a .flac"),
    ],
)
def test_sound_that_cannot_be_made(
    tmp_path: Path, session: Session, data: bytes | None, said: str
) -> None:
    font = tmp_path / "x.sf2"
    if data == PIPE:
        os.mkfifo(font)
    elif data is not None:
        font_of(tmp_path, "x.sf2", data)
    with pytest.raises(RecordingError) as caught:
        export(session, tmp_path / "take.wav", sound_font=font)
    assert str(caught.value).endswith(said)


def test_a_file_is_replaced_only_when_asked(tmp_path: Path) -> None:
    (path := tmp_path / "take.mid").write_bytes(b"before")
    export(SESSION, path, overwrite=True)
    assert path.read_bytes().startswith(b"MThd")
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_that_came_meanwhile_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two exports at once to one name: the second is told."""
    path = tmp_path / "take.mid"

    def slow(_session: Session) -> bytes:
        path.write_bytes(b"other")
        return b"mine"

    monkeypatch.setattr(exporting, "midi_bytes", slow)
    with pytest.raises(RecordingError, match="is there already"):
        export(SESSION, path)
    assert path.read_bytes() == b"other"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("name", ["take.mid", "take.musicxml", "take.png"])
def test_a_full_disk_leaves_nothing(tmp_path: Path, name: str) -> None:
    export(SESSION, tmp_path / "imported.png")
    with (
        pytest.raises(RecordingError, match=f"{name}: cannot be written: "),
        files_no_longer_than(20),
    ):
        export(SESSION, tmp_path / name)
    assert [path.name for path in tmp_path.iterdir()] == ["imported.png"]


def session_in(folder: Path) -> str:
    """Write a session of one note, which is cut off by its end; give its name."""
    desk = Desk(folder)
    desk.scribe.write("on", tick=0, seconds=0.0, channel=0, pitch=60, velocity=80)
    desk.scribe.write("end", tick=480, seconds=0.75)
    desk.flush()
    desk.scribe.close()
    return desk.scribe.session


def test_what_no_file_can_say_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever a journal has in it."""

    def impossible(_transcript: Transcript) -> Session:
        return Session((), ((0, 1.0),), (), 0, 1, 0)

    monkeypatch.setattr(exporting, "session_of", impossible)
    session = session_in(tmp_path)
    with pytest.raises(RecordingError) as caught:
        export_take(Library(tmp_path), session, tmp_path / "a.mid")
    assert str(caught.value) == (
        f"{tmp_path}/a.mid: {session} has what no file can say: "
        "a tempo of 1.0 bpm is outside 4 to 1000"
    )


def exported(folder: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-P", "-m", "lofid.exporting", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def test_the_program_makes_a_file_of_a_journal(tmp_path: Path) -> None:
    session = session_in(tmp_path)
    ended = exported(tmp_path, ".", session, "take.mid", "--straight")
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "", "")
    assert read_by_mido(tmp_path / "take.mid")["lead"] == [PlayedNote(0, 480, 0, 60, 80)]
    again = exported(tmp_path, ".", session, "take.mid")
    assert (again.returncode, again.stderr.count("\n")) == (1, 1)
    assert again.stderr.startswith("take.mid: is there already")
    nothing = exported(tmp_path, ".", "other", "other.mid")
    assert (nothing.returncode, nothing.stderr) == (
        1, "no take is called 'other': see 'lofid takes', and 'lofid takes --sessions'\n"
    )  # fmt: skip


@pytest.mark.skipif(os.name != "posix", reason="only Unix has these signals and priorities")
def test_it_runs_at_the_lowest_priority_and_can_be_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ended from outside it takes its unfinished file away."""
    seen: dict[str, int] = {}
    (journal := tmp_path / "journal").mkdir()

    def ended_meanwhile(_session: Session) -> bytes:
        os.kill(os.getpid(), signal.SIGTERM)
        return b"too late"

    handlers = {number: signal.getsignal(number) for number in ENDING_SIGNALS}
    monkeypatch.setattr(exporting, "midi_bytes", ended_meanwhile)
    monkeypatch.setattr(os, "nice", lambda increment: seen.update(nice=increment))
    try:
        with pytest.raises(SystemExit) as caught:
            main([str(journal), session_in(journal), str(tmp_path / "take.mid")])
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
    assert (caught.value.code, seen["nice"]) == (143, 19)
    assert list(tmp_path.iterdir()) == [journal]


def test_nothing_heavy_is_imported_before_it_is_needed() -> None:
    """Whoever only asks what can be made does not wait for music21 or matplotlib."""
    command = (
        "import sys, lofid.exporting; sys.exit(bool({'music21', 'matplotlib'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-P", "-c", command], check=False).returncode == 0
