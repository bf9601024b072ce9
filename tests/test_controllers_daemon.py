"""A keyboard's knobs, pads and buttons at the real daemon, over real JACK ports."""

import signal
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from lofid.library import Library
from tests.jackserver import RATE, JackKeyboard, JackServer, wait_until
from tests.lofidprocess import LOFID, LofidProcess, own_folders

ARGUMENTS = ("--input", "virtual", "--seed", "7")
LISTENING = "Ctrl-C calls it off"


@contextmanager
def _lesson(tmp_path: Path, *what: str) -> Iterator["subprocess.Popen[str]"]:
    """``lofid ctl learn``, once it says that it waits."""
    with subprocess.Popen(
        [*LOFID, "ctl", "learn", *what],
        env=own_folders(tmp_path),
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as lesson:
        assert lesson.stderr is not None
        assert LISTENING in lesson.stderr.readline()
        try:
            yield lesson
        finally:
            lesson.kill()


def _teach(
    lofid: LofidProcess, keyboard: JackKeyboard, tmp_path: Path, what: str, *message: int
) -> str:
    """Move a controller once lofid waits for it; give the answer."""
    with _lesson(tmp_path, *what.split()) as lesson:
        _wait_for(lofid, "learning", what)
        keyboard.play(message)
        line, _ = lesson.communicate(timeout=30)
        return line


def _wait_for(lofid: LofidProcess, name: str, value: object) -> None:
    wait_until(lambda: lofid.status()[name] == value, f"{name} = {value}")


def test_a_knob_a_pad_and_a_program_are_learnt_and_kept(
    jack_server: JackServer, tmp_path: Path
) -> None:
    """They do what they were taught, also after a restart; a pad is no note of the music."""
    with JackKeyboard(jack_server) as keyboard:
        with LofidProcess(jack_server, tmp_path, *ARGUMENTS) as lofid:
            lofid.status()
            keyboard.connect("lofid:in")
            line = _teach(lofid, keyboard, tmp_path, "tempo", 0xB0, 20, 0)
            assert line == "tempo = cc 20 on 1\n"
            keyboard.play((0xB0, 20, 127))
            _wait_for(lofid, "tempo", 120.0)
            line = _teach(lofid, keyboard, tmp_path, "mode answer", 0x99, 36, 100)
            assert line == "mode answer = note 36 on 10\n"
            keyboard.play((0x89, 36, 64), (0x99, 36, 100), (0x89, 36, 64))
            _wait_for(lofid, "mode", "answer")
            line = _teach(lofid, keyboard, tmp_path, "mode off", 0xC0, 3)
            assert line == "mode off = program 3 on 1\n"
            assert lofid.status()["notes"]["heard"] == 0
        with LofidProcess(jack_server, tmp_path, *ARGUMENTS) as lofid:
            assert lofid.status()["controllers"] == {
                "tempo": "cc 20 on 1",
                "mode answer": "note 36 on 10",
                "mode off": "program 3 on 1",
            }
            keyboard.connect("lofid:in")
            keyboard.play((0xB0, 20, 0), (0xC0, 3))
            _wait_for(lofid, "tempo", 60.0)
            _wait_for(lofid, "mode", "off")
            keyboard.play((0x99, 36, 100), (0x89, 36, 64), (0x90, 60, 100), (0x80, 60, 64))
            _wait_for(lofid, "mode", "answer")
            assert lofid.status()["notes"]["heard"] == 1
            assert lofid.ctl("learn", "--forget", "tempo").stdout == (
                "nothing moves 'tempo' any more\n"
            )


def test_a_lesson_is_called_off_by_ctrl_c(jack_server: JackServer, tmp_path: Path) -> None:
    """lofid waits for no controller then; and what cannot be learnt is refused at once."""
    with (
        JackKeyboard(jack_server) as keyboard,
        LofidProcess(jack_server, tmp_path, *ARGUMENTS) as lofid,
    ):
        lofid.status()
        keyboard.connect("lofid:in")
        with ExitStack() as lessons:
            first = lessons.enter_context(_lesson(tmp_path, "tempo"))
            _wait_for(lofid, "learning", "tempo")
            second = lessons.enter_context(_lesson(tmp_path, "swing"))
            _, complaint = first.communicate(timeout=30)
            assert complaint == "lofid: another 'lofid ctl learn' took its place\n"
            assert lofid.status()["learning"] == "swing"
            second.send_signal(signal.SIGINT)
            assert second.wait(30) == 130
        assert lofid.status()["learning"] == ""
        keyboard.play((0xB0, 20, 64))
        assert lofid.status()["controllers"] == {}
        assert "controllers      -\n" in lofid.ctl("status").stdout
        refused = lofid.ctl("learn", "tmepo")
        assert (refused.returncode, refused.stdout) == (1, "")
        assert refused.stderr == (
            "lofid: 'tmepo' is nothing that a controller does; did you mean 'tempo'?\n"
        )


def test_a_lesson_ends_with_who_asked_for_it(jack_server: JackServer, tmp_path: Path) -> None:
    """A terminal that is closed, or killed: the knob that is turned next is not taken."""
    with (
        JackKeyboard(jack_server) as keyboard,
        LofidProcess(jack_server, tmp_path, *ARGUMENTS) as lofid,
    ):
        lofid.status()
        keyboard.connect("lofid:in")
        for number in (signal.SIGTERM, signal.SIGKILL):
            with _lesson(tmp_path, "tempo") as lesson:
                _wait_for(lofid, "learning", "tempo")
                lesson.send_signal(number)
                assert lesson.wait(30) == -number
            _wait_for(lofid, "learning", "")
        keyboard.play((0xB0, 20, 64))
        assert lofid.status()["controllers"] == {}
        line = _teach(lofid, keyboard, tmp_path, "tempo", 0xB0, 21, 0)
        assert line == "tempo = cc 21 on 1\n"
        assert "Traceback" not in lofid.said


def test_a_pedal_records_and_a_flood_does_no_harm(jack_server: JackServer, tmp_path: Path) -> None:
    """A thousand messages a second for four seconds, all mapped: only the newest counts.

    The take holds no more than twenty changes of tempo a second, and no underrun is heard.
    """
    (tmp_path / "config.toml").write_text(
        '[controllers]\ntempo = "cc 20"\nswing = "cc 21"\nrecord = "cc 66"\n'
    )
    seconds = 4
    with (
        JackKeyboard(jack_server) as keyboard,
        LofidProcess(jack_server, tmp_path, *ARGUMENTS) as lofid,
    ):
        lofid.status()
        keyboard.connect("lofid:in")
        keyboard.play((0xB0, 66, 127), (0xB0, 66, 0))
        lofid.wait_for("recording to")
        start = keyboard.frame_now() + RATE // 10
        keyboard.play_at(
            (start + n * RATE // 1000, bytes((0xB0, 20 + n % 2, n * 7 % 128)))
            for n in range(1000 * seconds)
        )
        wait_until(lambda: keyboard.frame_now() > start + seconds * RATE, "the flood to end")
        keyboard.play((0xB0, 20, 127), (0xB0, 21, 0))
        _wait_for(lofid, "tempo", 120.0)
        _wait_for(lofid, "swing", 50.0)
        assert lofid.status()["notes"]["underruns"] == 0
        keyboard.play((0xB0, 66, 127))
        lofid.wait_for("recorded ")
        library = Library(tmp_path / "lofid" / "journals" / "lofid")
        (take,) = library.takes()
        changes = library.transcript(take.name).tempos
        assert lofid.ctl("toggle").stdout == "stopped\n"
        _wait_for(lofid, "transport", "stopped")
        assert lofid.ctl("toggle").stdout == "playing\n"
    assert 2 < len(changes) <= 20 * (seconds + 2)
    assert not lofid.said.count("in vain")
