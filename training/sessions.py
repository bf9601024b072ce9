"""Sessions to look at: the real composer under a clock that never waits, over all cores.

What a session is like does not depend on which process plays it or on what was played before.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass, replace
from functools import lru_cache
from multiprocessing import get_context
from pathlib import Path

from lofid.composer import Composer
from lofid.feel import Feel, feel_of
from lofid.music import BAR_TICKS, Event, Key
from lofid.predictor import Foreteller, Predictor
from lofid.settings import Settings
from training.passage import Passage


@dataclass(frozen=True)
class Solo:
    """So many events from a seed, with nobody at the keyboard; temperature None is as shipped."""

    seed: int
    events: int
    temperature: float | None = None


@dataclass(frozen=True)
class Led:
    """A person plays ``phrase`` into a new session; what sounds for ``bars`` after it is kept.

    The phrase lasts ``phrase_bars`` bars from the first; its pitches are as they sound in ``key``.
    """

    seed: int
    key: Key
    phrase: tuple[Event, ...]
    phrase_bars: int
    bars: int


Session = Solo | Led
Progress = Callable[[int, int], None]


def shipped_feel() -> Feel:
    """Give what the composer is told by default, less what only changes how it comes out.

    Straight time and untouched velocities leave every event where the model put it.
    """
    feel = feel_of(Settings())
    return replace(feel, swing_percent=50, lead_velocity_percent=100, keys_velocity_percent=100)


def play(model: Path, sessions: Sequence[Session], jobs: int, progress: Progress) -> list[Passage]:
    """Play every session; blocks. ``progress`` is called with the sessions done and to do."""
    if jobs == 1:
        return [_counted(model, s, progress, (i, len(sessions))) for i, s in enumerate(sessions, 1)]
    # Spawned, not forked: onnxruntime has threads by now.
    with ProcessPoolExecutor(jobs, get_context("spawn")) as pool:
        futures = [pool.submit(perform, model, session) for session in sessions]
        for done, _ in enumerate(as_completed(futures), 1):
            progress(done, len(sessions))
        return [future.result() for future in futures]


def _counted(model: Path, session: Session, progress: Progress, where: tuple[int, int]) -> Passage:
    passage = perform(model, session)
    progress(*where)
    return passage


def perform(model: Path, session: Session) -> Passage:
    """Play one session with the model in this process; give it in the home key."""
    if isinstance(session, Solo):
        return play_solo(_predictor(model), session)
    return play_led(_predictor(model), session)


@lru_cache(maxsize=1)
def _predictor(model: Path) -> Predictor:
    return Predictor(model, "cpu")


def play_solo(predictor: Foreteller, session: Solo) -> Passage:
    """Compose bar by bar until there are enough events; give them in the home key."""
    feel = shipped_feel()
    if session.temperature is not None:
        feel = replace(feel, temperature=session.temperature)
    composer, events, bar = Composer(predictor, feel, session.seed), list[Event](), 0
    while len(events) < session.events:
        bar += 1
        events += composer.compose(bar * BAR_TICKS)
    return Passage.of_events(events[: session.events], feel.key.shift_semitones)


def play_led(predictor: Foreteller, session: Led) -> Passage:
    """As the engine does it: what is heard is answered at once. Give the answer."""
    feel = replace(shipped_feel(), key=session.key)
    composer, events = Composer(predictor, feel, session.seed), list[Event]()
    for number, event in enumerate(session.phrase):
        next_ticks = event.onset_ticks + 1
        events += composer.compose(next_ticks)
        composer.hear(number, event)
        composer.take_back(next_ticks)
        composer.come_in(next_ticks)
    start_ticks = session.phrase_bars * BAR_TICKS
    events += composer.compose(start_ticks + session.bars * BAR_TICKS)
    answer = [event for event in events if event.onset_ticks >= start_ticks]
    return Passage.of_events(answer, feel.key.shift_semitones)
