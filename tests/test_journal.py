"""The journal: lines in, a session out, also when the last line is torn."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lofid.errors import RecordingError
from lofid.journal import journal_line, read_journal
from lofid.session import Session

HEADER = journal_line("header", format=1, lofid="0.1.0", lead_channel=0, keys_channel=1)


def on(tick: int, pitch: int = 60, velocity: int = 80, by_person: bool = False) -> str:
    return journal_line(
        "on", tick=tick, channel=0, pitch=pitch, velocity=velocity, by_person=by_person
    )


def off(tick: int, pitch: int = 60, by_person: bool = False) -> str:
    return journal_line("off", tick=tick, channel=0, pitch=pitch, by_person=by_person)


def end(tick: int) -> str:
    return journal_line("end", tick=tick)


def read(tmp_path: Path, *lines: str) -> Session:
    path = tmp_path / "take.journal"
    path.write_text(HEADER + "".join(lines), encoding="utf-8")
    return read_journal(path)


def test_a_line_is_one_thing_that_happened() -> None:
    assert on(960, 63, 90) == (
        '{"what": "on", "tick": 960, "channel": 0, "pitch": 63, "velocity": 90, '
        '"by_person": false}\n'
    )


@pytest.mark.parametrize(
    ("lines", "sounded"),
    [
        pytest.param([on(5), off(9), end(20)], [(5, 4)], id="on and off"),
        pytest.param([on(5), end(20)], [(5, 15)], id="sounds at the end"),
        pytest.param([on(5), off(9)], [(5, 4)], id="no end was written"),
        pytest.param([on(5), on(6, 61)], [(5, 1), (6, 1)], id="killed while they sounded"),
        pytest.param([off(3), on(5), off(9), off(9)], [(5, 4)], id="offs of nobody"),
        pytest.param([on(5), on(8), off(9), end(20)], [(5, 3), (8, 1)], id="struck again"),
        pytest.param([on(5), on(5, 60, 99), off(9)], [(5, 4)], id="struck twice at once"),
        pytest.param([on(5), off(5), end(20)], [(5, 1)], id="too short for a tick"),
        pytest.param([on(5), off(5), on(5), off(9)], [(5, 4)], id="too short to be heard"),
        pytest.param([on(5), on(5, 60, 9, True), off(7, 60, True), off(9)], [(5, 2), (5, 4)],
                     id="person and lofid on one pitch"),
        pytest.param([on(8), on(5, 61), off(9), off(9, 61)], [(5, 4), (8, 1)], id="out of order"),
        pytest.param([on(5), off(9), on(7), off(8)], [(5, 2), (7, 1)], id="told too late"),
    ],
)  # fmt: skip
def test_notes_are_what_lies_between_on_and_off(
    tmp_path: Path, lines: list[str], sounded: list[tuple[int, int]]
) -> None:
    """The ledger's rule: a pitch that is struck again ends first. (tick, length) of each note."""
    assert [(n.tick, n.length_ticks) for n in read(tmp_path, *lines).notes] == sounded


def test_the_first_tempo_and_key_hold_from_the_beginning(tmp_path: Path) -> None:
    """A recording may start within a bar; of two changes at a tick the later one counts."""
    tempos = [journal_line("tempo", tick=t, bpm=bpm) for t, bpm in ((80, 70), (90, 75), (90, 76))]
    keys = [journal_line("key", tick=80, text="Am"), journal_line("key", tick=99, text="Eb major")]
    assert read(tmp_path, *tempos, *keys) == Session(
        notes=(),
        tempos=((0, 70.0), (90, 76.0)),
        keys=((0, "A minor"), (99, "Eb major")),
        lead_channel=0,
        keys_channel=1,
        end_tick=99,
    )


@given(cut=st.integers(0, 400))
def test_a_torn_journal_keeps_all_but_the_last_line(
    tmp_path_factory: pytest.TempPathFactory, cut: int
) -> None:
    """Wherever it is cut: what stands before the cut is read."""
    path = tmp_path_factory.mktemp("torn") / "take.journal"
    text = HEADER + on(0) + off(5) + on(5) + off(9)
    path.write_text(text[: len(HEADER) + cut], encoding="utf-8")
    ends = [len(on(0)), len(on(0) + off(5)), len(on(0) + off(5) + on(5))]
    begun = sum(cut >= length - 1 for length in (ends[0], ends[2]))
    assert [(n.tick, n.velocity) for n in read_journal(path).notes] == [(0, 80), (5, 80)][:begun]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is empty; nothing was recorded"),
        (HEADER[:30], "is empty; nothing was recorded"),
        (
            journal_line("header", format=2, lofid="7.0"),
            "is a journal of format 2 of lofid '7.0'; this is format 1",
        ),
        (
            on(0),
            "is a journal of format None of lofid None; this is format 1",
        ),
        (
            HEADER + "{}x\n" + on(5),
            "line 2: is damaged (Extra data: line 1 column 3 (char 2)); mend or remove that line",
        ),
        (
            HEADER + on(5, pitch=128) + on(6),
            "line 2: is damaged (MIDI has no such note: PlayedNote(tick=5, length_ticks=1, "
            "channel=0, pitch=128, velocity=80, by_person=False)); mend or remove that line",
        ),
        (
            HEADER + journal_line("dance", tick=5) + on(6),
            "line 2: is damaged ('dance'); mend or remove that line",
        ),
        (
            HEADER + journal_line("tempo", tick=5, bpm=0),
            "line 2: is damaged (a tempo of 0 bpm is outside 4 to 1000); mend or remove that line",
        ),
        (
            journal_line("header", format=1, lofid="0.1.0", lead_channel=0, keys_channel=0),
            "line 1: is damaged (lead and keys share channel 0); mend or remove that line",
        ),
    ],
)
def test_a_damaged_journal_says_where(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "take.journal"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(RecordingError) as caught:
        read_journal(path)
    assert str(caught.value).removeprefix(str(path)).lstrip(":, ") == message
