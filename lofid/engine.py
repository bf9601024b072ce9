"""The engine: what the player says goes in, what the player is to do comes out.

It knows the composer, the person's playing and the settings, and writes what happens to a journal;
it opens no port and waits for nothing. Everything here is called from the engine's one thread.
"""

import secrets
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from lofid.chronicle import Chronicle
from lofid.config import change
from lofid.errors import ControlError
from lofid.memory import Remembered
from lofid.music import BAR_TICKS, TICKS_PER_QUARTER, Event, Key
from lofid.partner import Partner
from lofid.player.wire import Message
from lofid.predictor import Foreteller
from lofid.reckoning import Reckoning
from lofid.settings import Settings
from lofid.tally import Tally

MOST_AHEAD_SECONDS = 0.2
"""More than any player's latency: 4,096 frames and its slack are 0.1 s."""
MOMENT_SECONDS = 2.0
"""A player that died is replaced in less; a music that stood for longer goes on where it stood."""
OTHER_TEMPO = 0.005
"""A master's tempo is known to about a thousandth; less of a change is none."""
SONG_TICKS = TICKS_PER_QUARTER // 4
"""MIDI's song position counts sixteenths."""


def new_seed() -> int:
    """Draw a seed for a session that was given none."""
    return secrets.randbelow(2**32)


class Engine:
    """One session. ``now`` is a monotonic clock in seconds, used only to resume after a crash."""

    def __init__(
        self, predictor: Foreteller, settings: Settings, seed: int, now: Callable[[], float]
    ) -> None:
        self.settings = settings
        self.seed = seed
        self.predictor = predictor
        self._partner = Partner(predictor, settings, seed)
        self._horizon = self._partner.horizon
        self._reckoning = Reckoning(now, settings.music.tempo)
        self.chronicle = Chronicle(now, self._reckoning, self.tick_now)
        self.chronicle.begin(predictor, settings, seed, str(self._partner.key))
        self._tally = Tally(now, settings.keyboard, self.chronicle.write)
        self._sync = "internal"
        self._song_tick = 0
        self._lost_at_stake: list[tuple[int, int]] = []
        self._is_lost = self._was_moving = False

    @property
    def is_led(self) -> bool:
        """Whether the music follows another's MIDI clock."""
        return self.settings.sync.source == "midi-clock"

    @property
    def is_moving(self) -> bool:
        """Whether the music plays, or stands."""
        return self._reckoning.is_moving

    @property
    def faults(self) -> int:
        """Events that were repeated because the model gave no numbers."""
        return self._partner.faults

    def begin(self) -> list[Message]:
        """Compose the first stretch and start the clock, or wait for another's."""
        messages = self._partner.compose(0)
        self.chronicle.key(0, str(self._partner.key))
        return [*messages, self._stand(0) if self.is_led else self._start(0)]

    def lose(self) -> None:
        """Take note that the player died: until the next one comes, the music stands."""
        tick = self.tick_now()
        self._is_lost = True
        self._lost_at_stake = self.at_stake()
        self._was_moving = self._reckoning.is_moving
        self._reckoning.at(tick, is_moving=False)
        self.chronicle.write("transport", tick=tick, moving=False)

    def _release(self, tick: int) -> None:
        """A person holds nothing any more."""
        self._tally.release(tick)
        self._partner.release(tick)

    def resume(self) -> list[Message]:
        """Take a new player to where the one that died would be now, and silence what it held.

        After more than a moment (a JACK server that was away) it goes on where that one was.
        """
        if not self._is_lost:
            self.lose()
        self._is_lost = False
        tick = self.tick_now()
        silence = {"do": "silence", "notes": [list(note) for note in self._lost_at_stake]}
        self._tally.end_all(tick)
        self._lost_at_stake = []
        self._release(tick)
        if not self._was_moving:
            return [silence, self._horizon.again(tick), self._stand(tick)]
        if self._reckoning.still_seconds < MOMENT_SECONDS:
            ran_on = tick + 1 + self._reckoning.ticks_in(self._reckoning.still_seconds)
            tick = max(tick, min(ran_on, self._horizon.until_tick))
        tick = self._on_song_grid(tick)
        left = self._horizon.again(tick)
        more = self._partner.compose(tick) if tick >= self._horizon.until_tick else []
        return [silence, left, *more, self._start(tick)]

    def at_stake(self) -> list[tuple[int, int]]:
        """The (channel, pitch) pairs that may sound when a player dies without a word.

        What it told of, and what was due: it may have sent a note and died before it said so, and
        it is ahead of what sounds by its latency.
        """
        until = self.tick_now() + self._reckoning.ticks_in(MOST_AHEAD_SECONDS)
        now = self._tally.at_stake(self._horizon.begun(until))
        return list(dict.fromkeys([*self._lost_at_stake, *now]))

    def tick_now(self) -> int:
        """Where the clock stands by our own reckoning since the last position.

        No later than what is composed: while nobody plays, that is where the music waits.
        """
        told_tick, tick = self._reckoning.told_tick, self._reckoning.tick
        return max(told_tick, min(tick, self._horizon.until_tick))

    def start(self) -> list[Message]:
        """Move again from the next bar line. ControlError for one who follows a clock."""
        self._check_free()
        tick = -(-self.tick_now() // BAR_TICKS) * BAR_TICKS
        self._song_tick = tick
        return [*self._partner.compose(tick), self._start(tick, is_new=True)]

    def go_on(self) -> list[Message]:
        """Move again from where the music stands. ControlError as by :meth:`start`."""
        self._check_free()
        if self._reckoning.is_moving:
            raise ControlError("the music plays: 'lofid ctl stop' stops it")
        tick = self._on_song_grid(self.tick_now())
        return [*self._partner.compose(tick), self._start(tick)]

    def _on_song_grid(self, tick: int) -> int:
        """A song position, which our clock's listeners need, says no more than sixteenths."""
        return -(-tick // SONG_TICKS) * SONG_TICKS if self.settings.sync.send else tick

    def halt(self) -> list[Message]:
        """Stop the music where it is. ControlError as by :meth:`start`."""
        self._check_free()
        return [{"do": "halt"}]

    def _check_free(self) -> None:
        if self.is_led:
            raise ControlError("lofid follows a MIDI clock: start and stop whoever sends it")

    def receive(self, message: Message) -> list[Message]:
        """Take one of the player's messages; give what it is to do now."""
        match message["is"]:
            case "transport":
                return self._turn(message["tick"], message["moving"], message["sync"])
            case "replaced":
                return self.resume()
        self._note(message)
        return []

    def pass_over(self, message: Message) -> None:
        """Take one that is a command and no music: it may sound through thru all the same."""
        self._tally.pass_over(message)

    def _note(self, message: Message) -> None:
        """Take note of what asks for no answer."""
        self._tally.take(message)
        match message["is"]:
            case "position":
                self._at(message["tick"], message["tempo"])
            case "heard":
                self._partner.hear(message)
            case "lost":  # the end of a key may have been among it
                self._release(self.tick_now())
            case "gone":
                self.lose()
            case "alive" if self.is_led and not self._reckoning.is_moving:
                self._reckoning.tempo_bpm = message["tempo"]  # a master's, which may change it

    def _start(self, tick: int, is_new: bool = False) -> Message:
        """Say start; where others' songs began, unless ours begins there."""
        start: Message = {"do": "start", "tick": tick, "tempo": self._reckoning.tempo_bpm}
        return start if is_new or tick == 0 else {**start, "song_tick": self._song_tick}

    def _stand(self, tick: int) -> Message:
        return {"do": "stand", "tick": tick, "tempo": self._reckoning.tempo_bpm}

    def _turn(self, tick: int, is_moving: bool, sync: str) -> list[Message]:
        """The music moves from a tick, or stands there: then any start finds music composed."""
        self._reckoning.at(tick, is_moving)
        self._sync = sync
        self.chronicle.write("transport", tick=tick, moving=is_moving)
        return self._partner.compose(tick if is_moving else tick + BAR_TICKS)

    def _at(self, tick: int, tempo: float) -> None:
        if self.is_led and abs(tempo / self._reckoning.tempo_bpm - 1) > OTHER_TEMPO:
            self._take_tempo(tick, tempo)
        self._reckoning.at(tick)
        self._horizon.passed(tick)
        self._partner.look_ahead(tick)

    def _take_tempo(self, tick: int, tempo: float) -> None:
        self._reckoning.set_tempo(tick, tempo)
        self.chronicle.write("tempo", tick=tick, bpm=tempo)

    def set(self, name: str, text: str) -> list[Message]:
        """Change a live setting. ConfigError when it cannot be, ControlError for a led tempo."""
        changed = change(self.settings, name, text)
        if name == "tempo" and self.is_led:
            raise ControlError("the tempo follows a MIDI clock: change it where that comes from")
        tick = self.tick_now()
        self.settings = changed
        self.chronicle.set(tick, changed, name, text)
        answer = list(self._partner.change(changed, self._soon_tick()))
        self.chronicle.key(tick, str(self._partner.key))
        if name != "tempo":
            return answer
        self._take_tempo(tick, changed.music.tempo)
        return [*answer, {"do": "tempo", "tempo": changed.music.tempo}]

    def answer(self) -> Iterator[Message]:
        """Answer the messages that were received since the last time, and compose on.

        To be sent one by one: each is given as soon as it is composed. It may be left at any, and
        goes on the next time.
        """
        yield from self._partner.answer(self._reckoning.tempo_bpm)
        self.chronicle.key(self.tick_now(), str(self._partner.key))

    def seed_with(self, events: Sequence[Event], key: Key | None) -> list[Message]:
        """Replace the context by these events; a file may have named their key."""
        return self._partner.seed(events, key, self._soon_tick())

    def forget(self) -> list[Message]:
        """Empty the context: what is composed next is the beginning of a piece."""
        self.chronicle.mark("forgets what was played")
        return self._partner.forget(self._soon_tick())

    def memory(self) -> Remembered:
        """What the next session may go on from."""
        return self._partner.memory()

    def recall(self, remembered: Remembered) -> None:
        """Go on from another session; to be called before :meth:`begin`."""
        self._partner.recall(remembered)

    def _soon_tick(self) -> int:
        """A tick that the player has not come to, whatever its latency."""
        return self.tick_now() + self._reckoning.ticks_in(MOST_AHEAD_SECONDS)

    def status(self) -> dict[str, Any]:
        """What the session is doing, in plain values."""
        settings, partner = self.settings, self._partner.status()
        return {
            "tick": self.tick_now(),
            "bar": self.tick_now() // (4 * TICKS_PER_QUARTER) + 1,
            "transport": "playing" if self._reckoning.is_moving else "stopped",
            "sync": self._sync if self._sync == "internal" else f"midi-clock, {self._sync}",
            **settings.music.model_dump(exclude={"seed", "seed_midi", "memory"}),
            **settings.parts.model_dump(include={"lead_velocity", "keys_velocity"}),
            "tempo": self._reckoning.tempo_bpm,
            **settings.keyboard.model_dump(include={"mode", "rest", "reply"}),
            "seed": self.seed,
            "model": self.predictor.card.recipe,
            "device": self.predictor.device,
            "device_note": self.predictor.device_note,
            **self._tally.status(heard=partner.pop("heard"), faults=self.faults),
            **partner,
        }
