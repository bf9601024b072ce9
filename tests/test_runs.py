"""What sounded, as a player is to play it again: the same notes, at their ticks, run by run."""

from pathlib import Path

import pytest

from lofid.errors import RecordingError
from lofid.runs import runs_of
from tests.again import SESSION, journal, moves, off, on


def test_runs_have_their_notes_and_tempos(tmp_path: Path) -> None:
    first, second = runs_of(journal(tmp_path, *SESSION), pytest.fail)
    assert (first.tick, first.seconds, first.tempo) == (0, 5.0, 120.0)
    assert (second.tick, second.seconds, second.tempo) == (1200, 6.5, 240.0)
    assert [(tempo.seconds, tempo.bpm) for tempo in first.tempos] == [(5.75, 240.0)]
    assert second.tempos == []
    assert first.plays() == [
        {
            "do": "play",
            "notes": [
                [0, 240, 0, 60, 90],
                [0, 480, 1, 48, 90],
                [480, 960, 0, 62, 90],
                [960, 1200, 0, 64, 90],
            ],
        },
        {"do": "start", "tick": 0, "tempo": 120.0},
    ]
    assert second.plays() == [
        {"do": "play", "notes": [[1440, 1680, 1, 50, 90]]},
        {"do": "start", "tick": 1200, "tempo": 240.0},
    ]


def test_what_is_said_again_while_it_moves_begins_no_run(tmp_path: Path) -> None:
    """As when a master's clock is found; but one that is a bar farther on does."""
    records = (
        moves(0, 5.0),
        on(0, 5.0, 0, 60),
        moves(320, 5.5),
        off(640, 6.0, 0, 60),
        moves(1920, 6.5),
        on(1920, 6.5, 0, 62),
        off(2560, 7.5, 0, 62),
    )
    runs = runs_of(journal(tmp_path, *records), pytest.fail)
    assert [(run.tick, run.seconds, len(run.notes)) for run in runs] == [
        (0, 5.0, 1),
        (1920, 6.5, 1),
    ]


def test_a_session_in_which_nothing_sounded_is_refused(tmp_path: Path) -> None:
    person = (on(100, 5.1, 0, 72, by_person=True), off(120, 5.12, 0, 72, by_person=True))
    with pytest.raises(RecordingError, match="nothing of lofid's sounded in this session"):
        runs_of(journal(tmp_path, *person), pytest.fail)
