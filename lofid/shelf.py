"""``lofid keep``, ``takes`` and ``export``: what was recorded, whether lofid plays or not."""

import time
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lofid.control import ask
from lofid.errors import AbsentError, ControlError, RecordingError, told
from lofid.remote import Name, say
from lofid.span import Span

if TYPE_CHECKING:
    from lofid.library import Library
    from lofid.pieces import Piece
    from lofid.transcript import Transcript

KEEP_SECONDS = 60.0
"""How long ``keep`` waits for a lofid whose disk is slow."""
Take = Annotated[str, typer.Argument(help="A take's name, or a session's.")]


def add_to(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(keep)
    app.command()(takes)
    app.command()(export)


def keep(
    last: Annotated[str, typer.Option(help="How much: 5m, 90s, 1h30m or '16 bars'.")],
    take: Annotated[str, typer.Argument(help="A name for it; a new one if none.")] = "",
    name: Name = "lofid",
) -> None:
    """Make a take of what sounded last, though nobody recorded."""
    span = Span.parse(last)
    arguments = [last, take] if take else [last]
    try:
        print(ask(name, "keep", *arguments, patience_seconds=KEEP_SECONDS))
    except AbsentError:
        print(_keep_from_folder(_library(name), span, take))


def _keep_from_folder(library: "Library", span: Span, take: str) -> str:
    """Keep the end of the last session: nobody plays."""
    from lofid.library import kept_line, span_take  # noqa: PLC0415  # keeps 'ctl' quick
    from lofid.reading import last_moment  # noqa: PLC0415

    sessions = library.sessions()
    if not sessions:
        raise ControlError("nothing was played yet: start with 'lofid play'")
    for session in sorted(sessions, key=lambda each: _written(sessions[each][-1]), reverse=True):
        if (last := last_moment(sessions[session])) is not None:
            kept = library.keep(span_take(span, session, *last, time.time(), take))
            return kept_line(kept, f" of session {session}")
    raise RecordingError("nothing of what was played can be read: see 'lofid takes --sessions'")


def _written(piece: "Piece") -> float:
    """When it was written last, by the clock on the wall; the first of all if nobody can tell."""
    try:
        return piece.path.stat().st_mtime
    except OSError:
        return 0.0


def takes(
    take: Annotated[str, typer.Argument(help="One to be shown.")] = "",
    delete: Annotated[str | None, typer.Option(help="Delete the take of this name.")] = None,
    sessions: Annotated[bool, typer.Option("--sessions", help="List the journal's.")] = False,
    name: Name = "lofid",
) -> None:
    """List the takes; show or delete one."""
    library = _library(name)
    if delete is not None:
        if take:
            raise RecordingError(f"delete one take at a time: {delete!r} or {take!r}")
        library.delete(delete)
        print(f"deleted {delete}")
    elif take:
        for line in _described(library.transcript(take)):
            print(line)
    else:
        lines = _session_lines(library) if sessions else _take_lines(library)
        for line in lines:
            print(line)
        if not lines:
            say("no takes: 'lofid keep --last 5m' makes one of what you just heard")


def _take_lines(library: "Library") -> list[str]:
    found = library.takes(say)
    width = max((len(take.name) for take in found), default=0)
    rows = [(take, str(take.length or "to the end")) for take in found]
    return [
        f"{take.name:{width}}  {_wall(take.wall_seconds)}  {length:>14}  {take.made}"
        for take, length in rows
    ]


def _session_lines(library: "Library") -> list[str]:
    from lofid.reading import first_header  # noqa: PLC0415

    lines = []
    for session, pieces in library.sessions().items():
        header = first_header(pieces[0])
        began = "cannot be read" if header is None else _wall(header.wall_seconds)
        size = sum(map(_size, pieces))
        lines.append(f"{session}  {began}  {size / 2**20:8.1f} MB")
    return lines


def _size(piece: "Piece") -> int:
    try:
        return piece.path.stat().st_size
    except OSError:  # it is gone meanwhile
        return 0


def _wall(seconds: float) -> str:
    try:
        return datetime.fromtimestamp(seconds).astimezone().strftime("%Y-%m-%d %H:%M:%S")
    except (OSError, OverflowError, ValueError):
        return "at no known time"


def _described(found: "Transcript") -> list[str]:
    header = found.header
    by_person = sum(note.by_person for note in found.notes)
    began = header.wall_seconds + found.begin.seconds - header.seconds
    rows = {
        "session": header.session,
        "began": _wall(began),
        "length": str(Span(seconds=found.end.seconds - found.begin.seconds)),
        "notes": f"{len(found.notes) - by_person} of lofid's, {by_person} of yours",
        "tempo": " → ".join(dict.fromkeys(f"{tempo.bpm:g}" for tempo in found.tempos)),
        "key": " → ".join(dict.fromkeys(key.text for key in found.keys)),
        "seed": str(header.seed),
        "model": str(header.model.get("recipe", "")),
        "marks": ", ".join(mark.text for mark in found.marks) or "-",
    }
    return [*(f"{what:8} {text}" for what, text in rows.items()), *found.faults]


def export(  # noqa: PLR0913, PLR0917  # one parameter for each flag
    take: Take,
    file: Annotated[Path, typer.Argument(help="The file to make; its name says what it is.")],
    format_: Annotated[
        str | None, typer.Option("--format", help="midi, musicxml, png, wav or flac.")
    ] = None,
    straight: Annotated[bool, typer.Option("--straight", help="Without lofid's swing.")] = False,
    audio: Annotated[bool, typer.Option("--audio", help="Sound (WAV) through FluidSynth.")] = False,
    sound_font: Annotated[Path | None, typer.Option(help="For sound: an .sf2 or .sf3.")] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace a file.")] = False,
    name: Name = "lofid",
) -> None:
    """Make a MIDI file of a take, or notation, a picture or sound."""
    from lofid.exporting import (  # noqa: PLC0415
        KINDS,
        clean_up_when_ended,
        export_take,
        give_way,
        kind_of,
    )

    if format_ is not None and format_ not in KINDS:
        raise RecordingError(f"{format_!r} is no format: {', '.join(KINDS)} are")
    if audio and (format_ or kind_of(file, "wav")) not in ("wav", "flac"):
        raise RecordingError(f"{told(file)}: is no name for sound: let it end in .wav or .flac")
    kind = format_ or (kind_of(file, "wav") if audio else None)
    clean_up_when_ended()
    give_way()
    faults = export_take(
        _library(name), take, file, kind,
        straight=straight, sound_font=sound_font, overwrite=overwrite,
    )  # fmt: skip
    for line in faults:
        say(line)
    print(f"exported {take} to {told(file)}")


def _library(name: str) -> "Library":
    from lofid.library import Library  # noqa: PLC0415  # keeps 'ctl' quick
    from lofid.pieces import journal_folder  # noqa: PLC0415

    return Library(journal_folder(name))
