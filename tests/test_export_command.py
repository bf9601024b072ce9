"""``lofid export`` as a person runs it: what it says, and what is left behind when it is ended."""

import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.jackserver import wait_until
from tests.journals import Desk
from tests.lofidprocess import LOFID, own_folders, run

SLOW_FLUIDSYNTH = """\
#!/bin/sh
while [ "$1" != -F ]; do shift; done
echo unfinished > "$2"
echo $$ > "$HOME/pid"
exec sleep 100
"""


def journal_in(tmp_path: Path) -> str:
    """Write a session where lofid looks for one; give its name."""
    desk = Desk(tmp_path / "lofid" / "journals" / "lofid")
    desk.scribe.write("on", tick=0, seconds=0.0, channel=0, pitch=60, velocity=80)
    desk.scribe.write("end", tick=480, seconds=0.75)
    desk.flush()
    desk.scribe.close()
    return desk.scribe.session


@contextmanager
def waiting_for_sound(tmp_path: Path, *arguments: str) -> Iterator["subprocess.Popen[bytes]"]:
    """Run lofid up to where a FluidSynth of endless patience works for it."""
    (programs := tmp_path / "bin").mkdir()
    (programs / "fluidsynth").write_text(SLOW_FLUIDSYNTH)
    (programs / "fluidsynth").chmod(0o700)
    (temporary := tmp_path / "tmp").mkdir()
    env = own_folders(tmp_path)
    env |= {"PATH": f"{programs}{os.pathsep}{os.environ['PATH']}", "TMPDIR": str(temporary)}
    (made := tmp_path / "made").mkdir()
    with subprocess.Popen([*LOFID, *arguments], env=env, cwd=made) as process:
        try:
            wait_until(lambda: is_written(tmp_path / "pid") or process.poll() is not None, "sound")
            yield process
        finally:
            process.kill()


def is_written(path: Path) -> bool:
    return path.exists() and path.read_text().endswith("\n")


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.mark.skipif(os.name != "posix", reason="only Unix has these signals")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
@pytest.mark.parametrize("command", ["export", "render"])
def test_ended_from_outside_it_leaves_nothing(
    tmp_path: Path, number: signal.Signals, command: str
) -> None:
    """No FluidSynth goes on, no unfinished file grows, nothing lies among the temporary files."""
    if command == "export":
        (font := tmp_path / "x.sf2").write_bytes(b"RIFF0000sfbk")
        arguments = ["export", journal_in(tmp_path), "a.wav", "--sound-font", str(font)]
    else:
        (fonts := tmp_path / ".local/share/soundfonts").mkdir(parents=True)
        (fonts / "default.sf2").write_bytes(b"RIFF0000sfbk")
        arguments = ["render", "a.wav", "--bars", "1"]
    with waiting_for_sound(tmp_path, *arguments) as process:
        fluidsynth = int((tmp_path / "pid").read_text())
        assert list((tmp_path / "made").iterdir())
        process.send_signal(number)
        assert process.wait(30) == 128 + number
    assert not is_alive(fluidsynth)
    assert not list((tmp_path / "made").iterdir())
    assert not list((tmp_path / "tmp").glob("lofid-*"))


@pytest.mark.skipif(os.name != "posix", reason="only Unix has this signal")
def test_what_shall_outlive_the_terminal_does(tmp_path: Path) -> None:
    """As ``nohup`` has it."""
    (font := tmp_path / "x.sf2").write_bytes(b"RIFF0000sfbk")
    arguments = ["export", journal_in(tmp_path), "a.wav", "--sound-font", str(font)]
    handler = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with waiting_for_sound(tmp_path, *arguments) as process:
            process.send_signal(signal.SIGHUP)
            with pytest.raises(subprocess.TimeoutExpired):
                process.wait(1)
            process.terminate()
            assert process.wait(30) == 128 + signal.SIGTERM
    finally:
        signal.signal(signal.SIGHUP, handler)


@pytest.mark.skipif(os.name != "posix", reason="other systems have other names")
@pytest.mark.parametrize(
    ("name", "shown"),
    [("caf\udce9.mid", r"'caf\udce9.mid'"), ("two\nlines.mid", r"'two\nlines.mid'")],
)
def test_a_name_of_any_bytes_is_told_in_one_line(tmp_path: Path, name: str, shown: str) -> None:
    session = journal_in(tmp_path)
    made = run(tmp_path, "export", session, name)
    assert (made.stdout, made.stderr) == (f"exported {session} to {shown}\n", "")
    assert (tmp_path / name).read_bytes().startswith(b"MThd")
    refused = run(tmp_path, "export", session, name, "--audio")
    assert refused.stderr == f"lofid: {shown}: is no name for sound: let it end in .wav or .flac\n"
    rendered = run(tmp_path, "render", name, "--bars", "1", "--seed", "7")
    assert rendered.stderr.startswith(f"{shown}: 1 bars, seed 7, ")


def test_what_is_missing_is_told_before_the_take_is_read(tmp_path: Path) -> None:
    """Reading a long one takes minutes; here there is none."""
    for name in ("a.wav", "a.flac"):
        refused = run(tmp_path, "export", "nothing", name, "--sound-font", "none.sf2")
        assert "no take" not in refused.stderr
        assert refused.stderr.startswith(f"lofid: {name}: ")
