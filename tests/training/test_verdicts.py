"""Verdicts: what is met and what is not, and in which words."""

from math import inf

import pytest

from training.endless import Endless
from training.evaluate import Rival, Score
from training.evaluation import Evaluation, HeldOut, temperatures
from training.leading import Pair
from training.recital import Recital
from training.speed import Times
from training.verdicts import BOUNDS, Bound, Verdict, verdicts


def evaluation(**changed: object) -> Evaluation:
    """Two seeds: the first has the harmony that is asked for, the second has not."""
    names = ("rich chords", "triad chords", "suspended chords", "other chords", "none chords",
             "rich chords with the lead", "triad chords with the lead", "in the scale",
             "events a beat", "chords a bar", "length in beats", "velocity spread")  # fmt: skip
    good = dict.fromkeys(names, 1.0) | {"rich chords": 0.6, "triad chords": 0.1}
    steady = Endless(100, 1, 0.5, (40,) * 10, (60.0,) * 10)
    values = {
        "model": "m.onnx",
        "recipe": "default",
        "test_pieces": 3,
        "held_out": HeldOut({"token": Score(8.0, 0.5)}, {"token": Rival(3, 16.0, 0.25)}),
        "seeds": [good, good | {"rich chords": 0.4}],
        "usual": {"events a beat": (0.5, 1.5)},
        "endless": {1.0: steady},
        "pairs": [Pair(("a", "b"), "C major", 0.9, 0.9), Pair(("c", "d"), "C major", 0.7, 0.9)],
        "recited_tokens": Recital((1,) * 17 + (1,)),
        "recited_events": Recital((99, 1)),
        "times": [Times("cpu", (1.0, 3.0), (2.0,), ())],
        "cuda_note": "no GPU",
        "size_bytes": 8_400_000,
        "int8_loss_percent": 0.25,
    }
    return Evaluation(**{**values, **changed})  # type: ignore[arg-type]  # by name


def rows(found: Evaluation) -> dict[str, Verdict]:
    return {row.figure: row for row in verdicts(found)}


def test_bounds_in_words() -> None:
    assert str(Bound(low=0.5, percent=True)) == "at least 50.0%"
    assert str(Bound(high=8)) == "at most 8"
    assert str(Bound(-2, 2)) == "-2 to 2"
    assert str(Bound()) == ""
    assert Bound(0, 1).holds([0, 1])
    assert not Bound(0, 1).holds([0, 1.01])
    assert Bound(-inf, inf).holds([1e9])


def test_a_model_that_beats_its_rival() -> None:
    row = rows(evaluation())["token perplexity"]
    assert row == Verdict("held out", "token perplexity", "8.000", "16.000 (order 3), ratio 0.500",
                          met=True)  # fmt: skip
    worse = HeldOut({"token": Score(20.0, 0.5)}, {"token": Rival(3, 16.0, 0.25)})
    assert rows(evaluation(held_out=worse))["token perplexity"].met is False


def test_every_seed_has_to_meet_a_bound() -> None:
    found = rows(evaluation())
    rich = found["rich chords"]
    assert (rich.found, rich.met) == ("40.0% / 50.0% / 60.0%", False)
    assert rich.bound == "at least 45.0% (1 of 2 seeds)"
    assert found["triad chords"].met is True
    assert found["suspended chords"].met is None
    assert found["events a beat"].bound == "0.5 to 1.5 (2 of 2 seeds)"
    assert found["chords a bar"].met is None


def test_the_mean_of_the_pairs_counts() -> None:
    found = rows(evaluation())
    assert found["differing, mean of 2 pairs"].met is True
    assert found["differing, worst / median / best"].found == "70.0% / 80.0% / 90.0%"
    assert found["pairs that meet both bounds"].found == "1 of 2"
    assert "pairs of phrases" in rows(evaluation(pairs=[]))


def test_what_is_recited() -> None:
    """One event of eighteen is in a run of 17."""
    found = rows(evaluation())
    by_token = found["in no shared run above 16, by token"]
    assert (by_token.found, by_token.met) == ("94.44%", False)
    assert found["longest shared run, by token"].found == "17 events"
    assert found["in no shared run above 16, by token and rhythm"].met is True


@pytest.mark.parametrize(
    ("session", "missed"),
    [
        (Endless(100, 9, 0.5, (40,) * 10, (60.0,) * 10), "equal bars in a row"),
        (Endless(100, 1, 2.5, (40,) * 10, (60.0,) * 10), "longest silence, bars"),
        (
            Endless(100, 1, 0.5, (40,) * 9 + (20,), (60.0,) * 10),
            "runs of 4 events, last tenth to first",
        ),
        (Endless(100, 1, 0.5, (40,) * 10, (60.0,) * 9 + (63.0,)), "drift of register, semitones"),
    ],
)
def test_what_a_long_session_may_miss(session: Endless, missed: str) -> None:
    found = verdicts(evaluation(endless={0.2: session}))
    assert [r.figure for r in found if r.part == "endless at 0.2" and r.met is False] == [missed]


def test_times_and_size() -> None:
    """A step's median is over a millisecond; what was not measured has no row."""
    found = rows(evaluation())
    step = found["one step, p50 / p99, ms"]
    assert (step.found, step.bound, step.met) == ("2.00 / 2.98", "at most 1 / at most 3", False)
    assert "prime, p50 / p99, ms" not in found
    assert (found["size, MB"].found, found["size, MB"].met) == ("8.4", True)
    assert found["int8 loss, percent"].met is True
    assert rows(evaluation(int8_loss_percent=None))["int8 loss"].found == "its card does not tell"


def test_the_ends_of_the_temperature_are_looked_at() -> None:
    assert temperatures() == (1.0, 0.5, 1.5)
    assert BOUNDS["drift"] == Bound(-2, 2)
