"""Controllers: what is moved, what it does, how both are written, and what comes of a move."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lofid import mapping
from lofid.config import change
from lofid.controllers import Controllers
from lofid.deeds import ACTIONS, Command, Deed
from lofid.errors import ConfigError
from lofid.fields import LIVE
from lofid.movers import Mover
from lofid.settings import Settings

NUMBERS = (
    *("tempo", "swing", "temperature", "top_p", "density", "loop_guard"),
    *("lead_velocity", "keys_velocity", "rest"),
)
CC, NOTE_ON, NOTE_OFF, PROGRAM, BEND = 0xB0, 0x90, 0x80, 0xC0, 0xE0
ANOTHER = "take another controller"
BPM = "a number from 20 to 300 (beats per minute)"
SUCH_AS = "'cc 20', 'cc 20 on 1', 'note 36 on 10' or 'program 3'"


def controllers(**table: str) -> Controllers:
    """Controllers that follow a table; ``mode__answer`` stands for ``mode answer``."""
    found, faults = mapping.read({key.replace("__", " "): text for key, text in table.items()})
    assert not faults
    made = Controllers()
    made.map(mapping.laid_over(found, {}))
    return made


def commands(desk: Controllers, *messages: tuple[int, int, int]) -> list[Command | None]:
    return [desk.take(*message) for message in messages]


@pytest.mark.parametrize(
    ("text", "deed"),
    [
        ("tempo", Deed("tempo")),
        (" mode   answer ", Deed("mode", "answer")),
        ("key f minor", Deed("key", "F minor")),
        ("key auto", Deed("key", "auto")),
        ("tempo 92.50", Deed("tempo", "92.5")),
        ("lead_velocity 120", Deed("lead_velocity", "120")),
        ("record", Deed("record")),
        ("record start", Deed("record start")),
        ("forget", Deed("forget")),
    ],
)
def test_deeds_are_written_as_ctl_has_them(text: str, deed: Deed) -> None:
    """A deed has one spelling, which reads as itself."""
    assert Deed.parse(text) == deed
    assert Deed.parse(str(deed)) == deed


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("tmepo", "'tmepo' is nothing that a controller does; did you mean 'tempo'?"),
        (
            "mode anwser",
            "mode is 'anwser'; must be one of 'listen', 'answer', 'chords', 'off' "
            "(what your playing does to the music)",
        ),
        ("tempo 500", "tempo is '500'; must be a number from 20 to 300 (beats per minute)"),
        ("panic now", "'panic now' is nothing that a controller does; did you mean 'panic'?"),
    ],
)
def test_what_is_no_deed_is_told_in_a_line(text: str, line: str) -> None:
    with pytest.raises(ConfigError) as caught:
        Deed.parse(text)
    assert str(caught.value) == line


def test_a_setting_that_is_not_live_is_no_deed() -> None:
    with pytest.raises(ConfigError, match="seed is fixed when lofid starts; these can"):
        Deed.parse("seed")


@pytest.mark.parametrize(
    ("key", "text", "why"),
    [
        ("tempo", "cc", f"must be such as {SUCH_AS}"),
        ("tempo", "cc 20 from", f"must be such as {SUCH_AS}"),
        ("tempo", "cc 128", f"must have a number from 0 to 127, such as {SUCH_AS}"),
        ("tempo", "cc 20 on 0", f"must have a channel from 1 to 16, such as {SUCH_AS}"),
        ("record", "cc 64", f"cannot be: that is the sustain pedal; {ANOTHER}"),
        ("record", "cc 123 on 2", f"cannot be: that is a channel mode message; {ANOTHER}"),
        ("tempo", "note 36", "must be a 'cc', such as 'cc 20': a press cannot say how much tempo"),
        ("mode", "program 1", "must be a 'cc', such as 'cc 20': a press cannot say which mode"),
        ("panic", "cc 20 from 1 to 2", "must be without a range: 'panic' is no number to sweep"),
        ("mode", "cc 20 from 1 to 2", "must be without a range: 'mode' is no number to sweep"),
        ("tempo", "cc 20 from 10 to 90", f"must go from one value of tempo to another: {BPM}"),
        ("tempo", "cc 20 from 90 to 90", f"must go from one value of tempo to another: {BPM}"),
        ("swing", "CC 2 on 3", "must be another controller: that one moves 'density'"),
    ],
)
def test_a_fault_in_the_mapping_is_one_line(key: str, text: str, why: str) -> None:
    """The key, what was found, what is allowed; the rest of the table is read all the same."""
    found, faults = mapping.read({"density": "cc 2", key: text, "mode off": "note 1"})
    assert faults == [f"controllers.{key} is {text!r}; {why}"]
    assert set(found) == {Deed("density"), Deed("mode", "off")}


@pytest.mark.parametrize(
    ("table", "line"),
    [
        (
            {"tempo": 20},
            f'controllers.tempo is 20; must be a text such as {SUCH_AS}, or "" for nothing',
        ),
        (
            {"key f minor": "note 1", "key F minor": "note 2"},
            "controllers.'key F minor' is 'note 2'; must not be there twice: 'key F minor' is "
            "moved by something already",
        ),
        (
            {"tmepo": "cc 20"},
            "controllers.tmepo: 'tmepo' is nothing that a controller does; did you mean 'tempo'?",
        ),
    ],
)
def test_a_fault_in_the_table_is_one_line(table: dict[str, object], line: str) -> None:
    assert mapping.read(table)[1] == [line]


@given(st.dictionaries(st.text() | st.sampled_from(LIVE), st.text() | st.integers(), max_size=3))
def test_any_table_is_a_mapping_or_faults_of_one_line_each(table: dict[str, object]) -> None:
    found, faults = mapping.read(table)
    assert len(found) + len(faults) == len(table)
    assert all(fault.isprintable() for fault in faults)


TEXTS = st.builds(
    "{} {}{}".format,
    st.sampled_from(["cc", "note", "program"]),
    st.integers(0, 127),
    st.sampled_from(["", " on 1", " on 16"]),
)
DEEDS = st.sampled_from([*LIVE, *ACTIONS, "mode answer", "mode off", "key Eb major"])


@given(st.dictionaries(DEEDS, TEXTS, max_size=6))
def test_a_mapping_is_written_as_it_is_read(table: dict[str, str]) -> None:
    found, _ = mapping.read(table)
    assert mapping.read(mapping.write(found)) == (found, [])


@given(st.sampled_from(NUMBERS))
def test_a_sweep_covers_its_range_in_order(name: str) -> None:
    """From one end to the other, never back; each text is one that the setting takes."""
    deed = Deed(name)
    texts = deed.positions(None, None)
    numbers = [float(text) for text in texts]
    low, high = deed.span or (0.0, 0.0)
    assert (numbers[0], numbers[-1]) == ((60, 120) if name == "tempo" else (low, high))
    assert numbers == sorted(numbers)
    assert len(texts) == len(set(texts)) == 128
    for text in texts:
        change(Settings(), name, text)


@given(st.sampled_from(NUMBERS), st.floats(0, 1), st.floats(0, 1))
def test_a_given_range_is_swept_either_way(name: str, one: float, other: float) -> None:
    low, high = Deed(name).span or (0.0, 0.0)
    first, last = (round(low + part * (high - low), 2) for part in (one, other))
    table, faults = mapping.read({name: f"cc 20 from {first:g} to {last:g}"})
    if first == last:
        assert len(faults) == 1
        return
    binding = table[Deed(name)]
    assert binding is not None
    numbers = [float(text) for text in Deed(name).positions(binding.low, binding.high)]
    assert numbers == sorted(numbers, reverse=last < first)
    is_whole = name in ("lead_velocity", "keys_velocity")
    assert (numbers[0], numbers[-1]) == ((round(first), round(last)) if is_whole else (first, last))


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("mode", ["listen", "answer", "chords", "off"]),
        ("key_lock", ["off", "soft", "hard"]),
        ("reply", ["wait", "go-on"]),
    ],
)
def test_words_share_the_positions_equally(name: str, words: list[str]) -> None:
    texts = Deed(name).positions(None, None)
    assert list(dict.fromkeys(texts)) == words
    assert max(map(texts.count, words)) - min(map(texts.count, words)) <= 1
    assert list(texts) == sorted(texts, key=words.index)


def test_a_knob_goes_through_all_keys() -> None:
    texts = Deed("key").positions(None, None)
    assert len(set(texts)) == 24
    assert [texts[at] for at in (0, 6, 11, 127)] == ["C major", "C minor", "C# major", "B minor"]
    for text in texts:
        change(Settings(), "key", text)


def test_a_knob_sweeps_a_number() -> None:
    """Half a beat per minute a position; nothing is said twice."""
    desk = controllers(tempo="cc 20")
    assert commands(desk, (CC, 20, 0), (CC, 20, 0), (CC | 5, 20, 64), (CC, 20, 127)) == [
        ("set", ["tempo", "60"]),
        None,
        ("set", ["tempo", "90.2"]),
        ("set", ["tempo", "120"]),
    ]


def test_a_knob_within_one_zone_says_nothing_more() -> None:
    desk = controllers(mode="cc 1 on 3")
    moves = [(CC | 2, 1, value) for value in (0, 20, 31, 32, 40, 127)]
    assert [c and c[1][1] for c in commands(desk, *moves)] == [
        *("listen", None, None, "answer", None, "off"),
    ]
    assert desk.take(CC | 3, 1, 64) is None


def test_a_pedal_acts_when_it_goes_down() -> None:
    """At 64, once; again only when it was let go of, for which a tremble is not enough."""
    desk = controllers(record="cc 66")
    values = (0, 63, 64, 127, 63, 64, 31, 100)
    moves = [(CC, 66, value) for value in values]
    toggle = ("record", ["toggle"])
    assert commands(desk, *moves) == [None, None, toggle, None, None, None, None, toggle]


def test_a_pedal_is_down_on_its_own_channel() -> None:
    desk = controllers(panic="cc 66")
    assert commands(desk, (CC, 66, 127), (CC | 1, 66, 127)) == [("panic", [])] * 2


def test_a_pad_is_a_command_and_no_music() -> None:
    """Its end neither; on other channels the key is music, and an end that nobody began is too."""
    desk = controllers(mode__answer="note 36 on 10")
    assert desk.takes(NOTE_ON | 9, 36)
    assert not desk.takes(NOTE_OFF | 9, 36)
    assert desk.take(NOTE_ON | 9, 36, 80) == ("set", ["mode", "answer"])
    assert desk.takes(NOTE_OFF | 9, 36)
    assert desk.take(NOTE_OFF | 9, 36, 64) is None
    assert not desk.takes(NOTE_OFF | 9, 36)
    assert not desk.takes(NOTE_ON, 36)
    assert desk.take(NOTE_ON, 36, 80) is None


def test_the_end_of_a_note_is_what_its_beginning_was() -> None:
    """A pad that is mapped no more while it is held ends as a command, and begins as music."""
    desk = controllers(panic="note 36")
    desk.take(NOTE_ON, 36, 80)
    desk.map({})
    assert desk.takes(NOTE_OFF, 36)
    desk.take(NOTE_OFF, 36, 64)
    assert not desk.takes(NOTE_ON, 36)


def test_program_changes_choose_modes() -> None:
    """Each one counts, also the same again: something else may have changed the mode."""
    desk = controllers(mode__listen="program 0", mode__off="program 3")
    moves = [(PROGRAM, 3, 0), (PROGRAM, 3, 0), (PROGRAM, 0, 0), (PROGRAM, 1, 0)]
    off = ("set", ["mode", "off"])
    assert commands(desk, *moves) == [off, off, ("set", ["mode", "listen"]), None]


def test_every_deed_has_a_command() -> None:
    """What a press asks for is what ``lofid ctl`` would send."""
    assert Deed.parse("toggle").press() == ("toggle", [])
    assert Deed.parse("key Am").press() == ("set", ["key", "A minor"])
    for text in ACTIONS:
        assert Deed.parse(text).press() == ACTIONS[text]
    for name in LIVE:
        assert Deed.parse(name).is_swept


@pytest.mark.parametrize(
    ("deed", "message", "mover"),
    [
        ("tempo", (CC | 2, 20, 0), Mover("cc", 20, 3)),
        ("tempo", (NOTE_ON, 36, 90), None),
        ("tempo", (PROGRAM, 3, 0), None),
        ("tempo", (CC, 64, 127), None),
        ("panic", (CC, 64, 127), None),
        ("panic", (CC, 0, 127), None),
        ("panic", (CC, 20, 63), None),
        ("panic", (CC, 20, 64), Mover("cc", 20, 1)),
        ("panic", (NOTE_ON | 9, 36, 1), Mover("note", 36, 10)),
        ("panic", (NOTE_OFF | 9, 36, 1), None),
        ("panic", (PROGRAM, 3, 0), Mover("program", 3, 1)),
        ("panic", (BEND, 0, 64), None),
    ],
)
def test_what_can_be_learnt(deed: str, message: tuple[int, int, int], mover: Mover | None) -> None:
    """A swept setting learns knobs only, and nothing learns what MIDI needs for itself."""
    assert Controllers().moved(Deed.parse(deed), *message) == mover


def test_what_was_learnt_is_held_down() -> None:
    """The press that taught does nothing else, and its end is no music."""
    desk = Controllers()
    for message in ((NOTE_ON, 36, 90), (CC, 20, 127)):
        desk.moved(Deed("panic"), *message)
    desk.map({Deed("panic"): mapping.Binding(Mover("cc", 20))})
    assert desk.take(CC, 20, 127) is None
    assert desk.takes(NOTE_OFF, 36)


@given(st.lists(st.tuples(st.sampled_from([CC, NOTE_ON, NOTE_OFF, PROGRAM, BEND, CC | 9]),
                          st.integers(0, 127), st.integers(0, 127))))  # fmt: skip
def test_whatever_is_moved_asks_for_what_can_be_done(
    messages: list[tuple[int, int, int]],
) -> None:
    """All that is asked for is a change that the settings take, or an action."""
    desk = controllers(
        tempo="cc 20",
        key="cc 21",
        mode="cc 22",
        panic="note 36",
        record="cc 66",
        forget="program 1",
    )
    for message in messages:
        command = desk.take(*message)
        if command is not None and command[0] == "set":
            change(Settings(), *command[1])
        else:
            assert command is None or command in ACTIONS.values()


def read(**table: str) -> mapping.Bindings:
    return mapping.read(table)[0]


def test_what_was_learnt_wins_the_deed_and_the_controller() -> None:
    base, learnt = read(tempo="cc 20", swing="cc 21", panic="note 1"), read(swing="cc 20 on 2")
    assert mapping.write(dict(mapping.laid_over(base, learnt))) == {
        "panic": "note 1",
        "swing": "cc 20 on 2",
    }


def test_a_controller_is_taken_from_what_it_did() -> None:
    """Where that was learnt itself, nothing is left of it: not even what it had been before."""
    base, learnt = read(tempo="cc 20"), read(swing="cc 30", tempo="cc 31", density="cc 33")
    after, taken = mapping.learn(base, learnt, Deed("rest"), Mover("cc", 31, 1))
    assert taken == [Deed("tempo")]
    assert mapping.write(after) == {
        "swing": "cc 30",
        "density": "cc 33",
        "tempo": "",
        "rest": "cc 31 on 1",
    }


def test_a_deed_keeps_its_range_when_it_learns() -> None:
    after, taken = mapping.learn(
        read(tempo="cc 20 from 90 to 70"), {}, Deed("tempo"), Mover("cc", 5, 1)
    )
    assert (mapping.write(after), taken) == ({"tempo": "cc 5 on 1 from 90 to 70"}, [])


def test_forgetting_also_holds_for_the_configuration() -> None:
    base, learnt = read(tempo="cc 20"), read(panic="note 1")
    assert mapping.write(mapping.forget(base, learnt, Deed("panic"))) == {}
    assert mapping.write(mapping.forget(base, {}, Deed("tempo"))) == {"tempo": ""}
    with pytest.raises(ConfigError, match="nothing moves 'swing': there is nothing to forget"):
        mapping.forget(base, learnt, Deed("swing"))


@given(st.dictionaries(DEEDS, TEXTS, max_size=5), st.lists(st.tuples(DEEDS, TEXTS), max_size=5))
def test_one_controller_does_one_thing(
    table: dict[str, str], lessons: list[tuple[str, str]]
) -> None:
    """Whatever is learnt on top of whatever: it is moved by that, and no two by the same."""
    base, learnt = mapping.read(table)[0], dict[Deed, mapping.Binding | None]()
    for name, text in lessons:
        deed = Deed.parse(name)
        if not mapping.read({name: text})[0]:
            continue
        mover = Mover.parse(text)
        learnt, taken = mapping.learn(base, learnt, deed, mover)
        now = mapping.laid_over(base, learnt)
        assert now[deed].mover == mover
        assert not set(taken) & set(now)
        movers = [binding.mover for binding in now.values()]
        assert not any(a.overlaps(b) for i, a in enumerate(movers) for b in movers[:i])
        assert mapping.read(mapping.write(learnt)) == (learnt, [])
