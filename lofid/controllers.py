"""The controllers: what is moved at the keyboard becomes commands. No I/O, no clock.

Rules:

* What is mapped is a command and no music: neither the model nor a take hears it.
* A sweep says something only when what it says is another text than before; where the setting was
  changed from elsewhere meanwhile, the next move of the knob takes it up from where the knob is.
* A press is a note-on, a program change, or a control change that comes up to 64; the next one
  counts when the controller was let go of in between.

Called from the engine's one thread.
"""

from collections.abc import Mapping

from lofid.deeds import Command, Deed
from lofid.mapping import Binding, suits
from lofid.movers import NOTE_OFF, NOTE_ON, Mover

PRESSED = 64
"""From here a switch is on (MIDI 1.0, control changes 64 to 69)."""
LET_GO = 32
"""A pedal that trembles where it switches is let go of only below half of that."""


class Controllers:
    """Knows what moves what. Messages are status, data 1 and data 2, as the player hears them."""

    def __init__(self) -> None:
        self._deeds: dict[Mover, Deed] = {}
        self._positions: dict[Mover, tuple[str, ...]] = {}
        self._said: dict[Mover, str] = {}
        self._switched_on: set[Mover] = set()
        self._pads_down: set[Mover] = set()

    def map(self, bindings: Mapping[Deed, Binding]) -> None:
        """Follow a mapping from now on; what is held down stays known."""
        self._deeds = {binding.mover: deed for deed, binding in bindings.items()}
        self._positions = {
            b.mover: deed.positions(b.low, b.high) for deed, b in bindings.items() if deed.is_swept
        }
        self._said = {}

    def release(self) -> None:
        """Take all for let go of: nobody heard whether it was."""
        self._pads_down.clear()
        self._switched_on.clear()

    def takes(self, status: int, first: int) -> bool:
        """Whether a message is a command and no music; to be asked before :meth:`take`.

        The end of a note is what its beginning was, even if the mapping is another one now.
        """
        if status & 0xF0 == NOTE_OFF:
            return _pad(status, first) in self._pads_down
        return self._mapped(Mover.of(status, first)) is not None

    def take(self, status: int, first: int, second: int) -> Command | None:
        """Take one message; give what it asks for, if anything."""
        if status & 0xF0 == NOTE_OFF:
            self._pads_down.discard(_pad(status, first))
        moved = Mover.of(status, first)
        is_press = moved is not None and self._is_press(moved, second)
        mover = self._mapped(moved)
        if moved is None or mover is None:
            return None
        self._hold(moved)
        deed = self._deeds[mover]
        if not deed.is_swept:
            return deed.press() if is_press else None
        text = self._positions[mover][second]
        if self._said.get(mover) == text:
            return None
        self._said[mover] = text
        return "set", [deed.name, text]

    def moved(self, deed: Deed, status: int, first: int, second: int) -> Mover | None:
        """Say what a message moved, if a deed can learn it: then it is taken and does nothing else.

        None leaves it as it was, for :meth:`take`.
        """
        mover = Mover.of(status, first)
        if mover is None or mover.meaning or not suits(mover, deed):
            return None
        if not deed.is_swept and mover.kind == "cc" and second < PRESSED:
            return None
        self._is_press(mover, second)
        self._hold(mover)
        return mover

    def _is_press(self, mover: Mover, value: int) -> bool:
        if mover.kind != "cc":
            return True
        if value < LET_GO:
            self._switched_on.discard(mover)
        if value < PRESSED or mover in self._switched_on:
            return False
        self._switched_on.add(mover)
        return True

    def _hold(self, mover: Mover) -> None:
        if mover.kind == "note":
            self._pads_down.add(mover)

    def _mapped(self, mover: Mover | None) -> Mover | None:
        """The mover as the mapping has it: on its own channel, or on all."""
        if mover is None:
            return None
        anywhere = Mover(mover.kind, mover.number)
        return next((each for each in (mover, anywhere) if each in self._deeds), None)


def _pad(status: int, first: int) -> Mover | None:
    """What a note-off lets go of."""
    return Mover.of(status & 0x0F | NOTE_ON, first)
