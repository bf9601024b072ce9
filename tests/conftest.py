"""What several tests share."""

import os
from collections.abc import Iterator

import pytest
from hypothesis import settings

from tests.jackserver import JackServer, why_no_jack

# No clock decides a test: on a busy machine any of them may take long.
settings.register_profile("lofid", deadline=None)
settings.load_profile("lofid")


@pytest.fixture(scope="session")
def jack_server() -> Iterator[JackServer]:
    """Run a JACK server for the session. Skips where there is none, but in CI that is a failure."""
    if reason := why_no_jack():
        if os.environ.get("CI") == "true":
            pytest.fail(f"CI must test over real MIDI ports: {reason}")
        pytest.skip(reason)
    with JackServer() as server:
        yield server


@pytest.fixture
def own_server(jack_server: JackServer) -> Iterator[JackServer]:
    """A second server, which a test may end; asks for the first so that both skip together."""
    with JackServer() as server:
        yield server
