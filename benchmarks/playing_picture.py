"""Two pictures of what was played and what answered, through real ports, for docs/playing.md.

Usage: ``python benchmarks/playing_picture.py OUT.png`` (needs jackd and matplotlib)

A phrase in ``answer``, and three chords in ``chords``, are played into a real ``lofid play`` over
JACK; an independent client records what comes out, and both are drawn.
"""

import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from lofid.music import pitch_name
from tests.jackserver import RATE, JackKeyboard, JackRecorder, JackServer, pair_notes
from tests.lofidprocess import LofidProcess
from tests.phrases import PHRASES

TEMPO = 90.0
BEAT_SECONDS = 60 / TEMPO
FRAMES_A_TICK = RATE * BEAT_SECONDS / 480
SETTINGS = ("--tempo", str(TEMPO), "--key", "auto", "--seed", "11", "--input", "virtual")
CHORDS = ((0, (48, 52, 55, 59)), (4, (53, 57, 60, 64)), (8, (50, 53, 57, 60)))
"""The beat that each is struck at; it is held for a little less than a bar."""
COLOURS = {"you": "#d1495b", "lead": "#00798c", "keys": "#8d99ae"}
Drawn = tuple[str, float, float, int]
"""Whose, from when and for how long in seconds, and the pitch."""


def phrase_messages() -> list[tuple[int, bytes]]:
    """The phrase, as (tick, message)."""
    phrase = next(phrase for phrase in PHRASES if str(phrase.key) == "C major")
    return [(tick, bytes(message)) for tick, message in phrase.messages(0)]


def chord_messages() -> list[tuple[int, bytes]]:
    """The chords, as (tick, message)."""
    ons = [(480 * beat, bytes((0x90, p, 80))) for beat, chord in CHORDS for p in chord]
    offs = [(480 * beat + 1800, bytes((0x80, p, 64))) for beat, chord in CHORDS for p in chord]
    return sorted(ons + offs)


def session(mode: str, messages: list[tuple[int, bytes]], seconds: float) -> list[Drawn]:
    """Play into lofid, and give what both played, from the first key on."""
    with (
        JackServer() as server,
        tempfile.TemporaryDirectory() as folder,
        JackKeyboard(server) as keyboard,
    ):
        config = Path(folder) / "config.toml"
        config.write_text(f'[keyboard]\nmode = "{mode}"\n', encoding="utf-8")
        options = ("--config", str(config), *SETTINGS)
        with (
            LofidProcess(server, Path(folder), *options) as lofid,
            JackRecorder(server, "lofid:out") as recorder,
        ):
            lofid.wait_for("seed")
            keyboard.connect("lofid:in")
            time.sleep(4 * BEAT_SECONDS)
            begin = keyboard.frame_now() + RATE // 10
            played = [(begin + round(tick * FRAMES_A_TICK), data) for tick, data in messages]
            keyboard.play_at(played)
            time.sleep(seconds)
            answered = list(recorder.events)
    notes = [
        ("keys" if note.channel else "lead", note.on_frame, note.off_frame, note.pitch)
        for note in pair_notes(answered)
        if note.off_frame is not None and note.on_frame > begin - 2 * RATE
    ]
    struck: dict[int, int] = {}
    for frame, data in played:
        if data[0] & 0xF0 == 0x90:
            struck[data[1]] = frame
        else:
            notes.append(("you", struck.pop(data[1]), frame, data[1]))
    return [
        (who, (on - begin) / RATE, (off - on) / RATE, pitch)
        for who, on, off, pitch in notes
        if off is not None
    ]


def draw(axes: Any, notes: list[Drawn], title: str) -> None:
    """Draw one session: bars in time over pitch."""
    for who, at, length, pitch in sorted(notes):
        axes.barh(pitch, length, left=at, height=0.9, color=COLOURS[who], label=who, alpha=0.9)
    handles, labels = axes.get_legend_handles_labels()
    unique = dict(zip(labels, handles, strict=True))
    axes.legend(
        unique.values(), unique.keys(), loc="lower right", bbox_to_anchor=(1, 1), ncols=3,
        frameon=False,
    )  # fmt: skip
    axes.set_title(title, loc="left")
    lowest, highest = (pick(pitch for *_, pitch in notes) for pick in (min, max))
    octaves = range(lowest - lowest % 12, highest + 12, 12)
    axes.set_yticks(octaves, [pitch_name(pitch) for pitch in octaves])
    axes.set_ylim(lowest - 2, highest + 2)
    axes.set_xlim(left=-1.5)
    axes.set_xlabel("seconds")
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(axis="y", alpha=0.2)


def main() -> None:
    """Play both, draw both."""
    figure = Figure(figsize=(10, 7), layout="constrained")
    above, below = figure.subplots(2, 1)
    answered = session("answer", phrase_messages(), 24 * BEAT_SECONDS)
    draw(above, answered, "answer: lofid yields from your first key on, and replies after a beat")
    steered = session("chords", chord_messages(), 16 * BEAT_SECONDS)
    draw(below, steered, "chords: lofid plays inside what you hold")
    figure.savefig(sys.argv[1], dpi=110)


if __name__ == "__main__":
    main()
