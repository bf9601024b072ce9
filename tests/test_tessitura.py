"""How high a phrase lay, and for how long that counts."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lofid.music import BAR_TICKS, Event
from lofid.tessitura import Tessitura


def _event(bar: float, *pitches: int) -> Event:
    return Event(pitches, round(bar * BAR_TICKS), BAR_TICKS // 4, 80, by_person=True)


def test_without_a_phrase_nothing_counts() -> None:
    tessitura = Tessitura()
    assert tessitura.range() == (12, 127)
    assert tessitura.strength(0, is_held=False) == tessitura.strength(0, is_held=True) == 0.0


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


def test_what_was_left_out_stays_out() -> None:
    """A bass that is let go of at last is told of again: its length is known, and it is as old."""
    tessitura = Tessitura()
    for number, bar in enumerate((0, 1, 2.5, 3.5)):
        tessitura.hear(number, _event(bar, 36 if bar == 0 else 84))
    tessitura.hear(0, _event(0, 36))
    assert tessitura.range() == (84, 84)


def test_of_many_notes_the_newest_count() -> None:
    """Sixty-four: more are no phrase, however quick they were."""
    tessitura = Tessitura()
    for number in range(65):
        tessitura.hear(number, _event(number / 64, 40 + number))
    assert tessitura.range() == (41, 104)
    tessitura.hear(0, _event(0, 40))
    assert tessitura.range() == (41, 104)


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 5000), st.integers(0, 3)), max_size=90))
def test_when_an_end_becomes_known_changes_nothing(played: list[tuple[int, int, int]]) -> None:
    """Each event is told of again, so many events later."""
    once, again, tick = Tessitura(), Tessitura(), 0
    ends: dict[int, list[tuple[int, Event]]] = {}
    for number, (step, wait, later) in enumerate(played):
        tick += wait
        event = Event((60 + step,), tick, 480, 80, by_person=True)
        ends.setdefault(number + later, []).append((number, event))
        once.hear(number, event)
        again.hear(number, event)
        for ended in ends.pop(number, []):
            again.hear(*ended)
        assert again.range() == once.range()


def test_forgotten_it_does_not_come_back() -> None:
    """A note that was held meanwhile, and is let go of."""
    tessitura = Tessitura()
    tessitura.hear(1, _event(0, 40))
    tessitura.forget()
    tessitura.hear(1, _event(0, 40))
    assert tessitura.range() == (12, 127)


@pytest.mark.parametrize(
    ("bars", "strength"), [(-1, 1.0), (0, 1.0), (2, 1.0), (4, 0.5), (6, 0.0), (9, 0.0)]
)
def test_it_fades(bars: int, strength: float) -> None:
    """Whole for two bars after its end, gone after six."""
    tessitura = Tessitura()
    tessitura.hear(1, _event(0.75, 60))
    assert tessitura.strength((1 + bars) * BAR_TICKS, is_held=False) == strength
    assert tessitura.strength((1 + bars) * BAR_TICKS, is_held=True) == 1.0
    tessitura.forget()
    assert tessitura.strength(0, is_held=False) == tessitura.strength(0, is_held=True) == 0.0
