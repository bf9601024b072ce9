"""The encore: what sounded in a session is sent to a port again, in time, by a player process.

Rules:

* Notes keep their ticks, and are played at the tempos that held there, as they were. Where the
  music stood or went elsewhere it does so again: that is a new *run*, and begins when it did.
* What a person played is not sent: it did not come from lofid.
* A run begins when all notes of the one before have begun, however late that is.
"""

import asyncio
import signal
from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from lofid.entries import Entry, Header, Off, On, Tempo, Transport
from lofid.errors import PortError, RecordingError
from lofid.music import TICKS_PER_QUARTER
from lofid.pieces import Piece
from lofid.player.wire import Message
from lofid.reading import entries_in
from lofid.settings import Settings
from lofid.stage import Stage, open_request
from lofid.transcript import Note, read_transcript

READY_SECONDS = 15.0
LEAD_IN_SECONDS = 2.0
"""What listens to a virtual port needs a moment to be connected to it."""
JUMP_TICKS = TICKS_PER_QUARTER // 2
"""Music that is so far from where it should be by its tempo went elsewhere."""
LOOK_SECONDS = 0.05
"""So long is waited between two looks at what the player has played."""
NOTES_AT_ONCE = 256
_SIGNALS = [getattr(signal, n) for n in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, n)]

Say = Callable[[str], None]


@dataclass(slots=True)
class Run:
    """Music that goes without a break, from a tick on, at a second of the session."""

    tick: int
    seconds: float
    tempo: float
    notes: list[Note] = field(default_factory=list)
    tempos: list[Tempo] = field(default_factory=list)

    def plays(self) -> list[Message]:
        """Give what the player is to do for it to begin."""
        notes = [
            [note.tick, max(note.end_tick, note.tick + 1), note.channel, note.pitch, note.velocity]
            for note in self.notes
        ]
        parts = [notes[at : at + NOTES_AT_ONCE] for at in range(0, len(notes), NOTES_AT_ONCE)]
        start = {"do": "start", "tick": self.tick, "tempo": self.tempo}
        return [*({"do": "play", "notes": part} for part in parts), start]


def runs_of(pieces: Sequence[Piece], tell: Say) -> list[Run]:
    """Read a session's runs, with their notes. RecordingError where nothing sounded.

    ``tell`` gets a line for each place that cannot be read. Blocks as long as reading does.
    """
    transcript = read_transcript(pieces)
    for fault in transcript.faults:
        tell(fault)
    notes = [note for note in transcript.notes if not note.by_person]
    if not notes:
        raise RecordingError("nothing of lofid's sounded in this session: nothing to play again")
    begins = _begins(entries_in(pieces, lambda _line: None))
    begins = begins or [(notes[0].tick, notes[0].seconds)]
    tempos = transcript.tempos
    ticks = [tick for tick, _ in begins]
    runs = [Run(*begin, tempos[0].bpm) for begin in begins]
    for note in notes:
        runs[max(bisect_right(ticks, note.tick) - 1, 0)].notes.append(note)
    _lay_tempos(runs, ticks, tempos)
    return [run for run in runs if run.notes]


def _begins(entries: Iterable[Entry]) -> list[tuple[int, float]]:
    """Find where the music began, after it stood or elsewhere: ticks and seconds.

    That it moves may be said again meanwhile, as when a master's clock is found or lost.
    """
    begins: list[tuple[int, float]] = []
    is_moving, tempo, here, seconds = False, 0.0, 0, 0.0
    for entry in entries:
        if isinstance(entry, Header | Transport):
            passed = (entry.seconds - seconds) * tempo / 60 * TICKS_PER_QUARTER
            is_there = is_moving and abs(here + passed - entry.tick) < JUMP_TICKS
            if entry.moving and not is_there:
                begins.append((entry.tick, entry.seconds))
            is_moving = entry.moving
        if isinstance(entry, Header | Tempo):
            tempo = entry.tempo if isinstance(entry, Header) else entry.bpm
        if isinstance(entry, On | Off) and entry.by_person:
            continue
        if isinstance(entry, Header | Transport | Tempo | On | Off):
            here, seconds = entry.tick, entry.seconds
    return begins


def _lay_tempos(runs: Sequence[Run], ticks: Sequence[int], tempos: Sequence[Tempo]) -> None:
    """Give each run the tempo it begins with, and those that follow."""
    for tempo in tempos:
        at = bisect_right(ticks, tempo.tick) - 1
        if at >= 0 and tempo.tick > ticks[at]:
            runs[at].tempos.append(tempo)
        for run in runs[max(at + (tempo.tick > ticks[at]), 0) :]:
            run.tempo = tempo.bpm


def play(pieces: Sequence[Piece], settings: Settings, say: Say) -> None:
    """Play a session again, until its end or a signal. Blocks; LofidError if it cannot."""
    asyncio.run(_Encore(runs_of(pieces, say), settings, say).run())


class _Encore:
    """One session, in one event loop."""

    def __init__(self, runs: Sequence[Run], settings: Settings, say: Say) -> None:
        self._runs = runs
        ours_alone: Message = {"input": None, "clock": None, "tempo": runs[0].tempo}
        self._request = {**open_request(settings), **ours_alone}
        self._say = say
        self._begun = 0
        """Notes that have begun, or came too late to."""
        self._sounding: set[tuple[int, int]] = set()

    async def run(self) -> None:
        quitting = asyncio.Event()
        for number in _SIGNALS:
            asyncio.get_running_loop().add_signal_handler(number, quitting.set)
        stage = await Stage.start(self._request)
        try:
            await self._open(stage)
            jobs = [asyncio.create_task(job) for job in (self._send(stage), quitting.wait())]
            listening = asyncio.create_task(self._listen(stage))
            await asyncio.wait([*jobs, listening], return_when=asyncio.FIRST_COMPLETED)
            is_dead = listening.done() and not quitting.is_set()
            for job in (*jobs, listening):
                job.cancel()
            await asyncio.gather(*jobs, listening, return_exceptions=True)
        finally:
            await stage.leave(lambda _message: None)
        if is_dead:
            raise PortError("the player process died: see 'lofid doctor'")

    async def _open(self, stage: Stage) -> None:
        try:
            opened = await asyncio.wait_for(stage.ready(), READY_SECONDS)
        except TimeoutError:
            stage.kill()
            raise PortError("no MIDI port opened: is the MIDI system hanging?") from None
        if opened is None:
            raise PortError("the player process died before it opened a port: see 'lofid doctor'")
        notes = sum(len(run.notes) for run in self._runs)
        where = f"{opened['backend']} port {opened['output']}"
        self._say(f"lofid plays {notes} notes again on {where}")

    async def _send(self, stage: Stage) -> None:
        """Begin run after run, each in its time, and wait for the end of the last."""
        loop = asyncio.get_running_loop()
        sent, first = 0, self._runs[0]
        began = loop.time() + LEAD_IN_SECONDS - first.seconds
        for run in self._runs:
            while self._begun < sent or loop.time() < began + run.seconds:
                left = began + run.seconds - loop.time()
                await asyncio.sleep(left if self._begun >= sent else LOOK_SECONDS)
            stage.send(run.plays())
            sent += len(run.notes)
            for tempo in run.tempos:
                await asyncio.sleep(max(0.0, began + tempo.seconds - loop.time()))
                stage.send([{"do": "tempo", "tempo": tempo.bpm}])
        while self._begun < sent or self._sounding:
            await asyncio.sleep(LOOK_SECONDS)

    async def _listen(self, stage: Stage) -> None:
        async for message in stage.messages():
            match message["is"]:
                case "on":
                    self._begun += 1
                    self._sounding.add((message["channel"], message["pitch"]))
                case "dropped":
                    self._begun += 1
                case "off":
                    self._sounding.discard((message["channel"], message["pitch"]))
