"""A file is whole or not there, and no other is lost by its name."""

import errno
import os
from pathlib import Path

import pytest

from lofid.errors import RecordingError
from lofid.wholefile import check_folder, check_name, check_target, unused, whole_file, write_whole

UNUSABLE = [
    ("", r"\.: is a folder; give another name"),
    (".", r"\.: is a folder; give another name"),
    ("/", r"/: is a folder; give another name"),
    ("folder", r"\S*: is a folder; give another name"),
    ("x" * 300, r"x{300}: cannot be written: File name too long; give another name"),
    ("a\0b.mid", r"'a\\x00b\.mid': no file can be called so \(embedded null byte\)[^\n]*"),
    ("a\nb\0.mid", r"'a\\nb\\x00\.mid': no file can be called so [^\n]*"),
    ("\ud800.mid", r"'\\ud800\.mid': no file can be called so [^\n]*"),
    ("file/a.mid", r"file/a\.mid: cannot be written: Not a directory; give another name"),
    ("pipe", r"pipe: is no regular file; give another name"),
]


@pytest.mark.skipif(os.name != "posix", reason="other systems have other names and words")
@pytest.mark.parametrize(("name", "told"), UNUSABLE, ids=[repr(name[:9]) for name, _ in UNUSABLE])
def test_what_can_be_no_file_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, told: str
) -> None:
    """Also by who looks for an unused name; nothing is left behind."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").touch()
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(RecordingError, match=rf"\A{told}\Z"):
        check_name(Path(name))
    with pytest.raises(RecordingError, match=rf"\A{told}\Z"):
        unused(Path(name))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "folder", "pipe"]


def test_a_missing_folder_is_told(tmp_path: Path) -> None:
    with pytest.raises(RecordingError, match="make that folder or choose another one") as caught:
        check_folder(tmp_path / "nowhere" / "take.mid")
    assert str(tmp_path / "nowhere" / "take.mid") in str(caught.value)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root writes anywhere")
def test_a_locked_folder_is_told(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(RecordingError, match="Permission denied"):
        check_folder(tmp_path / "take.mid")


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


def no_links(*_: object) -> None:
    """As on FAT."""
    raise PermissionError(errno.EPERM, "Operation not permitted")


@pytest.mark.parametrize("has_links", [True, False])
def test_what_comes_while_it_is_written_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, has_links: bool
) -> None:
    """At the last moment, too: when all is on the disk."""
    path = tmp_path / "take.mid"
    really = os.fsync

    def other_comes(number: int) -> None:
        really(number)
        path.write_bytes(b"other")

    monkeypatch.setattr(os, "fsync", other_comes)
    if not has_links:
        monkeypatch.setattr(os, "link", no_links)
    with (
        pytest.raises(RecordingError, match=r"take\.mid: is there already; give another name"),
        whole_file(path, overwrite=False) as unfinished,
    ):
        unfinished.write_bytes(b"mine")
    assert path.read_bytes() == b"other"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("has_links", [True, False])
def test_a_file_of_a_new_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, has_links: bool
) -> None:
    if not has_links:
        monkeypatch.setattr(os, "link", no_links)
    path = tmp_path / "take.mid"
    with whole_file(path, overwrite=False) as unfinished:
        unfinished.write_bytes(b"mine")
    assert path.read_bytes() == b"mine"
    assert list(tmp_path.iterdir()) == [path]


def test_a_link_that_leads_nowhere_is_a_name_that_is_taken(tmp_path: Path) -> None:
    """Whoever put it there wants a file at its other end, not in its place."""
    (path := tmp_path / "take.mid").symlink_to(tmp_path / "elsewhere.mid")
    with pytest.raises(RecordingError, match="is there already"):
        check_target(path, overwrite=False)
    with (
        pytest.raises(RecordingError, match="is there already"),
        whole_file(path, overwrite=False) as unfinished,
    ):
        unfinished.write_bytes(b"mine")
    assert unused(path) == tmp_path / "take-2.mid"
    assert [found.name for found in tmp_path.iterdir()] == ["take.mid"]


@pytest.mark.parametrize("is_there", [True, False])
def test_what_a_link_leads_to_is_replaced(tmp_path: Path, is_there: bool) -> None:
    """Also on another file system: it is written beside that."""
    (elsewhere := tmp_path / "elsewhere").mkdir()
    (path := tmp_path / "take.mid").symlink_to(Path("elsewhere") / "real.mid")
    if is_there:
        (elsewhere / "real.mid").write_bytes(b"before")
    check_target(path, overwrite=True)
    with whole_file(path) as unfinished:
        assert unfinished.parent == elsewhere
        unfinished.write_bytes(b"mine")
    assert path.is_symlink()
    assert (elsewhere / "real.mid").read_bytes() == b"mine"
    assert len(list(elsewhere.iterdir())) == 1


def test_a_link_into_a_missing_folder_is_told(tmp_path: Path) -> None:
    (path := tmp_path / "take.mid").symlink_to(tmp_path / "nowhere" / "real.mid")
    with pytest.raises(RecordingError, match="No such file or directory"):
        check_target(path, overwrite=True)
    with pytest.raises(RecordingError, match=r"take\.mid: cannot be written: No such file"):
        write_whole(path, b"mine")
