"""What can go wrong, split by what has to be mended.

Every message is one line that says what was wrong, where, and what to do. The command line
prints it and leaves with :attr:`LofidError.exit_code`; nothing else in lofid prints errors.
"""

from pathlib import Path


class LofidError(Exception):
    """The base of every error that a person can cause or mend."""

    exit_code = 1


class ConfigError(LofidError):
    """A setting is misspelt, missing or out of its range. Lists every fault at once."""


class ModelError(LofidError):
    """The model file cannot be read, or its format is not the one this lofid knows."""


class DeviceError(LofidError):
    """The processor that was asked for (``cuda``) cannot run the model."""


class PortError(LofidError):
    """A MIDI port cannot be found or opened."""


class NoSuchPortError(PortError):
    """No MIDI port has this name now; one may come later."""


class SeveralPortsError(PortError):
    """Several MIDI ports have this name now, and nobody guesses which is meant."""


class NoMidiError(PortError):
    """This machine has no MIDI system at all."""

    exit_code = 2


class ControlError(LofidError):
    """No daemon answers, another one already does, or it refused a command."""


class AbsentError(ControlError):
    """No daemon of this name is there."""


class RecordingError(LofidError):
    """A recording cannot be written, or read."""


class MaterialError(LofidError):
    """A MIDI file holds nothing that the music could begin with."""


class StateError(LofidError):
    """What is remembered from one session for the next cannot be used, or not be kept."""


class CorpusError(LofidError):
    """Nothing that was given for training could be read."""


class BenchError(LofidError):
    """Something could not be measured, or what was measured cannot be kept."""


def told(path: Path) -> str:
    """Write a path so that a message stays one line, whatever is in it."""
    return str(path) if str(path).isprintable() else repr(str(path))
