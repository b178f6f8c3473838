"""One running system for the tests of a file that put back what they change."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.running import System

COLLEAGUE = "bea@example.com"
PASSWORD = "geheim"


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """A system with two agents, switched on."""
    running = System(tmp_path_factory.mktemp("office") / "data").start()
    running.hire(COLLEAGUE, PASSWORD, "--name", "Bea", "--administrator")
    running.configure(on=True)
    yield running
    running.stop()
