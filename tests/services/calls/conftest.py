from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.services.calls.simulated_site import SimulatedSite, create_sites
from visavis.store import open_store


@pytest.fixture
async def site(new_database: Path, anyio_backend: str) -> AsyncIterator[SimulatedSite]:
    store = open_store(str(new_database))
    await store.write(create_sites)
    opened = SimulatedSite(store)
    yield opened
    await opened.calls.shut_down()
    store.close()
