"""Which files are read, which are not, and under which names."""

import hashlib
import os
from pathlib import Path

from training.sources import Skipped, find


def lay_out(root: Path, **files: str) -> Path:
    """Write files into a new folder; a double underscore in a name stands for the dot."""
    root.mkdir()
    for name, content in files.items():
        (root / name.replace("__", ".")).write_text(content)
    return root


def test_names_begin_with_the_folder_that_was_asked_for(tmp_path: Path) -> None:
    """However deep the file lies; in the order of names."""
    songs = lay_out(tmp_path / "songs", b__mid="b", a__abc="a")
    lay_out(songs / "deep", c__xml="c")
    sources, skipped = find([songs])
    assert [source.name for source in sources] == ["songs/a.abc", "songs/b.mid", "songs/deep/c.xml"]
    assert skipped == []


def test_a_source_knows_its_content(tmp_path: Path) -> None:
    """The hash is of the bytes, the kind is what music21 goes by."""
    (source,), _ = find([lay_out(tmp_path / "songs", a__MIDI="bytes")])
    assert source.sha256 == hashlib.sha256(b"bytes").hexdigest()
    assert (source.kind, source.bytes) == (".mid", 5)


def test_the_same_bytes_are_read_once(tmp_path: Path) -> None:
    """The first name stays; the other one says of which it is a copy."""
    songs = lay_out(tmp_path / "songs", b__mid="same", a__midi="same")
    sources, skipped = find([songs])
    assert [source.name for source in sources] == ["songs/a.midi"]
    assert skipped == [Skipped("songs/b.mid", "the same bytes as another", "songs/a.midi")]


def test_a_folder_given_twice_is_walked_once(tmp_path: Path) -> None:
    """The same file is not a copy of itself, and nothing is skipped twice."""
    songs = lay_out(tmp_path / "songs", a__mid="a", notes__txt="n")
    sources, skipped = find([songs, songs])
    assert [source.name for source in sources] == ["songs/a.mid"]
    assert skipped == [Skipped("songs/notes.txt", "not a music file")]


def test_the_order_of_folders_does_not_matter(tmp_path: Path) -> None:
    """The same corpus, whichever way round they are given."""
    one = lay_out(tmp_path / "one", a__mid="same", x__txt="x")
    two = lay_out(tmp_path / "two", a__mid="same", b__mid="b")
    assert find([one, two]) == find([two, one])


def test_what_is_no_music_is_skipped(tmp_path: Path) -> None:
    """Each with the reason it is grouped under."""
    songs = lay_out(tmp_path / "songs", README__md="read me", empty__mid="")
    lay_out(songs / "x.mid")
    (songs / "loop").symlink_to(songs)
    (songs / "self.mid").symlink_to("self.mid")
    (songs / "broken.mid").symlink_to("nowhere")
    os.mkfifo(songs / "pipe.mid")
    irregular = "not a regular file (a broken link, a pipe, a device)"
    assert find([songs]) == (
        [],
        [
            Skipped("songs/README.md", "not a music file"),
            Skipped("songs/broken.mid", irregular),
            Skipped("songs/empty.mid", "empty file"),
            Skipped("songs/loop", "a link to a folder is not followed"),
            Skipped("songs/pipe.mid", irregular),
            Skipped("songs/self.mid", irregular),
            Skipped("songs/x.mid", "a folder, whatever its name says"),
        ],
    )


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    """It is named in full, for it may be a slip of the pen."""
    missing = tmp_path / "nowhere"
    assert find([missing]) == ([], [Skipped(str(missing), "no such folder")])


def test_a_file_may_be_given_too(tmp_path: Path) -> None:
    """It has its own name only."""
    songs = lay_out(tmp_path / "songs", a__mid="a")
    (source,), _ = find([songs / "a.mid"])
    assert source.name == "a.mid"


def test_a_link_to_a_file_is_read(tmp_path: Path) -> None:
    """Only folders are not followed."""
    songs = lay_out(tmp_path / "songs")
    (tmp_path / "real").write_text("a")
    (songs / "a.mid").symlink_to(tmp_path / "real")
    (source,), _ = find([songs])
    assert source.name == "songs/a.mid"


def test_more_bytes_than_any_score(tmp_path: Path) -> None:
    """A file of 16 MiB and more is not opened."""
    songs = lay_out(tmp_path / "songs")
    with (songs / "big.mid").open("wb") as file:
        file.truncate(16 * 2**20 + 1)
    assert find([songs]) == ([], [Skipped("songs/big.mid", "absurdly long", "over 16 MiB")])


def test_a_name_that_is_not_text(tmp_path: Path) -> None:
    """What is not UTF-8 is shown as a replacement character; the file is read all the same."""
    songs = lay_out(tmp_path / "songs")
    (songs / os.fsdecode(b"caf\xe9.mid")).write_text("a")
    (source,), _ = find([songs])
    assert source.name == "songs/caf\ufffd.mid"
    assert source.path.read_text() == "a"
