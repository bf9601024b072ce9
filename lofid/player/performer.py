"""The performer: does what the engine says and what time says, each at its moment.

Never a stuck note: whatever ends the loop, :meth:`Performer.finish` ends all that sounds.
"""

import math
from collections.abc import Callable

from lofid.player import midi
from lofid.player.agenda import Note
from lofid.player.course import Course
from lofid.player.cover import Cover
from lofid.player.echo import Echo
from lofid.player.inbox import Inbox
from lofid.player.keyboard import Keyboard
from lofid.player.link import Link
from lofid.player.lookout import Lookout
from lofid.player.ports import Opener, PortRequest, Ports
from lofid.player.realtime import Realtime
from lofid.player.reports import Reports
from lofid.player.sync import Sync
from lofid.player.thru import thru_to
from lofid.player.transport import SONG_TICKS, Transport
from lofid.player.voice import Voice
from lofid.player.wire import Message, WireError


class Performer:
    """What is due and what is obeyed; waits for nothing. To be called from the loop's thread.

    Times are seconds on :meth:`now`: ``now`` until ports are open, then the ports' own clock.
    """

    def __init__(
        self,
        link: Link,
        inbox: Inbox,
        opener: Opener,
        realtime: Realtime,
        now: Callable[[], float],
    ) -> None:
        self._reports = Reports(link)
        self._inbox = inbox
        self._opener = opener
        self._realtime = realtime
        self._now = now
        self._ports: Ports | None = None
        self._voice: Voice | None = None
        self._sync: Sync | None = None
        self._cover = Cover()
        self._transport = Transport()
        self._echo = Echo()
        self._keyboard = Keyboard(inbox, self._transport, self._reports, self._echo)
        self._sends_clock = False
        self._course: Course | None = None
        self._lookout: Lookout | None = None
        self._is_stop_asked = False
        self.is_done = False

    def ask_to_stop(self) -> None:
        """Stop at the next :meth:`advance`. From any thread, and from a signal handler."""
        self._is_stop_asked = True

    def now(self) -> float:
        """Seconds on the clock that is played by. From any thread."""
        return self._now()

    @property
    def is_ahead(self) -> bool:
        """Whether messages are handed over before they leave, so that exactness is the ports'."""
        return self._latency_seconds > 0

    @property
    def _latency_seconds(self) -> float:
        return 0.0 if self._ports is None else self._ports.latency_seconds

    def next_seconds(self) -> float | None:
        """Find the next deadline, None while nothing is awaited."""
        return None if self._course is None else self._course.next_seconds()

    def obey(self, message: Message, now_seconds: float) -> None:
        """Do what the engine says; once stopped, nothing more.

        WireError for what cannot be understood, PortError where MIDI fails.
        """
        if self.is_done:
            return
        deeds: dict[str, Callable[[Message, float], None]] = {
            "open": self._open,
            "silence": self._silence,
            "play": self._play,
            "start": self._start,
            "halt": self._halt,
            "stand": self._stand,
            "tempo": self._set_tempo,
            "panic": self._panic,
            "stop": self._stop,
        }
        try:
            deeds[message["do"]](message, now_seconds)
        except (KeyError, TypeError, ValueError) as error:
            raise WireError(f"the engine sent {message!r}: {error!r}") from error

    def poise(self, due_seconds: float) -> None:
        """Make ready what :meth:`advance`, to be called next, sends first at this deadline."""
        if self._course is not None:
            self._course.poise(due_seconds)

    def advance(self, now_seconds: float) -> None:
        """Send what is due and tell what happened, both in order."""
        if self._course is not None:
            self._course.strike_poised()
        if self._is_stop_asked and not self.is_done:
            self._stop({}, now_seconds)
        if self._course is None or self._lookout is None:
            return
        if self._sync is None:
            self._course.oversleep(now_seconds)
        else:
            self._follow(self._sync, now_seconds)
        self._course.advance(now_seconds)
        self._keyboard.take(math.inf)
        tempo = self._transport.tempo_bpm if self._sync is None else self._sync.tempo_bpm
        self._lookout.look(now_seconds, self.next_seconds(), tempo)

    def _follow(self, sync: Sync, now_seconds: float) -> None:
        """Hear the master."""
        news = [sync.hear(message, at) for at, message in self._inbox.take_clock()]
        for each in [*news, sync.lose(now_seconds)]:
            if each == "moved":
                self._move(now_seconds)
            elif each == "told":
                self._tell_transport(now_seconds)

    def _move(self, now_seconds: float) -> None:
        """The master stopped the music, or took it elsewhere."""
        if self._transport.is_moving:
            self._opened().release(now_seconds)
            self._begin(now_seconds)
        else:
            self._opened().quieten(now_seconds)
            self._tell_transport(now_seconds)

    def finish(self, now_seconds: float) -> None:
        """End everything that sounds and close the ports. Safe to call more than once.

        PortError where the last messages could not leave.
        """
        self.is_done = True
        if self._ports is None or self._voice is None:
            return
        ports, voice = self._ports, self._voice
        self._ports = self._voice = self._course = None
        try:
            if self._sends_clock and self._transport.is_moving:
                voice.signal(now_seconds, bytes((midi.STOP,)))
            voice.quieten(now_seconds)
            self._keyboard.quieten(now_seconds)
        finally:
            ports.close()

    def _open(self, message: Message, now_seconds: float) -> None:  # noqa: ARG002 (a deed)
        if self._ports is not None:
            raise ValueError("a port is open already")
        request = PortRequest.wanted(message, self._realtime.is_granted)
        self._ports = ports = self._opener(request, self._inbox.hear, self._inbox.hear_clock)
        self._now = ports.now
        self._keyboard.open(ports, thru_to(ports, message.get("keyboard")))
        voice = Voice(ports, message["channels"], self._transport, self._reports, self._echo)
        self._voice = voice
        self._lookout = Lookout(ports, self._keyboard, voice, self._reports)
        self._sends_clock = message.get("sends_clock", False)
        if "tempo" in message:
            self._transport.idle(self._now(), message["tempo"])
        parts = (voice, self._transport, self._cover, self._keyboard, self._reports)
        self._course = Course(*parts, self._sends_clock)
        if request.clock is not None:
            led = (message["tempo"], ports.latency_seconds, message["waits_when_lost"])
            self._sync = Sync(self._transport, *led)
        self._reports.opened(ports, self._realtime)

    def _silence(self, message: Message, now_seconds: float) -> None:
        notes = [(channel, pitch) for channel, pitch in message["notes"]]
        self._opened().quieten(now_seconds, notes)
        self._keyboard.quieten(now_seconds)

    def _play(self, message: Message, now_seconds: float) -> None:
        voice = self._opened()
        notes = [Note(*note) for note in message["notes"]]
        if "until" in message:
            bar = [Note(*note) for note in message["bar"]]
            notes = self._cover.take(notes, message["until"], bar)
        if "from" in message:
            # Silence takes the place of a bar that is being repeated, too.
            first = self._cover.first_after(message["from"]) if notes else message["from"]
            voice.replace(first, notes, now_seconds)
        else:
            voice.score.add(notes)

    def _start(self, message: Message, now_seconds: float) -> None:
        """Move on from a tick: with the next pulse we send, or now."""
        voice, course, tick = self._opened(), self._course, message["tick"]
        assert course is not None, "it is there with the voice"
        voice.release(now_seconds)
        self._keyboard.take(now_seconds)
        at_seconds = now_seconds
        if self._sync is not None:
            at_seconds -= self._latency_seconds  # the tick is the one that sounds now
        if self._sends_clock:
            at_seconds = self._transport.next_pulse_after(now_seconds)
            while self._transport.pulse_seconds < at_seconds:
                course.send_pulse()
            song_tick = message.get("song_tick")
            sixteenths = None if song_tick is None else (tick - song_tick) // SONG_TICKS
            voice.signal(now_seconds, *midi.start(sixteenths))
        self._transport.start(tick, at_seconds, message["tempo"])
        self._begin(now_seconds)

    def _begin(self, now_seconds: float) -> None:
        if self._course is not None:
            self._course.begin()
        self._tell_transport(now_seconds)

    def _stand(self, message: Message, now_seconds: float) -> None:
        """Stand at a tick, until we are told to start or a master says so."""
        self._opened().release(now_seconds)
        self._transport.hold(message["tick"])
        if self._sync is not None:
            self._sync.cue(message["tick"])
        elif self._transport.has_tempo:
            self._transport.set_tempo(message["tempo"], now_seconds)
        self._tell_transport(now_seconds)

    def _halt(self, message: Message, now_seconds: float) -> None:  # noqa: ARG002 (a deed)
        """Stand still: what sounds ends, what is queued stays."""
        voice = self._opened()
        if self._sends_clock and self._transport.is_moving:
            voice.signal(now_seconds, bytes((midi.STOP,)))
        voice.quieten(now_seconds)
        self._transport.stop(now_seconds)
        self._tell_transport(now_seconds)

    def _set_tempo(self, message: Message, now_seconds: float) -> None:
        self._transport.set_tempo(message["tempo"], now_seconds)

    def _panic(self, message: Message, now_seconds: float) -> None:  # noqa: ARG002 (a deed)
        self._opened().quieten(now_seconds)
        self._keyboard.panic(now_seconds)

    def _stop(self, message: Message, now_seconds: float) -> None:  # noqa: ARG002 (a deed)
        self.finish(now_seconds)
        self._reports.closed()

    def _opened(self) -> Voice:
        if self._voice is None:
            raise ValueError("no port is open yet")
        return self._voice

    def _tell_transport(self, now_seconds: float) -> None:
        sync = "internal" if self._sync is None else self._sync.state
        transport = self._transport
        self._reports.transport(transport.is_moving, transport.tick_at(now_seconds), sync)
