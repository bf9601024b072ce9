"""How high a phrase lay, and for how long that counts."""

import pytest

from lofid.music import BAR_TICKS, Event
from lofid.tessitura import Tessitura


def _event(bar: float, *pitches: int) -> Event:
    return Event(pitches, round(bar * BAR_TICKS), BAR_TICKS // 4, 80, by_person=True)


def test_without_a_phrase_nothing_counts() -> None:
    tessitura = Tessitura()
    assert tessitura.range() == (12, 127)
    assert tessitura.strength(0) == 0.0


def test_the_melody_counts_and_not_the_chords_under_it() -> None:
    tessitura = Tessitura()
    for number, event in enumerate((_event(0, 36, 40, 43), _event(0.25, 62), _event(0.5, 67))):
        tessitura.hear(number, event)
    assert tessitura.range() == (62, 67)


def test_of_chords_alone_the_top_counts() -> None:
    """A chord that grows is heard under its number again."""
    tessitura = Tessitura()
    for event in (_event(0, 36), _event(0, 36, 40), _event(0, 36, 40, 43)):
        tessitura.hear(1, event)
    assert tessitura.range() == (43, 43)


def test_what_was_long_ago_is_another_phrase() -> None:
    tessitura = Tessitura()
    tessitura.hear(1, _event(0, 40))
    tessitura.hear(2, _event(2.5, 70))
    assert tessitura.range() == (70, 70)


@pytest.mark.parametrize(
    ("bars", "strength"), [(-1, 1.0), (0, 1.0), (2, 1.0), (4, 0.5), (6, 0.0), (9, 0.0)]
)
def test_it_fades(bars: int, strength: float) -> None:
    """Whole for two bars after its end, gone after six."""
    tessitura = Tessitura()
    tessitura.hear(1, _event(0.75, 60))
    assert tessitura.strength((1 + bars) * BAR_TICKS) == strength
    tessitura.forget()
    assert tessitura.strength(0) == 0.0
