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
import stat
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from lofid.account import session_of
from lofid.audio import write_audio
from lofid.errors import RecordingError, told
from lofid.library import Library
from lofid.midifile import midi_bytes
from lofid.session import Session
from lofid.straight import straightened
from lofid.wholefile import whole_file

KINDS = {
    "midi": (".mid", ".midi"),
    "musicxml": (".musicxml", ".xml"),
    "png": (".png",),
    "wav": (".wav",),
    "flac": (".flac",),
}
"""What can be made, and how such files' names end."""
LOWEST_PRIORITY = 19
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
    writer = _WRITERS[kind or _kind_of(path)]
    _check_target(path, overwrite)
    session = straightened(session) if straight else session
    with whole_file(path) as unfinished:
        try:
            writer(session, unfinished, _title(path), sound_font)
        except RecordingError as error:
            raise RecordingError(f"{told(path)}: {error}") from error
        # Another one may have come meanwhile.
        _check_target(path, overwrite)
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
    _check_target(path, overwrite)
    transcript = library.transcript(name)
    export(
        session_of(transcript), path, kind,
        straight=straight, sound_font=sound_font, overwrite=overwrite,
    )  # fmt: skip
    return transcript.faults


def give_way() -> None:
    """Let everybody else go first from now on: for a process that does nothing but export."""
    if hasattr(os, "nice"):
        os.nice(LOWEST_PRIORITY)


def kind_of(path: Path, otherwise: str | None = None) -> str:
    """What a file of this name is to be, one of KINDS; RecordingError unless something else is."""
    try:
        return _kind_of(path)
    except RecordingError:
        if otherwise is None:
            raise
        return otherwise


def _kind_of(path: Path) -> str:
    found = [kind for kind, suffixes in KINDS.items() if path.suffix.lower() in suffixes]
    if not found:
        known = ", ".join(suffixes[0] for suffixes in KINDS.values())
        raise RecordingError(f"{told(path)}: what is that to be? Names end in {known}")
    return found[0]


def _title(path: Path) -> str:
    return "".join(letter for letter in path.stem if letter.isprintable())


def _check_target(path: Path, overwrite: bool) -> None:
    """RecordingError unless such a file can be made here, and none would be lost."""
    try:
        tempfile.TemporaryFile(dir=path.parent).close()
        found = _status(path)
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else error
        raise RecordingError(f"{told(path)}: cannot be written: {why}") from error
    if found is not None and not stat.S_ISREG(found.st_mode):
        raise RecordingError(f"{told(path)}: is no regular file; give another name")
    if found is not None and not overwrite:
        raise RecordingError(f"{told(path)}: is there already; give another name, or overwrite it")


def _status(path: Path) -> os.stat_result | None:
    try:
        return path.stat()
    except FileNotFoundError:
        return None


def _write_midi(session: Session, path: Path, _title: str, _font: Path | None) -> None:
    path.write_bytes(midi_bytes(session))


def _write_musicxml(session: Session, path: Path, title: str, _font: Path | None) -> None:
    from lofid.notation import musicxml_bytes  # noqa: PLC0415  # imports music21

    path.write_bytes(musicxml_bytes(session, title))


def _write_png(session: Session, path: Path, title: str, _font: Path | None) -> None:
    if importlib.util.find_spec("matplotlib") is None:
        raise RecordingError("a picture needs matplotlib: pip install 'lofid[export]'")
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
    # Ended from outside, it still takes its unfinished file away.
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
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
