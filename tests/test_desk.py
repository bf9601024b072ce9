"""The desk: lessons, and the file that they are kept in."""

import asyncio
import os
import threading
import tomllib
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, TypeVar

import pytest

from lofid.config import load
from lofid.deeds import Command, Deed
from lofid.desk import Desk
from lofid.errors import ConfigError, ControlError, LofidError
from lofid.learnt import Learnt
from lofid.movers import Mover
from lofid.settings import Settings

T = TypeVar("T")


class Session:
    """A desk whose commands are kept, with the file and the lines of it."""

    def __init__(self, tmp_path: Path, config: str = "", input_: str = "virtual") -> None:
        self.path = tmp_path / "own" / "controllers.toml"
        self.done: list[Command] = []
        self.said: list[str] = []
        settings = Settings()
        if config:
            (tmp_path / "config.toml").write_text(config)
            settings = load(tmp_path / "config.toml", {})
        midi = settings.midi.model_copy(update={"input": input_})
        settings = settings.model_copy(update={"midi": midi})
        self.file = Learnt(self.path)
        self.desk = Desk(settings, self.file, self._obey, self.said.append, patience_seconds=10)

    async def _obey(self, name: str, arguments: list[str]) -> Any:
        self.done.append((name, arguments))
        return "done"

    def hear(self, *data: int) -> bool:
        return self.desk.takes({"is": "heard", "tick": 0, "data": list(data)})

    async def learn(self, what: str, *data: int) -> str:
        """Begin a lesson, and move what is to be learnt."""
        return await (await self.teach(what, *data))

    async def teach(self, what: str, *data: int) -> "asyncio.Task[str]":
        """The same, without waiting until it is kept."""
        lesson = asyncio.create_task(self.desk.learn(what))
        while self.desk.learning != what:
            await asyncio.sleep(0)
        self.hear(*data)
        return lesson

    @property
    def kept(self) -> dict[str, str]:
        table: dict[str, str] = tomllib.loads(self.path.read_text())["controllers"]
        return table


@pytest.fixture
def session(tmp_path: Path) -> Session:
    session = Session(tmp_path)
    run(session.desk.open)
    return session


def run(what: Callable[[], Awaitable[T]]) -> T:
    async def inner() -> T:
        return await what()

    return asyncio.run(inner())


def test_a_lesson_holds_at_once_and_is_kept(session: Session, tmp_path: Path) -> None:
    """It is answered with what was learnt, and another session knows it."""
    assert run(lambda: session.learn("tempo", 0xB2, 20, 64)) == "tempo = cc 20 on 3"
    assert session.kept == session.desk.table == {"tempo": "cc 20 on 3"}
    assert session.hear(0xB2, 20, 127)
    assert not session.hear(0xB1, 20, 127)
    again = Session(tmp_path)
    run(again.desk.open)
    assert again.desk.table == {"tempo": "cc 20 on 3"}
    assert again.said == session.said == []
    assert sorted(os.listdir(session.path.parent)) == [".controllers.toml.lock", "controllers.toml"]


def test_what_is_asked_for_is_carried_out(session: Session) -> None:
    async def play() -> None:
        await session.learn("mode answer", 0x99, 36, 80)
        working = asyncio.create_task(session.desk.run())
        assert session.hear(0x89, 36, 64)
        assert session.hear(0x99, 36, 80)
        assert not session.hear(0x90, 60, 80)
        while not session.done:
            await asyncio.sleep(0)
        working.cancel()

    asyncio.run(asyncio.wait_for(play(), 10))
    assert session.done == [("set", ["mode", "answer"])]


@pytest.mark.parametrize(
    "ending",
    [
        {"is": "gone"},
        {"is": "lost", "count": 3},
        {"is": "plugged", "side": "input", "there": False, "port": None, "why": ""},
    ],
)
def test_what_may_have_been_let_go_unheard_is_up(tmp_path: Path, ending: dict[str, Any]) -> None:
    """After a player's death, a loss of reports or the keyboard's: the next press counts."""
    session = Session(tmp_path, '[controllers]\n"mode answer" = "cc 66"\nstop = "note 36 on 10"\n')
    asyncio.run(session.desk.open())

    async def press(times: int) -> None:
        working = asyncio.create_task(session.desk.run())
        assert session.hear(0xB0, 66, 127)
        while len(session.done) < times:
            await asyncio.sleep(0)
        working.cancel()

    assert session.hear(0x99, 36, 90)
    asyncio.run(asyncio.wait_for(press(2), 10))
    assert not session.desk.takes(ending)
    assert not session.hear(0x89, 36, 64)
    asyncio.run(asyncio.wait_for(press(3), 10))
    assert session.done == [("stop", []), *2 * [("set", ["mode", "answer"])]]


def test_what_cannot_do_it_is_passed_over(session: Session) -> None:
    """A key and the sustain pedal are music still while a knob is waited for."""

    async def play() -> str:
        lesson = asyncio.create_task(session.desk.learn("swing"))
        await asyncio.sleep(0)
        assert not session.hear(0x90, 60, 80)
        assert not session.hear(0xB0, 64, 127)
        assert session.hear(0xB0, 1, 3)
        return await lesson

    assert asyncio.run(play()) == "swing = cc 1 on 1"


def test_a_controller_is_taken_from_what_it_did(tmp_path: Path) -> None:
    session = Session(tmp_path, '[controllers]\ntempo = "cc 20"\npanic = "note 1"\n')
    run(session.desk.open)
    line = run(lambda: session.learn("swing", 0xB0, 20, 5))
    assert line == "swing = cc 20 on 1; it no longer moves 'tempo'"
    assert session.desk.table == {"panic": "note 1", "swing": "cc 20 on 1"}
    assert session.kept == {"swing": "cc 20 on 1"}


def test_forgetting_is_kept_too(tmp_path: Path) -> None:
    """Also of what the configuration maps; a deed that nothing moves cannot be forgotten."""
    session = Session(tmp_path, '[controllers]\ntempo = "cc 20"\n')
    run(session.desk.open)
    assert run(lambda: session.desk.forget("tempo")) == "nothing moves 'tempo' any more"
    assert session.kept == {"tempo": ""}
    assert not session.hear(0xB0, 20, 5)
    with pytest.raises(ConfigError, match="nothing moves 'tempo': there is nothing to forget"):
        run(lambda: session.desk.forget("tempo"))


def test_a_lesson_ends_when_nothing_is_moved(tmp_path: Path) -> None:
    session = Session(tmp_path)
    session.desk._patience_seconds = 0.01
    with pytest.raises(ControlError) as caught:
        run(lambda: session.desk.learn("tempo"))
    assert str(caught.value) == (
        "no knob, slider or pedal was moved within 0.01 s: 'tempo' is moved by what moved it before"
    )
    assert not session.hear(0xB0, 20, 5)


def test_another_lesson_takes_its_place_and_one_can_be_called_off(session: Session) -> None:
    async def play() -> list[str | BaseException]:
        first = asyncio.create_task(session.desk.learn("tempo"))
        await asyncio.sleep(0)
        second = asyncio.create_task(session.desk.learn("swing"))
        await asyncio.sleep(0)
        assert session.desk.stop_learning() == "learning nothing"
        assert not session.hear(0xB0, 20, 5)
        return list(await asyncio.gather(first, second, return_exceptions=True))

    assert [str(line) for line in asyncio.run(play())] == [
        "another 'lofid ctl learn' took its place",
        "nothing was learnt: it was called off",
    ]


def test_two_lessons_at_a_time_are_both_kept(session: Session) -> None:
    """One that is still being written is not lost to the next."""

    async def play() -> None:
        await asyncio.gather(
            await session.teach("tempo", 0xB0, 20, 5), await session.teach("swing", 0xB0, 21, 5)
        )
        await session.learn("tempo", 0xB0, 20, 5)
        await asyncio.gather(
            session.learn("rest", 0xB0, 22, 5), asyncio.create_task(session.desk.forget("tempo"))
        )

    asyncio.run(play())
    assert session.kept == {"swing": "cc 21 on 1", "rest": "cc 22 on 1"}


@pytest.mark.parametrize(
    ("what", "input_", "error", "line"),
    [
        ("tmepo", "virtual", ConfigError, "did you mean 'tempo'"),
        ("seed", "virtual", ConfigError, "is fixed when lofid starts"),
        ("tempo", "", ControlError, "lofid listens to no keyboard: start it with --input"),
    ],
)
def test_what_cannot_be_learnt_is_refused_at_once(
    tmp_path: Path, what: str, input_: str, error: type[LofidError], line: str
) -> None:
    session = Session(tmp_path, input_=input_)
    with pytest.raises(error, match=line):
        run(lambda: session.desk.learn(what))


def test_what_cannot_be_kept_holds_until_the_end(session: Session) -> None:
    """A folder that is a file: the lesson holds and the line says for how long."""
    session.path.parent.write_text("")
    with pytest.raises(ControlError) as caught:
        run(lambda: session.learn("tempo", 0xB0, 20, 5))
    assert str(caught.value).startswith("tempo = cc 20 on 1, but only until lofid ends: ")
    assert session.desk.table == {"tempo": "cc 20 on 1"}
    session.path.parent.unlink()
    assert run(lambda: session.learn("swing", 0xB0, 21, 5)) == "swing = cc 21 on 1"
    assert session.kept == {"tempo": "cc 20 on 1", "swing": "cc 21 on 1"}


@pytest.mark.parametrize(
    ("text", "line", "left"),
    [
        ("tempo", "end of document: is not TOML: ", {}),
        ("controllers = 3", "controllers must be a section: [controllers]", {}),
        ("[music]\ntempo = 80", "'music' does not belong here", {}),
        (
            '[controllers]\ntempo = "cc 300"\nswing = "cc 21"',
            "controllers.tempo is 'cc 300'; must have a number from 0 to 127",
            {"swing": "cc 21"},
        ),
        ("\x00", "is not TOML", {}),
    ],
)
def test_a_faulty_file_is_kept_and_told(
    tmp_path: Path, text: str, line: str, left: dict[str, str]
) -> None:
    """What is sound in it is used; the file stays under another name, and an older one too."""
    session = Session(tmp_path)
    session.path.parent.mkdir()
    for suffix in ("", "1"):
        session.path.write_text(text)
        session.said.clear()
        run(session.desk.open)
        assert session.path.with_name(f"controllers.toml.bad{suffix}").read_text() == text
        assert line in session.said[0]
        kept = f"is kept as controllers.toml.bad{suffix}; lofid goes on with what was sound in it"
        assert session.said[-1] == f"{session.path}: {kept}"
        assert len(session.said) == 2
        assert session.desk.table == left
    session.said.clear()
    run(session.desk.open)
    assert (session.said, session.desk.table) == ([], left)


def test_a_folder_in_its_place_is_kept_too(session: Session) -> None:
    session.path.mkdir(parents=True)
    run(session.desk.open)
    assert "cannot be read: Is a directory" in session.said[0]
    assert session.path.with_name("controllers.toml.bad").is_dir()
    assert run(lambda: session.learn("tempo", 0xB0, 20, 5)) == "tempo = cc 20 on 1"


def test_a_pipe_in_its_place_is_not_waited_for(session: Session) -> None:
    session.path.parent.mkdir()
    os.mkfifo(session.path)
    run(session.desk.open)
    assert "cannot be read: Not a regular file" in session.said[0]
    assert session.path.with_name("controllers.toml.bad").is_fifo()


def test_the_event_loop_goes_on_while_the_file_is_read(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A disk that takes as long as the loop lets it."""
    looped, read = threading.Event(), session.file.read

    def read_slowly() -> Any:
        assert looped.wait(10)
        return read()

    monkeypatch.setattr(session.file, "read", read_slowly)

    async def play() -> None:
        opening = asyncio.create_task(session.desk.open())
        await asyncio.sleep(0)
        looped.set()
        await opening

    asyncio.run(play())


def test_two_lofids_that_learn_at_once_lose_nothing(tmp_path: Path) -> None:
    """Both read an empty file; each then keeps what it learnt, and knows of the other's."""
    one, other = Session(tmp_path), Session(tmp_path)

    async def play() -> None:
        await asyncio.gather(
            await one.teach("tempo", 0xB0, 20, 5), await other.teach("swing", 0xB0, 21, 5)
        )

    asyncio.run(play())
    assert one.kept == {"tempo": "cc 20 on 1", "swing": "cc 21 on 1"}
    assert one.kept in [one.desk.table, other.desk.table]


def test_what_two_lofids_learn_in_turn_is_laid_over_each_other(tmp_path: Path) -> None:
    """The newest wins the controller; what was forgotten elsewhere does not come back."""
    one, other = Session(tmp_path), Session(tmp_path)
    run(lambda: one.learn("tempo", 0xB0, 20, 5))
    run(lambda: one.learn("rest", 0xB0, 22, 5))
    run(other.desk.open)
    run(lambda: one.desk.forget("rest"))
    other.desk._learn(Deed.parse("swing"), Mover("cc", 20, 1))
    run(lambda: other.desk._save("swing"))
    assert other.kept == other.desk.table == {"swing": "cc 20 on 1"}


def test_a_link_stays_a_link(session: Session, tmp_path: Path) -> None:
    """Some keep their settings elsewhere, and link to them."""
    session.path.parent.mkdir()
    session.path.symlink_to(tmp_path / "elsewhere.toml")
    run(lambda: session.learn("tempo", 0xB0, 20, 5))
    assert session.path.is_symlink()
    assert session.kept == {"tempo": "cc 20 on 1"}
