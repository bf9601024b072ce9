"""Starting material: literal files give literal events; whatever else there is gets one line."""

import io
import os
import signal
import struct
import subprocess
import sys
from pathlib import Path
from typing import Any

import mido
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lofid import material
from lofid.errors import MaterialError
from lofid.material import MOST_BYTES, MOST_EVENTS, Material, material_in, read_material
from lofid.music import LOWEST_PITCH, Event, Key

Timed = tuple[int, Any]
"""(the tick from the file's beginning, a message)."""


def _note(
    tick: int, end_tick: int, pitch: int, channel: int = 0, velocity: int = 80
) -> list[Timed]:
    return [
        (tick, mido.Message("note_on", channel=channel, note=pitch, velocity=velocity)),
        (end_tick, mido.Message("note_off", channel=channel, note=pitch)),
    ]


def _pedal(tick: int, value: int, channel: int = 0) -> list[Timed]:
    return [(tick, mido.Message("control_change", channel=channel, control=64, value=value))]


def _key(tick: int, key: str) -> list[Timed]:
    return [(tick, mido.MetaMessage("key_signature", key=key))]


def _file(*tracks: list[Timed], kind: int = 1, division: int = 480) -> bytes:
    midi = mido.MidiFile(type=kind, ticks_per_beat=division)
    for track in tracks:
        midi.tracks.append(mido.MidiTrack())
        before = 0
        for tick, message in sorted(track, key=lambda timed: timed[0]):
            midi.tracks[-1].append(message.copy(time=tick - before))
            before = tick
    data = io.BytesIO()
    midi.save(file=data)
    return data.getvalue()


def _raw(track: bytes, kind: int = 0, division: int = 480) -> bytes:
    header = b"MThd" + struct.pack(">LHHH", 6, kind, 1, division)
    return header + b"MTrk" + struct.pack(">L", len(track)) + track


def _times(found: Material) -> list[tuple[tuple[int, ...], int, int, int]]:
    return [(e.pitches, e.onset_ticks, e.length_ticks, e.velocity) for e in found.events]


def test_notes_and_a_chord() -> None:
    """A chord is as long as its longest note and as loud as its loudest."""
    data = _file(
        [*_note(0, 240, 60), *_note(480, 960, 48, velocity=70), *_note(485, 1440, 55, velocity=90)]
    )
    assert _times(material_in(data)) == [((60,), 0, 240, 80), ((48, 55), 480, 960, 90)]


def test_other_divisions_become_ours() -> None:
    data = _file([*_note(0, 96, 60), *_note(144, 192, 62)], division=96)
    assert _times(material_in(data)) == [((60,), 0, 480, 80), ((62,), 720, 240, 80)]


def test_a_rolled_chord_is_one_up_to_the_window() -> None:
    """The window is 32 ticks from the first key, not from the one before."""
    rolled = [*_note(0, 480, 48), *_note(16, 480, 52), *_note(32, 480, 55), *_note(33, 480, 59)]
    assert _times(material_in(_file(rolled))) == [((48, 52, 55), 0, 480, 80), ((59,), 33, 447, 80)]


@pytest.mark.parametrize("tracks", [1, 2])
def test_parts_stay_apart(tracks: int) -> None:
    """A tune over chords: format 0 has a channel for each, format 1 may have a track for each."""
    tune, chords = _note(0, 240, 76), [*_note(0, 480, 48), *_note(0, 480, 55)]
    if tracks == 1:
        chords = [(tick, message.copy(channel=1)) for tick, message in chords]
        data = _file([*tune, *chords], kind=0)
    else:
        data = _file(tune, chords)
    assert _times(material_in(data)) == [((48, 55), 0, 480, 80), ((76,), 0, 240, 80)]


def test_a_pedal_holds_until_it_goes_up_or_the_key_is_struck_again() -> None:
    """Its channel's notes only, whichever track the pedal is on."""
    tune = [*_note(0, 120, 60), *_note(480, 600, 60), *_note(490, 600, 64, channel=1)]
    data = _file(tune, [*_pedal(60, 127), *_pedal(960, 0)])
    assert _times(material_in(data)) == [
        ((60,), 0, 480, 80), ((60,), 480, 480, 80), ((64,), 490, 110, 80),
    ]  # fmt: skip


def test_overlapping_notes_of_one_pitch_end_in_the_order_they_began() -> None:
    on, off = (mido.Message(kind, note=60, velocity=80) for kind in ("note_on", "note_off"))
    data = _file([(0, on), (240, on), (480, off), (960, off)])
    assert _times(material_in(data)) == [((60,), 0, 480, 80), ((60,), 240, 720, 80)]


def test_velocity_0_ends_a_note_and_what_never_ends_ends_with_the_file() -> None:
    on, zero = (mido.Message("note_on", note=60, velocity=v) for v in (80, 0))
    other = mido.Message("note_on", note=64, velocity=80)
    data = _file([(0, on), (240, zero), (480, other), (720, zero)])
    assert _times(material_in(data)) == [((60,), 0, 240, 80), ((64,), 480, 240, 80)]


def test_a_note_without_length_has_one_tick() -> None:
    assert _times(material_in(_file(_note(480, 480, 60)))) == [((60,), 480, 1, 80)]


def test_drums_are_left_out() -> None:
    data = _file([*_note(0, 240, 60), *_note(0, 240, 36, channel=9)])
    assert _times(material_in(data)) == [((60,), 0, 240, 80)]
    with pytest.raises(MaterialError, match="has no notes in it"):
        material_in(_file(_note(0, 240, 36, channel=9)))


def test_only_the_last_events_count() -> None:
    data = _file(
        [note for i in range(MOST_EVENTS + 88) for note in _note(480 * i, 480 * i + 99, 60)]
    )
    onsets = [event.onset_ticks for event in material_in(data).events]
    assert onsets == [480 * i for i in range(88, MOST_EVENTS + 88)]


@pytest.mark.parametrize(
    ("marks", "key"),
    [([], None), (_key(0, "Fm"), "F minor"), ([*_key(0, "C"), *_key(960, "F#m")], "F# minor"),
     (_key(0, "Cb"), "B major"), (_key(0, "Abm"), "G# minor")],
)  # fmt: skip
def test_the_key_is_the_last_that_the_file_names(marks: list[Timed], key: str | None) -> None:
    found = material_in(_file(marks, _note(0, 240, 60)))
    assert found.key == (None if key is None else Key.parse(key))


TRACK = bytes.fromhex("00 90 3c 40 60 3c 00 00 ff 2f 00")
"""One note."""


@pytest.mark.parametrize(
    ("data", "fault"),
    [
        (b"", "is empty"),
        (b"hello, this is no music at all", "is not a MIDI file"),
        (b"RIFF\0\0\0\0RMID" + _raw(TRACK), "is MIDI in a RIFF file; save it as a standard"),
        (_raw(TRACK)[:9], "is a MIDI file that was cut off"),
        (_raw(TRACK)[:-5], "is a MIDI file that was cut off"),
        (_raw(TRACK)[:14], "is a MIDI file that was cut off"),
        (_raw(TRACK, kind=2), "is MIDI of format 2, whose tracks share no time"),
        (_raw(TRACK, kind=7), "is a damaged MIDI file: format 7, 480 ticks"),
        (_raw(TRACK, division=0), "is a damaged MIDI file: format 0, 0 ticks"),
        (_raw(TRACK, division=0xE728), r"counts in film frames \(SMPTE\)"),
        (_raw(b"\0\xff\x2f\0"), "has no notes in it"),
        (_raw(b"\0\x3c\x40"), "is a damaged MIDI file: running status without last_status"),
        (_raw(b"\0\xff\x59\x02\x50\x00\0\xff\x2f\0"), "is a damaged MIDI file"),
        (_raw(b"\0\xff\x51\x01\x50\0\xff\x2f\0"), "is a damaged MIDI file"),
        (_raw(b"\xff\xff\xff\x7f" + TRACK[1:]), "lasts over 100000 quarter notes; is it damaged"),
        (_raw(b"\0\x90\x3c\x40" + b"\xff" * 900 + b"\x7f\x3c\0"), "lasts over 100000 quarter"),
    ],
    ids=[
        *("empty", "text", "RIFF", "header cut", "track cut", "no track", "format 2", "format 7"),
        *("division 0", "SMPTE", "no notes", "no status", "key", "tempo", "delta", "endless delta"),
    ],
)  # fmt: skip
def test_what_cannot_be_used_is_named(data: bytes, fault: str) -> None:
    with pytest.raises(MaterialError, match=fault) as caught:
        material_in(data)
    assert "\n" not in str(caught.value)


GOOD = _file(
    [*_key(0, "Am"), *_pedal(100, 127), *_note(0, 240, 60), *_note(90, 95, 64), *_pedal(500, 0)],
    [*_note(0, 960, 45, channel=1), *_note(0, 960, 52, channel=1), *_note(7, 9, 36, channel=9)],
)


def _found(data: bytes) -> Material | str:
    try:
        return material_in(data)
    except MaterialError as error:
        return str(error)


def _check(data: bytes) -> None:
    """Events as they have to be, or one line."""
    found = _found(data)
    if isinstance(found, str):
        assert len(found.splitlines()) == 1
        return
    assert 0 < len(found.events) <= MOST_EVENTS
    onsets = [event.onset_ticks for event in found.events]
    assert onsets == sorted(onsets)
    for event in found.events:
        assert event.pitches == tuple(sorted(set(event.pitches)))
        assert 0 <= event.pitches[0] <= event.pitches[-1] <= 127
        assert event.onset_ticks >= 0
        assert event.length_ticks >= 1
        assert 1 <= event.velocity <= 127


@given(st.binary(max_size=200))
def test_any_bytes_give_one_line(data: bytes) -> None:
    _check(data)
    _check(_raw(data))


@given(st.data())
def test_a_file_with_other_bytes_in_it_gives_events_or_one_line(data: st.DataObject) -> None:
    spoilt = bytearray(GOOD)
    for _ in range(data.draw(st.integers(1, 4))):
        spoilt[data.draw(st.integers(14, len(GOOD) - 1))] = data.draw(st.integers(0, 255))
    _check(bytes(spoilt))
    _check(bytes(spoilt[: data.draw(st.integers(0, len(GOOD)))]))


NOTES = st.tuples(
    *(st.integers(0, 4000), st.integers(0, 2000), st.integers(LOWEST_PITCH, 127), st.integers(0, 3))
)


@given(st.lists(NOTES, min_size=1, max_size=30))
def test_every_note_that_is_struck_is_in_an_event_that_began_a_window_before(
    struck: list[tuple[int, int, int, int]],
) -> None:
    data = _file([m for on, length, *who in struck for m in _note(on, on + length, *who)])
    events = material_in(data).events
    for on, _, pitch, _ in struck:
        assert any(pitch in e.pitches and 0 <= on - e.onset_ticks <= 32 for e in events)


# In a process of its own


def test_a_file_is_read_as_its_bytes_are(tmp_path: Path) -> None:
    path = tmp_path / "good one.mid"
    path.write_bytes(GOOD)
    assert read_material(path) == material_in(GOOD)
    assert read_material(path).events[0] == Event((45, 52), 0, 960, 80)


@pytest.mark.parametrize(
    ("name", "fault"),
    [
        ("none.mid", "none.mid: cannot be read: No such file or directory"),
        ("folder", "folder: is a folder; give a MIDI file"),
        ("pipe", "pipe: is no regular file; give a MIDI file"),
        ("large.mid", "large.mid: has over 2 MiB; give a part of it"),
        ("text\nof two lines", "text\\nof two lines': is not a MIDI file"),
        ("zero\0", "zero\\x00': cannot be read: embedded null byte"),
    ],
)
def test_what_is_no_file_gets_its_name_in_one_line(tmp_path: Path, name: str, fault: str) -> None:
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "text\nof two lines").write_text("la la la")
    with (tmp_path / "large.mid").open("wb") as large:
        large.truncate(MOST_BYTES + 1)
    with pytest.raises(MaterialError) as caught:
        read_material(tmp_path / name)
    assert str(caught.value).endswith(fault)
    assert "\n" not in str(caught.value)


def test_what_keeps_the_reader_busy_is_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A time of two million bytes, which takes mido a minute and more."""
    path = tmp_path / "endless.mid"
    path.write_bytes(_raw(b"\xff" * (MOST_BYTES - 100)))
    monkeypatch.setattr(material, "READ_SECONDS", 1.0)
    with pytest.raises(MaterialError, match=r"endless\.mid: cannot be read within 1 s"):
        read_material(path)


def test_the_reader_has_a_limit_of_memory(tmp_path: Path) -> None:
    """As many messages as fit the size limit are within it; this is the real limit, in force."""
    path = tmp_path / "full.mid"
    path.write_bytes(_raw(b"\0\xc0\x05" + b"\0\x05" * ((MOST_BYTES - 200) // 2) + TRACK))
    assert [event.pitches for event in read_material(path).events] == [(60,)]


def test_the_reader_has_a_limit_of_processor_time(tmp_path: Path) -> None:
    """So it ends even where nobody is left to end it."""
    path = tmp_path / "endless.mid"
    path.write_bytes(_raw(b"\xff" * (MOST_BYTES - 100)))
    program = (
        "import sys\nfrom lofid import material\nmaterial.READ_SECONDS = 0.5\n"
        "sys.exit(material.main(sys.argv[1:]))"
    )
    command = [sys.executable, "-c", program, str(path)]
    ended = subprocess.run(command, timeout=60, check=False)
    assert ended.returncode in (-signal.SIGKILL, -signal.SIGXCPU)
