"""Sessions: what is played is what lofid plays, in whichever process."""

from pathlib import Path

from lofid.composer import Composer
from lofid.music import BAR_GRID, BAR_TICKS, Event, Key
from lofid.predictor import Predictor
from tests.fakes import ScriptedModel
from training.passage import Passage
from training.sessions import Led, Session, Solo, play, play_led, shipped_feel


def nothing(_done: int, _total: int) -> None:
    pass


def as_rows(passage: Passage) -> list[tuple[int, tuple[int, ...], int, int]]:
    pitches = (passage.voicings.pitches[i] for i in passage.voicing)
    columns = (passage.onset.tolist(), pitches, passage.length.tolist(), passage.velocity.tolist())
    return list(zip(*columns, strict=True))


def test_a_solo_is_what_the_composer_gives(tiny_model: Path) -> None:
    """So many events, brought home; the shipped key is C minor, three above A minor."""
    (found,) = play(tiny_model, [Solo(seed=3, events=30)], 1, nothing)
    feel = shipped_feel()
    composed = Composer(Predictor(tiny_model, "cpu"), feel, 3).compose(60 * BAR_TICKS)[:30]
    assert feel.key.shift_semitones == 3
    assert as_rows(found) == as_rows(Passage.of_events(composed, 3))
    assert all(event.onset_ticks % 40 == 0 for event in composed)


def test_processes_make_no_difference(tiny_model: Path) -> None:
    """In the order asked for; every one that is done is told of."""
    wanted: list[Session] = [Solo(seed, 20, temperature=2.0) for seed in range(3)]
    told: list[tuple[int, int]] = []
    alone = play(tiny_model, wanted, 1, lambda *at: told.append(at))
    shared = play(tiny_model, wanted, 2, lambda *at: told.append(at))
    assert list(map(as_rows, alone)) == list(map(as_rows, shared))
    assert told == [(1, 3), (2, 3), (3, 3)] * 2


def test_a_phrase_is_heard_and_what_follows_it_is_kept() -> None:
    """Beats of C for ever; a person plays G for two bars, from two beats in; three bars answer."""
    model = ScriptedModel([(1, 1, 4)])
    phrase = tuple(Event((70,), 480 * i, 480, 60, by_person=True) for i in range(8))
    answer = play_led(model, Led(1, Key.parse("C minor"), phrase, phrase_bars=2, bars=3))
    assert answer.onset.tolist() == list(range(2 * BAR_GRID, 5 * BAR_GRID, 12))
    assert {answer.voicings.pitches[i] for i in answer.voicing} == {(60,)}
    assert not any((window.token == 3).any() for window in model.primed)
    heard = sum(int((window.token == 3).sum()) for window in model.stepped)
    assert heard >= len(phrase)
