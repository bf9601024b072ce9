"""A file is whole or not there, and no other is lost by its name."""

import os
from pathlib import Path

import pytest

from lofid.errors import RecordingError
from lofid.wholefile import check_folder, check_name, unused

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
