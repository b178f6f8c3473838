"""A PostgreSQL server that becomes a standby, while another one is promoted."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing
from datetime import timedelta
from pathlib import Path

import httpx2
import psycopg
import pytest

from tests import http_clients
from tests.faults.postgresql_pair import PostgresqlPair
from tests.postgresql import Cluster
from tests.running import until
from visavis import tasks
from visavis.app import App
from visavis.clock_and_ids import new_secret, now
from visavis.domain.errors import VisavisError
from visavis.domain.oauth import CredentialKind
from visavis.services.tokens import Tokens
from visavis.settings import Settings
from visavis.store import SqlStore, open_store, sql
from visavis.store.postgresql import PostgresqlDatabase

pytestmark = [pytest.mark.anyio, pytest.mark.postgresql]

PATH = "/v4/livechat/audioVideoChatConfig"


@pytest.fixture
def pair() -> Iterator[PostgresqlPair]:
    pair = PostgresqlPair()
    try:
        yield pair.start()
    finally:
        pair.stop()


@pytest.fixture
async def app(pair: PostgresqlPair, tmp_path: Path, anyio_backend: str) -> AsyncIterator[App]:
    # the parameter for several hosts is ours to add
    address = pair.address.replace("&target_session_attrs=read-write", "")
    settings = Settings(data_dir=tmp_path, database=address, archive=False, log_level="warning")
    app = App(settings, open_store(address))
    await app.people.create_first_site(email="admin@example.com", password="a long password")
    running = app.start_background_tasks()
    yield app
    await tasks.cancelled(*running)
    app.store.close()


async def test_a_node_hears_of_changes_after_a_failover(pair: PostgresqlPair, app: App) -> None:
    agent = await app.people.by_email("admin@example.com")
    token = await app.tokens.issue(agent, CredentialKind.BEARER, timedelta(hours=1))
    transport = httpx2.ASGITransport(app.web, raise_app_exceptions=False)
    headers = {"Authorization": f"Bearer {token}"}
    async with http_clients.AsyncClient(
        transport=transport, base_url="http://visavis", headers=headers
    ) as client:
        assert (await client.get(PATH)).status_code == 200

        await asyncio.to_thread(pair.demote)
        for method, path in (("POST", f"{PATH}:enable"), ("GET", "/readyz")):
            response = await client.request(method, path)
            assert response.status_code == 503, response.text
        assert "the database" in (await client.get("/readyz")).text
        await until(lambda: "store changes" in tasks.MONITOR.problems)

        await asyncio.to_thread(pair.promote)
        await until(lambda: "store changes" not in tasks.MONITOR.problems)
        assert (await client.get(PATH)).status_code == 200
        other = open_store(pair.address)
        await Tokens(other, now, new_secret).revoke(token)
        await until(lambda: not app.tokens._remembered)
        assert (await client.get(PATH)).status_code == 401
        other.close()


async def test_the_changes_of_a_standby_are_not_read(
    pair: PostgresqlPair, anyio_backend: str
) -> None:
    """One host, such as the name of the server that a proxy chooses."""
    store = open_store(f"postgresql:///visavis?host={pair.primary.directory}&user=postgres")
    standby = pair.primary
    await asyncio.to_thread(pair.demote)
    with pytest.raises(VisavisError, match="standby"):
        await heard(store)
    for change in (pair.promote, pair.demote, pair.promote):  # until it is the primary again
        await asyncio.to_thread(change)
    assert pair.primary is standby
    await heard(store)
    store.close()


async def heard(store: SqlStore) -> None:
    async with aclosing(store.changes()) as changes:
        await anext(changes)


async def test_a_server_that_is_frozen_is_noticed(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch, anyio_backend: str
) -> None:
    """Whatever is revoked elsewhere meanwhile would not be heard of."""
    monkeypatch.setattr(sql, "ANSWER_SECONDS", 0.2)
    address = cluster.new_database()
    store = open_store(address, statement_seconds=1)
    changes = store.changes()
    await anext(changes)
    with psycopg.connect(address, autocommit=True) as admin:
        query = "SELECT pid FROM pg_stat_activity WHERE datname = current_database()"
        found = admin.execute(f"{query} AND pid <> pg_backend_pid()").fetchall()
    assert found
    for (process,) in found:
        os.kill(process, signal.SIGSTOP)
    try:
        with pytest.raises(TimeoutError):
            await anext(changes)
    finally:
        for (process,) in found:
            os.kill(process, signal.SIGCONT)
    store.close()


def test_parameters_of_the_address_win(cluster: Cluster) -> None:
    database = PostgresqlDatabase(f"{cluster.new_database()}&connect_timeout=3")
    assert database._parameters["connect_timeout"] == "3"
    assert database._parameters["keepalives_idle"] == 2
    assert "target_session_attrs" not in database._parameters
    database.close()
