"""Queries on both databases, where the tests of the API do not lead."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest
from sqlalchemy.exc import IntegrityError

from tests.postgresql import Cluster
from visavis.domain.call import CallRecord, CallState
from visavis.domain.errors import VisavisError
from visavis.domain.oauth import Credential, CredentialKind
from visavis.domain.people import Agent, Visitor
from visavis.services.ports import CallSnapshot, Transaction
from visavis.store import open_store
from visavis.store.sql import SqlStore

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def create_site(rows: Transaction) -> Agent:
    site = rows.sites.add("One", NOW)
    return rows.agents.add(site.id, "A@example.com", "A", "-", is_administrator=True)


@pytest.fixture
async def store(database: str, anyio_backend: str) -> AsyncIterator[SqlStore]:
    opened = open_store(database)
    await opened.write(create_site)
    yield opened
    opened.close()


async def test_a_secret_is_used_once_whoever_is_faster(store: SqlStore) -> None:
    credential = Credential(b"d" * 32, 1, 1, CredentialKind.REFRESH, NOW, NOW)
    await store.write(lambda rows: rows.credentials.add(credential))
    tries = [store.write(lambda rows: rows.credentials.use(b"d" * 32, NOW)) for _ in range(8)]
    assert sorted(await asyncio.gather(*tries)) == [False] * 7 + [True]


async def test_sites_get_their_numbers_one_after_the_other(store: SqlStore) -> None:
    added = await asyncio.gather(
        *(store.write(lambda rows: rows.sites.add("More", NOW)) for _ in range(6))
    )
    assert sorted(site.id for site in added) == [2, 3, 4, 5, 6, 7]


async def test_a_node_ends_its_own_calls_and_no_other_s(store: SqlStore) -> None:
    for node in ("a", "b"):
        call = CallRecord(
            id=f"call-{node}",
            site_id=1,
            visitor=Visitor("v", 1),
            media="video",
            is_recorded=False,
            requested_at=NOW,
        )
        await store.write(lambda rows, c=call, n=node: rows.calls.save(c, n))  # type: ignore[misc]
    assert await store.write(lambda rows: rows.live_calls.end_others("a", NOW)) == 1
    assert await store.write(lambda rows: rows.live_calls.end_others("a", NOW)) == 0
    assert call.state is not CallState.ENDED


async def test_a_call_with_a_snapshot_is_not_ended(store: SqlStore) -> None:
    record = CallRecord(
        id="call",
        site_id=1,
        visitor=Visitor("v", 1),
        media="video",
        is_recorded=False,
        requested_at=NOW,
    )
    live = CallSnapshot("call", 1, 1, b"state" * 100)

    def work(rows: Transaction) -> None:
        rows.calls.save(record, "a")
        rows.live_calls.save(CallSnapshot("call", 1, 1, b"older"), "a")
        rows.live_calls.save(live, "a")
        rows.live_calls.save(CallSnapshot("other", 1, 1, b""), "b")

    await store.write(work)
    assert await store.write(lambda rows: rows.live_calls.end_others("a", NOW)) == 0
    assert await store.read(lambda rows: rows.live_calls.list_by_node("a")) == [live]
    await store.write(lambda rows: rows.live_calls.delete(2, "call"))  # of another site
    await store.write(lambda rows: rows.live_calls.delete(1, "call"))
    assert await store.read(lambda rows: rows.live_calls.list_by_node("a")) == []
    assert await store.write(lambda rows: rows.live_calls.end_others("a", NOW)) == 1


async def test_a_node_remembers_that_it_was_alive_and_which_sites_were_staffed(
    store: SqlStore,
) -> None:
    def work(rows: Transaction) -> None:
        rows.nodes.save("a", "", NOW)
        rows.nodes.mark_alive("a", NOW)
        rows.nodes.save("a", "", NOW)
        for is_staffed in (False, True, True):
            rows.live_calls.set_staffed(1, "a", is_staffed=is_staffed)

    await store.write(work)
    assert await store.read(lambda rows: rows.nodes.alive_at("a")) == NOW
    assert await store.read(lambda rows: rows.nodes.alive_at("b")) is None
    assert await store.read(lambda rows: rows.live_calls.staffed_sites("a")) == [1]
    await store.write(lambda rows: rows.live_calls.set_staffed(1, "a", is_staffed=False))
    assert await store.read(lambda rows: rows.live_calls.staffed_sites("a")) == []


async def test_the_newest_node_s_archive(store: SqlStore) -> None:
    assert await store.read(lambda rows: rows.nodes.newest_archive_url()) == ""
    for minutes, url in ((0, "http://a"), (2, "http://b"), (1, "http://c")):
        at = NOW + timedelta(minutes=minutes)
        await store.write(lambda rows, u=url, t=at: rows.nodes.save(u, u, t))  # type: ignore[misc]
    assert await store.read(lambda rows: rows.nodes.newest_archive_url()) == "http://b"


async def test_what_fails_is_not_written(store: SqlStore) -> None:
    def fail(rows: Transaction) -> None:
        rows.sites.add("Never", NOW)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await store.write(fail)
    assert [site.name for site in await store.read(lambda rows: rows.sites.all())] == ["One"]


async def test_other_processes_changes_are_noticed(database: str, store: SqlStore) -> None:
    noticed = asyncio.Event()

    async def watch() -> None:
        async for _ in store.changes():
            noticed.set()

    watching = asyncio.create_task(watch())
    other = open_store(database)
    async with asyncio.timeout(60):
        for _ in range(2):  # PostgreSQL tells once when it begins to listen
            while not noticed.is_set():
                await other.write(lambda rows: rows.sites.disable(1, is_disabled=True))
                await asyncio.sleep(0.1)
            noticed.clear()
    other.close()
    watching.cancel()
    await asyncio.gather(watching, return_exceptions=True)


async def test_only_what_others_may_remember_is_told(tmp_path: Path, anyio_backend: str) -> None:
    """Calls write all the time: nobody shall read everything again for that."""
    path = tmp_path / "visavis.db"
    store = open_store(str(path))

    def version() -> int:
        with contextlib.closing(sqlite3.connect(path)) as connection:
            return int(connection.execute("PRAGMA user_version").fetchone()[0])

    await store.write(lambda rows: rows.sites.add("One", NOW))
    before = version()
    await store.write(lambda rows: rows.nodes.save("node", "", NOW))
    assert version() == before
    await store.write(lambda rows: rows.sites.disable(1, is_disabled=True))
    assert version() == before + 1
    store.close()


async def test_a_database_that_goes_away_is_told_and_comes_back(
    cluster: Cluster, anyio_backend: str
) -> None:
    address = cluster.new_database()
    store = open_store(address)
    with psycopg.connect(cluster.address("postgres"), autocommit=True) as admin:
        name = address.removeprefix("postgresql:///").split("?")[0]
        admin.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
        admin.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [name]
        )
        with pytest.raises(VisavisError, match="StoreUnavailable"):
            await store.write(create_site)
        assert not await store.is_there()
        admin.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")
    assert await store.is_there()
    assert (await store.write(create_site)).email == "a@example.com"
    store.close()


async def test_a_database_that_only_reads_for_a_while_is_told_and_comes_back(
    cluster: Cluster, anyio_backend: str
) -> None:
    """As a standby does until it is promoted."""
    address = cluster.new_database()
    store = open_store(address)
    with psycopg.connect(cluster.address("postgres"), autocommit=True) as admin:
        name = address.removeprefix("postgresql:///").split("?")[0]

        def restrict(is_read_only: str) -> None:
            admin.execute(
                f"ALTER DATABASE {name} SET default_transaction_read_only = {is_read_only}"
            )

        restrict("on")
        store._database.engine.dispose()
        with pytest.raises(VisavisError, match="StoreUnavailable"):
            await store.write(create_site)
        restrict("off")
    # on new connections: those of the standby were given up
    assert (await store.write(create_site)).email == "a@example.com"
    store.close()


async def test_a_mistake_in_a_query_is_none_of_the_database_s(store: SqlStore) -> None:
    with pytest.raises(IntegrityError):
        await store.write(create_site)
