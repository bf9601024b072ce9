"""Safekeeping: a file is whole, its owner's alone, and a link stays a link."""

import os
import threading
from pathlib import Path

import pytest

from lofid import safekeeping
from lofid.safekeeping import locked, read_whole, replace_whole, set_aside


def test_what_is_put_is_read(tmp_path: Path) -> None:
    """The folder is made; only the owner may read; nothing else is left."""
    path = tmp_path / "new" / "a.json"
    for data in (b"one", b"two"):
        replace_whole(path, data)
        assert read_whole(path, 100) == data
    assert read_whole(path, 2) == b"tw"
    assert path.stat().st_mode & 0o777 == 0o600
    assert os.listdir(path.parent) == ["a.json"]


def test_a_link_is_followed_and_one_in_the_unfinished_files_place_is_not(tmp_path: Path) -> None:
    target, precious = tmp_path / "elsewhere" / "b.json", tmp_path / "precious"
    target.parent.mkdir()
    (target.parent / "b.json.part").symlink_to(precious)
    precious.write_text("mine")
    (tmp_path / "a.json").symlink_to(target)
    replace_whole(tmp_path / "a.json", b"new")
    assert (tmp_path / "a.json").readlink() == target
    assert target.read_bytes() == b"new"
    assert os.listdir(target.parent) == ["b.json"]
    assert precious.read_text() == "mine"


@pytest.mark.parametrize("kind", ["folder", "pipe"])
def test_what_is_no_regular_file_is_refused_at_once(tmp_path: Path, kind: str) -> None:
    """A pipe that nobody writes to would be waited for without end."""
    path = tmp_path / "a.json"
    path.mkdir() if kind == "folder" else os.mkfifo(path)
    with pytest.raises(OSError, match=r"Is a directory|Not a regular file"):
        read_whole(path, 100)


def test_what_is_set_aside_replaces_nothing(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    for name in ("a.json.bad", "a.json.bad1", "a.json.bad2"):
        path.write_text(name)
        assert set_aside(path) == tmp_path / name
    assert sorted(os.listdir(tmp_path)) == ["a.json.bad", "a.json.bad1", "a.json.bad2"]
    assert (tmp_path / "a.json.bad1").read_text() == "a.json.bad1"


def test_one_holds_the_lock_at_a_time(tmp_path: Path) -> None:
    """Eight threads read a number and write the next one: none is lost."""
    path = tmp_path / "count"
    replace_whole(path, b"0")

    def count() -> None:
        for _ in range(5):
            with locked(path):
                replace_whole(path, b"%d" % (int(read_whole(path, 10)) + 1))

    threads = [threading.Thread(target=count) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert read_whole(path, 10) == b"40"


def test_a_lock_that_is_held_on_is_not_waited_for_without_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(safekeeping, "LOCK_SECONDS", 0.05)
    path = tmp_path / "a.json"
    with locked(path), pytest.raises(TimeoutError, match="another lofid holds it"), locked(path):
        pass
    with locked(path):
        pass
