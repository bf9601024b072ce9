"""Whether the music goes where a player leads it: in key, in register, and elsewhere each time.

Usage: ``python benchmarks/led_by_phrases.py`` (needs jackd; five minutes)

A keyboard of JACK's plays two phrases of the tests in each of the 24 keys, each to a ``lofid play``
of its own with the key on auto and the same seed, from the third bar on. What lofid plays in the
eight bars after the phrase is recorded by an independent client and looked at: a line for each
phrase, then one for each thing that must hold. Exit status 1 when one does not.
"""

import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from math import inf
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from lofid.music import BAR_TICKS, GRID_TICKS, TICKS_PER_QUARTER
from tests.jackserver import (
    RATE,
    JackKeyboard,
    JackRecorder,
    JackServer,
    Recorded,
    wait_until,
)
from tests.lofidprocess import LofidProcess
from tests.phrases import KEYS, PHRASE_TICKS, Phrase, phrases_in, share_on_scale

TEMPO, SEED = 240, 7
FRAMES_PER_TICK = RATE * 60 // (TEMPO * TICKS_PER_QUARTER)
"""25, without a remainder."""
PHRASE_BEGIN = 2 * BAR_TICKS
ANSWER_BEGIN = PHRASE_BEGIN + PHRASE_TICKS
ANSWER_END = ANSWER_BEGIN + 8 * BAR_TICKS
AT_ONCE, TRIES = 4, 3
PATIENCE_SECONDS = 90.0
CLOCK, START = b"\xf8", b"\xfa"
LEAD = 0

FIRST_NOTES = 8
"""So many notes of the lead are the first answer."""
OCTAVE = 12
IN_KEY, DIFFERENT = 0.85, 0.5
"""What the issue asks of a phrase's key, and what tests/test_leading.py asks of two phrases."""


@dataclass(frozen=True)
class Sounded:
    """A note of lofid's: ticks from the session's first downbeat; channels from 0."""

    channel: int
    pitch: int
    on_tick: float
    off_tick: float
    is_cut: bool = False
    """It was struck again while it sounded, which must not be."""


@dataclass(frozen=True)
class Answer:
    """What is measured of the eight bars after a phrase."""

    phrase: Phrase
    notes: tuple[Sounded, ...]

    @property
    def struck_twice(self) -> int:
        """How many notes began over the same pitch of the same channel."""
        return sum(note.is_cut for note in self.notes)

    @property
    def in_key(self) -> float:
        """The share of sounding note time on the key's scale; none of silence."""
        spans = [
            (min(note.off_tick, ANSWER_END) - max(note.on_tick, ANSWER_BEGIN), note.pitch)
            for note in self.notes
        ]
        lasting = [(round(ticks), pitch) for ticks, pitch in spans if ticks >= 1]
        return share_on_scale(lasting, self.phrase.key) if lasting else 0.0

    @property
    def first_lead(self) -> list[int]:
        """The pitches of the lead's first notes."""
        begun = [n.pitch for n in self.notes if n.channel == LEAD and n.on_tick >= ANSWER_BEGIN]
        return begun[:FIRST_NOTES]

    @property
    def semitones_off(self) -> float:
        """How far the first notes' median is above the phrase's melody's; endless without any."""
        if not self.first_lead:
            return inf
        melody = [e.pitches[0] for e in self.phrase.events() if not e.is_chord]
        return median(self.first_lead) - median(melody)

    @property
    def shares_register(self) -> bool:
        """Whether there are first notes, all within an octave of the phrase's range."""
        low, high = min(self.phrase.pitches) - OCTAVE, max(self.phrase.pitches) + OCTAVE
        first = self.first_lead
        return bool(first) and low <= min(first) and max(first) <= high

    @property
    def places(self) -> set[tuple[int, int]]:
        """(tick, pitch) of all that begins in the eight bars, on the grid."""
        return {(GRID_TICKS * round(n.on_tick / GRID_TICKS), n.pitch)
                for n in self.notes if ANSWER_BEGIN <= n.on_tick < ANSWER_END}  # fmt: skip


class MissedError(Exception):
    """The music had begun before the recorder was connected."""


def played(server: JackServer, phrase: Phrase, folder: Path) -> Answer:
    """Play one session, again if its beginning was missed.

    AssertionError when lofid does not start or does not play.
    """
    folder.mkdir()
    for _ in range(TRIES):
        with suppress(MissedError):
            return Answer(phrase, session(server, phrase, folder))
    raise AssertionError(f"{TRIES} times lofid began before it was connected to")


def session(server: JackServer, phrase: Phrase, folder: Path) -> tuple[Sounded, ...]:
    """Give all that lofid plays until a bar after the answer's end."""
    name = folder.name
    arguments = ("--name", name, "--tempo", str(TEMPO), "--swing", "50", "--seed", str(SEED))
    follows = ("--key", "auto", "--input", "virtual", "--send-clock")
    with (
        JackKeyboard(server, f"{name}-keys") as keyboard,
        JackRecorder(server, name=f"{name}-ears") as recorder,
        LofidProcess(server, folder, *arguments, *follows) as lofid,
    ):
        recorder.listen_to(f"{name}:out", PATIENCE_SECONDS)
        first = begin(recorder)
        keyboard.connect(f"{name}:in")
        start = first + FRAMES_PER_TICK * PHRASE_BEGIN
        assert keyboard.frame_now() < start, "this machine is too slow to play in time"
        keyboard.play_at((start + FRAMES_PER_TICK * t, data) for t, data in phrase.messages())
        end = first + FRAMES_PER_TICK * (ANSWER_END + BAR_TICKS)
        wait_until(lambda: recorder.frame_now() > end, "the answer", PATIENCE_SECONDS)
        assert lofid.process.poll() is None, lofid.said
        heard = [event for event in recorder.events if event.frame <= end]
    return sounded([event for event in heard if event.data[0] & 0xF0 in (0x80, 0x90)], first, end)


def begin(recorder: JackRecorder) -> int:
    """Give the frame of the first downbeat: MIDI clock's next pulse after Start."""

    def after(start: int) -> list[int]:
        return [e.frame for e in recorder.events if e.data == CLOCK and e.frame >= start]

    def starts() -> list[int]:
        return [event.frame for event in recorder.events if event.data == START]

    def has_begun() -> bool:
        return bool(starts()) or any(event.data[0] & 0xF0 == 0x90 for event in recorder.events)

    wait_until(has_begun, "the music", PATIENCE_SECONDS)
    if not starts():
        raise MissedError
    start = starts()[0]
    wait_until(lambda: after(start), "the first downbeat", PATIENCE_SECONDS)
    return after(start)[0]


def sounded(events: list[Recorded], first: int, end: int) -> tuple[Sounded, ...]:
    """Pair note-ons and note-offs, in ticks; what still sounds at the end ends there."""
    begun: dict[tuple[int, int], int] = {}
    notes: list[Sounded] = []

    def finish(key: tuple[int, int], frame: int, *, is_cut: bool) -> None:
        if key in begun:
            on_tick, off_tick = ((f - first) / FRAMES_PER_TICK for f in (begun.pop(key), frame))
            notes.append(Sounded(*key, on_tick, off_tick, is_cut))

    for event in events:
        key = (event.data[0] & 0x0F, event.data[1])
        is_on = event.data[0] & 0xF0 == 0x90
        finish(key, event.frame, is_cut=is_on)
        if is_on:
            begun[key] = event.frame
    for key in list(begun):
        finish(key, end, is_cut=False)
    return tuple(sorted(notes, key=lambda note: (note.on_tick, note.channel, note.pitch)))


def differing(one: Answer, other: Answer) -> float:
    """Of all (tick, pitch) in either, the share that is not in both: tests/test_leading.py's.

    None of two silences.
    """
    return len(one.places ^ other.places) / max(1, len(one.places | other.places))


def main() -> int:
    """Play all, print all; 1 when something that must hold does not."""
    phrases = [phrase for key in KEYS for phrase in phrases_in(key)[:2]]
    with JackServer() as server, TemporaryDirectory() as folder:
        folders = [Path(folder) / f"led{i}" for i in range(len(phrases))]
        with ThreadPoolExecutor(AT_ONCE) as pool:
            found = pool.map(played, [server] * len(phrases), phrases, folders)
            answers = [shown(answer) for answer in found]
    return verdict(answers)


def shown(answer: Answer) -> Answer:
    """Print a phrase's line."""
    register = "in its register" if answer.shares_register else "ANOTHER REGISTER"
    twice = f", {answer.struck_twice} STRUCK TWICE" if answer.struck_twice else ""
    print(
        f"{answer.phrase.name:22} {answer.in_key:4.0%} in key, lead {answer.semitones_off:+5.1f} "
        f"semitones, {register}, {len(answer.places)} notes{twice}",
        flush=True,
    )
    return answer


def verdict(answers: list[Answer]) -> int:
    """Print what must hold, and whether it does."""
    in_key = [answer.in_key for answer in answers]
    worst = answers[in_key.index(min(in_key))].phrase.name
    shares = [answer.shares_register for answer in answers]
    offs = [abs(answer.semitones_off) for answer in answers]
    apart = [differing(*pair) for pair in zip(answers[::2], answers[1::2], strict=True)]
    held = [sum(share >= IN_KEY for share in in_key), sum(shares),
            sum(share >= DIFFERENT for share in apart)]  # fmt: skip
    whole = [len(in_key), len(shares), len(apart)]
    print(
        f"in key: {held[0]} of {whole[0]} phrases have at least {IN_KEY:.0%} of note time in their "
        f"key over 8 bars; median {median(in_key):.0%}, least {min(in_key):.0%} ({worst})"
    )
    print(
        f"register: after {held[1]} of {whole[1]} phrases the first {FIRST_NOTES} lead notes are "
        f"within an octave of its range; medians are {median(offs):.0f} semitones apart (median), "
        f"{max(offs):.0f} at most"
    )
    print(
        f"different: {held[2]} of {whole[2]} pairs of phrases in one key differ in at least "
        f"{DIFFERENT:.0%} of (tick, pitch); median {median(apart):.0%}, least {min(apart):.0%}"
    )
    twice = sum(answer.struck_twice for answer in answers)
    print(f"once: {twice} notes were struck again while they sounded")
    return 0 if held == whole and not twice else 1


if __name__ == "__main__":
    sys.exit(main())
