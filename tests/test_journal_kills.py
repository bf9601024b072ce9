"""A writing process that is killed: what was flushed is there, and nothing twice."""

import json
import subprocess
import sys
from pathlib import Path

from lofid.entries import Entry, Header, Mark
from lofid.pieces import is_being_written, sessions_in
from lofid.reading import entries_in

KILLS = 200

KILLER = """
import json, os, random, signal, sys, time
from pathlib import Path
from lofid.pieces import Bounds
from lofid.scribe import Scribe
from tests.journals import held


def write(folder, pipe):
    scribe = Scribe(folder, held, Bounds(piece_bytes=4096))
    count = 0
    while True:
        for _ in range(3):
            scribe.write("mark", tick=count, text=str(count))
            count += 1
        scribe.cut()
        scribe.flush()
        if scribe.fault is not None:
            os._exit(1)
        os.write(pipe, count.to_bytes(4, "little"))


chance = random.Random(int(sys.argv[2]))
for number in range(int(sys.argv[3])):
    folder = Path(sys.argv[1]) / str(number)
    read_end, write_end = os.pipe()
    if (child := os.fork()) == 0:
        write(folder, write_end)
    os.close(write_end)
    for _ in range(1 + chance.randrange(80)):
        told = os.read(read_end, 4)
    time.sleep(chance.uniform(0, 0.001))
    os.kill(child, signal.SIGKILL)
    status = os.waitpid(child, 0)[1]
    while data := os.read(read_end, 65536):
        told += data
    os.close(read_end)
    flushed = int.from_bytes(told[-4:], "little")
    print(json.dumps([number, flushed, os.WTERMSIG(status)]))
"""


def test_what_was_flushed_survives_kill_9_and_nothing_is_doubled(tmp_path: Path) -> None:
    """At random moments, also while it goes from one piece to the next."""
    arguments = [sys.executable, "-c", KILLER, str(tmp_path), "6", str(KILLS)]
    root = Path(__file__).resolve().parent.parent
    done = subprocess.run(arguments, capture_output=True, text=True, check=True, cwd=root)
    results = [json.loads(line) for line in done.stdout.splitlines()]
    assert [(number, signal) for number, _, signal in results] == [(n, 9) for n in range(KILLS)]
    pieces_seen, flushed_seen = [], []
    for number, flushed, _ in results:
        (pieces,) = sessions_in(tmp_path / str(number)).values()
        faults: list[str] = []
        entries: list[Entry] = list(entries_in(pieces, faults.append))
        texts = [entry.text for entry in entries if isinstance(entry, Mark)]
        assert texts == [str(count) for count in range(len(texts))]
        assert len(texts) >= flushed
        just_made = pieces[-1].path.stat().st_size == 0
        headers = sum(isinstance(entry, Header) for entry in entries)
        assert headers == len(pieces) - just_made, "each begins with one, unless killed before it"
        assert faults == []
        assert not any(is_being_written(piece.path) for piece in pieces)
        pieces_seen.append(len(pieces))
        flushed_seen.append(flushed)
    assert len(set(flushed_seen)) > KILLS / 10, "the moments differ"
    assert max(pieces_seen) > 3, "some came to further pieces"
