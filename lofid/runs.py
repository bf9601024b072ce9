"""Runs: what sounded in a session, as a player is to play it again.

Notes keep their ticks, and what a person played is not among them. Where the music stood or went
elsewhere, a new run begins.
"""

from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from lofid.entries import Entry, Header, Off, On, Tempo, Transport
from lofid.errors import RecordingError
from lofid.music import TICKS_PER_QUARTER
from lofid.pieces import Piece
from lofid.player.wire import Message
from lofid.reading import entries_in
from lofid.transcript import Note, read_transcript

JUMP_TICKS = TICKS_PER_QUARTER // 2
"""Music that is so far from where it should be by its tempo went elsewhere."""
NOTES_AT_ONCE = 256

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
        notes = self._wire_notes()
        parts = [notes[at : at + NOTES_AT_ONCE] for at in range(0, len(notes), NOTES_AT_ONCE)]
        start = {"do": "start", "tick": self.tick, "tempo": self.tempo}
        return [*({"do": "play", "notes": part} for part in parts), start]

    def _wire_notes(self) -> list[list[int]]:
        """Give the notes as a player takes them: none before it begins, for it leaves out those."""
        return [
            [
                tick := max(note.tick, self.tick),
                max(note.end_tick, tick + 1),
                note.channel,
                note.pitch,
                note.velocity,
            ]
            for note in self.notes
        ]

    @property
    def last_tick(self) -> int:
        """Where the last note begins."""
        return max(self.tick, self.notes[-1].tick)

    @property
    def end_tick(self) -> int:
        """Where all notes have ended."""
        return max(end for _, end, *_ in self._wire_notes())


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
