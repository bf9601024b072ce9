"""The meter: processor time and memory of both processes, whoever plays."""

import contextlib
import os

import psutil


class Meter:
    """Used from the engine's thread."""

    def __init__(self) -> None:
        self._seconds: dict[int, float] = {}
        self._before = 0.0

    def start(self, player_pid: int) -> None:
        """Count from here on: starting up does not count."""
        self._before = self._total(player_pid)

    def cpu_seconds(self, player_pid: int) -> float:
        """Processor time since :meth:`start` of this process and of every player until now."""
        return self._total(player_pid) - self._before

    def _total(self, player_pid: int) -> float:
        for pid in (os.getpid(), player_pid):
            with contextlib.suppress(psutil.NoSuchProcess):
                times = psutil.Process(pid).cpu_times()
                self._seconds[pid] = times.user + times.system
        return sum(self._seconds.values())

    @staticmethod
    def memory_bytes(player_pid: int) -> int:
        """Memory of this process and of the player: what is theirs, and their share of the rest.

        Resident memory would count JACK's shared buffers and the libraries once for each process.
        """
        total = 0
        for pid in (os.getpid(), player_pid):
            with contextlib.suppress(psutil.NoSuchProcess):
                used = psutil.Process(pid).memory_full_info()
                total += getattr(used, "pss", used.uss)
        return total
