"""MIDI bytes."""

import pytest

from lofid.player import midi


def test_notes() -> None:
    """Status and channel share a byte; a note-off has the customary velocity."""
    assert midi.note_on(1, 60, 100) == b"\x91\x3c\x64"
    assert midi.note_off(15, 60) == b"\x8f\x3c\x40"


def test_panic() -> None:
    """Pedal, all notes off, all sound off, controllers, pitch bend; channel by channel."""
    assert [message.hex() for message in midi.panic([0, 9])] == [
        "b04000",
        "b07b00",
        "b07800",
        "b07900",
        "e00040",
        "b94000",
        "b97b00",
        "b97800",
        "b97900",
        "e90040",
    ]


@pytest.mark.parametrize(
    ("message", "heard"),
    [
        (b"\x93\x3c\x64", [0x93, 60, 100]),
        (b"\x93\x3c\x00", [0x83, 60, 64]),
        (b"\x83\x3c\x10", [0x83, 60, 16]),
        (b"\xb0\x40\x7f", [0xB0, 64, 127]),
        (b"\xc2\x05", [0xC2, 5, 0]),
        (b"\xe0\x01\x41", [0xE0, 1, 65]),
        (b"\xa0\x3c\x10", [0xA0, 60, 16]),
        (b"\xd0\x10", [0xD0, 16, 0]),
        (b"\xf8", None),
        (b"\xf0\x7e\xf7", None),
        (b"\x90\x3c", None),
        (b"\x90\x3c\xc8", None),
        (b"", None),
    ],
)
def test_what_is_heard(message: bytes, heard: list[int] | None) -> None:
    """All that is a channel's; velocity 0 is a note-off."""
    assert midi.heard(message) == heard
