"""Whether a file that is made while lofid plays is heard: lateness with and without, in turn.

Usage: ``python benchmarks/exporting.py [HOURS] [ROUNDS]`` (8 hours, 2 rounds; needs jackd)

A journal of so many hours is written (see ``benchmarks/journal.py``) into lofid's own folder. In
each round lofid plays on JACK, to the sample and by RtMidi, once with nothing else to do and once,
as long as that takes, while ``lofid.exporting`` makes a MIDI file of all of it: its process's time
and memory are told. The lateness is that of ``lofid ctl status``, in microseconds; to the sample it
is how late a message leaves after its own frame.
"""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.journal import Session
from tests.jackserver import JackServer
from tests.lofidprocess import LofidProcess

ALONE_SECONDS = 60


def played(lofid: LofidProcess, how: str) -> None:
    """Say how late it was."""
    status = lofid.status()
    notes = {name: status["notes"][name] for name in ("played", "dropped", "underruns")}
    print(f"{how}: lateness {status['lateness_us']}, {notes}", flush=True)


def exported(folder: Path, session: str, out: Path) -> str:
    """Make the file, as lofid has it made; say what that cost."""
    begin = time.monotonic()
    command = [sys.executable, "-m", "lofid.exporting", folder, session, out]
    process = subprocess.Popen(command)
    _, status, used = os.wait4(process.pid, 0)
    took = time.monotonic() - begin
    processor, memory = used.ru_utime + used.ru_stime, used.ru_maxrss / 1024
    cost = f"{took:.0f} s, {processor:.0f} s of processor, {memory:.0f} MB"
    return f"exit {status}: {cost}, {out.stat().st_size} bytes"


def main() -> None:
    """Write, play, export."""
    hours = float(sys.argv[1]) if len(sys.argv) > 1 else 8.0
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 2
    with tempfile.TemporaryDirectory() as home, JackServer() as server:
        folder = Path(home) / "lofid" / "journals" / "lofid"
        session = Session(folder)
        for _ in range(round(hours * 3600)):
            session.second()
            session.scribe.cut()
            session.scribe.flush()
        session.write("end", tick=0, seconds=session.seconds)
        session.scribe.close()
        for number, backend in enumerate(("jack", "jack-rtmidi") * rounds):
            play = ("--seed", "7", "--fresh", "--backend", backend)
            with LofidProcess(server, Path(home), *play) as lofid:
                lofid.status()
                time.sleep(ALONE_SECONDS)
                played(lofid, f"{backend}, alone")
            with LofidProcess(server, Path(home), *play) as lofid:
                lofid.status()
                cost = exported(folder, session.scribe.session, Path(home) / f"{number}.mid")
                played(lofid, f"{backend}, exporting")
                print(f"  {cost}", flush=True)


if __name__ == "__main__":
    main()
