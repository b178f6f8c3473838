"""A store for services that need no more than that."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from visavis.store import open_store
from visavis.store.sql import SqlStore


@pytest.fixture
def store(database: str) -> Iterator[SqlStore]:
    opened = open_store(database)
    yield opened
    opened.close()
