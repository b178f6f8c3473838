"""What every test may ask for."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Playwright, sync_playwright

from tests.running import Parties, System


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


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
