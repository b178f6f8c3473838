from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.services.calls.house import House, found_site
from visavis.store import open_store


@pytest.fixture
async def house(new_database: Path, anyio_backend: str) -> AsyncIterator[House]:
    store = open_store(str(new_database))
    await store.write(found_site)
    opened = House(store)
    yield opened
    await opened.calls.shut_down()
    store.close()
