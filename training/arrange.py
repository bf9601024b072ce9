"""The arranger: a lead sheet becomes a lofi performance, another one for each seed.

Given is a piece in its home key whose chords are block chords and whose single notes are a melody,
or bare chords. Made of it: triads grow to sevenths and ninths that fit the key and the melody
(harmony), in shell and rootless voicings in the middle register with small steps between them
(voicing), struck in comping figures with anticipations (comping), under a thinned and displaced
melody (tune), with accents; always four beats in the bar (metre). Pure: all chance comes from the
generator that is handed in.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from lofid.music import BAR_GRID, GRID_PER_QUARTER
from training.comping import Hit, Span, strike
from training.harmony import Colour, Symbol, colours, read
from training.metre import in_four
from training.reader import Piece, Sound
from training.tune import Tone, displaced, resting, riff, thinned
from training.voicing import KINDS, Voicing, clashes, nearest, plain, voicings

SHORTEST_BARS = 8
"""A shorter progression goes round until it is as long."""
FEWEST_CHORDS = 2
CHORDS_VELOCITY, LEAD_VELOCITY = 62, 78
SOFTEST, LOUDEST = 20, 112


class NotALeadSheetError(ValueError):
    """A piece that cannot be arranged; the text is the reason, shared by all of its kind."""


@dataclass(frozen=True)
class Style:
    """How one performance is played; drawn once for each."""

    kinds: tuple[float, ...]
    keep: float
    displace: float
    rest: float
    plain: float
    dynamic: int

    @classmethod
    def draw(cls, rng: np.random.Generator) -> "Style":
        """Draw a style: mostly rootless or mostly shells, a busy or a sparse lead."""
        return cls(
            kinds=tuple(rng.dirichlet((1.0, 1.5, 0.6, 0.9)).tolist()),
            keep=float(rng.uniform(0.5, 0.95)),
            displace=float(rng.uniform(0.1, 0.4)),
            rest=float(rng.uniform(0.0, 0.35)),
            plain=float(rng.uniform(0.0, 0.35)),
            dynamic=int(rng.integers(-8, 9)),
        )


def arrange(piece: Piece, rng: np.random.Generator) -> Piece:
    """Give one performance of a piece.

    NotALeadSheetError for what has no chords or no four beats.
    """
    sounds = in_four(piece.sounds, piece.metre)
    if sounds is None:
        raise NotALeadSheetError(f"{piece.metre} has no four beats")
    style = Style.draw(rng)
    spans, melody = _parts(sounds)
    if len(spans) < FEWEST_CHORDS:
        raise NotALeadSheetError("fewer than two chords")
    line = _lead(spans, melody, style, rng) if melody else resting(riff(spans, rng), 0.15, rng)
    hits = strike(spans, rng)
    chords = zip(hits, _voiced(hits, line, style, rng), strict=True)
    keys = [_chord_sound(hit, voicing, style, rng) for hit, voicing in chords]
    lead = [_lead_sound(tone, style, rng) for tone in line]
    together = sorted([*keys, *lead], key=lambda s: (s.onset_grid, len(s.pitches) == 1, s.pitches))
    return Piece(piece.key, "4/4", tuple(together))


def _parts(sounds: Sequence[Sound]) -> tuple[list[Span], list[Tone]]:
    """Tell chords from melody. Two notes are a chord only where nothing is a melody."""
    has_melody = any(len(sound.pitches) == 1 for sound in sounds)
    is_chord = [len(sound.pitches) > (2 if has_melody else 1) for sound in sounds]
    chords = [s for s, chord in zip(sounds, is_chord, strict=True) if chord]
    melody = [
        Tone(s.onset_grid, s.length_grid, s.pitches[-1])
        for s, chord in zip(sounds, is_chord, strict=True)
        if not chord
    ]
    return (_round(_spans(chords)), melody) if not melody else (_spans(chords), melody)


def _spans(chords: Sequence[Sound]) -> list[Span]:
    """Each chord to the next; equal neighbours are one. One at a time: the last of equals wins."""
    at = {chord.onset_grid: chord for chord in chords}
    spans: list[Span] = []
    for chord, following in pairwise([*(at[onset] for onset in sorted(at)), None]):
        assert chord is not None
        end = chord.onset_grid + chord.length_grid
        end = min(end, following.onset_grid) if following else end
        symbol = read(chord.pitches)
        if spans and spans[-1].symbol == symbol and spans[-1].end == chord.onset_grid:
            spans[-1] = Span(spans[-1].start, end, symbol)
        else:
            spans.append(Span(chord.onset_grid, end, symbol))
    return spans


def _round(spans: list[Span]) -> list[Span]:
    """Repeat a short progression, in whole bars."""
    if not spans:
        return spans
    length = -(-spans[-1].end // BAR_GRID) * BAR_GRID
    times = -(-SHORTEST_BARS * BAR_GRID // length)
    return [
        Span(s.start + i * length, s.end + i * length, s.symbol)
        for i in range(times)
        for s in spans
    ]


def _lead(
    spans: Sequence[Span], melody: Sequence[Tone], style: Style, rng: np.random.Generator
) -> list[Tone]:
    """The song's melody where there are chords to carry it, as this style has it."""
    first = spans[0].start // BAR_GRID * BAR_GRID
    sung = [tone for tone in melody if tone.onset >= first]
    line = displaced(thinned(sung, style.keep, rng), style.displace, rng)
    return resting(line, style.rest, rng)


def _voiced(
    hits: Sequence[Hit], line: Sequence[Tone], style: Style, rng: np.random.Generator
) -> list[Voicing]:
    """Choose a voicing for each hit; a chord that is struck again mostly stays as it is."""
    result: list[Voicing] = []
    last: Hit | None = None
    for hit in hits:
        melody = [t.pitch for t in line if t.onset < hit.onset + hit.length and hit.onset < t.end]
        symbol = hit.span.symbol
        same = last is not None and last.span.symbol == symbol and rng.random() < 0.75
        if not (same and not clashes(result[-1], melody, symbol.classes)):
            before = result[-1] if result else None
            result.append(nearest(before, _choices(symbol, melody, style, rng)))
        else:
            result.append(result[-1])
        last = hit
    return result


def _choices(
    symbol: Symbol, melody: Sequence[int], style: Style, rng: np.random.Generator
) -> Sequence[Voicing]:
    """The voicings to choose from: one colour and kind by chance, or the next that do not clash.

    Where every colour clashes, the chord is what the song has.
    """
    if rng.random() >= style.plain:
        suited = colours(symbol)
        start = int(rng.random() ** 1.5 * len(suited))
        kinds = rng.choice(len(KINDS), len(KINDS), replace=False, p=_some_of_each(style.kinds))
        for colour in (*suited[start:], *suited[:start]):
            for kind in kinds:
                if found := _fitting(symbol, colour, KINDS[kind], melody):
                    return found
    return plain(symbol.classes)


def _some_of_each(shares: Sequence[float]) -> list[float]:
    """No kind may have a chance of zero: each is wanted in some order."""
    some = [max(share, 1e-6) for share in shares]
    return [share / sum(some) for share in some]


def _fitting(symbol: Symbol, colour: Colour, kind: str, melody: Sequence[int]) -> list[Voicing]:
    every = voicings(symbol.root, colour, kind)
    return [v for v in every if not clashes(v, melody, symbol.classes)]


def _chord_sound(hit: Hit, voicing: Voicing, style: Style, rng: np.random.Generator) -> Sound:
    on_beat = 3 if hit.onset % (2 * GRID_PER_QUARTER) == 0 else 0
    velocity = CHORDS_VELOCITY + style.dynamic + hit.accent + on_beat + rng.normal(0, 3)
    return _sound(hit.onset, voicing, hit.length, velocity)


def _lead_sound(tone: Tone, style: Style, rng: np.random.Generator) -> Sound:
    """Higher is louder, and so is the beat; short notes between beats are light."""
    phase = tone.onset % GRID_PER_QUARTER
    place = 4 if phase == 0 else -2 if phase == GRID_PER_QUARTER // 2 else -8
    rise = (tone.pitch - 71) / 3
    brief = -4 if tone.length <= GRID_PER_QUARTER // 2 else 0
    velocity = LEAD_VELOCITY + style.dynamic + place + rise + brief + rng.normal(0, 4)
    return _sound(tone.onset, (tone.pitch,), tone.length, velocity)


def _sound(onset: int, pitches: tuple[int, ...], length: int, velocity: float) -> Sound:
    loudness = int(np.clip(round(velocity), SOFTEST, LOUDEST))
    return Sound(onset, pitches, length, loudness, onset % BAR_GRID)
