"""One running system for all tests that put back what they change: a start takes its time."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.npm import installed
from tests.running import System

WEB = Path(__file__).resolve().parents[2] / "web"
COLLEAGUE = "bea@example.com"
PASSWORD = "geheim"


@pytest.fixture(scope="session")
def shared_system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """A system with two agents."""
    running = System(tmp_path_factory.mktemp("shared-system") / "data").start()
    running.add_agent(COLLEAGUE, PASSWORD, "--name", "Bea", "--administrator")
    yield running
    running.stop()


@pytest.fixture
def system(shared_system: System) -> System:
    """Switched on, without automatic recording."""
    shared_system.configure(on=True)
    return shared_system


@pytest.fixture(scope="session")
def axe() -> str:
    return (installed(WEB) / "node_modules" / "axe-core" / "axe.min.js").read_text()
