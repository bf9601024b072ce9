"""The contest: the same grid under the same load, played by lofid's player and by the rival."""

import asyncio
from dataclasses import dataclass
from pathlib import Path

from lofid.bench import rival
from lofid.bench.grid import TEMPO_BPM, Grid
from lofid.bench.loads import loaded, processes
from lofid.errors import BenchError
from lofid.player.wire import Message
from lofid.settings import Settings
from lofid.stage import Stage, open_request

PATIENCE_SECONDS = 15.0
AT_FRAME, AT_SEND = "its frame", "the send call"
LOFID, PLAIN, DELTAS = "lofid", "plain loop", "plain loop, sleep(dt)"


@dataclass(frozen=True, slots=True)
class Lateness:
    """How late the notes were that one of them played under one load.

    ``at`` is what lateness is told of: on lofid's own JACK ports, the frame that a note belongs
    to; else the return of the call that sends it. ``latency_ms`` comes on top for each note alike.
    """

    condition: str
    player: str
    backend: str
    at: str
    late_us: tuple[int, ...]
    dropped: int = 0
    latency_ms: float = 0.0


def shown_name(one: Lateness) -> str:
    """Name who played; the rival has one way only on each system."""
    return f"{LOFID} on {one.backend}" if one.player == LOFID else one.player


def ask_player(settings: Settings) -> Message:
    """Have a player open its ports and leave; give what it said of them.

    NoMidiError, PortError.
    """
    return asyncio.run(_play(settings, Grid(0)))[0]


def lofid(settings: Settings, grid: Grid, condition: str, kinds: tuple[str, ...]) -> Lateness:
    """Have lofid's player play under a load. PortError, BenchError."""
    model, device = settings.engine.model, settings.engine.device
    with loaded(processes(kinds, without_own=False), Path(model), device):
        opened, late, dropped = asyncio.run(_play(settings, grid))
    return Lateness(
        condition=condition,
        player=LOFID,
        backend=opened["backend"],
        at=AT_FRAME if opened["backend"] == "jack" else AT_SEND,
        late_us=tuple(late),
        dropped=dropped,
        latency_ms=opened["latency_ms"],
    )


def plain(
    settings: Settings, grid: Grid, condition: str, kinds: tuple[str, ...]
) -> tuple[Lateness, Lateness]:
    """Have the rival play on the system that ``settings.midi.backend`` names. BenchError."""
    model, device, backend = settings.engine.model, settings.engine.device, settings.midi.backend
    job = rival.Job(backend, grid.notes, kinds, model, device)
    with loaded(processes(kinds, without_own=True), Path(model), device):
        found = rival.compete(job)
    return (
        Lateness(condition, PLAIN, backend, AT_SEND, found.absolute_us),
        Lateness(condition, DELTAS, backend, AT_SEND, found.delta_us),
    )


async def _play(settings: Settings, grid: Grid) -> tuple[Message, list[int], int]:
    """Give what the player opened, how late each note was, and how many it dropped."""
    stage = await Stage.start(open_request(settings))
    try:
        async with asyncio.timeout(PATIENCE_SECONDS + grid.seconds):
            opened = await stage.ready()
            if opened is None:
                raise BenchError("the player died before it opened its ports: see 'lofid doctor'")
            return opened, *await _hear(stage, grid)
    except TimeoutError:
        raise BenchError(
            "the player did not come to its end: is the MIDI system hanging?"
        ) from None
    finally:
        await stage.leave(lambda _message: None)


async def _hear(stage: Stage, grid: Grid) -> tuple[list[int], int]:
    late: list[int] = []
    dropped = 0
    if not grid.notes:
        return late, dropped
    stage.send([{"do": "play", "notes": grid.wire_notes()}])
    stage.send([{"do": "start", "tick": 0, "tempo": TEMPO_BPM}])
    async for message in stage.messages():
        if message["is"] == "on":
            late.append(message["late_us"])
        dropped += message["is"] == "dropped"
        if len(late) + dropped == grid.notes:
            return late, dropped
    raise BenchError("the player died while it played: see 'lofid doctor'")
