"""Chord symbols in the home key: which chord the notes spell, and which colours suit it.

A lead sheet says ``C`` where a lofi player plays a major ninth. Which tones may be added depends on
the chord's family and on the scale (C major, the same seven notes as A minor): a tension is taken
from the scale wherever there is a choice, so the ninth of E7 is F, and the second degree above E
minor is left alone. Mark Levine, *The Jazz Piano Book* (1989), chapters 3 to 8.
"""

from collections.abc import Iterable
from dataclasses import dataclass

SCALE = frozenset({0, 2, 4, 5, 7, 9, 11})
"""The pitch classes of both home keys."""

DOMINANT_ROOTS = frozenset({2, 4, 6, 7, 9, 11})
"""A major triad here leads on: V and the secondary dominants. On C, F and flats it is at rest."""

FAMILIES: dict[tuple[int, ...], str] = {
    (0, 4, 7): "major",
    (0, 4, 7, 11): "major",
    (0, 4, 7, 9): "major",
    (0, 4, 6): "major",
    (0, 3, 7): "minor",
    (0, 3, 7, 10): "minor",
    (0, 3, 7, 9): "minor sixth",
    (0, 3, 7, 11): "minor sixth",
    (0, 4, 7, 10): "dominant",
    (0, 4, 6, 10): "dominant",
    (0, 4, 8): "augmented",
    (0, 4, 8, 10): "augmented",
    (0, 3, 6): "half-diminished",
    (0, 3, 6, 10): "half-diminished",
    (0, 3, 6, 9): "diminished",
    (0, 5, 7): "suspended",
    (0, 5, 7, 10): "suspended",
    (0, 2, 7): "open",
    (0, 7): "open",
}
"""Pitch classes above the root, low to high, and what such a chord does."""


@dataclass(frozen=True)
class Symbol:
    """A chord as the lead sheet has it: root and family, and the pitch classes it names."""

    root: int
    family: str
    classes: frozenset[int]


@dataclass(frozen=True)
class Colour:
    """What is played for a symbol: semitones above the root, by their duty in the chord.

    ``guides`` are the third (or fourth) and the seventh (or sixth), which tell the chord;
    ``tensions`` are ninths and thirteenths; ``fifth`` may be left out.
    """

    guides: tuple[int, ...]
    fifth: int
    tensions: tuple[int, ...] = ()

    @property
    def intervals(self) -> tuple[int, ...]:
        """All of it, root included, as semitones from 0 to 11."""
        return tuple(sorted({0, *self.guides, self.fifth, *(t % 12 for t in self.tensions)}))


def read(pitches: Iterable[int]) -> Symbol:
    """Name a chord by its pitches: the lowest is the root if that makes a chord, else another.

    What spells no known chord is named by the third above its lowest pitch.
    """
    heard = tuple(pitches)
    classes = frozenset(pitch % 12 for pitch in heard)
    bass = min(heard) % 12
    for keep in (lambda steps: steps, _without_tensions):
        for root in (bass, *sorted(classes - {bass})):
            steps = keep(tuple(sorted((each - root) % 12 for each in classes)))
            if steps in FAMILIES:
                return Symbol(root, FAMILIES[steps], classes)
    return Symbol(bass, _by_third(frozenset((each - bass) % 12 for each in classes)), classes)


def _without_tensions(steps: tuple[int, ...]) -> tuple[int, ...]:
    """Leave out ninths, elevenths and, beside a seventh, thirteenths."""
    third = next((s for s in (4, 3) if s in steps), None)
    if third is None:
        return tuple(s for s in steps if s in (0, 5, 7, 10))
    fifth = next((s for s in (7, 8, 6) if s in steps), 7)
    seventh = next((s for s in (10, 11, 9) if s in steps), None)
    return tuple(sorted({0, third, fifth} | ({seventh} if seventh is not None else set())))


def _by_third(steps: frozenset[int]) -> str:
    if 4 in steps:
        return "dominant" if 10 in steps else "major"
    return "minor" if 3 in steps else "suspended" if 5 in steps else "open"


def colours(symbol: Symbol) -> tuple[Colour, ...]:
    """Give the colours that suit a symbol in the home key, the richest first; at least one.

    The symbol's own tones stay: what is added is a seventh or sixth, ninths and thirteenths.
    """
    family = _in_key(symbol)
    if family == "dominant":
        return _dominants(symbol)
    ninth = (14,) if _in_scale(symbol.root, 2) else ()
    return tuple(
        Colour(guides, fifth, tensions)
        for guides, fifth, tensions in TABLE[family]
        if not tensions or tensions == ninth or family in FREE
    )


FREE = ("augmented", "suspended")
"""Their tensions need not be of the scale: the chords themselves seldom are."""

TABLE: dict[str, tuple[tuple[tuple[int, ...], int, tuple[int, ...]], ...]] = {
    "major": (
        ((4, 11), 7, (14,)),
        ((4, 9), 7, (14,)),
        ((4, 11), 7, ()),
        ((4, 9), 7, ()),
    ),
    "minor": (((3, 10), 7, (14,)), ((3, 10), 7, ())),
    "minor sixth": (((3, 9), 7, (14,)), ((3, 9), 7, ()), ((3, 11), 7, ())),
    "half-diminished": (((3, 10), 6, ()),),
    "diminished": (((3, 9), 6, ()),),
    "augmented": (((4, 10), 8, (14,)), ((4, 10), 8, ())),
    "suspended": (((5, 10), 7, (14,)), ((5, 10), 7, ())),
}
"""Guides, fifth and tensions of each family."""


def _in_key(symbol: Symbol) -> str:
    """Tell what a chord does here: an open fifth takes the third of the scale, and so on."""
    root, family = symbol.root, symbol.family
    if family == "open":
        family = "major" if _in_scale(root, 4) or not _in_scale(root, 3) else "minor"
    if family == "major" and root in DOMINANT_ROOTS and not _has(symbol, 11, 9):
        return "dominant"
    if family == "half-diminished" and not _has(symbol, 10) and not _in_scale(root, 10):
        return "diminished"
    # The fourth degree in minor comes with its sixth: the scale has no seventh for it.
    if family == "minor" and not _has(symbol, 10) and not _in_scale(root, 3) and root == 5:
        return "minor sixth"
    return family


def _dominants(symbol: Symbol) -> tuple[Colour, ...]:
    root = symbol.root
    ninth = 13 if _in_scale(root, 1) and not _in_scale(root, 2) else 14
    plain = Colour((4, 10), 7)
    rich = [Colour((4, 10), 7, (ninth,))]
    if _in_scale(root, 9) and ninth == 14:
        rich.append(Colour((4, 10), 7, (14, 21)))
    return (*rich, plain)


def _in_scale(root: int, interval: int) -> bool:
    return (root + interval) % 12 in SCALE


def _has(symbol: Symbol, *intervals: int) -> bool:
    return any((symbol.root + interval) % 12 in symbol.classes for interval in intervals)
