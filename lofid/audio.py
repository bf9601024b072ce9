"""A session as sound, through FluidSynth where it is installed. Nothing is downloaded."""

import os
import shutil
import stat
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from itertools import pairwise
from pathlib import Path

from lofid.errors import RecordingError, told
from lofid.midifile import midi_bytes
from lofid.music import TICKS_PER_QUARTER
from lofid.session import Session

SAMPLES_PER_SECOND = 44100
LONGEST_WAV_SECONDS = (2**32 - 4096) // (SAMPLES_PER_SECOND * 4)
"""A .wav counts its bytes in 32 bits: 6.8 hours of stereo."""
GAIN = "0.6"
SOUND_FONT_FOLDERS = (
    "~/.local/share/soundfonts",
    "~/.local/share/sounds/sf2",
    "/usr/share/sounds/sf2",
    "/usr/share/soundfonts",
    "/usr/local/share/soundfonts",
    "/usr/share/sounds/sf3",
    "/opt/homebrew/share/soundfonts",
)
_WHEN_TOLD = ["sh", "-c", 'read -r _ && exec "$@"', "sh"] if os.name == "posix" else []
"""Begins a program once it gets a line: by then, whoever is ended from outside also ends that."""
_BEST = ("default.sf2", "default-gm.sf2", "fluidr3_gm.sf2", "generaluser", "timgm6mb.sf2")
_SUFFIXES = (".sf2", ".sf3")


def write_audio(session: Session, path: Path, kind: str, sound_font: Path | None) -> None:
    """Have FluidSynth play the session into a file of ``kind`` ``wav`` or ``flac``, at 44.1 kHz.

    Blocks for as long as that takes. RecordingError where FluidSynth or a sound font is missing,
    or where FluidSynth fails.
    """
    program, font = find_sound(sound_font)
    with tempfile.TemporaryDirectory(prefix="lofid-") as folder:
        (song := Path(folder) / "session.mid").write_bytes(midi_bytes(session))
        # Nothing of the user's own settings, which may be those of a silent FluidSynth.
        options = ["-f", os.devnull, "-n", "-i", "-q", "-g", GAIN, "-r", str(SAMPLES_PER_SECOND)]
        output = ["-T", kind, "-O", "s16", "-F", str(path)]
        _run([program, *options, *output, str(font), str(song)], path)


def find_sound(sound_font: Path | None) -> tuple[str, Path]:
    """Give FluidSynth and the sound font to be used, as an absolute path. RecordingError if none.

    ``sound_font`` is the one that is asked for; else one is looked for.
    """
    program = shutil.which("fluidsynth")
    if program is None:
        advice = "install FluidSynth (Debian: fluidsynth, Homebrew: fluid-synth)"
        raise RecordingError(f"there is no FluidSynth to make sound with; {advice}")
    font = find_sound_font() if sound_font is None else _checked(sound_font)
    return program, font.absolute()


def check_wav_length(session: Session) -> None:
    """RecordingError where a session is longer than a .wav can be."""
    if seconds_of(session) > LONGEST_WAV_SECONDS:
        hours = f"{LONGEST_WAV_SECONDS / 3600:.1f} hours"
        raise RecordingError(f"is longer than a .wav can be, which is {hours}; make a .flac")


def _run(command: list[str], path: Path) -> None:
    """FluidSynth leaves with 0 whatever happens: what tells is the file, and what it said."""
    try:
        ended = subprocess.run(
            [*_WHEN_TOLD, *command], input="\n", capture_output=True, check=False,
            encoding="utf-8", errors="replace", env={**os.environ, "LC_ALL": "C"},
        )  # fmt: skip
    except OSError as error:
        raise RecordingError(f"FluidSynth cannot be started: {error.strerror}") from error
    said = [line for line in (ended.stdout + ended.stderr).splitlines() if "rror" in line]
    size = 0
    with suppress(OSError):
        size = path.stat().st_size
    if ended.returncode or said or not size:
        why = said[0].strip() if said else f"exit {ended.returncode}"
        raise RecordingError(f"FluidSynth could not make it ({why})")


def seconds_of(session: Session) -> float:
    """How long the session lasts, by its tempos; 120 beats per minute where it has none."""
    changes = [(0, 120.0), *session.tempos, (session.end_tick, 0.0)]
    spans = [(after - tick, bpm) for (tick, bpm), (after, _) in pairwise(changes)]
    return sum(ticks / TICKS_PER_QUARTER * 60 / bpm for ticks, bpm in spans)


def find_sound_font() -> Path:
    """Find a General MIDI sound font in the usual places. RecordingError when there is none."""
    fonts = list(_sound_fonts())
    if not fonts:
        advice = "install one (Debian: fluid-soundfont-gm) or say where it is"
        where = "the usual places, such as /usr/share/sounds/sf2"
        raise RecordingError(f"there is no sound font in {where}; {advice}")
    return min(fonts, key=_rank)


def _sound_fonts() -> Iterator[Path]:
    for name in SOUND_FONT_FOLDERS:
        with suppress(OSError):
            folder = Path(name).expanduser()
            fonts = (p for p in folder.iterdir() if p.suffix.lower() in _SUFFIXES)
            yield from sorted(font for font in fonts if font.is_file())


def _rank(font: Path) -> int:
    known = [index for index, name in enumerate(_BEST) if font.name.lower().startswith(name)]
    return known[0] if known else len(_BEST)


def _checked(font: Path) -> Path:
    """RecordingError unless there is a file that says that it is a sound font."""
    try:
        is_regular = stat.S_ISREG(font.stat().st_mode)  # a pipe would be waited for, for ever
        head = _head(font) if is_regular else b""
    except OSError as error:
        raise RecordingError(f"{told(font)}: cannot be read: {error.strerror}") from error
    if head[:4] != b"RIFF" or head[8:] != b"sfbk":
        raise RecordingError(f"{told(font)}: is no sound font; give an .sf2 or .sf3 file")
    return font


def _head(font: Path) -> bytes:
    with font.open("rb") as file:
        return file.read(12)
