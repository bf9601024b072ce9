"""``lofid replay``: a journal on the disk, the session made anew, and what is said of it."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from lofid.cli import app
from lofid.config import load
from lofid.entries import parse
from lofid.errors import ConfigError, LofidError, RecordingError
from lofid.inputs import Given, outcome_of, written
from lofid.pieces import Piece, sessions_in
from lofid.predictor import Predictor, default_model_path
from lofid.records import FRAME_BYTES, encode
from lofid.replay import Made, Replay
from lofid.replaying import find_session, replay, told_findings
from lofid.scribe import Scribe
from tests.fakes import PureModel
from tests.journals import held
from tests.witnessed import compared, witnessed

Records = list[dict[str, Any]]


@pytest.fixture(scope="module")
def predictor() -> Predictor:
    return Predictor(default_model_path(), "cpu")


def _session(folder: Path, predictor: Predictor) -> list[Piece]:
    """Eight seconds, a chord played and another key; with the model that comes with lofid."""
    world, engine = witnessed(predictor, load(None, {"music.tempo": 120.0}))
    scribe = Scribe(folder, held, now=lambda: world.seconds)
    engine.write_to(scribe)
    world.run(2.0)
    for pitch in (60, 64, 67):
        world.strike(0x90, pitch, 80)
    world.run(2.0)
    world.ask(lambda: world.engine.set("key", "E major"))
    world.run(4.0)
    world.leave()
    engine.end()
    scribe.close()
    (pieces,) = sessions_in(folder).values()
    return pieces


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory, predictor: Predictor) -> list[Piece]:
    return _session(tmp_path_factory.mktemp("journal"), predictor)


def _records(piece: Piece) -> Records:
    data, records = piece.path.read_bytes(), []
    while data:
        end = FRAME_BYTES + int.from_bytes(data[:4], "little")
        records.append(json.loads(data[FRAME_BYTES:end]))
        data = data[end:]
    return records


def _ons(records: Records) -> Records:
    """What lofid had sound."""
    return [r for r in records if r["what"] == "on" and not r.get("by_person")]


def _rewritten(piece: Piece, folder: Path, change: Callable[[Records], None]) -> list[Piece]:
    """The same piece with other records in it, their checksums right."""
    records = _records(piece)
    change(records)
    path = folder / piece.path.name
    path.write_bytes(b"".join(encode(r["what"], r) for r in records))
    return [Piece(piece.session, piece.number, path)]


def _unheard(_seconds: float) -> None:
    pass


def test_a_session_is_identical(session: list[Piece]) -> None:
    findings = replay(session, None, _unheard)
    sounded = len(_ons(_records(session[0])))
    assert (findings.difference, findings.stopped) == (None, "")
    assert findings.sounded == sounded > 10
    assert told_findings(findings) == (
        f"identical: {findings.inputs} inputs, {findings.composed} notes composed, "
        f"{sounded} sounded, 0:00:08"
    )


def test_a_note_that_was_another_is_told(session: list[Piece], tmp_path: Path) -> None:
    """By its tick, what was and what came; exit status 1."""
    ons = _ons(_records(session[0]))
    on = ons[7]
    others = [r for r in ons if r["tick"] == on["tick"]]

    def change(records: Records) -> None:
        records[records.index(on)]["velocity"] = 127

    pieces = _rewritten(session[0], tmp_path, change)
    found = replay(pieces, None, _unheard)
    voice = f"channel {on['channel'] + 1} note {on['pitch']} velocity"
    assert found.difference is not None
    assert found.difference.line.startswith(f"tick {on['tick']}: {voice} 127 sounded, composed ")
    assert f"{voice} {on['velocity']}" in found.difference.line
    assert found.sounded >= 7 - len(others)
    told = CliRunner().invoke(app, ["replay", str(pieces[0].path)])
    assert told.exit_code == 1
    assert told.stderr.startswith(f"differs: {found.difference.line} (identical before: ")


def test_an_input_that_was_another_is_told_by_the_first_note(
    session: list[Piece], tmp_path: Path
) -> None:
    """A key that was not struck: all before it is identical, and what follows is another music."""

    def change(records: Records) -> None:
        for record in records:
            for row in record["data"][2] if record["what"] == "input" else []:
                if row[1] == "set":
                    row[2] = ["key", "B minor"]

    pieces = _rewritten(session[0], tmp_path, change)
    found = replay(pieces, None, _unheard)
    assert found.difference is not None
    assert "sounded, composed anew is" in found.difference.line
    assert 0 < found.sounded < len(_ons(_records(session[0])))


def test_a_difference_says_that_another_lofid_played(session: list[Piece], tmp_path: Path) -> None:
    """Which may well compose something else."""

    def change(records: Records) -> None:
        rows = [row for r in records if r["what"] == "input" for row in r["data"][2]]
        rows[0][2][4] = "0.0.7"
        next(row for row in rows if row[1] == "begin")[3] = 1

    found = replay(_rewritten(session[0], tmp_path, change), None, _unheard)
    assert told_findings(found).endswith(", 0:00:08; lofid 0.0.7 played)")


def test_an_answer_that_was_another_is_told_where_no_note_tells(
    session: list[Piece], tmp_path: Path
) -> None:
    """Such as notes of another length, or that were taken back."""

    def change(records: Records) -> None:
        rows = [row for r in records if r["what"] == "input" for row in r["data"][2]]
        next(row for row in rows if row[1] == "begin")[3] = 1

    found = replay(_rewritten(session[0], tmp_path, change), None, _unheard)
    assert found.difference is not None
    assert found.difference.line.startswith("the answer to 'begin' at 0.0")
    assert "was other notes; anew they begin with tick 0 to " in found.difference.line


def test_a_cut_off_journal_is_made_anew_as_far_as_it_goes(
    session: list[Piece], tmp_path: Path
) -> None:
    """Wherever it is cut: after kill -9 nothing differs, and nothing is missing."""
    data = session[0].path.read_bytes()
    path = tmp_path / session[0].path.name
    for share in (0.35, 0.5, 0.77, 0.999):
        path.write_bytes(data[: int(len(data) * share)])
        findings = replay([Piece(session[0].session, 1, path)], None, _unheard)
        assert (findings.difference, findings.stopped) == (None, "")
        assert findings.composed > 0
        assert findings.sounded > 0
        assert told_findings(findings).startswith("identical until it was cut off: ")
        findings.is_going_on = True
        assert told_findings(findings).startswith("identical until now: ")


def test_what_is_damaged_is_the_end_of_what_can_be_known(
    session: list[Piece], tmp_path: Path
) -> None:
    data = bytearray(session[0].path.read_bytes())
    data[len(data) // 2] ^= 0xFF
    path = tmp_path / session[0].path.name
    path.write_bytes(data)
    findings = replay([Piece(session[0].session, 1, path)], None, _unheard)
    assert findings.difference is None
    assert "are damaged or torn off; they are left out" in findings.stopped
    assert told_findings(findings).startswith("identical as far as it can be known: ")
    assert CliRunner().invoke(app, ["replay", str(path)]).exit_code == 1


def test_inputs_that_are_missing_are_seen(session: list[Piece], tmp_path: Path) -> None:
    """A batch that is not there, though every record is whole."""

    def change(records: Records) -> None:
        del records[[i for i, r in enumerate(records) if r["what"] == "input"][3]]

    findings = replay(_rewritten(session[0], tmp_path, change), None, _unheard)
    assert findings.difference is None
    assert findings.stopped.startswith("inputs ")
    assert findings.stopped.endswith(" are missing")


def test_records_that_a_full_disk_cost_are_seen(session: list[Piece], tmp_path: Path) -> None:
    gap = {"what": "gap", "seconds": 4.0, "from_seconds": 3.0, "records": 5, "why": "no space"}

    def change(records: Records) -> None:
        records.insert(len(records) // 2, gap)

    findings = replay(_rewritten(session[0], tmp_path, change), None, _unheard)
    assert findings.difference is None
    assert findings.stopped == "5 records are missing: no space"
    gap["records"] = 0
    assert replay(_rewritten(session[0], tmp_path, change), None, _unheard).stopped == ""


def test_a_session_without_its_beginning_is_refused(session: list[Piece], tmp_path: Path) -> None:
    pieces = [Piece(session[0].session, 2, session[0].path)]
    with pytest.raises(RecordingError, match=r"its beginning is gone, .*is its piece 2"):
        replay(pieces, None, _unheard)

    def change(records: Records) -> None:
        records[:] = [r for r in records if r["what"] != "input"]

    with pytest.raises(
        RecordingError, match="cannot be made anew from the beginning: it has no in"
    ):
        replay(_rewritten(session[0], tmp_path, change), None, _unheard)


def test_another_model_is_refused_in_one_line(session: list[Piece]) -> None:
    first = next(record for record in _records(session[0]) if record["what"] == "input")
    made = Made.read(Given(0, "made", first["data"][2][0][2]))
    with pytest.raises(RecordingError, match=r"was played by model [0-9a-f]{12}, and this one is"):
        Replay(PureModel(), made)


def test_a_session_is_found_by_file_by_name_and_by_its_beginning(
    session: list[Piece], tmp_path: Path
) -> None:
    folder = session[0].path.parent
    assert find_session(str(session[0].path), tmp_path) == session
    assert find_session(session[0].session, folder) == session
    assert find_session(session[0].session[:6], folder) == session
    copy = tmp_path / "mine.bin"
    copy.write_bytes(session[0].path.read_bytes())
    assert find_session(str(copy), tmp_path) == [Piece(session[0].session, 1, copy)]


@pytest.mark.parametrize("name", ["x" * 300, "x" * 100_000, "a\0b"])
def test_what_can_be_no_files_name_is_no_session(tmp_path: Path, name: str) -> None:
    with pytest.raises(RecordingError, match="is neither a file nor a session in "):
        find_session(name, tmp_path)


def test_playing_again_takes_no_model(session: list[Piece]) -> None:
    """It composes nothing."""
    for flag in ("--model", "--device"):
        told = CliRunner().invoke(app, ["replay", str(session[0].path), "--play", flag, "cpu"])
        assert isinstance(told.exception, ConfigError)


def test_a_session_can_be_made_anew_on_another_device(session: list[Piece], tmp_path: Path) -> None:
    """Than it was played on, which may not be here."""

    def change(records: Records) -> None:
        rows = [row for r in records if r["what"] == "input" for row in r["data"][2]]
        rows[0][2][3] = "banana"

    pieces = _rewritten(session[0], tmp_path, change)
    told = CliRunner().invoke(app, ["replay", str(pieces[0].path), "--device", "cpu"])
    assert told.stderr.startswith("identical: ")


@pytest.mark.parametrize("content", [b"", b"MThd", encode("end", {"tick": 0, "seconds": 0.0})])
def test_a_file_that_is_no_journal_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "other"
    path.write_bytes(content)
    told = CliRunner().invoke(app, ["replay", str(path)])
    assert isinstance(told.exception, LofidError)
    assert str(told.exception) == f"{path}: is no journal of lofid's; give a session's name"


def test_a_session_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RecordingError, match="'2026' is neither a file nor a session in "):
        find_session("2026", tmp_path)


def test_a_small_journal_by_hand() -> None:
    """Seven records: what the engine is made of, a beginning, and two notes that sounded."""
    settings = load(None, {"music.tempo": 120.0, "music.key": "C major"})
    made = Given(100_000_000, "made", [7, settings.model_dump(mode="json"), "pure", "cpu", "0"])
    anew = Replay(PureModel(), Made.read(made))
    messages, outcome = anew.do(Given(100_000_500, "begin"))
    assert [message["do"] for message in messages] == ["play", "start"]
    assert outcome == outcome_of(messages)
    (on, _, channel, pitch, velocity), *_ = messages[0]["notes"]
    moving = {"is": "transport", "moving": True, "tick": 0, "sync": "internal"}
    inputs = [
        made,
        Given(100_000_500, "begin", [], outcome),
        Given(100_001_000, "receive", [moving]),
        Given(100_001_000, "answer"),
    ]
    sounded = {"tick": on, "seconds": 0.1, "channel": channel, "pitch": pitch}
    wrong = {**sounded, "pitch": pitch + 1}
    person = {**wrong, "by_person": True}
    batch = {"seconds": 0.2, "data": written(0, inputs)}

    def found(*records: tuple[str, dict[str, Any]]) -> Any:
        entries = [parse(encode(*record)[FRAME_BYTES:]) for record in records]
        return compared(entries, PureModel())[0]

    end = ("end", {"tick": 9, "seconds": 0.3})
    good = ("on", {**sounded, "velocity": velocity})
    bad = ("on", {**wrong, "velocity": velocity})
    yours = ("on", {**person, "velocity": velocity})
    assert found(good, ("input", batch), yours, end).difference is None
    assert found(good, ("input", batch)).sounded == 1
    assert found(("input", batch), bad).difference is None, "no inputs after it were told"
    for records in ((bad, ("input", batch)), (("input", batch), bad, end)):
        difference = found(*records).difference
        assert difference.seconds == 0.1
        assert difference.line.startswith(f"tick {on}: channel 1 note {pitch + 1} velocity ")
