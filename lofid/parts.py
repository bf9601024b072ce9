"""Who played what: a session's parts, in the order in which files and pictures show them."""

from collections.abc import Iterable
from dataclasses import dataclass

from lofid.session import Control, PlayedNote, Session

VIBRAPHONE, ELECTRIC_PIANO, PIANO = 11, 4, 0
"""General MIDI programs, counted from 0: of the lead, the keys, and everyone else."""
Who = tuple[bool, int]
"""A part: whether a person plays it, and its channel."""


@dataclass(frozen=True, slots=True)
class Part:
    """One part, its notes in order. ``program`` is None where an earlier part has the channel."""

    name: str
    by_person: bool
    channel: int
    program: int | None
    notes: tuple[PlayedNote, ...]
    controls: tuple[Control, ...]


def parts_of(session: Session) -> list[Part]:
    """Sort the notes into parts: lead and keys always, then lofid's others, then a person's.

    A person's is called ``played``; with its channel, 1 to 16, where there are several.
    """
    lead, keys = (False, session.lead_channel), (False, session.keys_channel)
    notes: dict[Who, list[PlayedNote]] = {lead: [], keys: []}
    for note in sorted(session.notes):
        notes.setdefault((note.by_person, note.channel), []).append(note)
    controls: dict[Who, list[Control]] = {}
    for control in session.controls:
        controls.setdefault((True, control.channel), []).append(control)
    everyone = [lead, keys, *sorted((notes.keys() | controls.keys()) - {lead, keys})]
    names, programs = _names(everyone), _programs(everyone)
    return [
        Part(name, *who, program, tuple(notes.get(who, ())), tuple(controls.get(who, ())))
        for who, name, program in zip(everyone, names, programs, strict=True)
    ]


def _names(everyone: list[Who]) -> list[str]:
    is_alone = [by_person for by_person, _ in everyone].count(True) == 1
    played = "played" if is_alone else "played {}"
    others = [(played if by_person else "channel {}").format(ch + 1) for by_person, ch in everyone]
    return ["lead", "keys", *others[2:]]


def _programs(everyone: list[Who]) -> Iterable[int | None]:
    """Give each channel one program: that of the first part on it."""
    wanted = [VIBRAPHONE, ELECTRIC_PIANO, *[PIANO] * (len(everyone) - 2)]
    taken: set[int] = set()
    for (_, channel), program in zip(everyone, wanted, strict=True):
        yield None if channel in taken else program
        taken.add(channel)
