"""What every test may ask for."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Playwright, sync_playwright

from tests.postgresql import Cluster
from tests.running import Parties, System


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    running = Cluster()
    try:
        yield running.start()
    finally:
        running.stop()


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of an empty database, of each kind that we store in."""
    if request.param == "sqlite":
        return str(tmp_path / "visavis.db")
    return str(request.getfixturevalue("cluster").new_database())


@pytest.fixture
def system(tmp_path: Path) -> Iterator[System]:
    """A new system on a new data directory."""
    running = System(tmp_path / "data").start()
    yield running
    running.stop()


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    with sync_playwright() as running:
        yield running


@pytest.fixture
def parties(playwright: Playwright, system: System) -> Iterator[Parties]:
    """Two browsers with fake cameras and microphones."""
    both = Parties(playwright, system)
    yield both
    both.close()
