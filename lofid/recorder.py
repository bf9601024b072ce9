"""The recorder: keeps what sounds in a journal, and has the MIDI file made of it at the end.

Rules:

* Nothing here stops the music: a journal that cannot be written any more is said once, in
  :attr:`Recorder.fault`, and what was written stays.
* Whether the MIDI file can be written is found out when the recorder is made, not at the end.
* The journal goes only when the MIDI file is there.
"""

import os
import stat
import subprocess
import sys
import tempfile
from collections.abc import Collection
from io import FileIO
from itertools import chain, count
from pathlib import Path

from lofid import __version__
from lofid.errors import RecordingError, told
from lofid.journal import JOURNAL_FORMAT, journal_line
from lofid.music import BAR_TICKS

LONGEST_STEM = 40
"""So much of the MIDI file's name is in its journal's, which has to stay a name a file can have."""


def unused(path: Path, taken: Collection[Path] = ()) -> Path:
    """Give ``path``, or ``take-2.mid``, ``take-3.mid`` … where it is there or in ``taken``.

    RecordingError where no file can be called so, or where a folder or a device is. Any thread.
    """
    _check_name(path)
    others = {other.absolute() for other in taken}
    numbered = (path.with_name(f"{path.stem}-{n}{path.suffix}") for n in count(2))
    names = (p for p in chain([path], numbered) if p.absolute() not in others)
    return next(name for name in names if _status(name) is None)


class Recorder:
    """Records one take. Called from the engine's one thread; only :meth:`flush` writes.

    ``path`` is the MIDI file to be, ``journal_folder`` is made when it is missing. Channels are
    0 to 15. ``start_tick`` is the session's tick at which the recording starts; the file starts
    at the bar line at or before it, :attr:`origin_tick`. Say the tempo and the key at once:
    the first of each hold from the file's beginning.

    RecordingError when the file or the journal could not be written.
    """

    def __init__(
        self,
        path: Path,
        journal_folder: Path,
        lead_channel: int,
        keys_channel: int,
        start_tick: int = 0,
    ) -> None:
        _check_name(path)
        _try_folder(path)
        self.path = path.absolute()
        self.origin_tick = start_tick // BAR_TICKS * BAR_TICKS
        self.fault: RecordingError | None = None
        self._pending: list[str] = []
        self.journal_path, self._journal = _new_journal(journal_folder, path.stem[:LONGEST_STEM])
        channels = {"lead_channel": lead_channel, "keys_channel": keys_channel}
        versions = {"format": JOURNAL_FORMAT, "lofid": __version__}
        self._pending.append(journal_line("header", **versions, **channels, file=str(self.path)))
        self.flush()
        if self.fault is not None:
            self._journal.close()
            raise self.fault

    def on(
        self, tick: int, channel: int, pitch: int, velocity: int, by_person: bool = False
    ) -> None:
        """Keep a note-on that sounded at the session's ``tick``. Does not touch the disk."""
        values = {"channel": channel, "pitch": pitch, "velocity": velocity}
        self._keep("on", tick, **values, by_person=by_person)

    def off(self, tick: int, channel: int, pitch: int, by_person: bool = False) -> None:
        """Keep a note-off. Does not touch the disk."""
        self._keep("off", tick, channel=channel, pitch=pitch, by_person=by_person)

    def tempo(self, tick: int, bpm: float) -> None:
        """Keep a change of tempo, in beats per minute. Does not touch the disk."""
        self._keep("tempo", tick, bpm=bpm)

    def key(self, tick: int, text: str) -> None:
        """Keep a change of key, such as ``F minor``. Does not touch the disk."""
        self._keep("key", tick, text=text)

    def flush(self) -> None:
        """Append what was kept to the journal; what is appended survives ``kill -9``.

        Call it about once a second. Never raises: see :attr:`fault`.
        """
        data = memoryview("".join(self._pending).encode())
        self._pending.clear()
        try:
            while data:
                data = data[self._journal.write(data) :]
        except OSError as error:
            self.fault = RecordingError(
                f"{self.journal_path}: cannot be written any more: {error.strerror}; "
                "what was recorded until now is kept"
            )

    def finish(self, end_tick: int) -> "Conversion":
        """End the take at the session's ``end_tick`` and start making the MIDI file.

        Notes that still sound end there. RecordingError when no process can be started; the
        journal stays then.
        """
        self._keep("end", end_tick)
        self.flush()
        self._journal.close()
        return Conversion.start(self.journal_path, self.path)

    def _keep(self, what: str, tick: int, **values: object) -> None:
        if self.fault is None:
            relative_tick = max(tick - self.origin_tick, 0)
            self._pending.append(journal_line(what, tick=relative_tick, **values))


class Conversion:
    """A journal being made into a MIDI file by a process of its own."""

    def __init__(self, process: "subprocess.Popen[str]", journal_path: Path, path: Path) -> None:
        self._process = process
        self.journal_path = journal_path
        self.path = path

    @classmethod
    def start(cls, journal_path: Path, path: Path) -> "Conversion":
        """Start the process. It outlives a Ctrl-C at the terminal, and this process too."""
        command = [sys.executable, "-P", "-m", "lofid.midifile", str(journal_path), str(path)]
        try:
            process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                encoding="utf-8",
                errors="replace",
                start_new_session=True,
            )
        except OSError as error:
            what = f"the MIDI file cannot be made: {error.strerror}"
            raise RecordingError(f"{what}; the take is kept in {journal_path}") from error
        return cls(process, journal_path, path)

    def wait(self, timeout_seconds: float | None = None) -> Path:
        """Wait for the MIDI file, remove the journal, and return the file's path.

        RecordingError when it could not be made, or not within ``timeout_seconds``; the message
        says where the journal is, which stays then.
        """
        kept = f"the take is kept in {self.journal_path}"
        try:
            _, complaint = self._process.communicate(timeout=timeout_seconds)
        except subprocess.TimeoutExpired as error:
            raise RecordingError(f"{self.path}: is not finished yet; {kept}") from error
        if self._process.returncode != 0:
            last = complaint.strip().splitlines()[-1:] or [f"exit {self._process.returncode}"]
            raise RecordingError(f"{last[0]}; {kept}")
        self.journal_path.unlink(missing_ok=True)
        return self.path


def _new_journal(folder: Path, stem: str) -> tuple[Path, FileIO]:
    """Make a journal that only its owner may read. Unbuffered: what is written is outside."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        descriptor, name = tempfile.mkstemp(".journal", f"{stem}-", folder)
        return Path(name), FileIO(descriptor, "w")
    except OSError as error:
        raise RecordingError(f"{folder}: no journal can be kept here: {error.strerror}") from error


def _try_folder(path: Path) -> None:
    """Find out whether a file could be put there, by putting one there for a moment."""
    try:
        tempfile.TemporaryFile(dir=path.parent).close()
    except OSError as error:
        advice = "make that folder or choose another one"
        raise RecordingError(
            f"{told(path)}: cannot be written: {error.strerror}; {advice}"
        ) from error


def _check_name(path: Path) -> None:
    """RecordingError unless a file of this name can be made, or is there and can be replaced."""
    status = _status(path)
    if status is None or stat.S_ISREG(status.st_mode):
        return
    what = "a folder" if stat.S_ISDIR(status.st_mode) else "no regular file"
    raise RecordingError(f"{told(path)}: is {what}; give the name of a .mid file")


def _status(path: Path) -> os.stat_result | None:
    """Look at a file; None when it is not there. RecordingError when none can be called so."""
    try:
        return path.stat()
    except FileNotFoundError:
        return None
    except OSError as error:
        what = f"cannot be written: {error.strerror}; give another name"
        raise RecordingError(f"{told(path)}: {what}") from error
    except ValueError as error:
        what = f"no file can be called so ({error}); give another name"
        raise RecordingError(f"{told(path)}: {what}") from error
