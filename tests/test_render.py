"""A rendered file is made as any other: its name says what it is."""

from pathlib import Path

import mido
import pytest

from lofid import audio
from lofid.errors import RecordingError
from lofid.music import Key
from lofid.predictor import Predictor, default_model_path
from lofid.render import render
from lofid.settings import Music, Settings
from tests.lofidprocess import run

FEW = ("--bars", "2", "--seed", "7")


def test_the_name_says_what_it_is(tmp_path: Path) -> None:
    """Notation, or a MIDI file; also where the name does not say, or a file is there."""
    for name in ("a.musicxml", "a", "a"):
        assert run(tmp_path, "render", name, *FEW).returncode == 0
    assert (tmp_path / "a.musicxml").read_bytes().startswith(b"<?xml")
    assert mido.MidiFile(tmp_path / "a").type == 1


def test_the_seed_is_marked(tmp_path: Path) -> None:
    assert run(tmp_path, "render", "a.mid", *FEW).returncode == 0
    marks = [m for m in mido.MidiFile(tmp_path / "a.mid").tracks[0] if m.type == "marker"]
    assert [m.text for m in marks] == ["seed 7"]


@pytest.mark.parametrize(
    ("name", "bars", "said"),
    [
        ("a.png", 257, "257 bars are too many for a picture, 256 are the most"),
        ("a.xml", 513, "513 bars are too many to be written down, 512 are the most"),
        ("a.wav", 9999, "is longer than a .wav can be, which is 6.8 hours|there is no FluidSynth"),
        ("a.flac", 9999, "there is no sound font in the usual places|there is no FluidSynth"),
        ("folder.png", 1, "is a folder; give another name"),
    ],
)
def test_what_cannot_be_made_is_told_before_a_bar_is_composed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, bars: int, said: str
) -> None:
    """Composing may take hours, and the music would be lost."""
    (tmp_path / "folder.png").mkdir()
    fonts = [tmp_path / "x.sf2"] if name == "a.wav" else []
    monkeypatch.setattr(audio, "_sound_fonts", lambda: iter(fonts))
    settings = Settings(music=Music(tempo=40.0))
    composed: list[int] = []
    with pytest.raises(RecordingError, match=f"{name}: ({said})"):
        render(Predictor(default_model_path(), "cpu"), settings, 7, bars, tmp_path / name,
               composed.append)  # fmt: skip
    assert composed == []
    assert [path.name for path in tmp_path.iterdir()] == ["folder.png"]


def test_the_key_that_it_played_in_is_told(tmp_path: Path) -> None:
    """Where the settings leave it open, too: that of the file's signature."""
    answer = run(tmp_path, "render", "a.mid", *FEW, "--key", "auto")
    conductor = mido.MidiFile(tmp_path / "a.mid").tracks[0]
    (signature,) = (m.key for m in conductor if m.type == "key_signature")
    told = Key.parse(answer.stderr.split(", ")[2])
    assert Key.parse(signature) == told
