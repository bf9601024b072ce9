"""How often the key finder is right, how often it changes its mind, how soon it follows.

Usage: ``python benchmarks/key_following.py [FOLDER…]``

Plays the tests' phrases to :class:`lofid.keyfinder.KeyFinder`, and every MIDI file of the folders
that has a key signature and a last chord that says which of its two keys it is in (lead sheets with
the melody and the chords on tracks of their own; the one called ``chords``, or else the last one,
has the chords). "Exact" is the key; "signature" counts the relative key too, whose scale is the
same. A modulation is the first 8 bars of one piece and then another one in another signature.
"""

import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import mido
import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from lofid.keyfinder import KeyFinder
from lofid.music import TICKS_PER_QUARTER, Key
from tests.phrases import PHRASE_TICKS, PHRASES, Phrase

Sound = tuple[float, float, tuple[int, ...]]
"""Onset and length in quarters, pitches."""
SEED, PAIRS, BEFORE_QUARTERS, AFTER_QUARTERS = 1, 200, 32.0, 64.0
WINDOW_QUARTERS, WINDOWS = 8, 4
"""Two bars of four, so many at random from each piece."""


@dataclass(frozen=True)
class Piece:
    """A piece in one key, by the parts that may be played of it."""

    key: Key
    parts: dict[str, list[Sound]]


def main(*folders: str) -> None:
    """Measure the phrases, then the folders."""
    of_phrases()
    files = sorted(path for folder in folders for path in Path(folder).glob("*.mid"))
    pieces = [piece for piece in map(read, files) if piece is not None]
    if not pieces:
        return
    minor = sum(piece.key.is_minor for piece in pieces)
    print(f"{len(pieces)} pieces of {len(files)} files say their key; {minor} of them are minor")
    for part in ("melody", "chords", "both"):
        having = [(p.key, p.parts[part]) for p in pieces if len(p.parts.get(part, ())) > 8]
        if having:
            print(f"  {part:7}", of_whole(having))
            print(f"  {'':7}", of_windows(having))
            print(f"  {'':7}", of_modulations(having))


def of_phrases() -> None:
    """From nothing; and after another phrase in another signature."""
    firsts, exact, changes = [], 0, 0
    for phrase in PHRASES:
        finder = KeyFinder()
        found = [(s[0], key) for s in sounds_of(phrase) if (key := finder.hear(s[2], s[1]))]
        firsts.append(found[0][0])
        exact += finder.key == phrase.key
        changes += len(found) - 1
    print(
        f"{len(PHRASES)} phrases: {exact} exact at the end, {changes} changes on the way; first key"
        f" after {np.median(firsts):.1f} quarters (median), {max(firsts):.1f} at most"
    )
    pairs = [(a, b) for a in PHRASES for b in PHRASES if not same_signature(a.key, b.key)]
    for least in (1, 3):
        lags = [lag for a, b in pairs if fifths(a.key, b.key) >= least
                for lag in [followed_after(sounds_of(a), repeated(b, 4), b.key)]]  # fmt: skip
        within = np.mean([lag is not None and lag < 8 for lag in lags])
        print(f"  after one in another key, {least} fifths away or more: {told(lags)}, within its "
              f"own two bars {within:.0%} of {len(lags)}")  # fmt: skip


def of_whole(having: list[tuple[Key, list[Sound]]]) -> str:
    """Shares of the time of all pieces, and the changes in it."""
    exact = signature = none = whole = 0.0
    changes = to_relative = 0
    firsts = []
    for key, sounds in having:
        finder = KeyFinder()
        for i, (onset, length, pitches) in enumerate(sounds):
            before = finder.key
            if finder.hear(pitches, length) and before is None:
                firsts.append(onset - sounds[0][0])
            elif finder.key != before and before is not None and finder.key is not None:
                changes += 1
                to_relative += same_signature(before, finder.key)
            lasts = (sounds[i + 1][0] if i + 1 < len(sounds) else onset + length) - onset
            whole += lasts
            none += lasts * (finder.key is None)
            exact += lasts * (finder.key == key)
            signature += lasts * (finder.key is not None and same_signature(finder.key, key))
    return (
        f"exact {exact / whole:.2f}, signature {signature / whole:.2f}, none {none / whole:.2f} of "
        f"the time; first key after {np.median(firsts):.1f} quarters; {changes} changes, "
        f"one in {whole / max(changes, 1):.0f} quarters, {to_relative} to the relative key"
    )


def of_windows(having: list[tuple[Key, list[Sound]]]) -> str:
    """What two bars from anywhere are found to be in, from nothing."""
    rng, found = np.random.default_rng(SEED), []
    for key, sounds in having:
        for _ in range(WINDOWS):
            begin = rng.integers(max(1, int(sounds[-1][0]) - WINDOW_QUARTERS))
            finder = KeyFinder()
            for onset, length, pitches in sounds:
                if begin <= onset < begin + WINDOW_QUARTERS:
                    finder.hear(pitches, length)
            found.append((finder.key, key))
    known = [(heard, key) for heard, key in found if heard is not None]
    right = sum(same_signature(heard, key) for heard, key in known)
    return f"two bars from anywhere: {len(known)} of {len(found)} give a key, {right} the signature"


def of_modulations(having: list[tuple[Key, list[Sound]]]) -> str:
    """Two pieces in a row, the second transposed into another signature."""
    rng, lags = np.random.default_rng(SEED), []
    for _ in range(PAIRS):
        (_, before), (key, after) = (having[i] for i in rng.choice(len(having), 2, replace=False))
        old = KeyFinder()
        opening = [s for s in before if s[0] - before[0][0] < BEFORE_QUARTERS]
        for _, length, pitches in opening:
            old.hear(pitches, length)
        base = old.key.shift_semitones if old.key else 0
        by = (base + int(rng.integers(1, 12)) - key.shift_semitones) % 12
        moved = [(onset - after[0][0], length, tuple(p + by for p in pitches))
                 for onset, length, pitches in after
                 if onset - after[0][0] < AFTER_QUARTERS]  # fmt: skip
        lags.append(followed_after(opening, moved, Key((key.tonic + by) % 12, key.is_minor)))
    return f"another key is followed {told(lags)}"


def followed_after(before: Iterable[Sound], after: Iterable[Sound], key: Key) -> float | None:
    """After how many quarters of what comes its signature is found; None if never."""
    finder = KeyFinder()
    for _, length, pitches in before:
        finder.hear(pitches, length)
    for onset, length, pitches in after:
        finder.hear(pitches, length)
        if finder.key is not None and same_signature(finder.key, key):
            return onset
    return None


def repeated(phrase: Phrase, times: int) -> list[Sound]:
    """Give a phrase several times in a row."""
    bars, sounds = PHRASE_TICKS / TICKS_PER_QUARTER, sounds_of(phrase)
    return [(i * bars + onset, *rest) for i in range(times) for onset, *rest in sounds]


def told(lags: list[float | None]) -> str:
    """The median and the ninth tenth; what never came counts as endless."""
    lasted = sorted(float("inf") if lag is None else lag for lag in lags)
    middle, ninth = lasted[len(lasted) // 2], lasted[len(lasted) * 9 // 10]
    never = lags.count(None)
    return f"after {middle:.1f} quarters (median), 9 of 10 after {ninth:.1f}, {never} never"


def same_signature(one: Key, other: Key) -> bool:
    """Whether two keys are one or relative."""
    return one.shift_semitones == other.shift_semitones


def fifths(one: Key, other: Key) -> int:
    """How many notes of one scale the other lacks."""
    apart = (one.shift_semitones - other.shift_semitones) * 7 % 12
    return min(apart, 12 - apart)


def sounds_of(phrase: Phrase) -> list[Sound]:
    """Give a phrase's notes and chords in quarters."""
    return [(event.onset_ticks / TICKS_PER_QUARTER, event.length_ticks / TICKS_PER_QUARTER,
             event.pitches) for event in phrase.events()]  # fmt: skip


def read(path: Path) -> Piece | None:
    """Read a lead sheet; None if it does not say in which key it is."""
    file = mido.MidiFile(path)
    signatures = [m.key for track in file.tracks for m in track if m.type == "key_signature"]
    tracks = [(track.name, found) for track in file.tracks if (found := notes(track))]
    if len(set(signatures)) != 1 or not tracks:
        return None
    sheets = {name: grouped(found, file.ticks_per_beat) for name, found in tracks}
    chords = sheets.get("chords", sheets[tracks[-1][0]])
    melody = [sound for name, found in sheets.items() if found is not chords for sound in found]
    key = key_by(Key.parse(signatures[0]).shift_semitones, chords[-1][2])
    both = grouped([n for _, found in tracks for n in found], file.ticks_per_beat)
    parts = {"melody": melody, "chords": chords, "both": both if melody else []}
    return None if key is None else Piece(key, parts)


def key_by(shift_semitones: int, last: tuple[int, ...]) -> Key | None:
    """Give the key of a signature whose tonic triad the last chord is, by its lowest note."""
    above = {(pitch - last[0]) % 12 for pitch in last}
    major = Key(shift_semitones % 12, is_minor=False)
    minor = Key((shift_semitones + 9) % 12, is_minor=True)
    for key, third in ((major, 4), (minor, 3)):
        if last[0] % 12 == key.tonic and third in above:
            return key
    return None


def notes(track: mido.MidiTrack) -> list[tuple[int, int, int]]:
    """Give (onset, length, pitch) in the file's ticks."""
    return list(_paired(track))


def _paired(track: mido.MidiTrack) -> Iterator[tuple[int, int, int]]:
    now, begun = 0, dict[int, int]()
    for message in track:
        now += message.time
        if message.type == "note_on" and message.velocity:
            begun.setdefault(message.note, now)
        elif message.type in ("note_on", "note_off") and message.note in begun:
            on = begun.pop(message.note)
            yield on, now - on, message.note


def grouped(found: list[tuple[int, int, int]], ticks: int) -> list[Sound]:
    """Make one sound of what begins together, as long as its longest note."""
    by_onset: dict[int, list[tuple[int, int]]] = {}
    for onset, length, pitch in sorted(found):
        by_onset.setdefault(onset, []).append((length, pitch))
    return [
        (onset / ticks, max(group)[0] / ticks, tuple(sorted({pitch for _, pitch in group})))
        for onset, group in by_onset.items()
    ]


if __name__ == "__main__":
    main(*sys.argv[1:])
