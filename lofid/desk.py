"""The desk: the controllers of one session, with what they learn and what they ask for.

Called from the engine's event loop only; only what is learnt goes to the disk, from a thread. Other
lofids may learn at the same time: what is kept is what was changed, laid over what they kept.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from lofid import mapping
from lofid.controllers import Controllers
from lofid.deeds import Deed
from lofid.errands import Errands, Obey
from lofid.errors import ConfigError, ControlError
from lofid.learnt import Learnt
from lofid.movers import Mover
from lofid.player.wire import Message
from lofid.settings import Settings

PATIENCE_SECONDS = 30.0
NOT_LISTENING = "lofid listens to no keyboard: start it with --input, see 'lofid ports'"


@dataclass(frozen=True, slots=True)
class _Lesson:
    """What is to be learnt; ``taught`` gets the line that says what was."""

    deed: Deed
    taught: "asyncio.Future[str]"


@dataclass(frozen=True, slots=True)
class _Change:
    """What was learnt: that this moves that, or that nothing does."""

    deed: Deed
    mover: Mover | None


class Desk:
    """Takes what is heard. ``obey`` does what the controllers ask for, ``say`` gets lines."""

    def __init__(
        self,
        settings: Settings,
        learnt: Learnt,
        obey: Obey,
        say: Callable[[str], None],
        patience_seconds: float = PATIENCE_SECONDS,
    ) -> None:
        self._hears = bool(settings.midi.input)
        self._base, _ = mapping.read(settings.controllers.table)
        self._file = learnt
        self._say = say
        self._patience_seconds = patience_seconds
        self._errands = Errands(obey, say)
        self._controllers = Controllers()
        self._learnt: mapping.Bindings = {}
        self._unsaved: list[_Change] = []
        self._lesson: _Lesson | None = None
        self._writing = asyncio.Lock()

    async def open(self) -> None:
        """Read what was learnt before, also by another lofid; say what is wrong with it."""
        if self._unsaved:  # the file is read when they are kept
            return
        async with self._writing:
            learnt, lines = await asyncio.to_thread(self._file.read)
        self._follow(self._changed(learnt, self._unsaved))
        for line in lines:
            self._say(line)

    def _follow(self, learnt: mapping.Bindings) -> None:
        self._learnt = learnt
        self._controllers.map(mapping.laid_over(self._base, learnt))

    def _changed(self, learnt: mapping.Bindings, changes: Sequence[_Change]) -> mapping.Bindings:
        """Lay changes over what was learnt, in their order. Pure, and of any thread."""
        for change in changes:
            if change.mover is not None:
                learnt, _ = mapping.learn(self._base, learnt, change.deed, change.mover)
            elif change.deed in mapping.laid_over(self._base, learnt):
                learnt = mapping.forget(self._base, learnt, change.deed)
        return learnt

    @property
    def table(self) -> dict[str, str]:
        """What moves what now, as a table of texts."""
        return mapping.write(dict(mapping.laid_over(self._base, self._learnt)))

    def takes(self, message: Message) -> bool:
        """Take one of the player's messages; True when it was a command, and no music."""
        if message["is"] in ("gone", "lost") or message.get("side") == "input":
            self._controllers.release()  # what was let go of meanwhile was not heard
        if message["is"] != "heard":
            return False
        status, first, second = message["data"]
        lesson = self._lesson if self._is_learning else None
        if lesson and (mover := self._controllers.moved(lesson.deed, status, first, second)):
            self._lesson = None
            lesson.taught.set_result(self._learn(lesson.deed, mover))
            return True
        is_command = self._controllers.takes(status, first)
        command = self._controllers.take(status, first, second)
        if command is not None:
            self._errands.add(command)
        return is_command

    @property
    def learning(self) -> str:
        """What waits for a controller to be moved; empty for nothing."""
        return str(self._lesson.deed) if self._lesson and self._is_learning else ""

    @property
    def _is_learning(self) -> bool:
        """Whether somebody still waits: a lesson is over a moment before who waited is told."""
        return self._lesson is not None and not self._lesson.taught.done()

    async def run(self) -> None:
        """Carry out what the controllers ask for, for ever."""
        await self._errands.run()

    async def learn(self, text: str) -> str:
        """Have the next controller that is moved do this from now on; give a line that says so.

        ConfigError for what no controller does. ControlError when nothing is moved in time, when
        another lesson takes this one's place, or when what was learnt cannot be kept. Who cancels
        this calls it off, but what was learnt is kept.
        """
        deed = Deed.parse(text)
        if not self._hears:
            raise ControlError(NOT_LISTENING)
        self._end_lesson("another 'lofid ctl learn' took its place")
        lesson = _Lesson(deed, asyncio.get_running_loop().create_future())
        self._lesson = lesson
        try:
            async with asyncio.timeout(self._patience_seconds):
                await self.open()
                line = await lesson.taught
        except TimeoutError:
            raise ControlError(self._in_vain(deed)) from None
        finally:
            if self._lesson is lesson:
                self._lesson = None
        await asyncio.shield(asyncio.ensure_future(self._save(line)))
        return line

    def _in_vain(self, deed: Deed) -> str:
        what = "no knob, slider or pedal" if deed.is_swept else "no pad, pedal, knob or button"
        return (
            f"{what} was moved within {self._patience_seconds:g} s: "
            f"{str(deed)!r} is moved by what moved it before"
        )

    def _learn(self, deed: Deed, mover: Mover) -> str:
        learnt, taken = mapping.learn(self._base, self._learnt, deed, mover)
        self._unsaved.append(_Change(deed, mover))
        self._follow(learnt)
        also = f"; it no longer moves {', '.join(repr(str(d)) for d in taken)}" if taken else ""
        return f"{deed} = {learnt[deed]}{also}"

    def stop_learning(self) -> str:
        """Wait for no controller any more."""
        self._end_lesson("nothing was learnt: it was called off")
        return "learning nothing"

    def _end_lesson(self, why: str) -> None:
        if self._lesson is not None and self._is_learning:
            self._lesson.taught.set_exception(ControlError(why))
            self._lesson = None

    async def forget(self, text: str) -> str:
        """Have nothing do this any more. ConfigError when nothing does, or for no deed at all."""
        deed = Deed.parse(text)
        await self.open()
        learnt = mapping.forget(self._base, self._learnt, deed)
        self._unsaved.append(_Change(deed, None))
        self._follow(learnt)
        line = f"nothing moves {str(deed)!r} any more"
        await self._save(line)
        return line

    async def _save(self, line: str) -> None:
        """Keep what was learnt. ControlError when it cannot be: it holds all the same."""
        async with self._writing:
            changes = tuple(self._unsaved)
            if not changes:  # another lesson kept them
                return
            try:
                learnt, lines = await asyncio.to_thread(
                    self._file.change, lambda before: self._changed(before, changes)
                )
            except ConfigError as error:
                raise ControlError(f"{line}, but only until lofid ends: {error}") from None
            del self._unsaved[: len(changes)]
            self._follow(self._changed(learnt, self._unsaved))
        for each in lines:
            self._say(each)
