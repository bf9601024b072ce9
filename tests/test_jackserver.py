"""The tests' own server: what one run left behind is not taken for another's."""

import pytest

from tests.jackserver import JackServer


@pytest.mark.usefixtures("jack_server")
def test_a_server_that_outlived_its_run_keeps_its_name() -> None:
    """Or a client would find that one, whatever its period is."""
    left = JackServer()
    left.start()
    left._claim.close()
    try:
        with JackServer() as other:
            assert other.name != left.name
    finally:
        left.stop()
