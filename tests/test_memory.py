"""The memory: whole or not at all, and of use only to whom it is meant for."""

import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lofid.errors import StateError
from lofid.memory import Keeper, Remembered, identity, memory_path, read_memory
from lofid.music import Key
from tests.fakes import CARD

REMEMBERED = Remembered(Key.parse("F minor"), [[-48, 12, 1, 5], [-36, 24, 4, 8], [-12, 12, 2, 1]])
OTHER = Remembered(Key.parse("C major"), [[-24, 12, 3, 4]] * 100)


def test_what_is_written_is_read(tmp_path: Path) -> None:
    """The folder is made; only the owner may read; an older file is replaced."""
    path = tmp_path / "new" / "lofid.context.json"
    assert read_memory(path, CARD) is None
    keeper = Keeper(path, CARD)
    for remembered in (OTHER, REMEMBERED):
        keeper.write(remembered)
        assert read_memory(path, CARD) == remembered
    assert path.stat().st_mode & 0o777 == 0o600
    assert [file.name for file in path.parent.iterdir()] == ["lofid.context.json"]


def test_the_file_is_plain(tmp_path: Path) -> None:
    """What another lofid, or a person, will find in it."""
    path = tmp_path / "a.json"
    Keeper(path, CARD).write(REMEMBERED)
    assert json.loads(path.read_text()) == {
        "format": 1,
        "vocabulary": identity(CARD),
        "key": "F minor",
        "rows": [[-48, 12, 1, 5], [-36, 24, 4, 8], [-12, 12, 2, 1]],
    }


def test_each_name_has_its_own_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    monkeypatch.setenv("HOME", str(tmp_path))
    path = memory_path("rhodes")
    assert path.name == "rhodes.context.json"
    assert path.is_relative_to(tmp_path)
    assert path != memory_path("lofid")


def test_what_a_killed_session_left_half_written_is_in_nobodys_way(tmp_path: Path) -> None:
    """Nor is a link in its place followed."""
    path = tmp_path / "a.json"
    precious = tmp_path / "precious"
    precious.write_text("mine")
    (tmp_path / "a.json.part").symlink_to(precious)
    Keeper(path, CARD).write(REMEMBERED)
    assert read_memory(path, CARD) == REMEMBERED
    assert precious.read_text() == "mine"
    assert not path.is_symlink()


def test_every_torn_file_is_refused_in_one_line(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    Keeper(path, CARD).write(REMEMBERED)
    whole = path.read_bytes()
    for size in range(len(whole)):
        path.write_bytes(whole[:size])
        with pytest.raises(StateError, match=r"a\.json: is damaged, or another lofid's$"):
            read_memory(path, CARD)


def _written(**changes: Any) -> str:
    values = {"format": 1, "vocabulary": identity(CARD), "key": "F minor", "rows": [[-1, 1, 1, 1]]}
    return json.dumps({**values, **changes})


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("[" * 100_000, "is damaged, or another lofid's"),
        (_written(format=2), "is damaged, or another lofid's"),
        (_written(vocabulary="0" * 64), "is of a model with another vocabulary"),
        (_written(key="H dur"), "is damaged, or another lofid's"),
        (_written(rows=[[1, 1, 1]]), "is damaged, or another lofid's"),
        (_written(rows=[[-1, 1, "1", 1]]), "is damaged, or another lofid's"),
        (_written(rows=[[-1, 1, True, 1]]), "is damaged, or another lofid's"),
        (_written(rows=[[-1, 1, 1.5, 1]]), "is damaged, or another lofid's"),
        (_written(rows=[[-1, 1, 1, 1]] * 5000), "is damaged, or another lofid's"),
        (_written(rows=[[-1, 1, 5, 1]]), "is damaged: it has events that no model makes"),
        (_written(rows=[[-1, 1, 0, 1]]), "is damaged: it has events that no model makes"),
        (_written(rows=[[-1, 0, 1, 1]]), "is damaged: it has events that no model makes"),
        (_written(rows=[[-1, 1, 1, 9]]), "is damaged: it has events that no model makes"),
        (_written(rows=[[-(10**30), 1, 1, 1]]), "is damaged: it has events that no model makes"),
    ],
    ids=[
        *("nested", "format", "model", "key", "short row", "text", "bool", "fraction", "too many"),
        *("token", "start", "length", "velocity", "long ago"),
    ],
)
def test_what_is_of_no_use_is_refused_in_one_line(tmp_path: Path, text: str, fault: str) -> None:
    path = tmp_path / "a.json"
    path.write_text(text)
    with pytest.raises(StateError) as caught:
        read_memory(path, CARD)
    assert str(caught.value) == f"{path}: {fault}"


@given(st.binary(max_size=300))
def test_no_bytes_are_a_memory_by_chance(
    tmp_path_factory: pytest.TempPathFactory, data: bytes
) -> None:
    path = tmp_path_factory.mktemp("memory") / "a.json"
    path.write_bytes(data)
    with pytest.raises(StateError):
        read_memory(path, CARD)


def test_the_vocabulary_is_the_model_as_far_as_ids_go() -> None:
    """Another recipe of the same words may go on; another order of them may not."""
    tokens = (CARD.tokens[0], *reversed(CARD.tokens[1:]))
    assert identity(CARD.model_copy(update={"recipe": "another"})) == identity(CARD)
    assert identity(CARD.model_copy(update={"tokens": tokens})) != identity(CARD)
    assert identity(CARD.model_copy(update={"rhythms": CARD.rhythms[:-1]})) != identity(CARD)


def test_what_cannot_be_read_or_written_is_one_line(tmp_path: Path) -> None:
    """A folder in its place; a file where its folder would be."""
    (tmp_path / "a.json").mkdir()
    with pytest.raises(StateError, match=r"a\.json: cannot be read: Is a directory$"):
        read_memory(tmp_path / "a.json", CARD)
    with pytest.raises(StateError, match=r"a\.json: cannot be written: "):
        Keeper(tmp_path / "a.json", CARD).write(REMEMBERED)
    (tmp_path / "file").touch()
    with pytest.raises(StateError, match=r"b\.json: cannot be written: "):
        Keeper(tmp_path / "file" / "b.json", CARD).write(REMEMBERED)
    assert {path.name for path in tmp_path.iterdir()} == {"a.json", "file"}


@pytest.mark.skipif(os.geteuid() == 0, reason="root writes anywhere")
def test_a_folder_that_may_not_be_written_to(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(StateError, match=r"a\.json: cannot be written: Permission denied$"):
        Keeper(tmp_path / "a.json", CARD).write(REMEMBERED)


FULL = """
import resource, signal, sys
from pathlib import Path
from lofid.errors import StateError
from lofid.memory import Keeper
from tests.fakes import CARD
from tests.test_memory import OTHER

signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))
try:
    Keeper(Path(sys.argv[1]), CARD).write(OTHER)
except StateError as error:
    print(error)
"""


def _python(program: str, path: Path) -> "subprocess.Popen[str]":
    command = [sys.executable, "-c", program, str(path)]
    root = Path(__file__).parents[1]
    environment = {**os.environ, "PYTHONPATH": str(root)}
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)


def test_a_disk_that_is_full_leaves_what_was_there(tmp_path: Path) -> None:
    """No file may grow beyond 100 bytes here, which fails in the same place as a full disk."""
    path = tmp_path / "a.json"
    Keeper(path, CARD).write(REMEMBERED)
    said, _ = _python(FULL, path).communicate(timeout=60)
    assert said == f"{path}: cannot be written: File too large\n"
    assert read_memory(path, CARD) == REMEMBERED
    assert [file.name for file in tmp_path.iterdir()] == ["a.json"]


WRITES_FOR_EVER = """
import sys
from pathlib import Path
from lofid.memory import Keeper
from tests.fakes import CARD
from tests.test_memory import OTHER, REMEMBERED

keeper = Keeper(Path(sys.argv[1]), CARD)
while True:
    keeper.write(OTHER)
    keeper.write(REMEMBERED)
    print(flush=True)
"""


def test_kill_minus_9_leaves_a_whole_file(tmp_path: Path) -> None:
    """A process that does nothing but write is killed in the middle of it, six times."""
    path = tmp_path / "a.json"
    for round_ in range(6):
        with _python(WRITES_FOR_EVER, path) as process:
            assert process.stdout is not None
            for _ in range(3 + 5 * round_):
                process.stdout.readline()
            process.send_signal(signal.SIGKILL)
        assert read_memory(path, CARD) in (OTHER, REMEMBERED)


def test_two_threads_do_not_tear_each_others_file(tmp_path: Path) -> None:
    """A write that was begun before the end of a session, and the one at its end."""
    keeper = Keeper(tmp_path / "a.json", CARD)
    faults: list[StateError] = []

    def write(remembered: Remembered) -> None:
        try:
            for _ in range(40):
                keeper.write(remembered)
        except StateError as error:
            faults.append(error)

    threads = [threading.Thread(target=write, args=(each,)) for each in (OTHER, REMEMBERED)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not faults
    assert read_memory(tmp_path / "a.json", CARD) in (OTHER, REMEMBERED)
