"""The arranger, as music: registers, clashes, form, and that chance is handed in."""

from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from training.arrange import NotALeadSheetError, arrange
from training.reader import Piece, Sound
from training.tune import HIGHEST as LEAD_HIGHEST
from training.tune import LOWEST as LEAD_LOWEST
from training.voicing import HIGHEST, LOWEST

TRIADS = {
    "C": (48, 52, 55), "Am": (57, 60, 64), "Dm": (50, 53, 57), "G7": (43, 47, 50, 53),
    "F": (53, 57, 60), "E7": (52, 56, 59, 62), "Fm": (53, 56, 60), "D7": (50, 54, 57, 60),
}  # fmt: skip


def _sheet(chords: list[str], melody: list[int], metre: str = "4/4", bar: int = 48) -> Piece:
    """A chord a bar, and under each the melody's next four notes, on quarters."""
    sounds = []
    for i, name in enumerate(chords):
        sounds.append(Sound(i * bar, TRIADS[name], bar, 64, 0))
        for j, pitch in enumerate(melody[4 * i : 4 * i + bar // 12]):
            sounds.append(Sound(i * bar + 12 * j, (pitch,), 12, 80, 12 * j))
    return Piece("C major", metre, tuple(sounds))


sheets = st.builds(
    _sheet,
    st.lists(st.sampled_from(list(TRIADS)), max_size=10).map(lambda chords: ["C", "Am", *chords]),
    st.lists(st.integers(55, 90), max_size=40),
)
seeds = st.integers(0, 2**32 - 1)


def _arranged(piece: Piece, seed: int) -> Piece:
    return arrange(piece, np.random.default_rng(seed))


def _chords(piece: Piece) -> list[Sound]:
    return [sound for sound in piece.sounds if len(sound.pitches) > 1]


def _lead(piece: Piece) -> list[Sound]:
    return [sound for sound in piece.sounds if len(sound.pitches) == 1]


@given(sheets, seeds)
@settings(max_examples=60, deadline=None)
def test_every_part_keeps_to_its_register(piece: Piece, seed: int) -> None:
    made = _arranged(piece, seed)
    for sound in made.sounds:
        low, high = (LEAD_LOWEST, LEAD_HIGHEST) if len(sound.pitches) == 1 else (LOWEST, HIGHEST)
        assert low <= sound.pitches[0]
        assert sound.pitches[-1] <= high
        assert 1 <= sound.velocity <= 127
        assert sound.length_grid > 0
        assert sound.phase_grid == sound.onset_grid % 48
    onsets = [sound.onset_grid for sound in made.sounds]
    assert onsets == sorted(onsets)
    assert made.metre == "4/4"


def _together(piece: Piece) -> Iterator[tuple[Sound, Sound]]:
    for chord in _chords(piece):
        for note in _lead(piece):
            if (note.onset_grid < chord.onset_grid + chord.length_grid
                    and chord.onset_grid < note.onset_grid + note.length_grid):  # fmt: skip
                yield chord, note


@given(sheets, seeds)
@settings(max_examples=60, deadline=None)
def test_no_minor_ninth_with_the_melody_but_the_songs_own(piece: Piece, seed: int) -> None:
    """A voice that is a semitone (and octaves) from a sounding melody note was in the symbol.

    The symbol is that of the chord's bar, or of the next one for an anticipation.
    """
    written = {s.onset_grid: {p % 12 for p in s.pitches} for s in _chords(piece)}
    for chord, note in _together(_arranged(piece, seed)):
        allowed = written[chord.onset_grid // 48 * 48 % _end(piece)]
        allowed |= written.get((chord.onset_grid + 6) // 48 * 48 % _end(piece), set())
        for voice in chord.pitches:
            low, high = sorted((voice, note.pitches[0]))
            assert (high - low) % 12 != 1 or voice % 12 in allowed


def _end(piece: Piece) -> int:
    last = _chords(piece)[-1]
    return last.onset_grid + last.length_grid


def test_triads_become_sevenths_and_ninths() -> None:
    """Over many performances most chords have four pitch classes or a seventh over their root."""
    piece = _sheet(["C", "Am", "Dm", "G7"] * 4, [])
    made = [chord for seed in range(20) for chord in _chords(_arranged(piece, seed))]
    rich = [c for c in made if len({p % 12 for p in c.pitches}) > 3 or c.pitches[-1] % 12 not in
            {p % 12 for name in ("C", "Am", "Dm", "G7") for p in TRIADS[name]}]  # fmt: skip
    assert len(rich) > len(made) / 2


def test_no_two_performances_are_alike_and_each_can_be_had_again() -> None:
    piece = _sheet(["C", "Am", "Dm", "G7"] * 2, [72, 74, 76, 77] * 8)
    assert _arranged(piece, 3) == _arranged(piece, 3)
    assert len({_arranged(piece, seed) for seed in range(10)}) == 10


def test_a_short_progression_goes_round_and_gets_a_tune() -> None:
    """Two bars of bare chords become at least eight, mostly with a lead."""
    made = [_arranged(_sheet(["C", "F"], []), seed) for seed in range(10)]
    assert all(max(s.onset_grid for s in piece.sounds) >= 7 * 48 for piece in made)
    assert sum(bool(_lead(piece)) for piece in made) >= 7


def test_a_waltz_gets_a_fourth_beat() -> None:
    """Three bars of three quarters last three bars of four."""
    piece = _sheet(["C", "F", "C"], [72] * 12, "3/4", 36)
    made = _arranged(piece, 1)
    ends = max(s.onset_grid + s.length_grid for s in made.sounds)
    assert 2 * 48 < ends <= 3 * 48


@pytest.mark.parametrize(
    ("piece", "reason"),
    [
        (_sheet(["C"], [72] * 4), "fewer than two chords"),
        (_sheet(["C", "F"], [], "5/4", 60), "5/4 has no four beats"),
        (Piece("C major", "4/4", (Sound(0, (60,), 12, 64, 0),) * 4), "fewer than two chords"),
    ],
)
def test_what_is_no_lead_sheet(piece: Piece, reason: str) -> None:
    with pytest.raises(NotALeadSheetError, match=reason):
        _arranged(piece, 1)
