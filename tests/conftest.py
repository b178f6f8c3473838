"""Fixtures for every test."""

from __future__ import annotations

import gc
import os
import shutil
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
import structlog
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings
from playwright.sync_api import Browser, Playwright, expect, sync_playwright

from tests import installed_probes
from tests.e2e.call_end import checked_parties
from tests.marked_files import BY_FIXTURE
from tests.object_store import SeaweedFs
from tests.postgresql import Cluster
from tests.running import PATIENCE, Parties, System, launch, no_system_left
from visavis.store import open_store

hypothesis_settings.register_profile(
    "unhurried", deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
hypothesis_settings.load_profile("unhurried")  # a test never depends on how busy the machine is


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Allow more time to a test of many cases, which has a low priority.

    Fail if a test has a marker of a lane that is not in its file, since no lane would run it.
    """
    for item in items:
        for marker in ("e2e", "fault", "media", "many", "no_cover", "interop", "postgresql"):
            if not item.get_closest_marker(marker) or f"mark.{marker}" in _text_of(item.path):
                continue
            if not item.nodeid.startswith(BY_FIXTURE.get(marker, ())):
                message = f"{item.nodeid} has the marker {marker} from elsewhere: no lane finds it"
                raise pytest.UsageError(message)
        if item.path.parent.name == "architecture":
            item.add_marker(pytest.mark.no_cover)  # it reads the code, and others' tests run it
        if item.get_closest_marker("many"):
            item.add_marker(pytest.mark.timeout(1800))


def pytest_collection_finish() -> None:
    """Exclude the million objects of modules and tests from garbage collection.

    Tests that compute are a tenth faster if it does not visit them again and again.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 20, 20)


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish() -> None:
    """Write this process's coverage before pytest-xdist is told that the worker has ended.

    Ten seconds later pytest-xdist kills a worker that is still writing.
    """
    if installed_probes:
        installed_probes.write()


@cache
def _text_of(path: Path) -> str:
    return path.read_text()


@pytest.fixture(autouse=True)
def _plain_log() -> None:
    """Log tracebacks without the values of variables, because formatting these takes seconds."""
    structlog.reset_defaults()
    plain = (structlog.processors.add_log_level, structlog.processors.format_exc_info)
    structlog.configure([*plain, structlog.processors.KeyValueRenderer()])


@pytest.fixture(autouse=True)
def _ordinary_priority() -> Iterator[None]:
    """Restore the priority: a process in real time starves all other tests."""
    yield
    assert os.sched_getscheduler(0) == os.SCHED_OTHER


@pytest.fixture(autouse=True)
def _no_system_left() -> Iterator[None]:
    with no_system_left():
        yield


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


@pytest.fixture(scope="session")
def seaweed() -> Iterator[SeaweedFs]:
    running = SeaweedFs()
    try:
        yield running.start()
    finally:
        running.stop()


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite database without any site."""
    path = tmp_path_factory.mktemp("migrated") / "visavis.db"
    open_store(str(path)).close()
    return path


@pytest.fixture
def new_database(migrated: Path, tmp_path: Path) -> Path:
    """Another one, where the test's settings have theirs: a copy is had sooner than the steps."""
    return Path(shutil.copy(migrated, tmp_path))


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def database(request: pytest.FixtureRequest) -> Iterator[str]:
    """The address of an empty database, of each kind that we store in."""
    if request.param == "sqlite":
        yield str(request.getfixturevalue("new_database"))
        return
    cluster: Cluster = request.getfixturevalue("cluster")
    with cluster.lent_database() as address:
        yield address


@pytest.fixture
def system(tmp_path: Path) -> Iterator[System]:
    """A new system on a new data directory."""
    running = System(tmp_path / "data").start()
    yield running
    running.stop()


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    expect.set_options(timeout=1000 * PATIENCE)
    with sync_playwright() as running:
        yield running


@pytest.fixture(scope="session")
def browsers(playwright: Playwright) -> Iterator[tuple[Browser, Browser]]:
    """Two browsers with fake cameras and microphones; each test has contexts of its own in them."""
    both = launch(playwright), launch(playwright)
    yield both
    for browser in both:
        browser.close()


@pytest.fixture
def parties(browsers: tuple[Browser, Browser], system: System) -> Iterator[Parties]:
    """A visitor's page and an agent's page; nothing of a call may be left in them at the end."""
    with checked_parties(browsers, system) as both:
        yield both
