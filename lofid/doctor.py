"""The doctor: what this machine has for lofid, and what to do about what is missing."""

import os
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from lofid import __version__
from lofid.errors import LofidError
from lofid.player.looking import describe_systems
from lofid.player.realtime import ask_for_realtime
from lofid.predictor import Predictor, default_model_path
from lofid.settings import Settings

RUNTIMES = ("onnxruntime-gpu", "onnxruntime")
"""The packages that bring onnxruntime; one of them is installed."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the report. ``advice`` is empty where all is well."""

    subject: str
    found: str
    advice: str = ""


def examine(settings: Settings, config: Path | None) -> Iterator[Finding]:
    """Look at everything lofid needs; ``config`` is the file that the settings came from.

    Changes this process's priority: for a command of its own.
    """
    python = ".".join(str(part) for part in sys.version_info[:3])
    yield Finding("lofid", f"{__version__}, Python {python}, {_runtime()}")
    yield Finding("settings", str(config or "defaults: no config.toml here or yours"))
    yield from _midi(settings)
    yield from _model(settings)
    yield _realtime()
    yield _synthesiser()


def _runtime() -> str:
    """Name the onnxruntime that is installed, without importing it."""
    installed = {name: _version(name) for name in RUNTIMES}
    return ", ".join(f"{name} {at}" for name, at in installed.items() if at) or "no onnxruntime"


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def _midi(settings: Settings) -> Iterator[Finding]:
    systems = describe_systems(settings.midi.name)
    nothing = not any(system.is_available for system in systems)
    for system in systems:
        if system.is_available:
            ports = f"{len(system.outputs)} outputs, {len(system.inputs)} inputs to connect to"
            yield Finding(f"MIDI: {system.backend}", ports)
            if system.backend == "jack" and (fault := _jack_client_fault()):
                yield Finding(
                    "JACK-Client", f"cannot be loaded: {fault}",
                    "lofid plays by jack-rtmidi: on time to the period, not the sample, and it "
                    "forgets connections; --backend jack is refused",
                )  # fmt: skip
        else:
            yield Finding(f"MIDI: {system.backend}", "not here", system.why_not if nothing else "")
    if nothing:
        yield Finding(
            "MIDI", "no MIDI system at all",
            "start one, or write files with 'lofid render OUT.mid'",
        )  # fmt: skip


def _jack_client_fault() -> str | None:
    """What keeps JACK-Client from being loaded; None when nothing does."""
    try:
        import jack  # noqa: F401, PLC0415  # looks for libjack as it is imported
    except ImportError:
        return "it is not installed"
    except OSError as error:
        return str(error)
    return None


def _model(settings: Settings) -> Iterator[Finding]:
    chosen = settings.engine
    path = Path(chosen.model) if chosen.model else default_model_path()
    try:
        predictor = Predictor(path, chosen.device)
    except LofidError as error:
        yield Finding("model", "cannot be used", str(error))
        return
    card = predictor.card
    yield Finding("model", f"{path.name}: recipe {card.recipe}, {len(card.tokens)} tokens")
    for name, figure in card.figures.items():
        yield Finding(f"model: {name}", f"{figure:.4g}" if isinstance(figure, float) else figure)
    advice = "" if predictor.device == "cuda" else "a CPU is enough: about 1 ms a note"
    yield Finding("device", f"{predictor.device} ({predictor.device_note})", advice)


def _realtime() -> Finding:
    realtime = ask_for_realtime()
    return Finding(
        "real-time priority",
        "granted" if realtime.is_granted else "refused",
        "" if realtime.is_granted else realtime.note,
    )


def _synthesiser() -> Finding:
    found = shutil.which("fluidsynth")
    advice = "" if found else "any DAW will do; or install FluidSynth to hear lofid without one"
    return Finding("FluidSynth", os.fspath(found) if found else "not installed", advice)
