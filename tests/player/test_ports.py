"""Finding ports by name, and looking at what MIDI there is."""

import subprocess
import sys

import pytest

from lofid.errors import PortError
from lofid.player.looking import describe_systems
from lofid.player.ports import find_port
from lofid.player.systems import foreign
from tests.jackserver import JackKeyboard, JackRecorder, JackServer

PORTS = ["Midi Synth:in", "Midi Synth 2:in", "Prophet:in"]


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ("prophet", "Prophet:in"),
        ("synth 2", "Midi Synth 2:in"),
        ("midi synth:IN", "Midi Synth:in"),
    ],
)
def test_a_part_of_the_name_will_do(wanted: str, found: str) -> None:
    """Case does not matter, and an exact name wins over those that contain it."""
    assert find_port([*PORTS, "The Midi Synth:in"], wanted, "output") == found


@pytest.mark.parametrize(
    ("ports", "wanted", "error"),
    [
        (
            PORTS,
            "Synth",
            "'Synth' fits several MIDI outputs, give more of one name: "
            "Midi Synth:in, Midi Synth 2:in",
        ),
        (
            PORTS,
            "Juno",
            "no MIDI output has 'Juno' in its name; there is: "
            "Midi Synth:in, Midi Synth 2:in, Prophet:in",
        ),
        ([], "Juno", "no MIDI output has 'Juno' in its name; there is: none at all"),
    ],
)
def test_none_or_several_are_refused(ports: list[str], wanted: str, error: str) -> None:
    """The error lists what there is to choose from."""
    with pytest.raises(PortError) as caught:
        find_port(ports, wanted, "output")
    assert str(caught.value) == error


def test_never_its_own_ports_nor_midi_through() -> None:
    """Own ports, by any name that JACK or CoreMIDI gives them, are not offered."""
    own = ["lofid:out", "lofid-01:out", "lofid-in:in", "lofid-in-01:in", "lofid", "lofid in"]
    others = ["lofidelity:in", "Midi Synth:in", "lofid fan:in"]
    through = ["Midi Through:Midi Through Port-0 14:0"]
    assert foreign([*own, *through, *others], "lofid") == tuple(others)


def test_describes_what_there_is_and_leaves_nothing_behind(jack_server: JackServer) -> None:
    """JACK is available with its ports; what is not says why; no client stays."""
    with JackRecorder(jack_server, name="Synth"), JackKeyboard(jack_server, "Keys"):
        before = jack_server.ports()
        systems = {system.backend: system for system in describe_systems()}
        assert jack_server.ports() == before
    assert systems["jack"].is_available
    assert "Synth:in" in systems["jack"].outputs
    assert "Keys:out" in systems["jack"].inputs
    assert systems["windows"].why_not == "windows is not part of this python-rtmidi"


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere MIDI is part of the system")
def test_looking_in_vain_is_silent() -> None:
    """libjack's remarks stay off stderr, Python's own still arrive, and no server is started."""
    code = """
import os, sys
from lofid.player.looking import describe_systems
from lofid.player.systems import hushed_libraries
os.environ.pop("JACK_NO_START_SERVER", None)
os.environ["JACK_DEFAULT_SERVER"] = "lofid-nobody"
print([system.why_not for system in describe_systems() if system.backend == "jack"])
with hushed_libraries():
    os.write(2, b"noise")
    print("ours", file=sys.stderr)
print("after", file=sys.stderr)
os.write(2, b"also after")
"""
    done = subprocess.run(
        [sys.executable, "-P", "-c", code], capture_output=True, check=True, text=True
    )
    assert done.stdout == "['jack has no server running under the name lofid-nobody']\n"
    assert done.stderr == "ours\nafter\nalso after"
