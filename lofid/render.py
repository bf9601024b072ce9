"""Render: the same composer and the same score as a live session, under a clock that never waits.

So a rendered file and a recorded session with the same seed have the same notes at the same ticks.
"""

import tempfile
from collections.abc import Callable
from pathlib import Path

from lofid.composer import Composer
from lofid.feel import feel_of
from lofid.horizon import wire_notes
from lofid.keyfinder import key_of
from lofid.material import read_material
from lofid.music import BAR_TICKS
from lofid.player.agenda import Note, NoteOff, NoteOn, Score
from lofid.predictor import Predictor
from lofid.recorder import Recorder
from lofid.settings import Settings


def render(
    predictor: Predictor,
    settings: Settings,
    seed: int,
    bars: int,
    path: Path,
    progress: Callable[[int], None],
) -> int:
    """Write ``bars`` bars to a MIDI file; ``progress`` is told each bar. Blocks.

    Gives how many events were repeated because the model gave no numbers. RecordingError when the
    file cannot be written, MaterialError when the one to begin with cannot be used.
    """
    composer, score = _composer(predictor, settings, seed), Score()
    lead, keys = settings.parts.lead_channel - 1, settings.parts.keys_channel - 1
    with tempfile.TemporaryDirectory(prefix="lofid-") as folder:
        recorder = Recorder(path, Path(folder), lead, keys)
        recorder.tempo(0, settings.music.tempo)
        recorder.key(0, str(composer.feel.key))
        for bar in range(1, bars + 1):
            notes = wire_notes(composer.compose(bar * BAR_TICKS), settings)
            score.add(Note(*note) for note in notes)
            _keep(recorder, score.due(bar * BAR_TICKS - 1))
            progress(bar)
        _keep(recorder, score.release(bars * BAR_TICKS))
        recorder.finish(bars * BAR_TICKS).wait()
    return composer.faults


def _composer(predictor: Predictor, settings: Settings, seed: int) -> Composer:
    """Make a composer, seeded from a file if that is set, as an engine does."""
    composer = Composer(predictor, feel_of(settings), seed)
    if settings.music.seed_midi:
        material = read_material(Path(settings.music.seed_midi))
        composer.feel = feel_of(settings, key_of(material.events, material.key))
        composer.seed(material.events)
    return composer


def _keep(recorder: Recorder, messages: "list[NoteOn | NoteOff] | list[NoteOff]") -> None:
    for message in messages:
        if isinstance(message, NoteOn):
            recorder.on(message.tick, message.channel, message.pitch, message.velocity)
        else:
            recorder.off(message.tick, message.channel, message.pitch)
    recorder.flush()
