"""Readers that behave as badly as music21 can, for worker processes of the real pool."""

import os
import threading
from pathlib import Path

from training.reader import Piece, read_pieces


def hangs_on_hang(path: Path) -> tuple[Piece, ...]:
    """Wait for ever over a file named hang.mid."""
    if path.name == "hang.mid":
        threading.Event().wait()
    return read_pieces(path)


def dies_on_die(path: Path) -> tuple[Piece, ...]:
    """Leave as a crashed process does over a file named die.mid."""
    if path.name == "die.mid":
        os._exit(3)
    return read_pieces(path)


def hungry_on_hungry(path: Path) -> tuple[Piece, ...]:
    """Ask for eight GiB over a file named hungry.mid."""
    if path.name == "hungry.mid":
        bytearray(8 * 2**30)
    return read_pieces(path)


def stumbles_on_stumble(path: Path) -> tuple[Piece, ...]:
    """Raise what nobody expected over a file named stumble.mid."""
    if path.name == "stumble.mid":
        raise KeyError("unexpected")
    return read_pieces(path)


def refuses_to_read(path: Path) -> tuple[Piece, ...]:
    """Fail on every file: what is read all the same comes from the cache."""
    raise AssertionError(path)
