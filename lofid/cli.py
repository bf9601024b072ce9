"""The command line: flags to settings, values to lines, errors to one line and an exit code."""

import sys

INTERRUPTED = 130
"""The exit code after a Ctrl-C that came before anything played: 128 and the signal's number."""

try:
    # A tenth of a second and more, in which an impatient Ctrl-C gets no traceback either.
    import signal
    from pathlib import Path
    from typing import Annotated

    import typer
    from rich.console import Console
    from rich.progress import Progress
    from rich.table import Table

    from lofid import __version__, shelf
    from lofid.config import find_config, load
    from lofid.errors import ConfigError, LofidError, told
    from lofid.remote import ctl, say
    from lofid.settings import Settings
except KeyboardInterrupt:
    sys.exit(INTERRUPTED)

app = typer.Typer(
    name="lofid",
    help="An endless lofi player that lives in a MIDI port.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.add_typer(ctl, name="ctl")
shelf.add_to(app)

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
SeedMidi = Annotated[
    Path | None, typer.Option(help="A MIDI file whose end the music goes on from.")
]


@app.command()
def play(  # noqa: PLR0913, PLR0917  # one parameter for each flag
    config: Config = None,
    tempo: Tempo = None,
    swing: Swing = None,
    temperature: Temperature = None,
    key: KeyName = None,
    seed: Seed = None,
    seed_midi: SeedMidi = None,
    remember: Annotated[
        bool | None,
        typer.Option("--remember/--fresh", help="Go on where the last session was, or begin anew."),
    ] = None,
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
    flags |= {"music.seed_midi": seed_midi}
    flags |= {"midi.backend": backend, "midi.output": output, "midi.input": input_}
    flags |= {"midi.name": name, "record.file": record}
    flags |= {"sync.source": sync, "sync.input": clock_input, "sync.send": send_clock}
    perform(_remembering(load(find_config(config), flags), remember), seconds, say)


def _remembering(settings: Settings, remember: bool | None) -> Settings:
    """Do what --remember, --fresh or neither says. --fresh does not keep what "off" does not."""
    if remember is None or (settings.music.memory == "off" and not remember):
        return settings
    memory = "on" if remember else "fresh"
    music = settings.music.model_copy(update={"memory": memory})
    return settings.model_copy(update={"music": music})


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
    seed_midi: SeedMidi = None,
    device: Device = None,
    model: Model = None,
) -> None:
    """Write bars of music to a file, as fast as it can: MIDI, or as its name ends."""
    flags = _flags(tempo, swing, temperature, key, seed, device, model)
    settings = load(find_config(config), flags | {"music.seed_midi": seed_midi})
    from lofid.engine import new_seed  # noqa: PLC0415  # keeps the other commands quick
    from lofid.exporting import clean_up_when_ended  # noqa: PLC0415
    from lofid.predictor import Predictor, default_model_path  # noqa: PLC0415
    from lofid.render import render as write  # noqa: PLC0415

    clean_up_when_ended()
    path = Path(settings.engine.model) if settings.engine.model else default_model_path()
    predictor = Predictor(path, settings.engine.device)
    number = new_seed() if settings.music.seed is None else settings.music.seed
    console = Console(stderr=True)
    with Progress(console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task("composing", total=bars)
        rendered = write(
            predictor, settings, number, bars, out, lambda bar: progress.update(task, completed=bar)
        )
    say(f"{told(out)}: {bars} bars, seed {number}, {rendered.key}, {settings.music.tempo:g} bpm")
    if rendered.faults:
        what = f"the model gave no numbers {rendered.faults} times"
        say(f"{what}: the bar before was repeated in their place")


@app.command()
def replay(  # noqa: PLR0913, PLR0917  # one parameter for each flag
    journal: Annotated[str, typer.Argument(help="A piece of a journal, or a session's name.")],
    model: Annotated[Path | None, typer.Option(help="The model that played (.onnx).")] = None,
    device: Annotated[
        str | None, typer.Option(help="auto, cuda or cpu; by default what it was played on.")
    ] = None,
    play_: Annotated[
        bool, typer.Option("--play", help="Send the session's music to a port again.")
    ] = False,
    config: Config = None,
    backend: Backend = None,
    output: Annotated[str | None, typer.Option(help="An existing port to play to.")] = None,
    name: Annotated[
        str | None, typer.Option(help="Whose session; its port is NAME-replay.")
    ] = None,
) -> None:
    """Make a session anew from its journal, note for note, and compare; or play it again."""
    from lofid.pieces import journal_folder  # noqa: PLC0415  # keeps the other commands quick
    from lofid.replaying import find_session, told_findings  # noqa: PLC0415
    from lofid.replaying import replay as compare  # noqa: PLC0415

    flags = {"midi.backend": backend, "midi.output": output, "midi.name": name}
    settings = load(find_config(config), flags)
    pieces = find_session(journal, journal_folder(settings.midi.name))
    if play_ and (model or device):
        raise ConfigError("--play composes nothing: it takes no --model and no --device")
    if play_:
        from lofid.encore import play as send  # noqa: PLC0415

        port = {**flags, "midi.name": f"{settings.midi.name}-replay"}  # lofid may play meanwhile
        send(pieces, load(find_config(config), port), say)
        return
    with Console(stderr=True).status("composing") as status:  # nothing, unless it is a terminal
        findings = compare(
            pieces, model, lambda at: status.update(f"composing: {at:.0f} s"), device
        )
    say(told_findings(findings))
    if findings.difference is not None or findings.stopped:
        sys.exit(1)


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
