"""The recorder: a journal while it sounds, a MIDI file at the end, and never an exception."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import mido
import pytest

from lofid.errors import RecordingError
from lofid.journal import read_journal
from lofid.recorder import Conversion, Recorder, unused
from lofid.session import PlayedNote
from tests.test_midifile import files_no_longer_than, read_by_mido

GENEROUS_SECONDS = 120
"""Only a test that hangs takes this long."""


def recorder(tmp_path: Path, start_tick: int = 0) -> Recorder:
    return Recorder(tmp_path / "take.mid", tmp_path / "journals", 0, 1, start_tick)


def test_a_take_becomes_a_midi_file(tmp_path: Path) -> None:
    """Its ticks count from the bar line before its start; what still sounds ends with it."""
    take = recorder(tmp_path, start_tick=2000)
    take.tempo(2000, 76)
    take.key(2000, "F minor")
    take.on(2400, 0, 65, 90)
    take.on(2410, 1, 48, 70, by_person=True)
    take.off(2500, 0, 65)
    conversion = take.finish(3840)
    assert conversion.wait(GENEROUS_SECONDS) == tmp_path / "take.mid"
    assert take.origin_tick == 1920
    assert read_by_mido(conversion.path) == {
        "lead": [PlayedNote(480, 100, 0, 65, 90)],
        "keys": [],
        "played": [PlayedNote(490, 1430, 1, 48, 70, by_person=True)],
    }
    assert mido.MidiFile(conversion.path).tracks[0][0].tempo == 789474
    assert list((tmp_path / "journals").iterdir()) == []


def test_what_was_flushed_can_be_read_while_it_sounds(tmp_path: Path) -> None:
    """And only by its owner; nothing reaches the disk before the flush."""
    take = recorder(tmp_path)
    take.on(0, 0, 60, 80)
    assert read_journal(take.journal_path).notes == ()
    take.flush()
    assert read_journal(take.journal_path).notes == (PlayedNote(0, 1, 0, 60, 80),)
    if os.name == "posix":
        assert take.journal_path.stat().st_mode & 0o777 == 0o600
    take.finish(5).wait(GENEROUS_SECONDS)


def test_what_was_flushed_survives_a_kill(tmp_path: Path) -> None:
    """SIGKILL leaves no time to tidy up."""
    program = f"""
import os, pathlib, signal
from lofid.recorder import Recorder
folder = pathlib.Path({str(tmp_path)!r})
take = Recorder(folder / "take.mid", folder / "journals", 0, 1)
take.on(0, 0, 60, 80)
take.flush()
take.on(9, 0, 61, 80)
os.kill(os.getpid(), signal.{"SIGKILL" if os.name == "posix" else "SIGTERM"})
"""
    assert subprocess.run([sys.executable, "-P", "-c", program], check=False).returncode != 0
    (journal,) = (tmp_path / "journals").iterdir()
    assert read_journal(journal).notes == (PlayedNote(0, 1, 0, 60, 80),)


def test_a_full_disk_does_not_stop_the_music(tmp_path: Path) -> None:
    """One line says so; what was written becomes the file all the same."""
    take = recorder(tmp_path)
    take.on(0, 0, 60, 80)
    take.off(5, 0, 60)
    take.flush()
    take.on(5, 0, 62, 80)
    with files_no_longer_than(take.journal_path.stat().st_size + 30):
        take.flush()
        fault = take.fault
        take.on(9, 0, 64, 80)
        take.flush()
    assert isinstance(fault, RecordingError)
    assert take.fault is fault
    assert str(fault).startswith(f"{take.journal_path}: cannot be written any more: ")
    assert str(fault).endswith("; what was recorded until now is kept")
    path = take.finish(20).wait(GENEROUS_SECONDS)
    assert read_by_mido(path)["lead"] == [PlayedNote(0, 5, 0, 60, 80)]


def test_a_full_disk_is_told_at_the_start(tmp_path: Path) -> None:
    with pytest.raises(RecordingError, match="cannot be written any more"), files_no_longer_than(5):
        recorder(tmp_path)


def test_a_missing_folder_is_told_at_the_start(tmp_path: Path) -> None:
    with pytest.raises(RecordingError, match="make that folder or choose another one") as caught:
        Recorder(tmp_path / "nowhere" / "take.mid", tmp_path, 0, 1)
    assert str(tmp_path / "nowhere" / "take.mid") in str(caught.value)
    assert list(tmp_path.iterdir()) == []


UNUSABLE = [
    ("", r"\.: is a folder; give the name of a \.mid file"),
    (".", r"\.: is a folder; give the name of a \.mid file"),
    ("/", r"/: is a folder; give the name of a \.mid file"),
    ("folder", r"\S*: is a folder; give the name of a \.mid file"),
    ("x" * 300, r"x{300}: cannot be written: File name too long; give another name"),
    ("a\0b.mid", r"'a\\x00b\.mid': no file can be called so \(embedded null byte\)[^\n]*"),
    ("a\nb\0.mid", r"'a\\nb\\x00\.mid': no file can be called so [^\n]*"),
    ("\ud800.mid", r"'\\ud800\.mid': no file can be called so [^\n]*"),
    ("file/a.mid", r"file/a\.mid: cannot be written: Not a directory; give another name"),
    ("pipe", r"pipe: is no regular file; give the name of a \.mid file"),
]


@pytest.mark.skipif(os.name != "posix", reason="other systems have other names and words")
@pytest.mark.parametrize(("name", "told"), UNUSABLE, ids=[repr(name[:9]) for name, _ in UNUSABLE])
def test_what_can_be_no_midi_file_is_told_at_the_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, told: str
) -> None:
    """By the recorder and by who looks for an unused name; nothing is left behind."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").touch()
    # Not /dev/null: were it not refused, root's tests would put a file in its place.
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(RecordingError, match=rf"\A{told}\Z"):
        Recorder(Path(name), tmp_path / "journals", 0, 1)
    with pytest.raises(RecordingError, match=rf"\A{told}\Z"):
        unused(Path(name))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "folder", "pipe"]


@pytest.mark.parametrize("name", ["x" * 251 + ".mid", "é" * 125 + ".mid"], ids=["ascii", "accents"])
def test_a_name_as_long_as_names_can_be(tmp_path: Path, name: str) -> None:
    """Neither the journal nor the unfinished file, which are called after it, is too long."""
    take = Recorder(tmp_path / name, tmp_path / "journals", 0, 1)
    assert take.finish(0).wait(GENEROUS_SECONDS) == tmp_path / name
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(["journals", name])


def test_an_unused_name_is_neither_there_nor_taken(tmp_path: Path) -> None:
    """A folder of the next name is passed by."""
    take = tmp_path / "take.mid"
    assert unused(take) == take
    assert unused(take, [take]) == tmp_path / "take-2.mid"
    take.touch()
    (tmp_path / "take-2.mid").mkdir()
    assert unused(take) == tmp_path / "take-3.mid"
    assert unused(take, {tmp_path / "take-3.mid", tmp_path / "take-5.mid"}) == (
        tmp_path / "take-4.mid"
    )


def test_a_name_is_taken_however_it_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert unused(Path("take.mid"), [tmp_path / "take.mid"]) == Path("take-2.mid")
    assert unused(tmp_path / "take", [Path("take")]) == tmp_path / "take-2"


def test_a_number_makes_a_long_name_too_long(tmp_path: Path) -> None:
    (take := tmp_path / ("x" * 251 + ".mid")).touch()
    with pytest.raises(RecordingError, match=r"-2\.mid: cannot be written: File name too long"):
        unused(take)


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root writes anywhere")
def test_a_locked_folder_is_told_at_the_start(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(RecordingError, match="Permission denied"):
        Recorder(tmp_path / "take.mid", tmp_path, 0, 1)


def test_journals_need_a_folder(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(RecordingError, match="no journal can be kept here"):
        Recorder(tmp_path / "take.mid", tmp_path / "file", 0, 1)


def test_the_journal_stays_when_the_file_cannot_be_made(tmp_path: Path) -> None:
    """The error says where it is, and it can be converted once that is mended."""
    (folder := tmp_path / "usb").mkdir()
    take = Recorder(folder / "take.mid", tmp_path / "journals", 0, 1)
    take.on(0, 0, 60, 80)
    folder.rmdir()
    with pytest.raises(RecordingError) as caught:
        take.finish(5).wait(GENEROUS_SECONDS)
    where = f"{folder / 'take.mid'}: cannot be written: No such file or directory"
    assert str(caught.value) == f"{where}; the take is kept in {take.journal_path}"
    folder.mkdir()
    again = Conversion.start(take.journal_path, take.path)
    assert read_by_mido(again.wait(GENEROUS_SECONDS))["lead"] == [PlayedNote(0, 5, 0, 60, 80)]


@pytest.mark.skipif(os.name != "posix", reason="signals are Unix's")
def test_a_conversion_that_dies_leaves_the_journal(tmp_path: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", "input()"],
        stdin=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
    )
    (journal := tmp_path / "take.journal").touch()
    conversion = Conversion(process, journal, tmp_path / "take.mid")
    with pytest.raises(RecordingError, match="is not finished yet; the take is kept in "):
        conversion.wait(0)
    process.send_signal(signal.SIGKILL)
    with pytest.raises(RecordingError, match="exit -9; the take is kept in "):
        conversion.wait(GENEROUS_SECONDS)
    assert journal.exists()


def test_two_takes_of_one_name_have_a_journal_each(tmp_path: Path) -> None:
    takes = [recorder(tmp_path), recorder(tmp_path)]
    assert takes[0].journal_path != takes[1].journal_path
    for take in takes:
        take.finish(0).wait(GENEROUS_SECONDS)
