"""A process that is frozen within a transaction, and the others, which wait for its locks."""

from __future__ import annotations

import asyncio
import threading
from datetime import UTC, datetime

import pytest

from tests.postgresql import Cluster
from tests.running import PATIENCE, until
from visavis.services.ports import Transaction
from visavis.store import open_store, postgresql_client

pytestmark = [pytest.mark.anyio, pytest.mark.postgresql]

NOW = datetime(2026, 1, 1, tzinfo=UTC)


async def test_the_locks_of_a_frozen_writer_are_given_up(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch, anyio_backend: str
) -> None:
    monkeypatch.setattr(postgresql_client, "IDLE_SECONDS", 0.5)
    address = cluster.new_database()
    frozen, other = open_store(address), open_store(address)
    thaw, attempts = threading.Event(), list[str]()

    def freeze(rows: Transaction) -> None:
        rows.nodes.save("node", "http://frozen", NOW)
        attempts.append("frozen")
        thaw.wait(PATIENCE)
        rows.nodes.save("node", "http://thawed", NOW)

    writing = asyncio.create_task(frozen.write(freeze))
    await until(lambda: attempts)
    await other.write(lambda rows: rows.nodes.save("node", "http://other", NOW))
    assert await other.read(lambda rows: rows.nodes.newest_archive_url()) == "http://other"
    thaw.set()
    await writing  # its connection was closed, so it has changed nothing, and begins again
    assert attempts == ["frozen", "frozen"]
    assert await other.read(lambda rows: rows.nodes.newest_archive_url()) == "http://thawed"
    frozen.close()
    other.close()
