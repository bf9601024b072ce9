"""The prospect: which notes may sound, and which must, by what a player is told and says. No I/O.

Rules:

* What was composed may sound once, and what a bar repeats once within the beat of the underrun.
* It must, if the player surely had it in time and then passed its tick. Not if it was taken back,
  dropped, lost with its player, covered by a repeated bar, or passed over by a start.
* Of equal voices at one tick one sounds.

Where it cannot be known, a note may sound and need not. Times are in microseconds.
"""

from collections import defaultdict, deque
from collections.abc import Callable, Iterable

from lofid.engine import MOST_AHEAD_SECONDS
from lofid.entries import On
from lofid.music import BAR_TICKS, TICKS_PER_QUARTER
from lofid.player.wire import Message

Voiced = tuple[int, int, int]
"""Channel, 0 to 15, pitch and velocity."""
Place = tuple[int, int, int]
"""Tick, channel and pitch."""
POSITION_TICKS = 240
BARS_ON_THE_WAY = 16
"""So many messages may be on their way to a player that says that it repeats a bar."""
_GONE = ("gone", "replaced")
_MICRO = 1_000_000


class Reach:
    """How far the player may have come at most, though not all that it said is read yet.

    An answer begins when nothing more has come. So all is read then that was said before the first
    message of those that are answered; and what is read later was said after that.
    """

    def __init__(self) -> None:
        self.is_moving = False
        self.is_cued = False
        """It was told to start, and has not said yet that it did."""
        self._tick, self._since = 0, 0
        self._tempo = self._fastest = 0.0
        self._read, self._first = 0, -1
        self._farthest = 0.0

    def until(self, now: int) -> float:
        """Give the first tick that it has not come to; with its latency."""
        passed = (now - self._since) / _MICRO + MOST_AHEAD_SECONDS
        return max(self._farthest, self._tick + passed * self._fastest * TICKS_PER_QUARTER / 60)

    def hear(self, now: int, message: Message) -> None:
        """Take what the player said."""
        if self._first < 0:
            self._first = now
        match message:
            case {"is": "position", "tick": tick, "tempo": tempo}:
                self._fastest, self._tempo = max(self._tempo, tempo), tempo
                if not self.is_cued:
                    self._tick, self._since = tick, self._read
            case {"is": "transport", "moving": True, "tick": tick}:
                self._move(now, tick)
            case {"is": "transport", "tick": tick} if not self.is_cued:
                self._stand(tick + 1)

    def _move(self, now: int, tick: int) -> None:
        if self.is_moving and not self.is_cued:
            self._farthest = self.until(now)
        if not self.is_cued:
            self._tick, self._since = tick, self._read
        self.is_moving, self.is_cued = True, False

    def _stand(self, tick: int) -> None:
        self.is_moving, self._farthest = False, max(self._farthest, tick)

    def answer(self) -> None:
        """Nothing more has come."""
        if self._first >= 0:
            self._read, self._first = self._first, -1

    def quicken(self, tempo: float) -> None:
        """It is told to play at another tempo."""
        self._fastest, self._tempo = max(self._fastest, tempo), tempo

    def cue(self, now: int, tick: int) -> None:
        """It is told to start."""
        if self.is_moving:
            self._farthest = self.until(now)
        self._tick, self._since, self.is_cued = tick, now, True

    def clear(self) -> None:
        """Another one comes, and stands."""
        self.is_moving = self.is_cued = False
        self._farthest = 0.0


class Prospect:
    """Of one session, in the order in which things happened."""

    def __init__(self) -> None:
        self._reach = Reach()
        self._composed: defaultdict[int, set[Voiced]] = defaultdict(set)
        self._free: defaultdict[int, list[Voiced]] = defaultdict(list)
        """What may sound, by its tick."""
        self._taken_back: defaultdict[int, list[Voiced]] = defaultdict(list)
        """What may have sounded before it was taken back."""
        self._left: defaultdict[int, list[Voiced]] = defaultdict(list)
        """What a player may have begun that died: the next one may begin it again."""
        self._handed: set[Place] = set()
        """What the player may have come too late to."""
        self._owed: set[Place] = set()
        self._due: set[Place] = set()
        self._bars: deque[Message] = deque(maxlen=BARS_ON_THE_WAY)
        self._covered = 0
        self._passed = 0
        self._is_led = self._is_doubtful = False
        """A master may have had a new player move before it was told to: until it stands again."""

    def tell(self, now: int, messages: Iterable[Message]) -> int:
        """Take what the player is told; give how many notes that has."""
        count = 0
        for message in messages:
            match message:
                case {"do": "play", "notes": notes}:
                    self._play(message)
                    count += len(notes)
                case {"do": "start", "tick": tick, "tempo": tempo}:
                    if not self._reach.is_moving:  # it has all before it starts
                        self._owe(tick)
                    self._reach.quicken(tempo)
                    self._reach.cue(now, tick)
                case {"do": "stand"}:
                    self._reach.clear()
                case {"do": "tempo", "tempo": tempo}:
                    self._reach.quicken(tempo)
        return count

    def _play(self, message: Message) -> None:
        if "from" in message:
            self._take_back(message["from"])
        for tick, _, channel, pitch, velocity in message["notes"]:
            self._free[tick].append((channel, pitch, velocity))
            self._composed[tick].add((channel, pitch, velocity))
            self._handed.add((tick, channel, pitch))
        self._bars.append(message)

    def _take_back(self, from_tick: int) -> None:
        for tick in [tick for tick in self._free if tick >= from_tick]:
            self._taken_back[tick] += self._free.pop(tick)
        self._excuse(lambda place: place[0] >= from_tick)

    def _excuse(self, whether: Callable[[Place], bool]) -> None:
        """These need not sound."""
        for places in (self._handed, self._owed):
            places -= {place for place in places if whether(place)}

    def _owe(self, from_tick: float) -> None:
        """What begins from here on is there in time; what it took the place of has not begun."""
        if self._is_doubtful:
            return
        for place in self._handed:
            tick, *voice = place
            if tick >= max(from_tick, self._covered):
                self._owed.add(place)
                _strike_out(self._taken_back, tick, voice)

    def answer(self, now: int) -> None:
        """An answer begins: all that was told before has reached the player by now."""
        if self._reach.is_moving or self._reach.is_cued:
            self._owe(self._reach.until(now))
            self._handed.clear()
        self._reach.answer()

    def hear(self, now: int, message: Message) -> None:
        """Take what the player said."""
        self._reach.hear(now, message)
        if message["is"] == "transport":
            self._is_led = message["sync"] != "internal"
            self._is_doubtful = self._is_doubtful and message["moving"]
            self._passed = min(self._passed, message["tick"])
        match message:
            case {"is": "position", "tick": tick} if not self._reach.is_cued:
                self._pass(tick)
            case {"is": "transport", "moving": True, "tick": begin}:
                self._excuse(lambda place: place[0] < begin)
            case {"is": "dropped", "tick": tick, "channel": channel, "pitch": pitch}:
                self._excuse(lambda place: place == (tick, channel, pitch))
            case {"is": "underrun", "tick": tick}:
                self._repeat(tick)
            case {"is": "lost"}:
                self._excuse(lambda _place: True)
            case {"is": what} if what in _GONE:
                self.lose()

    def lose(self) -> None:
        """The player has gone, and what it had not begun with it."""
        self._is_doubtful = self._is_led
        self._excuse(lambda _place: True)
        for notes in (self._free, self._taken_back):
            for tick, voices in notes.items():
                self._left[tick] += voices
            notes.clear()
        self._reach.clear()

    def _pass(self, tick: int) -> None:
        passed = {place for place in self._owed if place[0] < tick}
        self._owed -= passed
        self._due |= passed
        if not self._is_doubtful:
            self._passed = tick

    def _repeat(self, tick: int) -> None:
        """A bar was repeated for a beat: the last that was there when nothing more was."""
        until = self._covered = max(self._covered, tick + TICKS_PER_QUARTER)
        self._excuse(lambda place: place[0] < until)
        bars = [message["bar"] for message in self._bars if message["until"] <= tick]
        for place, channel, pitch, velocity in {(n[0], *n[2:]) for bar in bars for n in bar}:
            on_tick = tick + (place - tick) % BAR_TICKS
            if on_tick < tick + TICKS_PER_QUARTER:
                self._free[on_tick].append((channel, pitch, velocity))

    def sounds(self, on: On) -> bool:
        """Take note that it sounded; False if it may not have."""
        voiced, place = (on.channel, on.pitch, on.velocity), (on.tick, on.channel, on.pitch)
        for known in (self._free, self._taken_back, self._left):
            if voiced not in known.get(on.tick, ()):
                continue
            known[on.tick].remove(voiced)
            if known is self._free and (place in self._owed or place in self._due):
                _strike_out(known, on.tick, place[1:])
            for places in (self._handed, self._owed, self._due):
                places.discard(place)
            return True
        return False

    def missing(self) -> Place | None:
        """Give the first note that has not sounded though it must have; forget what is long ago.

        To be asked when all is taken note of that sounded before.
        """
        missing, self._due = min(self._due, default=None), set()
        old_tick = self._passed - BAR_TICKS
        for known in (self._free, self._taken_back, self._left, self._composed):
            for tick in [tick for tick in known if tick < old_tick]:
                del known[tick]
        return missing

    def at(self, tick: int) -> list[Voiced]:
        """List what was composed at a tick."""
        return sorted(self._composed.get(tick, ()))


def _strike_out(notes: dict[int, list[Voiced]], tick: int, voice: Iterable[int]) -> None:
    """Leave out all of a voice at a tick."""
    if tick in notes:
        notes[tick] = [each for each in notes[tick] if each[:2] != tuple(voice)]
