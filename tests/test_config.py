"""Settings: what is allowed, what is refused, and in which words."""

import os
import re
import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic.fields import FieldInfo

from lofid.config import change, find_config, load
from lofid.errors import ConfigError
from lofid.fields import LIVE, allowed
from lofid.settings import Settings

ROOT = Path(__file__).parents[1]
LIVE_LIST = (
    "these can change while playing: "
    "tempo, swing, key, temperature, top_p, density, key_lock, loop_guard, lead_velocity, "
    "keys_velocity, mode, rest, reply"
)
CHANNEL = "a whole number from 1 to 16 (MIDI channel of the chords, other than lead_channel)"
THRU = (
    "a whole number from 0 to 16 (MIDI channel other than keyboard.channel, parts.lead_channel "
    "and parts.keys_channel; 0 for none)"
)
KEY = "a key such as 'F minor' or 'Eb major', or 'auto'"
BPM = "a number from 20 to 300 (beats per minute)"
SHIPPED = (ROOT / "config.toml").read_text(encoding="utf-8")
KEYS = [
    (section, key, field)
    for section, part in Settings.model_fields.items()
    for key, field in type(part.default).model_fields.items()
]


def faults(tmp_path: Path, text: str, flags: Mapping[str, object] | None = None) -> list[str]:
    """The lines of the error that a file (and flags) gives, its folder left out."""
    path = tmp_path / "config.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        load(path, flags or {})
    return str(caught.value).replace(f"{tmp_path}{os.sep}", "").splitlines()


def outcome(call: Callable[[], Settings]) -> Settings | str:
    """What a call gives, or what its ConfigError says."""
    try:
        return call()
    except ConfigError as error:
        return str(error)


def settings_from(tmp_path: Path, text: str, flags: Mapping[str, object] | None = None) -> Settings:
    path = tmp_path / "config.toml"
    path.write_bytes(text.encode())
    return load(path, flags or {})


def test_the_shipped_file_equals_the_defaults() -> None:
    """config.toml is the manual: what it says is what holds without it."""
    assert load(ROOT / "config.toml", {}) == Settings() == load(None, {})


def test_the_shipped_file_names_every_key_and_no_other() -> None:
    written = tomllib.loads(SHIPPED)
    assert [(s, k) for s, table in written.items() for k in table] == [(s, k) for s, k, _ in KEYS]


@pytest.mark.parametrize(("section", "key", "field"), KEYS, ids=[key for _, key, _ in KEYS])
def test_the_shipped_file_documents_each_key(section: str, key: str, field: FieldInfo) -> None:
    """Right above each key stands a comment, with the limits or the choices in it."""
    comment = re.search(rf"\n\n((?:# .*\n)+){key} = ", SHIPPED.partition(f"[{section}]")[2])
    assert comment is not None
    words = comment[1].replace("\n# ", " ")
    limits = re.search(r"from (\S+) to (\S+) \(", allowed(field))
    choices = re.findall(r"'(\w+)'", allowed(field)) if "one of" in allowed(field) else []
    assert limits is None or f"{limits[1]} to {limits[2]}" in words
    assert all(f'"{choice}"' in words for choice in choices)
    assert ("(live)" in words) == (key in LIVE)


def test_the_shipped_file_shows_how_controllers_are_mapped(tmp_path: Path) -> None:
    """Every example in it is one that lofid takes, once its comment sign is gone."""
    examples = re.findall(r'^# (\S.* = ".*")$', SHIPPED.partition("[controllers]")[2], re.MULTILINE)
    assert len(examples) > 5
    settings = settings_from(tmp_path, "\n".join(["[controllers]", *examples]))
    assert len(settings.controllers.table) == len(examples)
    assert Settings().controllers.table == {}


def test_flags_win_over_the_file_and_the_file_over_the_defaults(tmp_path: Path) -> None:
    """None means that a flag was not given."""
    text = "[music]\ntempo = 90\nswing = 60\n"
    flags = {"music.tempo": 76, "music.swing": None, "record.file": Path("take.mid")}
    settings = settings_from(tmp_path, text, flags)
    assert (settings.music.tempo, settings.music.swing) == (76.0, 60.0)
    assert (settings.music.temperature, settings.record.file) == (1.0, "take.mid")


def test_a_flag_mends_what_the_file_has_wrong(tmp_path: Path) -> None:
    assert settings_from(tmp_path, "music.tempo = 5", {"music.tempo": 70}).music.tempo == 70


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ('[music]\ntempo = "fast"', f"config.toml: music.tempo is 'fast'; must be {BPM}"),
        ('[music]\ntempo = "80"', f"config.toml: music.tempo is '80'; must be {BPM}"),
        ("[music]\ntempo = 19.9", "config.toml: music.tempo is 19.9; must be " + BPM),
        ("[music]\ntempo = nan", "config.toml: music.tempo is nan; must be " + BPM),
        (
            "[music]\nswing = true",
            "config.toml: music.swing is true; must be a number from 50 to 75 "
            "(percent; 50 is straight)",
        ),
        ('[music]\nkey = "H dur"', "config.toml: music.key is 'H dur'; must be " + KEY),
        (
            "[music]\nseed = 4294967296",
            "config.toml: music.seed is 4294967296; must be a whole number from 0 to 4294967295 "
            '(or "" for a new one each session)',
        ),
        ("[music]\ntmepo = 80", "config.toml: music.tmepo is not a setting; did you mean 'tempo'?"),
        (
            "[music]\nhorizon = 2",
            "config.toml: music.horizon is not a setting; did you mean 'engine.horizon'?",
        ),
        (
            "[record]\nxyzzy = 2",
            "config.toml: record.xyzzy is not a setting; there are file, journal, journal_size, "
            "journal_age",
        ),
        ("[musci]\ntempo = 80", "config.toml: musci is not a section; did you mean 'music'?"),
        ("tempo = 80", "config.toml: tempo is not a section; did you mean 'music.tempo'?"),
        (
            "xyzzy = 80",
            "config.toml: xyzzy is not a section; there are music, parts, midi, keyboard, sync, "
            "engine, record, controllers",
        ),
        ("music = 80", "config.toml: music is 80; must be a section: [music], then key = value"),
        ("[parts]\nkeys_channel = 17", "config.toml: parts.keys_channel is 17; must be " + CHANNEL),
        (
            "[parts]\nkeys_channel = 1",
            "config.toml: parts.keys_channel is 1; must be " + CHANNEL,
        ),
        (
            "[parts]\nlead_channel = 2",
            "the default: parts.keys_channel is 2; must be " + CHANNEL,
        ),
        (
            "[keyboard]\nthru = 2",
            "config.toml: keyboard.thru is 2; must be " + THRU,
        ),
        (
            "[keyboard]\nchannel = 3\nthru = 3",
            "config.toml: keyboard.thru is 3; must be " + THRU,
        ),
        (
            '[midi]\nname = "lo:fi"',
            "config.toml: midi.name is 'lo:fi'; must be 1 to 32 printable characters without "
            "':' or '/'",
        ),
        (
            '[midi]\n"na\\nme" = "x"',
            "config.toml: midi.'na\\nme' is not a setting; did you mean 'name'?",
        ),
        (
            '[engine]\ndevice = "gpu"',
            "config.toml: engine.device is 'gpu'; must be one of 'auto', 'cuda', 'cpu' "
            "(runs the model)",
        ),
        (
            "[music]\n\ntempo 80",
            "config.toml, line 3, column 7: is not TOML: Expected '=' after a key in a key/value "
            "pair; write it as key = value",
        ),
        (
            '[controllers]\n"mode answer" = "note 300"',
            "config.toml: controllers.'mode answer' is 'note 300'; must have a number from 0 to "
            "127, such as 'cc 20', 'cc 20 on 1', 'note 36 on 10' or 'program 3'",
        ),
        (
            "controllers = 20",
            "config.toml: controllers is 20; must be a section: [controllers], then key = value",
        ),
        ("a = " + "[" * 5000, "config.toml: is nested too deeply to be settings"),
    ],
)
def test_a_fault_is_one_line(tmp_path: Path, text: str, line: str) -> None:
    """Who set it, the key, what was found, what is allowed or was meant."""
    assert faults(tmp_path, text) == [line]


@pytest.mark.parametrize(
    ("text", "at_fault"),
    [
        ("tempo = 3", ["music.tempo", "keyboard.thru"]),
        ("", ["keyboard.thru"]),
    ],
)
def test_what_sections_say_to_each_other_is_named_beside_the_rest(
    tmp_path: Path, text: str, at_fault: list[str]
) -> None:
    lines = faults(tmp_path, f"[music]\n{text}\n[keyboard]\nthru = 1\n")
    assert [line.split(" is ")[0] for line in lines] == [f"config.toml: {w}" for w in at_fault]


@pytest.mark.parametrize(
    "text",
    [
        "[parts]\nlead_channel = 17\n[keyboard]\nthru = 1",
        "parts = 3\n[keyboard]\nthru = 1",
        "keyboard = 1",
        "[keyboard]\nthru = 17",
    ],
)
def test_a_value_that_is_not_known_clashes_with_nothing(tmp_path: Path, text: str) -> None:
    assert len(faults(tmp_path, text)) == 1


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("", ""),
        ('[keyboard]\nmode = "listen"\nthru = 0', ""),
        ('[keyboard]\nthru = 5\n[midi]\ninput = "virtual"', ""),
        (
            "[keyboard]\nthru = 5",
            "keyboard.thru has no effect without a keyboard: midi.input, or --input",
        ),
        (
            '[keyboard]\nsplit = 48\nthru = 5\n[controllers]\ntempo = "cc 20"',
            "keyboard.split, keyboard.thru, controllers have no effect without a keyboard: "
            "midi.input, or --input",
        ),
    ],
)
def test_what_is_set_without_effect_is_said(tmp_path: Path, text: str, line: str) -> None:
    (tmp_path / "config.toml").write_text(text)
    assert load(tmp_path / "config.toml", {}).without_effect() == line


def test_every_fault_is_named_at_once(tmp_path: Path) -> None:
    """One line each; a flag is named as it is typed."""
    text = "[music]\ntempo = 3\nkye = 4\n[midi]\nbackend = 1\n[controllers]\nswing = 1\nx = ''"
    lines = faults(tmp_path, text, {"parts.lead_channel": 0})
    assert [line.split(" is ")[0] for line in lines] == [
        "config.toml: music.tempo",
        "config.toml: music.kye",
        "--lead-channel: parts.lead_channel",
        "config.toml: midi.backend",
        "config.toml: controllers.swing",
        "config.toml: controllers.x: 'x'",
    ]


def test_long_values_are_quoted_in_part(tmp_path: Path) -> None:
    (line,) = faults(tmp_path, f'[music]\ntempo = "{"x" * 5000}"')
    assert "xxx…; must be" in line
    assert len(line) < 200


@given(st.text())
def test_any_text_is_settings_or_one_clear_error(
    tmp_path_factory: pytest.TempPathFactory, text: str
) -> None:
    """Nothing but ConfigError comes out of a file, and none of its lines is empty."""
    path = tmp_path_factory.mktemp("any") / "config.toml"
    path.write_bytes(text.encode("utf-8", "surrogatepass"))
    found = outcome(lambda: load(path, {}))
    lines = found.split("\n") if isinstance(found, str) else [str(path)]
    assert all(line.startswith(str(path)) for line in lines)


def test_other_encodings_are_refused_and_a_byte_order_mark_is_not(tmp_path: Path) -> None:
    """Windows' editors write the mark."""
    path = tmp_path / "config.toml"
    path.write_bytes('[midi]\nname = "löfi"'.encode("latin-1"))
    with pytest.raises(ConfigError, match="is not UTF-8 text; save it as UTF-8"):
        load(path, {})
    assert settings_from(tmp_path, "\ufeff[music]\ntempo = 70").music.tempo == 70


def test_a_folder_is_no_file_of_settings(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"cannot be read: "):
        load(tmp_path, {})


def test_an_empty_seed_is_a_new_one_each_session(tmp_path: Path) -> None:
    assert settings_from(tmp_path, '[music]\nseed = ""').music.seed is None
    assert settings_from(tmp_path, "[music]\nseed = 0").music.seed == 0


def test_values_are_brought_into_one_form(tmp_path: Path) -> None:
    """Keys are spelt one way, ``~`` is the home folder, and an empty path stays empty."""
    settings = settings_from(tmp_path, '[music]\nkey = "f# minor"\n[record]\nfile = "~/a.mid"')
    assert settings.music.key == "F# minor"
    assert settings.record.file == str(Path.home() / "a.mid")
    assert settings.engine.model == ""


def test_the_file_that_was_asked_for_must_be_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"nowhere\.toml: there is no such file"):
        find_config(tmp_path / "nowhere.toml")


def test_where_settings_are_looked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The one asked for, else the current folder's, else the user's, else none."""
    monkeypatch.chdir(tmp_path)
    for variable in ("XDG_CONFIG_HOME", "HOME", "LOCALAPPDATA", "WIN_PD_OVERRIDE_LOCAL_APPDATA"):
        monkeypatch.setenv(variable, str(tmp_path / "home"))
    assert find_config(None) is None
    (here := tmp_path / "config.toml").touch()
    assert find_config(None) == Path("config.toml")
    assert find_config(here) == here


@pytest.mark.skipif(os.name != "posix" or os.uname().sysname == "Darwin", reason="XDG is Linux's")
def test_the_users_own_settings_are_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "own"))
    own = tmp_path / "own" / "lofid" / "config.toml"
    own.parent.mkdir(parents=True)
    own.touch()
    assert find_config(None) == own


def test_a_live_setting_changes_and_nothing_else_does() -> None:
    changed = change(Settings(), "tempo", "76.5")
    assert changed.music.tempo == 76.5
    assert changed.model_dump() == {
        **Settings().model_dump(),
        "music": {**Settings().music.model_dump(), "tempo": 76.5},
    }
    assert Settings().music.tempo == 80


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("tempo", "20", 20.0),
        ("swing", "66.7", 66.7),
        ("key", "Am", "A minor"),
        ("temperature", "1.3", 1.3),
        ("top_p", "1", 1.0),
        ("key_lock", "hard", "hard"),
        ("loop_guard", "0", 0.0),
        ("lead_velocity", "10", 10),
        ("keys_velocity", "200", 200),
    ],
)
def test_each_live_setting_reads_its_text(name: str, text: str, value: object) -> None:
    changed = change(Settings(), name, text)
    assert {**changed.music.model_dump(), **changed.parts.model_dump()}[name] == value


@pytest.mark.parametrize(
    ("name", "text", "line"),
    [
        ("tempo", "fast", f"music.tempo is 'fast'; must be {BPM}"),
        ("tempo", "nan", f"music.tempo is 'nan'; must be {BPM}"),
        (
            "key_lock",
            "firm",
            "music.key_lock is 'firm'; must be one of 'off', 'soft', 'hard' "
            "(how firmly the choices keep to the notes of the key)",
        ),
        (
            "loop_guard",
            "2.5",
            "music.loop_guard is '2.5'; must be a number from 0 to 2 (0 lets loops run)",
        ),
        (
            "lead_velocity",
            "50.5",
            "parts.lead_velocity is '50.5'; must be a whole number from 10 to 200 (percent)",
        ),
        ("temp", "1", f"temp is not a setting; did you mean 'tempo'? {LIVE_LIST}"),
        ("xyzzy", "1", f"xyzzy is not a setting; {LIVE_LIST}"),
        ("seed", "1", f"seed is fixed when lofid starts; {LIVE_LIST}"),
    ],
)
def test_a_change_that_is_not_allowed_says_what_is(name: str, text: str, line: str) -> None:
    with pytest.raises(ConfigError) as caught:
        change(Settings(), name, text)
    assert str(caught.value) == line


@given(name=st.text() | st.sampled_from(LIVE), text=st.text())
def test_any_change_gives_settings_or_one_line(name: str, text: str) -> None:
    found = outcome(lambda: change(Settings(), name, text))
    assert isinstance(found, Settings) or found.isprintable()


def test_settings_are_frozen() -> None:
    with pytest.raises(ValueError, match="frozen"):
        Settings().music.tempo = 90
