"""Render: the same composer and the same score as a live session, under a clock that never waits.

So a rendered file and a recorded session with the same seed have the same notes at the same ticks.
"""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from lofid.composer import Composer
from lofid.exporting import check_export, export, kind_of
from lofid.feel import feel_of
from lofid.horizon import wire_notes
from lofid.keyfinder import key_of
from lofid.material import read_material
from lofid.music import BAR_TICKS
from lofid.player.agenda import Note, NoteOff, NoteOn, Score
from lofid.predictor import Predictor
from lofid.session import PlayedNote, Session
from lofid.settings import Settings

MIDI = "midi"
"""What a file is whose name does not say."""


class Rendered(NamedTuple):
    """What there is to tell of a rendered file.

    ``key`` is the one that was played in, such as ``F minor``. ``faults`` is how many events were
    repeated because the model gave no numbers.
    """

    key: str
    faults: int


def render(
    predictor: Predictor,
    settings: Settings,
    seed: int,
    bars: int,
    path: Path,
    progress: Callable[[int], None],
) -> Rendered:
    """Write ``bars`` bars to a file; ``progress`` is told each bar. Blocks.

    Its name says what it is to be, as for :func:`lofid.exporting.export`; any other is a MIDI file.
    One that is there is replaced. RecordingError when the file cannot be written, MaterialError
    when the one to begin with cannot be used.
    """
    kind, end_tick = kind_of(path, MIDI), bars * BAR_TICKS
    session = _silence(settings, seed, end_tick)
    check_export(path, kind, session, overwrite=True)
    composer, score, heard = _composer(predictor, settings, seed), Score(), _Heard()
    key = str(composer.feel.key)
    for bar in range(1, bars + 1):
        notes = wire_notes(composer.compose(bar * BAR_TICKS), settings)
        score.add(Note(*note) for note in notes)
        heard.take(score.due(bar * BAR_TICKS - 1))
        progress(bar)
    heard.take(score.release(end_tick))
    session = replace(session, notes=tuple(sorted(heard.notes)), keys=((0, key),))
    export(session, path, kind, overwrite=True)
    return Rendered(key, composer.faults)


def _silence(settings: Settings, seed: int, end_tick: int) -> Session:
    """Give the session before its notes."""
    return Session(
        notes=(),
        tempos=((0, settings.music.tempo),),
        keys=(),
        lead_channel=settings.parts.lead_channel - 1,
        keys_channel=settings.parts.keys_channel - 1,
        end_tick=end_tick,
        marks=((0, f"seed {seed}"),),
        swings=((0, settings.music.swing),),
    )


def _composer(predictor: Predictor, settings: Settings, seed: int) -> Composer:
    """Make a composer, seeded from a file if that is set, as an engine does."""
    composer = Composer(predictor, feel_of(settings), seed)
    if settings.music.seed_midi:
        material = read_material(Path(settings.music.seed_midi))
        composer.feel = feel_of(settings, key_of(material.events, material.key))
        composer.seed(material.events)
    return composer


class _Heard:
    """What would have sounded. The score ends a note before it begins another of its pitch."""

    def __init__(self) -> None:
        self.notes: list[PlayedNote] = []
        self._sounding: dict[tuple[int, int], PlayedNote] = {}

    def take(self, messages: "list[NoteOn | NoteOff] | list[NoteOff]") -> None:
        for message in messages:
            voice = (message.channel, message.pitch)
            if isinstance(message, NoteOn):
                note = PlayedNote(message.tick, 1, *voice, message.velocity)
                self._sounding[voice] = note
            elif (begun := self._sounding.pop(voice, None)) is not None:
                length_ticks = max(message.tick - begun.tick, 1)
                self.notes.append(replace(begun, length_ticks=length_ticks))
