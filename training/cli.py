"""``lofid-train``: from MIDI files to a model, one command a step.

The commands' own modules are imported by the commands, so that ``--help`` and a worker process,
which imports this module again, wait for none of them.
"""

import os
import sys
from pathlib import Path
from types import ModuleType
from typing import Annotated

import typer

from lofid.errors import ConfigError, CorpusError, LofidError

EXTRA = ("keras", "matplotlib", "onnx", "pebble", "tensorflow", "tf2onnx")
"""What comes with the extra ``train`` and not with lofid itself."""

ArrangeAll = Annotated[
    int | None,
    typer.Option("--arrange", min=1, help="Arrange every lead sheet as lofi, so many times."),
]

app = typer.Typer(
    help="Train lofid on your own music.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


@app.callback()
def _steps() -> None:
    """Train lofid on your own music."""


@app.command()
def corpus(  # noqa: PLR0913, PLR0917 (one argument for each option)
    folders: Annotated[list[Path], typer.Argument(metavar="DIR…", help="Folders of music.")],
    out: Annotated[Path, typer.Option(help="The corpus to write.")] = Path("corpus.npz"),
    jobs: Annotated[int | None, typer.Option(min=1, help="Worker processes; one a core.")] = None,
    timeout: Annotated[float, typer.Option(min=0.1, help="Seconds one file may take.")] = 30.0,
    cache: Annotated[Path | None, typer.Option(help="Where what was read is kept.")] = None,
    no_cache: Annotated[bool, typer.Option("--no-cache", help="Read everything anew.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="No progress bar.")] = False,
    verbose: Annotated[bool, typer.Option("--verbose", help="Name every skipped file.")] = False,
) -> None:
    """Read music files (MIDI, MusicXML, ABC, Humdrum …) into one corpus."""
    from training import build, report  # noqa: PLC0415
    from training.cache import Cache, default_folder  # noqa: PLC0415

    check_writable(out)
    kept = None if no_cache else Cache(cache or default_folder())
    with report.progress_bar(shown=not quiet) as progress:
        work = build.Work(jobs or build.cores(), timeout, kept, progress=progress)
        built = build.build(folders, work)
    if built.files:
        built.corpus.save(out)
    report.show(built, verbose=verbose)
    if not built.files:
        raise CorpusError("none of these files can be trained on; the table says why")


@app.command()
def arrange(
    folders: Annotated[list[Path], typer.Argument(metavar="DIR…", help="Folders of lead sheets.")],
    out: Annotated[Path, typer.Option(help="Folder for the MIDI files.")],
    versions: Annotated[int, typer.Option(min=1, help="Performances of each song.")] = 1,
    seed: Annotated[int, typer.Option(min=0, help="The same seed, the same performances.")] = 7,
    quiet: Annotated[bool, typer.Option("--quiet", help="No progress bar.")] = False,
) -> None:
    """Play lead sheets as lofi into MIDI files, to hear what the arranger makes of them."""
    from training import audition, build, report  # noqa: PLC0415
    from training.arranged import arrange_corpus, pieces  # noqa: PLC0415
    from training.cache import Cache, default_folder  # noqa: PLC0415
    from training.recipe import Arrange  # noqa: PLC0415

    with report.progress_bar(shown=not quiet) as progress:
        work = build.Work(build.cores(), cache=Cache(default_folder()), progress=progress)
        built = build.build(folders, work)
    made = arrange_corpus(built.corpus, Arrange(versions={"*": versions}), seed)
    count = audition.write(pieces(made.corpus), out)
    print(f"{made.told()}\n{out}: {count} MIDI files")
    if not count:
        raise CorpusError(
            "no lead sheet among these files; 'lofid-train corpus' tells what they are"
        )


@app.command()
def fit(
    corpus: Annotated[Path, typer.Option(help="A corpus made by 'lofid-train corpus'.")],
    out: Annotated[Path, typer.Option(help="The run's folder; the same again resumes it.")],
    recipe: Annotated[str, typer.Option(help="default, classic, tiny or a TOML file.")] = "default",
    arrange: ArrangeAll = None,
    quiet: Annotated[bool, typer.Option("--quiet", help="No progress bar.")] = False,
) -> None:
    """Train a model. A run that was stopped goes on with the same result."""
    _training_steps().train(recipe, corpus, out, versions=arrange, quiet=quiet)


@app.command()
def export(
    run: Annotated[Path, typer.Argument(help="A run's folder.")],
    out: Annotated[Path, typer.Option(help="The model file to write.")],
    int8: Annotated[
        bool, typer.Option("--int8", help="8-bit layers: a quarter of the size, for the CPU.")
    ] = False,
    credits_file: Annotated[Path | None, typer.Option("--credits", help="Text of credits.")] = None,
) -> None:
    """Write a run as one ONNX file, checked against Keras and scored on held-out music."""
    from training.run import Run  # noqa: PLC0415

    check_writable(out)
    text, made = _credits(credits_file), Run.open(run)
    _training_steps().export(made, out, int8=int8, credits_text=text)


@app.command()
def evaluate(
    model: Annotated[Path, typer.Argument(help="The model file to measure.")],
    sources: Annotated[
        list[Path],
        typer.Argument(metavar="SOURCE…", help="A run's folder, a corpus, or folders of music."),
    ],
    recipe: Annotated[
        str, typer.Option(help="How music is arranged and split; a run has its own.")
    ] = "default",
    out: Annotated[Path, typer.Option(help="Folder for figures.json and figures.png.")] = Path(
        "figures"
    ),
    quick: Annotated[bool, typer.Option("--quick", help="A first look, in minutes.")] = False,
    jobs: Annotated[int | None, typer.Option(min=1, help="Worker processes; one a core.")] = None,
    write: Annotated[
        bool, typer.Option("--write", help="Publish the figures in the model's own file.")
    ] = False,
) -> None:
    """Measure a model on any music: beside the best n-gram, and by what it composes."""
    from training.build import cores  # noqa: PLC0415
    from training.evaluation import QUICK, Plan  # noqa: PLC0415
    from training.measuring import Request, measure  # noqa: PLC0415

    plan = QUICK if quick else Plan()
    measure(Request(model, sources, recipe, out, plan, jobs or cores(), write))


@app.command("all")
def all_(
    folders: Annotated[list[Path], typer.Argument(metavar="DIR…", help="Folders of music.")],
    out: Annotated[Path, typer.Option(help="The model file to write.")],
    work: Annotated[Path, typer.Option(help="Folder of the run; keep it to resume.")] = Path("run"),
    recipe: Annotated[str, typer.Option(help="default, classic, tiny or a TOML file.")] = "default",
    credits_file: Annotated[Path | None, typer.Option("--credits", help="Text of credits.")] = None,
    arrange: ArrangeAll = None,
    quiet: Annotated[bool, typer.Option("--quiet", help="No progress bar.")] = False,
) -> None:
    """Corpus, fit, export and evaluate in one."""
    from training.recipe import Recipe  # noqa: PLC0415

    check_writable(out)
    # Faults in what comes later in the work are found before it, too.
    _credits(credits_file)
    Recipe.load(recipe)
    _make_folder(work)
    # Not the run's own corpus.npz: other music must not replace what a run was made from.
    made = work / "music.npz"
    corpus(folders, made, quiet=quiet)
    fit(made, work, recipe, arrange=arrange, quiet=quiet)
    export(work, out, int8=True, credits_file=credits_file)


def check_writable(out: Path) -> None:
    """Find out before the work, not after it. CorpusError if the file cannot be written."""
    if out.is_dir() or not os.access(out.parent, os.W_OK):
        raise CorpusError(f"{out}: cannot be written there; give a file in a folder of yours")


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise CorpusError(f"{folder}: no folder can be made there: {error.strerror}") from None


def _credits(file: Path | None) -> str:
    if file is None:
        return ""
    try:
        return file.read_text(encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"cannot read the credits {file}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise ConfigError(f"the credits {file} are not text in UTF-8") from None


def _training_steps() -> ModuleType:
    """Import TensorFlow and all that needs it: seconds, and without TensorFlow's own lines."""
    from training.quiet import quiet_start  # noqa: PLC0415

    with quiet_start():
        import tensorflow as tf  # noqa: PLC0415

        from training import steps  # noqa: PLC0415

        # Where there is no GPU, it says so as soon as it looks for one.
        tf.config.list_physical_devices()
    return steps


def main() -> None:
    """Run a command; whatever a person can mend ends in one line on stderr."""
    try:
        app()
    except LofidError as fault:
        sys.stderr.write(f"lofid-train: {fault}\n")
        raise SystemExit(fault.exit_code) from None
    except ModuleNotFoundError as missing:
        if missing.name not in EXTRA:
            raise
        advice = "install them with: pip install 'lofid[train]'"
        sys.stderr.write(f"lofid-train: needs the training packages ({missing.name}); {advice}\n")
        raise SystemExit(1) from None
