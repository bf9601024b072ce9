"""Ports by JACK-Client: each message leaves at its own frame, whenever it was handed over.

JACK's frame counter is the clock here, so that nothing drifts against the sound and no conversion
of times comes between a note and its sample. Where in a period we are is told by the monotonic
clock, which is as exact as waking needs (JACK's own estimate, ``jack_frame_time``, was 30 ms off
for seconds after another client had left). A message that is due at a frame leaves one latency
after it: a period, in which JACK has asked for nothing, and the slack that the loop may need.

What is only passed on has a queue of its own, since it should not wait for any slack. It leaves a
period after it came, so that it comes as evenly as it was played; should the loop wake too late for
that, with the next period there is.

Rules: only the process callback, in JACK's thread, takes from the queues, and only the loop's
thread puts into them; a deque's two ends are safe to share so. The callback never waits.
"""

import contextlib
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from lofid.errors import NoSuchPortError, PortError
from lofid.player.jackclient import Line, become_client, load_jack
from lofid.player.plug import Plug
from lofid.player.ports import (
    VIRTUAL,
    Change,
    Hear,
    PortRequest,
    Timed,
    all_is_well,
    watch_out,
)
from lofid.player.repeats import Repeats
from lofid.player.watch import CUT, Watch

_FRAMES_WRAP, _HALF_WRAP = 1 << 32, 1 << 31
"""JACK counts frames in 32 bits: a day at 48 kHz."""
_DRAIN_SECONDS = 0.8
_PERIODS_A_LOOK = 16


class JackPorts:
    """One JACK client with ``out``, and perhaps ``in`` and ``clock``; made by :func:`open_jack`."""

    backend = "jack"

    def __init__(self, client: Any, slack_seconds: float) -> None:
        self.output = ""
        self.input: str | None = None
        self.clock: str | None = None
        self.awaits = ""
        self._client = client
        self._rate = int(client.samplerate)
        self._slack_frames = round(slack_seconds * self._rate)
        self._period_frames = int(client.blocksize)
        self._cycle = (int(client.last_frame_time), time.monotonic())
        """A recent period's first frame, and when it came."""
        self._periods = 0
        self._is_dirty = True
        """Whether the buffer may hold what was written into it for the last period."""
        self._queue: deque[tuple[int, bytes]] = deque()
        self._passing: deque[tuple[int, bytes]] = deque()
        self._voice: Any = None
        self._ears: list[tuple[Any, Hear]] = []
        self._plugs: list[Plug] = []
        self._names: dict[str, str] = {}
        """Our own ports' names by their side."""
        self._latest_seconds = 0.0
        self._gone_seconds: float | None = None
        """When, on the monotonic clock, the server went."""
        self._fault = ""
        self._watch = Watch(client)
        self._repeats = Repeats(self._rate)
        client.set_process_callback(self._process)
        client.set_xrun_callback(self._repeats.xrun)
        client.set_blocksize_callback(self._resize)
        client.set_shutdown_callback(self._shut)

    @property
    def latency_seconds(self) -> float:
        """A period and the slack."""
        return (self._period_frames + self._slack_frames) / self._rate

    def open(self, request: PortRequest, hear: Hear, hear_clock: Hear) -> None:
        """Start, register, connect. PortError if a wanted port is not there.

        In this order, since whoever sees a port may connect to it, which only active clients let.
        """
        self._client.activate()
        self.input = self._listen(request, "input", "in", request.input, hear)
        self.clock = self._listen(request, "clock", "clock", request.clock, hear_clock)
        self._voice = self._client.midi_outports.register("out")
        self.output = self._plug(request, "output", request.output, self._voice)

    def _listen(
        self, request: PortRequest, side: str, name: str, wanted: str | None, hear: Hear
    ) -> str | None:
        if wanted is None:
            return None
        port = self._client.midi_inports.register(name)
        self._ears = [*self._ears, (port, hear)]
        return self._plug(request, side, None if wanted == VIRTUAL else wanted, port)

    def _plug(self, request: PortRequest, side: str, wanted: str | None, port: Any) -> str:
        self._names[side] = str(port.name)
        if wanted is None:
            return self._names[side]
        plug = Plug(Line(self._client, port), side, wanted, request.name)
        self._plugs.append(plug)
        try:
            return plug.connect()
        except PortError as error:
            may_come = side == "input" and isinstance(error, NoSuchPortError)
            if not (may_come or request.is_patient):
                raise
            if side == "input":
                self.awaits = str(error)
            return self._names[side]

    def look(self) -> list[Change]:
        """Connect again what came back by name; give what came, went or was cut."""
        if self._gone_seconds is not None:
            return []
        told = self._watch.take()
        cut = (CUT, self._names.get("input")) in told
        changes = [Change("input", "cut")] if cut else []
        for plug in self._plugs:
            changes += plug.look(told)
        return [replace(each, port=each.port or self._names[each.side]) for each in changes]

    def now(self) -> float:
        """Seconds that JACK has counted in frames; after the server's end, monotonic ones."""
        if self._gone_seconds is not None:
            return self._latest_seconds + time.monotonic() - self._gone_seconds
        frame, came_seconds = self._cycle
        now_seconds = frame / self._rate + time.monotonic() - came_seconds
        # A period may come a little early after one that came late.
        self._latest_seconds = max(self._latest_seconds, now_seconds)
        return self._latest_seconds

    def send(self, messages: Sequence[Timed]) -> None:
        """Queue each for its frame. PortError when JACK takes no more."""
        self._check()
        # A list, so that it is put there in one go and no chord is seen by half.
        self._queue.extend([(self._frame(due), message) for due, message in messages])

    def pass_on(self, messages: Sequence[Timed]) -> None:
        """Queue each for a period after it came in. PortError when JACK takes no more."""
        self._check()
        period, rate = self._period_frames, self._rate
        self._passing.extend([(round(came * rate) + period, each) for came, each in messages])

    def _check(self) -> None:
        if self._gone_seconds is not None:
            raise PortError(f"the MIDI output {self.output} is gone: the JACK server has ended")
        if self._fault:
            raise PortError(f"the MIDI output {self.output} has failed: {self._fault}")

    def late_seconds(self, due_seconds: float) -> float:
        """How long after its frame the next period begins, with which a message leaves at best."""
        first, period = self._cycle[0], self._period_frames
        begun = (round(self.now() * self._rate) - first) // period
        next_frame = first + (begun + 1) * period
        return max(0, next_frame - self._frame(due_seconds)) / self._rate

    def close(self) -> None:
        """Close once the queues are empty and its last period has passed: two seconds at most.

        Should the server hang, the kernel ends this process. PortError where something stayed.
        """
        until = time.monotonic() + _DRAIN_SECONDS
        while (self._queue or self._passing) and self._can_leave() and time.monotonic() < until:
            time.sleep(self._period_frames / self._rate)
        left, is_there = len(self._queue) + len(self._passing), self._gone_seconds is None
        watch_out()
        try:
            if is_there:
                time.sleep(2 * self._period_frames / self._rate)
                self._gone_seconds = time.monotonic()  # nobody asks a closed client for the time
                self._client.deactivate()
            self._client.close()
        finally:
            all_is_well()
        if left or not is_there:
            raise PortError(f"{left} MIDI messages could not leave: the JACK server has ended")

    def _can_leave(self) -> bool:
        return self._gone_seconds is None and not self._fault

    def _frame(self, due_seconds: float) -> int:
        return round(due_seconds * self._rate) + self._period_frames + self._slack_frames

    def _whole(self, frame: int) -> int:
        """Give the frame nearest to the newest period's that ends in these 32 bits."""
        near = self._cycle[0]
        return near + (frame - near + _HALF_WRAP) % _FRAMES_WRAP - _HALF_WRAP

    def _process(self, frames: int) -> None:
        """From JACK's thread, once a period: write what falls into it, read what came.

        Most periods have nothing to do. Those cost a tenth of a millisecond even so, 187 times a
        second, so they do nothing that can be left; only now and then they look at the time.
        """
        try:
            self._periods += 1
            is_idle = not (self._queue or self._passing or self._is_dirty or self._ears)
            if is_idle and self._periods % _PERIODS_A_LOOK:
                return
            start = self._whole(self._client.last_frame_time)
            self._cycle = (start, time.monotonic())
            if self._voice is not None:
                self._write(start, frames)
            for port, hear in self._ears:
                for offset, data in port.incoming_midi_events():
                    hear(bytes(data), (start + offset) / self._rate)
        except Exception as error:
            self._fault = repr(error)  # JACK calls no more after this: the loop has to know
            raise

    def _write(self, start: int, frames: int) -> None:
        offset = 0
        if self._is_dirty:
            self._voice.clear_buffer()
            self._is_dirty = False
        self._repeat(start)
        while (queue := self._earliest()) and queue[0][0] < start + frames:
            at, message = queue[0]
            offset = max(offset, at - start)
            try:
                self._voice.write_midi_event(offset, message)
            except load_jack().JackError:
                return  # the period's buffer is full: the rest leaves with the next
            queue.popleft()
            self._repeats.wrote(start + offset, message)
            self._is_dirty = True

    def _repeat(self, start: int) -> None:
        for message in self._repeats.due(start):
            with contextlib.suppress(load_jack().JackError):  # thousands would fit
                self._voice.write_midi_event(0, message)
            self._is_dirty = True

    def _earliest(self) -> deque[tuple[int, bytes]]:
        """Find the queue whose first message leaves first: a buffer takes them in order only."""
        if not self._passing or (self._queue and self._queue[0][0] < self._passing[0][0]):
            return self._queue
        return self._passing

    def _resize(self, frames: int) -> None:
        self._period_frames = frames

    def _shut(self, _status: object, _reason: object) -> None:
        self._gone_seconds = time.monotonic()


def open_jack(request: PortRequest, hear: Hear, hear_clock: Hear) -> JackPorts:
    """Become a JACK client of this name. Never starts a server.

    NoMidiError without JACK-Client, libjack or a server; PortError for a port that is not there
    and for a name that is taken.
    """
    client = become_client(request.name)
    try:
        ports = JackPorts(client, request.slack_seconds)
        ports.open(request, hear, hear_clock)
    except load_jack().JackError as error:
        client.close()
        raise PortError(f"jack refused to open a MIDI port: {error}") from error
    except PortError:
        client.close()
        raise
    return ports
