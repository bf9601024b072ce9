"""From a recorded session to a file: MIDI, notation, a picture, sound; by the file's name.

Rules:

* A file appears whole or not at all, and never in the place of another one unless that is asked.
* What cannot be done is said in one line, and before the work where that is possible.
* All of it holds the interpreter for long: ``python -m lofid.exporting FOLDER TAKE FILE`` does it
  in a process of its own, at the lowest priority there is. The engine's process never does it.
"""

import argparse
import importlib.util
import os
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from lofid.account import session_of
from lofid.audio import check_wav_length, find_sound, write_audio
from lofid.errors import RecordingError, told
from lofid.library import Library
from lofid.midifile import midi_bytes
from lofid.music import BAR_TICKS
from lofid.session import Session
from lofid.straight import straightened
from lofid.wholefile import check_target, whole_file

KINDS = {
    "midi": (".mid", ".midi"),
    "musicxml": (".musicxml", ".xml"),
    "png": (".png",),
    "wav": (".wav",),
    "flac": (".flac",),
}
"""What can be made, and how such files' names end."""
MOST_BARS = {"musicxml": (512, "to be written down"), "png": (256, "for a picture")}
"""What is longer would take minutes, and nobody could read it."""
LOWEST_PRIORITY = 19
ENDING_SIGNALS = [getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]
"""What ends a program from outside: a person, a closed terminal. Windows has one of the two."""
Writer = Callable[[Session, Path, str, Path | None], None]
"""Gets the session, the file to write, a title and a sound font."""


def export(
    session: Session,
    path: Path,
    kind: str | None = None,
    *,
    straight: bool = False,
    sound_font: Path | None = None,
    overwrite: bool = False,
) -> Path:
    """Write a session to ``path``: as ``kind``, one of KINDS, or as the name ends. Gives the path.

    ``straight`` takes lofid's swing out; notation never has it. ``sound_font`` is for sound; one
    is looked for if there is none. A file that is there is replaced only with ``overwrite``.

    RecordingError, one line, for whatever goes wrong. Blocks, for up to minutes.
    """
    kind = kind or kind_of(path)
    check_export(path, kind, session, sound_font=sound_font, overwrite=overwrite)
    session = straightened(session) if straight else session
    with whole_file(path, overwrite=overwrite) as unfinished, _telling_of(path):
        _WRITERS[kind](session, unfinished, _title(path), sound_font)
    return path


def export_take(
    library: Library,
    name: str,
    path: Path,
    kind: str | None = None,
    *,
    straight: bool = False,
    sound_font: Path | None = None,
    overwrite: bool = False,
) -> tuple[str, ...]:
    """Write a take, or a session, to a file. Gives a line for each thing that could not be read.

    All else as :func:`export`.
    """
    kind = kind or kind_of(path)
    check_export(path, kind, sound_font=sound_font, overwrite=overwrite)
    transcript = library.transcript(name)
    try:
        session = session_of(transcript)
    except ValueError as error:
        raise RecordingError(f"{told(path)}: {name} has what no file can say: {error}") from error
    export(session, path, kind, straight=straight, sound_font=sound_font, overwrite=overwrite)
    return transcript.faults


def give_way() -> None:
    """Let everybody else go first from now on: for a process that does nothing but export."""
    if hasattr(os, "nice"):
        os.nice(LOWEST_PRIORITY)


def clean_up_when_ended() -> None:
    """End on SIGTERM and SIGHUP as on an error: no file and no program is left behind.

    Main thread only. What is ignored, as under ``nohup``, stays so.
    """
    for number in ENDING_SIGNALS:
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _end)


def _end(number: int, _frame: FrameType | None) -> None:
    for other in ENDING_SIGNALS:
        signal.signal(other, signal.SIG_IGN)  # nothing interrupts the cleaning up
    sys.exit(128 + number)


def kind_of(path: Path, otherwise: str | None = None) -> str:
    """What a file of this name is to be, one of KINDS; RecordingError unless something else is."""
    found = (kind for kind, suffixes in KINDS.items() if path.suffix.lower() in suffixes)
    kind = next(found, otherwise)
    if kind is None:
        known = ", ".join(suffixes[0] for suffixes in KINDS.values())
        raise RecordingError(f"{told(path)}: what is that to be? Names end in {known}")
    return kind


def check_export(
    path: Path,
    kind: str,
    session: Session | None = None,
    *,
    sound_font: Path | None = None,
    overwrite: bool = False,
) -> None:
    """RecordingError for what can be found before the work: the name, what is missing, the length.

    Of a ``session`` only its end and its tempos count here; it may be one to be filled yet.
    """
    check_target(path, overwrite=overwrite)
    with _telling_of(path):
        _check_tools(kind, sound_font)
        if session is not None:
            _check_length(kind, session)


def _check_tools(kind: str, sound_font: Path | None) -> None:
    if kind == "png" and importlib.util.find_spec("matplotlib") is None:
        raise RecordingError("a picture needs matplotlib: pip install 'lofid[export]'")
    if kind in ("wav", "flac"):
        find_sound(sound_font)


def _check_length(kind: str, session: Session) -> None:
    if kind == "wav":
        check_wav_length(session)
    bar_count = -(-session.end_tick // BAR_TICKS)
    most, purpose = MOST_BARS.get(kind, (bar_count, ""))
    if bar_count > most:
        what = f"{bar_count} bars are too many {purpose}, {most} are the most"
        raise RecordingError(f"{what}; export a shorter take")


@contextmanager
def _telling_of(path: Path) -> Iterator[None]:
    """Say which file could not be made."""
    try:
        yield
    except RecordingError as error:
        raise RecordingError(f"{told(path)}: {error}") from error


def _title(path: Path) -> str:
    return "".join(letter for letter in path.stem if letter.isprintable())


def _write_midi(session: Session, path: Path, _title: str, _font: Path | None) -> None:
    path.write_bytes(midi_bytes(session))


def _write_musicxml(session: Session, path: Path, title: str, _font: Path | None) -> None:
    from lofid.notation import musicxml_bytes  # noqa: PLC0415  # imports music21

    path.write_bytes(musicxml_bytes(session, title))


def _write_png(session: Session, path: Path, title: str, _font: Path | None) -> None:
    from lofid.pianoroll import png_bytes  # noqa: PLC0415  # imports matplotlib

    path.write_bytes(png_bytes(session, title))


def _write_wav(session: Session, path: Path, _title: str, font: Path | None) -> None:
    write_audio(session, path, "wav", font)


def _write_flac(session: Session, path: Path, _title: str, font: Path | None) -> None:
    write_audio(session, path, "flac", font)


_WRITERS: dict[str, Writer] = {
    "midi": _write_midi,
    "musicxml": _write_musicxml,
    "png": _write_png,
    "wav": _write_wav,
    "flac": _write_flac,
}


def main(arguments: Sequence[str]) -> int:
    """``python -m lofid.exporting FOLDER TAKE FILE``: see ``--help``. Gives the exit status."""
    wanted = _parser().parse_args(arguments)
    clean_up_when_ended()
    give_way()
    try:
        export_take(
            Library(wanted.folder), wanted.take, wanted.file, wanted.format,
            straight=wanted.straight, sound_font=wanted.sound_font, overwrite=wanted.overwrite,
        )  # fmt: skip
    except RecordingError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("python -m lofid.exporting")
    parser.add_argument("folder", type=Path, help="where the journal is")
    parser.add_argument("take", help="the name of a take, or of a session")
    parser.add_argument("file", type=Path, help="the file to make; its name says what it is")
    parser.add_argument("--format", choices=KINDS, help="what it is, whatever its name")
    parser.add_argument("--straight", action="store_true", help="without lofid's swing")
    parser.add_argument("--sound-font", type=Path, help="for sound: an .sf2 or .sf3 file")
    parser.add_argument("--overwrite", action="store_true", help="also where a file is already")
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
