"""Whatever dies, and whenever: nothing is left held, nothing is lost, one honest line is said."""

import asyncio
import os
import selectors
import signal
from pathlib import Path

import mido

from lofid.config import load
from lofid.daemon import Daemon
from lofid.troupe import Troupe
from tests.jackserver import JackRecorder, JackServer, sounding, wait_until
from tests.lofidprocess import LofidProcess

FAST = ("--tempo", "240", "--seed", "7")


def _a_note_sounds(recorder: JackRecorder) -> None:
    wait_until(lambda: sounding(list(recorder.events)), "a note that sounds")


def _connections_are_known(recorder: JackRecorder) -> None:
    """The connections are looked at once a second: let two looks pass, in music."""
    first = recorder.frame_now()
    wait_until(lambda: recorder.frame_now() > first + 2.2 * 48_000, "two seconds of music")
    _a_note_sounds(recorder)


def test_leaving_while_the_player_is_being_replaced(
    jack_server: JackServer, tmp_path: Path
) -> None:
    """The player dies and a signal comes at once: a last player ends what the first one held."""
    with (
        LofidProcess(jack_server, tmp_path, *FAST) as lofid,
        JackRecorder(jack_server, "lofid:out") as recorder,
    ):
        _connections_are_known(recorder)
        os.kill(lofid.player_pid(), signal.SIGKILL)
        lofid.process.send_signal(signal.SIGTERM)
        assert lofid.wait() == 0
        recorder.wait_for_quiet()


def test_a_player_that_hangs_when_lofid_leaves(jack_server: JackServer, tmp_path: Path) -> None:
    with (
        LofidProcess(jack_server, tmp_path, *FAST) as lofid,
        JackRecorder(jack_server, "lofid:out") as recorder,
    ):
        _connections_are_known(recorder)
        os.kill(lofid.player_pid(), signal.SIGSTOP)
        lofid.process.send_signal(signal.SIGTERM)
        assert lofid.wait() == 0
        recorder.wait_for_quiet()


def test_players_that_keep_dying(jack_server: JackServer, tmp_path: Path) -> None:
    """One line and a non-zero exit; the take is kept."""
    with (
        LofidProcess(jack_server, tmp_path, *FAST, "--record", "take.mid") as lofid,
        JackRecorder(jack_server, "lofid:out") as recorder,
    ):
        _connections_are_known(recorder)
        seen: set[int] = set()
        while lofid.process.poll() is None:
            for pid in lofid.players() - seen:
                seen.add(pid)
                os.kill(pid, signal.SIGKILL)
        assert lofid.wait() == 1
        assert "lofid: the player process keeps dying: see 'lofid doctor'" in lofid.said
        assert "Traceback" not in lofid.said
    assert len(mido.MidiFile(tmp_path / "take.mid").tracks) >= 3


def test_a_change_while_the_player_is_being_replaced(
    jack_server: JackServer, tmp_path: Path
) -> None:
    """Commands are obeyed meanwhile, and the new player plays by them."""
    with LofidProcess(jack_server, tmp_path, *FAST) as lofid:
        lofid.status()
        os.kill(lofid.player_pid(), signal.SIGKILL)
        assert lofid.ctl("set", "tempo", "120").returncode == 0
        assert lofid.ctl("status").returncode == 0
        lofid.wait_for("the player process died")
        played = lofid.status()["notes"]["played"]
        wait_until(lambda: lofid.status()["notes"]["played"] > played + 4, "more notes")
        assert lofid.status()["tempo"] == 120
        lofid.process.send_signal(signal.SIGTERM)
        assert lofid.wait() == 0
        assert "Traceback" not in lofid.said


class _Troupe(Troupe):
    """One whose player says nothing."""

    kills = 0

    def kill(self) -> None:
        self.kills += 1


class _Leaping(selectors.DefaultSelector):
    """No waiting: each moment that is waited for is 15 s past when it comes."""

    seconds = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        self.seconds += timeout + 15 if timeout else 0
        return super().select(0)


def _watch(waits_for: str, looks: int) -> tuple[int, list[str]]:
    """Let a daemon watch a silent player, while its own process stands still 15 s at a time."""
    said: list[str] = []
    selector = _Leaping()
    loop = asyncio.SelectorEventLoop(selector)
    loop.time = lambda: selector.seconds  # type: ignore[method-assign]

    async def watch() -> int:
        daemon = Daemon(load(None, {}), None, said.append)
        daemon._troupe = troupe = _Troupe(load(None, {}), said.append)
        troupe.waits_for = waits_for
        watching = asyncio.create_task(daemon._watch())
        for _ in range(looks):
            await asyncio.sleep(1)
        watching.cancel()
        return troupe.kills

    try:
        return loop.run_until_complete(watch()), said
    finally:
        loop.close()


def test_a_standstill_of_our_own_is_no_silence_of_the_players() -> None:
    """It has had no chance to be heard: ten looks that hear nothing, however late, kill nobody."""
    assert _watch("", looks=10) == (0, [])


def test_a_player_that_is_silent_for_more_than_ten_looks_is_killed() -> None:
    assert _watch("", looks=12) == (1, ["the player process hangs"])


def test_nobody_is_killed_for_saying_nothing_while_lofid_waits_for_a_server() -> None:
    assert _watch("the JACK server", looks=40) == (0, [])


def test_a_jack_server_that_hangs_at_the_start(own_server: JackServer, tmp_path: Path) -> None:
    """A signal ends the waiting."""
    own_server.freeze()
    try:
        with LofidProcess(own_server, tmp_path, *FAST) as lofid:
            wait_until(lofid.players, "the player process")
            lofid.process.send_signal(signal.SIGINT)
            assert lofid.wait() == 0
            assert "Traceback" not in lofid.said
    finally:
        own_server.thaw()
