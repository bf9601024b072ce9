"""One JSON object a line, however the stream is cut; and the link that never blocks."""

import json
import socket

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lofid.player.link import Link
from lofid.player.wire import MAX_LINE_BYTES, Decoder, WireError, encode

values = st.none() | st.booleans() | st.integers() | st.text() | st.lists(st.integers())
messages = st.dictionaries(st.text(), values)


def test_a_message_is_a_line() -> None:
    """Compact JSON and a newline."""
    assert encode({"do": "start", "tick": 0, "tempo": 80.0}) == (
        b'{"do":"start","tick":0,"tempo":80.0}\n'
    )


@given(st.lists(messages), st.integers(1, 50))
def test_any_cut_gives_the_same_messages(sent: list[dict[str, object]], size: int) -> None:
    """What is encoded is decoded, in whatever pieces it arrives."""
    stream = b"".join(map(encode, sent))
    decoder = Decoder()
    pieces = [stream[at : at + size] for at in range(0, len(stream), size)]
    assert [message for piece in pieces for message in decoder.feed(piece)] == sent


@pytest.mark.parametrize("line", [b"hello\n", b"[1]\n", b"\xff\n", b"x" * (MAX_LINE_BYTES + 1)])
def test_what_is_no_message_is_refused(line: bytes) -> None:
    """Not JSON, not an object, not text, without an end."""
    with pytest.raises(WireError):
        Decoder().feed(line)


def test_a_stalled_engine_never_blocks_and_losses_are_counted() -> None:
    """Over the bound reports are lost; when the engine reads again it is told how many."""
    engine, ours = socket.socketpair()
    with engine, ours:
        link = Link(ours, backlog_bytes=1000)
        said = 0
        while not link.has_backlog:
            link.tell({"is": "position", "tick": said})
            link.flush()
            said += 1
        for _ in range(100):
            link.tell({"is": "position", "tick": said})
            link.flush()
            said += 1
        engine.setblocking(False)
        heard = _read_all(engine, link)
    assert heard[-1]["is"] == "lost"
    assert heard[-1]["count"] == said - (len(heard) - 1) > 0
    assert [message["tick"] for message in heard[:-1]] == list(range(len(heard) - 1))


def test_a_closed_end_is_noticed() -> None:
    """Reading or writing, the link knows that the engine has gone; it raises nothing."""
    engine, ours = socket.socketpair()
    with ours:
        link = Link(ours)
        engine.close()
        link.tell({"is": "closed"})
        link.flush()
        assert link.is_gone
        assert link.receive() == []
        assert link.is_gone


def _read_all(engine: socket.socket, link: Link) -> list[dict[str, object]]:
    data = b""
    while True:
        try:
            data += engine.recv(1 << 20)
        except BlockingIOError:
            if not link.has_backlog:
                return [json.loads(line) for line in data.splitlines()]
        link.flush()
