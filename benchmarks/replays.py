"""Whether sessions are made anew from their journals, event by event, and what that costs.

Usage: ``nice -n 19 python benchmarks/replays.py [SESSIONS] [SECONDS]`` (100 of 60 s by default)

Random sessions in simulated time, with the model that comes with lofid: their seeds and settings
are drawn; phrases are played, keys, modes and tempos are changed, the context is seeded from
phrases and forgotten, players crash and the engine stalls; answers are left and interrupted. Each
is written into a journal by a scribe. Then ``lofid replay``'s own functions make it anew with a
model that is loaded again, and besides what they compare, everything that the player was to play
is compared, message by message.
"""

import random
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from lofid.config import load
from lofid.pieces import sessions_in
from lofid.predictor import Predictor, default_model_path
from lofid.reading import entries_in
from lofid.records import Record, decode
from lofid.scribe import Scribe
from tests.journals import held
from tests.phrases import PHRASES
from tests.witnessed import Stage, compared, witnessed

KEYS = ("auto", "C minor", "F minor", "E major", "Bb major", "A minor")
Act = Callable[[Stage, random.Random], None]


def _phrase(world: Stage, lot: random.Random) -> None:
    """Play a phrase, in time."""
    phrase = lot.choice(PHRASES)
    seconds_a_tick = 60 / world.engine.status()["tempo"] / 480
    at = 0
    for tick, message in phrase.messages():
        world.run((tick - at) * seconds_a_tick)
        at = tick
        world.strike(*message)


def _set(name: str, *texts: str) -> Act:
    return lambda world, lot: world.ask(lambda: world.engine.set(name, lot.choice(texts)))


def _seed(world: Stage, lot: random.Random) -> None:
    events = lot.choice(PHRASES).events()
    world.ask(lambda: world.engine.seed_with(events, None))


ACTS: tuple[Act, ...] = (
    _phrase, _phrase, _phrase, _set("key", *KEYS), _set("key", *KEYS), _seed,
    _set("mode", "listen", "answer", "chords"), _set("tempo", "70", "93", "140"),
    _set("density", "0.5", "1", "2"), _set("swing", "50", "62"), _set("reply", "wait", "go-on"),
    lambda world, _: world.ask(world.engine.forget),
    lambda world, _: world.ask(world.engine.start),
    lambda world, _: world.crash(),
    lambda world, lot: world.stall(lot.uniform(0, 3)),
)  # fmt: skip


def play(number: int, seconds: float, predictor: Predictor, folder: Path) -> Stage:
    """Play a random session, and keep its journal."""
    lot = random.Random(number)  # noqa: S311 (no secret)
    music = {"music.tempo": lot.uniform(60, 140), "music.key": lot.choice(KEYS)}
    chosen = load(None, {**music, "keyboard.mode": lot.choice(["listen", "answer", "chords"])})
    seed = lot.randrange(2**32)
    draw = lambda: lot.random() * 20  # noqa: E731  # something comes in between one time in forty
    world, engine = witnessed(predictor, chosen, lot.choice([0.0, 0.026]), draw, seed)
    scribe = Scribe(folder, held, now=lambda: world.seconds)
    engine.write_to(scribe)
    while world.seconds < seconds:
        lot.choice(ACTS)(world, lot)
        world.run(lot.uniform(0.0, 6.0))
    world.run(max(0.0, world.stalled_until - world.seconds))
    world.leave()
    engine.end()
    scribe.close()
    return world


def sizes(path: Path) -> tuple[int, int]:
    """Bytes of all records of a piece, and of its inputs."""
    records = [found for found in decode(path.read_bytes()) if isinstance(found, Record)]
    inputs = [r for r in records if r.payload.startswith(b'{"what":"input"')]
    return (sum(8 + len(r.payload) for r in rs) for rs in (records, inputs))  # type: ignore[return-value]


def main() -> None:
    """Play, make anew, and compare."""
    sessions = int(sys.argv[1]) if len(sys.argv) > 1 else 100
    seconds = float(sys.argv[2]) if len(sys.argv) > 2 else 60.0
    player, composer = (Predictor(default_model_path(), "cpu") for _ in range(2))
    identical = notes = sounded = inputs = 0
    length = spent = 0.0
    bytes_all = bytes_inputs = 0
    for number in range(sessions):
        with tempfile.TemporaryDirectory() as text:
            world = play(number, seconds, player, Path(text))
            (pieces,) = sessions_in(Path(text)).values()
            begin = time.perf_counter()
            faults: list[str] = []
            findings, plays = compared(entries_in(pieces, faults.append), composer)
            spent += time.perf_counter() - begin
            whole, given = sizes(pieces[0].path)
        is_same = findings.difference is None and not findings.stopped and plays == world.plays
        is_all = findings.sounded == len(world.told_of("on")) and not faults
        if not (is_same and is_all):
            print(f"session {number}: {findings}, {faults}", flush=True)
        identical += is_same and is_all
        notes += findings.composed
        sounded += findings.sounded
        inputs += findings.inputs
        length += world.seconds
        bytes_all, bytes_inputs = bytes_all + whole, bytes_inputs + given
    hours = length / 3600
    print(
        f"{identical} of {sessions} sessions are identical event by event: {inputs} inputs, "
        f"{notes} notes composed, {sounded} sounded, in {hours:.2f} h of music, made anew and "
        f"compared in {spent:.0f} s; inputs are {bytes_inputs / hours / 1e6:.2f} MB an hour, "
        f"notes and all else here {(bytes_all - bytes_inputs) / hours / 1e6:.2f} MB"
    )
    sys.exit(identical < sessions)


if __name__ == "__main__":
    main()
