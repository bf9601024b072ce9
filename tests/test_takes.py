"""The always-on journal, over real ports: takes after the fact, crashes, full disks."""

import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import mido
import symusic
from music21 import converter

from lofid.account import session_of
from lofid.library import Library
from tests.jackserver import RATE, JackKeyboard, JackRecorder, JackServer, pair_notes, wait_until
from tests.lofidprocess import LofidProcess, run

FAST = ("--tempo", "240", "--seed", "7")
GONE = "no lofid called 'lofid' is playing"


def library_of(tmp_path: Path) -> Library:
    return Library(tmp_path / "lofid" / "journals" / "lofid")


def bars_pass(lofid: LofidProcess, bars: int) -> None:
    tick = lofid.status()["tick"] + bars * 1920
    wait_until(lambda: lofid.status()["tick"] >= tick, f"{bars} bars")


def ons(path: Path, track: str | None = None) -> list[tuple[int, int, int]]:
    """Channel, pitch and velocity of a file's note-ons."""
    tracks = [t for t in mido.MidiFile(path).tracks if track in (None, t.name)]
    return [(m.channel, m.note, m.velocity) for t in tracks for m in t if m.type == "note_on"]


@contextmanager
def no_room(lofid: LofidProcess) -> Iterator[None]:
    """A disk that is full, for this lofid: a piece's header is longer than its files may be.

    What it says, which goes to a file here, is not.
    """
    limit = resource.RLIMIT_FSIZE
    soft, hard = resource.prlimit(lofid.process.pid, limit)
    resource.prlimit(lofid.process.pid, limit, (1500, hard))
    try:
        yield
    finally:
        resource.prlimit(lofid.process.pid, limit, (soft, hard))


def test_keep_what_was_heard_though_nobody_recorded(
    jack_server: JackServer, tmp_path: Path
) -> None:
    """All of it, a person's keys and pedal too; takes are shown and deleted while it plays."""
    with (
        LofidProcess(jack_server, tmp_path, *FAST, "--input", "virtual") as lofid,
        JackKeyboard(jack_server) as keyboard,
    ):
        lofid.status()
        keyboard.connect("lofid:in")
        bars_pass(lofid, 3)
        for message in ([0xB4, 64, 127], [0x94, 61, 99], [0x84, 61, 0], [0xB4, 64, 0]):
            keyboard.play(message)
        bars_pass(lofid, 1)
        kept = run(tmp_path, "keep", "--last", "5m", "evening")
        assert kept.stdout.endswith("s as the take 'evening'; 'lofid export evening OUT.mid' makes "
                                    "a file of it\n"), kept  # fmt: skip
        assert run(tmp_path, "keep", "--last", "2 bars", "evening").returncode == 0
        listed = run(tmp_path, "takes").stdout.splitlines()
        assert [line.split()[0] for line in listed] == ["evening", "evening-2"]
        assert "2 bars" in listed[1]
        shown = run(tmp_path, "takes", "evening").stdout
        assert "1 of yours" in shown
        assert "tempo    240\nkey      C minor\nseed     7\n" in shown
        made = run(tmp_path, "export", "evening", "evening.mid")
        assert made.stdout == "exported evening to evening.mid\n", made.stderr
        assert run(tmp_path, "takes", "--delete", "evening").stdout == "deleted evening\n"
        assert lofid.status()["recording"] is None
    played = next(t for t in mido.MidiFile(tmp_path / "evening.mid").tracks if t.name == "played")
    told = [m.bytes() for m in played if m.type in ("note_on", "note_off", "control_change")]
    assert [data[:2] for data in told] == [[0xB4, 64], [0x94, 61], [0x84, 61], [0xB4, 64]]
    assert len(ons(tmp_path / "evening.mid", "lead")) > 5
    assert [take.name for take in library_of(tmp_path).takes()] == ["evening-2"]
    two_bars = session_of(library_of(tmp_path).transcript("evening-2"))
    assert two_bars.end_tick - two_bars.notes[0].tick <= 2 * 1920
    assert two_bars.notes


def test_keep_and_export_when_nobody_plays(jack_server: JackServer, tmp_path: Path) -> None:
    """From the end of the last session; a whole session can be exported too."""
    assert run(tmp_path, "keep", "--last", "5m").stderr == (
        "lofid: nothing was played yet: start with 'lofid play'\n"
    )
    with LofidProcess(jack_server, tmp_path, *FAST, "--seconds", "8") as lofid:
        assert lofid.wait() == 0
    assert GONE in lofid.ctl("status").stderr
    assert run(tmp_path, "keep", "--last", "2s", "end").returncode == 0
    assert run(tmp_path, "export", "end", "end.mid").returncode == 0
    session = run(tmp_path, "takes", "--sessions").stdout.split()[0]
    assert run(tmp_path, "export", session, "all.mid", "--straight").returncode == 0
    assert 0 < len(ons(tmp_path / "end.mid")) < len(ons(tmp_path / "all.mid"))
    for arguments, line in {
        (
            "export",
            "nothing",
            "a.mid",
        ): "no take is called 'nothing': see 'lofid takes', and 'lofid takes --sessions'",
        (
            "export",
            "end",
            "end.mid",
        ): "end.mid: is there already; give another name, or --overwrite",
        ("export", "end", "end.xyz"): "end.xyz: what is that to be? Names end in .mid, .musicxml, "
        ".png, .wav, .flac",
        (
            "export",
            "end",
            "end.mid",
            "--audio",
        ): "end.mid: is no name for sound: let it end in .wav or .flac",
        ("export", "end", "a.mid", "--format", "mp3"): "'mp3' is no format: midi, musicxml, png, "
        "wav, flac are",
        ("takes", "--delete", "../lofid"): "a take cannot be called '../lofid': give up to 120 "
        "letters without '/', the first no dot and no dash",
        (
            "keep",
            "--last",
            "soon",
        ): "'soon' is no length: give one such as 90s, 5m, 1h30m or '16 bars'",
    }.items():
        refused = run(tmp_path, *arguments)
        assert (refused.returncode, refused.stderr) == (1, f"lofid: {line}\n")


def test_killed_while_it_records(jack_server: JackServer, tmp_path: Path) -> None:
    """The next start says so and makes the take, and its file; what was heard is in it."""
    with (
        LofidProcess(jack_server, tmp_path, *FAST, "--record", "take.mid") as lofid,
        JackRecorder(jack_server, "lofid:out") as recorder,
    ):
        bars_pass(lofid, 6)
        killed_frame = recorder.frame_now()
        lofid.process.kill()
        heard = [
            (note.channel, note.pitch, note.velocity)
            for note in pair_notes(recorder.wait_for_quiet())
            if note.on_frame < killed_frame - RATE
        ]
    with LofidProcess(jack_server, tmp_path, *FAST) as again:
        again.wait_for("recorded ")
        assert again.said.count("the last session was cut off after") == 1
        assert "it was recording: that is the take 'take'" in again.said
    names = [take.name for take in library_of(tmp_path).takes()]
    assert sorted(name[:7] for name in names) == ["cut-off", "take"]
    recovered = ons(tmp_path / "take.mid")
    assert len(heard) > 10
    assert not [note for note in set(heard) if recovered.count(note) < heard.count(note)]
    assert len(symusic.Score(tmp_path / "take.mid").tracks) == 2
    assert len(converter.parse(tmp_path / "take.mid").flatten().notes) > 10
    with LofidProcess(jack_server, tmp_path, *FAST) as third:
        third.status()
        assert "cut off" not in third.said


def test_a_full_disk_stops_the_recording_and_not_the_music(
    jack_server: JackServer, tmp_path: Path
) -> None:
    """One line and a flag; when there is room again it goes on; nothing earlier is lost."""
    with LofidProcess(jack_server, tmp_path, *FAST, "--record", "take.mid") as lofid:
        bars_pass(lofid, 2)
        with no_room(lofid):
            wait_until(lambda: lofid.status()["recording_fault"] is not None, "a fault")
            bars_pass(lofid, 2)
            assert lofid.status()["notes"]["restarts"] == 0
        wait_until(lambda: lofid.status()["recording_fault"] is None, "room again")
        bars_pass(lofid, 1)
        before = lofid.status()["notes"]["played"]
        assert lofid.ctl("record", "stop").returncode == 0
        assert lofid.ctl("quit").returncode == 0
        assert lofid.wait() == 0
    assert lofid.said.count("recording stopped: ") == 1
    assert "cannot be written: File too large; what was recorded until now is kept" in lofid.said
    assert lofid.said.count("recording goes on") == 1
    assert len(ons(tmp_path / "take.mid")) >= before


def test_what_cannot_be_recorded_is_told_at_the_start(
    jack_server: JackServer, tmp_path: Path
) -> None:
    """The music goes on; the next take is as good as any."""
    with LofidProcess(jack_server, tmp_path, *FAST) as lofid:
        lofid.status()
        with no_room(lofid):
            wait_until(lambda: lofid.status()["recording_fault"] is not None, "a fault")
            refused = lofid.ctl("record", "start", str(tmp_path / "take.mid"))
            assert (refused.returncode, refused.stderr.count("\n")) == (1, 1)
            assert lofid.status()["recording"] is None
        wait_until(lambda: lofid.status()["recording_fault"] is None, "room again")
        assert lofid.ctl("record", "start", str(tmp_path / "take.mid")).returncode == 0
        assert lofid.status()["recording"] == str(tmp_path / "take.mid")


def test_a_take_that_cannot_become_a_file_is_kept(jack_server: JackServer, tmp_path: Path) -> None:
    """The line says how the file is made once that is mended."""
    (tmp_path / "usb").mkdir()
    with LofidProcess(jack_server, tmp_path, *FAST, "--record", "usb/take.mid") as lofid:
        bars_pass(lofid, 2)
        (tmp_path / "usb").rmdir()
        stopped = lofid.ctl("record", "stop")
        path = tmp_path / "usb" / "take.mid"
        assert stopped.stderr == (
            f"lofid: {path}: cannot be written: No such file or directory; "
            "make that folder or choose another one; "
            "the take is kept: 'lofid export take OUT.mid'\n"
        )
    assert run(tmp_path, "export", "take", "take.mid").returncode == 0
    assert ons(tmp_path / "take.mid")


def test_without_a_journal_nothing_is_recorded(jack_server: JackServer, tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text("[record]\njournal = false\n")
    line = "nothing is kept, so nothing recorded: set record.journal = true"
    with LofidProcess(jack_server, tmp_path, *FAST) as lofid:
        assert lofid.status()["journal"] is None
        assert lofid.ctl("record", "start").stderr == f"lofid: {line}\n"
        assert run(tmp_path, "keep", "--last", "5m").stderr == f"lofid: {line}\n"
    assert not (tmp_path / "lofid" / "journals").exists()
    with LofidProcess(jack_server, tmp_path, *FAST, "--record", "take.mid") as lofid:
        assert lofid.wait() == 1
        assert f"lofid: {line}\n" in lofid.said


def test_a_journal_belongs_to_one_lofid(
    jack_server: JackServer, own_server: JackServer, tmp_path: Path
) -> None:
    """Two of one name that do not see each other write pieces of their own; neither is cut off.

    The lock on the name is in the runtime folder, and these have one each.
    """
    (other := tmp_path / "other").mkdir()
    other.joinpath("lofid").symlink_to(tmp_path / "lofid")
    library = library_of(tmp_path)
    with LofidProcess(jack_server, tmp_path, *FAST) as first:
        first.status()
        with LofidProcess(own_server, other, *FAST) as second:
            second.status()
            wait_until(lambda: len(library.sessions()) == 2, "two sessions")
            assert "cut off" not in second.said
        assert second.wait() == 0
    assert first.wait() == 0
    for session in library.sessions():
        found = library.transcript(session)
        assert (found.faults, found.is_ended) == ((), True)
        assert found.notes


def test_a_start_that_fails_leaves_no_session(jack_server: JackServer, tmp_path: Path) -> None:
    """Nothing sounded: 'keep' still means the last one that played."""
    with LofidProcess(jack_server, tmp_path, *FAST, "--output", "nowhere") as lofid:
        assert lofid.wait() == 1
    assert library_of(tmp_path).sessions() == {}


def test_the_next_start_finds_a_crash_once_and_without_a_recording(
    jack_server: JackServer, tmp_path: Path
) -> None:
    """It says one line, makes the take, and no file."""
    with LofidProcess(jack_server, tmp_path, *FAST) as lofid:
        bars_pass(lofid, 2)
        lofid.process.kill()
    with LofidProcess(jack_server, tmp_path, *FAST) as again:
        again.status()
        lines = [line for line in again.said.splitlines() if "cut off" in line]
    (take,) = library_of(tmp_path).takes()
    assert len(lines) == 1
    assert lines[0].startswith("the last session was cut off after ")
    assert lines[0].endswith(f"'lofid export {take.name} OUT.mid' makes a file of it")
    assert "recorded" not in again.said
    assert run(tmp_path, "export", take.name, "a.mid").returncode == 0
    assert ons(tmp_path / "a.mid")
