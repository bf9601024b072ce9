"""``lofid ctl``: the commands that talk to the lofid that is playing."""

import contextlib
import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from lofid.control import ask
from lofid.errors import LofidError

ctl = typer.Typer(help="Talk to the lofid that is playing.", no_args_is_help=True)
record = typer.Typer(help="Record what sounds to a MIDI file.", no_args_is_help=True)
ctl.add_typer(record, name="record")

LEARN_SECONDS = 40.0
"""More than the daemon waits for a controller."""
CONVERSION_SECONDS = 600.0
"""How long 'record stop' waits for its MIDI file: a long take is minutes of music21's work."""
READING_SECONDS = 60.0
"""How long 'seed' waits: lofid itself gives a file half of that."""

Name = Annotated[str, typer.Option(help="Name of the lofid to talk to.")]


def say(line: str) -> None:
    """Tell a person one line, on stderr; nobody, where that is a full disk or a closed pipe."""
    with contextlib.suppress(OSError):  # the music is worth more than the line
        print(line, file=sys.stderr, flush=True)


@ctl.command("status")
def status(name: Name = "lofid", json_: Annotated[bool, typer.Option("--json")] = False) -> None:
    """Show what is playing, how late, and at what cost."""
    answer: dict[str, Any] = ask(name, "status")
    if json_:
        Console().print_json(data=answer)
        return
    for key, value in answer.items():
        print(f"{key:16} {_plain(value)}")


def _plain(value: object) -> str:
    if isinstance(value, dict) and value:
        return ", ".join(f"{key} {part}" for key, part in value.items())
    return "-" if value in (None, "", {}) else str(value)


@ctl.command("set")
def set_(setting: str, value: str, name: Name = "lofid") -> None:
    """Change a setting while playing: 'set tempo 76', 'set key "F minor"'."""
    print(ask(name, "set", setting, value))


@ctl.command()
def stop(name: Name = "lofid") -> None:
    """Stop the music where it is; lofid stays."""
    print(ask(name, "stop"))


@ctl.command()
def start(name: Name = "lofid") -> None:
    """Play from the next bar line; MIDI clock's listeners get Start."""
    print(ask(name, "start"))


@ctl.command("continue")
def continue_(name: Name = "lofid") -> None:
    """Play on from where the music stopped."""
    print(ask(name, "continue"))


@ctl.command()
def panic(name: Name = "lofid") -> None:
    """End every note now; the music goes on."""
    print(ask(name, "panic"))


@ctl.command()
def seed(
    file: Annotated[Path, typer.Argument(help="The MIDI file whose end the music goes on from.")],
    name: Name = "lofid",
) -> None:
    """Go on from a MIDI file instead of what was played until now."""
    print(ask(name, "seed", str(file.absolute()), patience_seconds=READING_SECONDS))


@ctl.command()
def forget(name: Name = "lofid") -> None:
    """Forget what was played until now: what comes next is the beginning of a piece."""
    print(ask(name, "forget"))


@ctl.command()
def toggle(name: Name = "lofid") -> None:
    """Stop the music where it is, or play on from there."""
    print(ask(name, "toggle"))


@ctl.command()
def learn(
    what: Annotated[list[str], typer.Argument(help="Such as tempo, mode answer or record.")],
    forget: Annotated[bool, typer.Option("--forget", help="Nothing is to do it any more.")] = False,
    name: Name = "lofid",
) -> None:
    """Have the knob, pedal, pad or program button that is moved next do something."""
    from lofid.deeds import Deed  # noqa: PLC0415  # keeps the other commands quick

    deed = Deed.parse(" ".join(what))
    if forget:
        print(ask(name, "unlearn", str(deed)))
        return
    how = "turn a knob or move a slider" if deed.is_swept else "press a pad, pedal or button"
    say(f"{how} for {str(deed)!r}; Ctrl-C calls it off")
    try:
        print(ask(name, "learn", str(deed), patience_seconds=LEARN_SECONDS))
    except KeyboardInterrupt:
        with contextlib.suppress(LofidError):  # there is nobody left to wait
            ask(name, "learn")
        raise


@ctl.command("quit")
def quit_(name: Name = "lofid") -> None:
    """Stop playing and leave."""
    print(ask(name, "quit"))


@record.command("start")
def record_start(
    file: Annotated[Path | None, typer.Argument(help="The MIDI file; a new name if none.")] = None,
    name: Name = "lofid",
) -> None:
    """Begin a take."""
    print(ask(name, "record", "start", *([] if file is None else [str(file.absolute())])))


@record.command("stop")
def record_stop(name: Name = "lofid") -> None:
    """End the take and write its MIDI file."""
    print(ask(name, "record", "stop", patience_seconds=CONVERSION_SECONDS))


@record.command("toggle")
def record_toggle(name: Name = "lofid") -> None:
    """Begin a take under a new name, or end the one that runs."""
    print(ask(name, "record", "toggle", patience_seconds=CONVERSION_SECONDS))
