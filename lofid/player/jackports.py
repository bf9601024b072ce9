"""Ports by JACK-Client: each message leaves at its own frame, whenever it was handed over.

JACK's frame counter is the clock here, so that nothing drifts against the sound and no conversion
of times comes between a note and its sample. A message that is due at a frame leaves one latency
after it: a period, in which JACK has asked for nothing, and the slack that the loop may need.

Rules: only the process callback, in JACK's thread, takes from the queue, and only the loop's
thread puts into it; a deque's two ends are safe to share so. The callback never waits.
"""

import time
from collections import deque
from collections.abc import Sequence
from typing import Any

from lofid.errors import NoMidiError, PortError
from lofid.player.ports import (
    NAME_PATIENCE_SECONDS,
    NAME_PAUSE_SECONDS,
    VIRTUAL,
    Hear,
    PortRequest,
    Timed,
    find_port,
    kernel_watching,
)
from lofid.player.systems import foreign, no_jack_server

_FRAMES_WRAP = 1 << 32
"""JACK counts frames in 32 bits: a day at 48 kHz."""
_DRAIN_SECONDS = 0.8


class JackPorts:
    """One JACK client with ``out`` and perhaps ``in``; made by :func:`open_jack`."""

    backend = "jack"

    def __init__(self, client: Any, slack_seconds: float) -> None:
        self.output = ""
        self.input: str | None = None
        self._client = client
        self._rate = int(client.samplerate)
        self._slack_frames = round(slack_seconds * self._rate)
        self._period_frames = int(client.blocksize)
        self._cycle_frame = int(client.frame_time)
        self._queue: deque[tuple[int, bytes]] = deque()
        self._voice: Any = None
        self._ears: Any = None
        self._hear: Hear | None = None
        self._gone: tuple[float, float] | None = None
        client.set_process_callback(self._process)
        client.set_blocksize_callback(self._resize)
        client.set_shutdown_callback(self._shut)

    @property
    def latency_seconds(self) -> float:
        """A period and the slack."""
        return (self._period_frames + self._slack_frames) / self._rate

    def open(self, request: PortRequest, hear: Hear) -> None:
        """Start, register, connect. PortError if a wanted port is not there.

        In this order, since whoever sees a port may connect to it, which only active clients let.
        """
        self._hear = hear
        self._client.activate()
        if request.input is not None:
            self._ears = self._client.midi_inports.register("in")
        self._voice = self._client.midi_outports.register("out")
        self.output = self._voice.name
        if request.output is not None:
            self.output = self._find(request, request.output, "output")
            self._client.connect(self._voice, self.output)
        if self._ears is not None and request.input is not None:
            self.input = self._ears.name
            if request.input != VIRTUAL:
                self.input = self._find(request, request.input, "input")
                self._client.connect(self.input, self._ears)

    def _find(self, request: PortRequest, wanted: str, side: str) -> str:
        is_output = side == "output"  # what takes our output is an input to JACK
        there = self._client.get_ports(is_midi=True, is_input=is_output, is_output=not is_output)
        return find_port(foreign([port.name for port in there], request.name), wanted, side)

    def now(self) -> float:
        """Seconds that JACK has counted in frames; after the server's end, monotonic ones."""
        if self._gone is not None:
            then, monotonic = self._gone
            return then + time.monotonic() - monotonic
        frame: int = self._client.frame_time
        return self._whole(frame) / self._rate

    def send(self, messages: Sequence[Timed]) -> None:
        """Queue each for its frame. PortError when the JACK server has gone."""
        if self._gone is not None:
            raise PortError(f"the MIDI output {self.output} is gone: the JACK server has ended")
        # A list, so that it is put there in one go and no chord is seen by half.
        self._queue.extend([(self._frame(due), message) for due, message in messages])

    def late_seconds(self, due_seconds: float) -> float:
        """How long after its frame the next period begins, which is when it can leave."""
        next_frame = self._cycle_frame + self._period_frames
        return max(0, next_frame - self._frame(due_seconds)) / self._rate

    def close(self) -> None:
        """Close once the queue is empty and its last period has passed: a second at most.

        Should the server hang, the kernel ends this process.
        """
        until = time.monotonic() + _DRAIN_SECONDS
        while self._queue and self._gone is None and time.monotonic() < until:
            time.sleep(self._period_frames / self._rate)
        with kernel_watching():
            if self._gone is None:
                time.sleep(2 * self._period_frames / self._rate)
                self._client.deactivate()
            self._client.close()

    def _frame(self, due_seconds: float) -> int:
        return round(due_seconds * self._rate) + self._period_frames + self._slack_frames

    def _whole(self, frame: int) -> int:
        """Give the frame nearest to the newest period's that ends in these 32 bits."""
        half = _FRAMES_WRAP // 2
        return self._cycle_frame + (frame - self._cycle_frame + half) % _FRAMES_WRAP - half

    def _process(self, frames: int) -> None:
        """From JACK's thread, once a period: write what falls into it, read what came."""
        start = self._cycle_frame = self._whole(self._client.last_frame_time)
        if self._voice is not None:
            self._write(start, frames)
        if self._ears is not None and self._hear is not None:
            for offset, data in self._ears.incoming_midi_events():
                self._hear(bytes(data), (start + offset) / self._rate)

    def _write(self, start: int, frames: int) -> None:
        queue, offset = self._queue, 0
        self._voice.clear_buffer()
        while queue and queue[0][0] < start + frames:
            at, message = queue[0]
            offset = max(offset, at - start)
            try:
                self._voice.write_midi_event(offset, message)
            except _jack().JackError:
                return  # the period's buffer is full: the rest leaves with the next
            queue.popleft()

    def _resize(self, frames: int) -> None:
        self._period_frames = frames

    def _shut(self, _status: object, _reason: object) -> None:
        self._gone = (self._cycle_frame / self._rate, time.monotonic())


def open_jack(request: PortRequest, hear: Hear) -> JackPorts:
    """Become a JACK client of this name. Never starts a server.

    NoMidiError without JACK-Client, libjack or a server; PortError for a port that is not there
    and for a name that is taken.
    """
    client = _become_client(request.name)
    ports = JackPorts(client, request.slack_seconds)
    try:
        ports.open(request, hear)
    except _jack().JackError as error:
        client.close()
        raise PortError(f"jack refused to open a MIDI port: {error}") from error
    except PortError:
        client.close()
        raise
    return ports


def _become_client(name: str) -> Any:
    """Have the very name: JACK renames the second of a name, which saved connections cannot find.

    (Asked for an exact name, JACK 2 refuses it as it refuses anything else: by 'server error'.)
    """
    jack = _jack()
    until = time.monotonic() + NAME_PATIENCE_SECONDS
    while True:
        try:
            client = jack.Client(name, no_start_server=True)
        except jack.JackOpenError:
            raise NoMidiError(no_jack_server()) from None
        if client.name == name:
            return client
        client.close()
        if time.monotonic() >= until:
            break
        time.sleep(NAME_PAUSE_SECONDS)
    raise PortError(f"the name {name} is taken on jack by another program: give another by --name")


def _jack() -> Any:
    """Import JACK-Client, which looks for libjack, where it is used. NoMidiError without either."""
    try:
        import jack  # noqa: PLC0415
    except (ImportError, OSError) as error:
        raise NoMidiError(f"jack needs JACK-Client and libjack ({error})") from None
    jack.set_error_function(lambda _: None)
    jack.set_info_function(lambda _: None)
    return jack
