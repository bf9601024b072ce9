"""The command line: flags to settings, values to lines, errors to one line and an exit code."""

import sys

INTERRUPTED = 130
"""The exit code after a Ctrl-C that came before anything played: 128 and the signal's number."""

try:
    # A tenth of a second and more, in which an impatient Ctrl-C gets no traceback either.
    import contextlib
    import signal
    from pathlib import Path
    from typing import Annotated, Any

    import typer
    from rich.console import Console
    from rich.progress import Progress
    from rich.table import Table

    from lofid import __version__
    from lofid.config import find_config, load
    from lofid.control import ask
    from lofid.errors import LofidError
except KeyboardInterrupt:
    sys.exit(INTERRUPTED)

app = typer.Typer(
    name="lofid",
    help="An endless lofi player that lives in a MIDI port.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
ctl = typer.Typer(help="Talk to the lofid that is playing.", no_args_is_help=True)
record = typer.Typer(help="Record what sounds to a MIDI file.", no_args_is_help=True)
app.add_typer(ctl, name="ctl")
ctl.add_typer(record, name="record")

LEARN_SECONDS = 40.0
"""More than the daemon waits for a controller."""
CONVERSION_SECONDS = 600.0
"""How long 'record stop' waits for its MIDI file: a long take is minutes of music21's work."""

Config = Annotated[Path | None, typer.Option(help="Settings file (TOML).")]
Tempo = Annotated[float | None, typer.Option(help="Beats per minute, 20 to 300.")]
Swing = Annotated[float | None, typer.Option(help="Percent, 50 (straight) to 75.")]
Temperature = Annotated[float | None, typer.Option(help="0.5 (tame) to 1.5 (wild).")]
KeyName = Annotated[str | None, typer.Option("--key", help="Such as 'F minor'.")]
Seed = Annotated[int | None, typer.Option(help="The same seed plays the same music.")]
Device = Annotated[str | None, typer.Option(help="auto, cuda or cpu.")]
Model = Annotated[Path | None, typer.Option(help="Another model (.onnx).")]
Backend = Annotated[
    str | None, typer.Option(help="auto, jack, jack-rtmidi, alsa, coremidi or windows.")
]
Name = Annotated[str, typer.Option(help="Name of the lofid to talk to.")]


def say(line: str) -> None:
    """Tell a person one line, on stderr."""
    print(line, file=sys.stderr, flush=True)


@app.command()
def play(  # noqa: PLR0913, PLR0917  # one parameter for each flag
    config: Config = None,
    tempo: Tempo = None,
    swing: Swing = None,
    temperature: Temperature = None,
    key: KeyName = None,
    seed: Seed = None,
    device: Device = None,
    model: Model = None,
    backend: Backend = None,
    output: Annotated[
        str | None, typer.Option(help="An existing port to play to; a virtual one by default.")
    ] = None,
    input_: Annotated[
        str | None, typer.Option("--input", help="A keyboard's port, or 'virtual'.")
    ] = None,
    sync: Annotated[
        str | None, typer.Option(help="internal, or midi-clock: follow another's clock.")
    ] = None,
    clock_input: Annotated[
        str | None, typer.Option(help="The port the clock comes from; 'virtual' by default.")
    ] = None,
    send_clock: Annotated[
        bool | None, typer.Option("--send-clock/--no-send-clock", help="Send MIDI clock.")
    ] = None,
    name: Annotated[str | None, typer.Option(help="Name of the virtual port.")] = None,
    seconds: Annotated[float | None, typer.Option(help="Stop after so long.", min=0)] = None,
    record: Annotated[Path | None, typer.Option(help="MIDI file to record the session to.")] = None,
) -> None:
    """Play until stopped by Ctrl-C, or for --seconds."""
    from lofid.daemon import play as perform  # noqa: PLC0415  # keeps the other commands quick

    flags = _flags(tempo, swing, temperature, key, seed, device, model)
    flags |= {"midi.backend": backend, "midi.output": output, "midi.input": input_}
    flags |= {"midi.name": name, "record.file": record}
    flags |= {"sync.source": sync, "sync.input": clock_input, "sync.send": send_clock}
    perform(load(find_config(config), flags), seconds, say)


@app.command()
def render(  # noqa: PLR0913, PLR0917  # one parameter for each flag
    out: Annotated[Path, typer.Argument(help="The MIDI file to write.")],
    bars: Annotated[int, typer.Option(help="How many bars of 4/4.", min=1)] = 32,
    config: Config = None,
    tempo: Tempo = None,
    swing: Swing = None,
    temperature: Temperature = None,
    key: KeyName = None,
    seed: Seed = None,
    device: Device = None,
    model: Model = None,
) -> None:
    """Write bars of music to a MIDI file, as fast as it can."""
    flags = _flags(tempo, swing, temperature, key, seed, device, model)
    settings = load(find_config(config), flags)
    from lofid.engine import new_seed  # noqa: PLC0415  # keeps the other commands quick
    from lofid.predictor import Predictor, default_model_path  # noqa: PLC0415
    from lofid.render import render as write  # noqa: PLC0415

    path = Path(settings.engine.model) if settings.engine.model else default_model_path()
    predictor = Predictor(path, settings.engine.device)
    number = new_seed() if settings.music.seed is None else settings.music.seed
    console = Console(stderr=True)
    with Progress(console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task("composing", total=bars)
        faults = write(
            predictor, settings, number, bars, out, lambda bar: progress.update(task, completed=bar)
        )
    say(f"{out}: {bars} bars, seed {number}, {settings.music.key}, {settings.music.tempo:g} bpm")
    if faults:
        say(f"the model gave no numbers {faults} times: the bar before was repeated in their place")


def _flags(
    tempo: float | None,
    swing: float | None,
    temperature: float | None,
    key: str | None,
    seed: int | None,
    device: str | None,
    model: Path | None,
) -> dict[str, object]:
    return {
        "music.tempo": tempo,
        "music.swing": swing,
        "music.temperature": temperature,
        "music.key": key,
        "music.seed": seed,
        "engine.device": device,
        "engine.model": model,
    }


@app.command()
def ports() -> None:
    """List the MIDI ports that lofid could connect to."""
    from lofid.player.looking import describe_systems  # noqa: PLC0415

    systems = [system for system in describe_systems() if system.is_available]
    for system in systems:
        print(f"{system.backend}:")
        for side, names in (("output", system.outputs), ("input", system.inputs)):
            for port in names:
                print(f"  {side:6}  {port}")
    if not systems:
        say("no MIDI system here: see 'lofid doctor'")


@app.command()
def doctor(config: Config = None) -> None:
    """Say what this machine has for lofid, and what to do about what is missing."""
    from lofid.doctor import examine  # noqa: PLC0415

    table = Table(box=None, show_header=False, pad_edge=False)
    found = find_config(config)
    for finding in examine(load(found, {}), found):
        table.add_row(finding.subject, finding.found, finding.advice)
    Console(width=None if sys.stdout.isatty() else 160).print(table)


@app.command()
def bench(  # noqa: PLR0913, PLR0917  # one parameter for each flag
    config: Config = None,
    device: Device = None,
    model: Model = None,
    backend: Backend = None,
    notes: Annotated[int, typer.Option(help="So many for each grid.", min=2)] = 180,
    seconds: Annotated[float, typer.Option(help="Length of the session.", min=1)] = 15.0,
    json_: Annotated[
        Path | None, typer.Option("--json", help="File for all that was measured.")
    ] = None,
    png: Annotated[Path | None, typer.Option(help="File for a picture (PNG).")] = None,
    quick: Annotated[bool, typer.Option("--quick", help="Less of everything: a look.")] = False,
) -> None:
    """Measure how late lofid plays here, idle and under load, and what it costs: a minute."""
    from lofid.bench.measuring import measure  # noqa: PLC0415  # keeps the other commands quick
    from lofid.bench.report import check_files, show, write  # noqa: PLC0415

    flags = {"engine.device": device, "engine.model": model, "midi.backend": backend}
    settings = load(find_config(config), flags)
    check_files(json_, png)
    findings = measure(settings, say, 20 if quick else notes, 2.0 if quick else seconds)
    show(findings, Console(width=None if sys.stdout.isatty() else 160))
    write(findings, json_, png)


@app.command()
def version() -> None:
    """Print lofid's version."""
    print(f"lofid {__version__}")


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


def main() -> None:
    """Run the command; neither an error that a person can mend nor Ctrl-C is a traceback.

    A Ctrl-C that ends no music is told by the exit code 130.
    """
    try:
        _run()
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
    except ImportError as error:
        if isinstance(error.__cause__, KeyboardInterrupt):
            sys.exit(INTERRUPTED)  # it came while an extension module was loaded
        raise
    finally:
        # Nothing is left to end: one more Ctrl-C would only interrupt Python's own goodbye.
        signal.signal(signal.SIGINT, signal.SIG_IGN)


def _run() -> None:
    try:
        app()
    except LofidError as error:
        say(f"lofid: {error}")
        sys.exit(error.exit_code)
