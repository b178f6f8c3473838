"""A PostgreSQL primary that dies or freezes, and its synchronous standby, which is promoted."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import UTC, datetime

import psycopg
import pytest
from sqlalchemy.exc import ArgumentError
from structlog.testing import capture_logs

from tests.faults.postgresql_pair import DATABASE, PostgresqlPair, Server
from tests.postgresql import USER, Cluster
from tests.running import PATIENCE
from visavis.domain.errors import VisavisError
from visavis.services.ports import Transaction
from visavis.store import SqlStore, open_store
from visavis.store.postgresql import PostgresqlDatabase
from visavis.store.postgresql_client import in_order, without_hosts

pytestmark = [pytest.mark.anyio, pytest.mark.postgresql]

NOW = datetime(2026, 1, 1, tzinfo=UTC)
CONNECT_SECONDS = 2
STATEMENT_SECONDS = 1


@pytest.fixture
def pair() -> Iterator[PostgresqlPair]:
    pair = PostgresqlPair(is_synchronous=True)
    try:
        yield pair.start()
    finally:
        pair.stop()


@pytest.fixture
async def store(pair: PostgresqlPair, anyio_backend: str) -> AsyncIterator[SqlStore]:
    opened = open_pair(pair)
    yield opened
    opened.close()


def open_pair(pair: PostgresqlPair) -> SqlStore:
    # the parameter for several hosts is ours to add
    address = pair.address.partition("&target_session_attrs")[0]
    return open_store(address, connect_seconds=CONNECT_SECONDS, statement_seconds=STATEMENT_SECONDS)


def save(name: str) -> Callable[[Transaction], None]:
    return lambda rows: rows.nodes.save(name, "", NOW)


class Writers:
    """Write as many rows as they can; know which were acknowledged."""

    def __init__(self, store: SqlStore, count: int) -> None:
        self._store = store
        self.acknowledged: list[str] = []
        self.refused: list[str] = []
        self._tasks = [asyncio.create_task(self._write(number)) for number in range(count)]

    async def _write(self, writer: int) -> None:
        number = 0
        while True:
            number += 1
            name = f"{writer}-{number}"
            try:
                await self._store.write(save(name))
            except VisavisError as error:
                self.refused.append(error.code)
                await asyncio.sleep(0.05)
            else:
                self.acknowledged.append(name)

    async def more(self, count: int = 20) -> None:
        enough = len(self.acknowledged) + count
        async with asyncio.timeout(PATIENCE):
            while len(self.acknowledged) < enough:
                await asyncio.sleep(0.02)

    async def stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


@pytest.mark.parametrize("fault", [Server.kill, Server.freeze])
async def test_nothing_acknowledged_is_lost_and_writes_go_on(
    pair: PostgresqlPair, store: SqlStore, fault: Callable[[Server], None]
) -> None:
    old, new = pair.primary, pair.standby
    writers = Writers(store, 6)
    await writers.more()
    with capture_logs() as lines:
        fault(old)
        await asyncio.to_thread(pair.promote)
        await writers.more()
        await writers.stop()
    events = [line["event"] for line in lines]
    moved = next(line for line in lines if line["event"] == "the database is on another server now")
    assert str(new.directory) in moved["server"]
    assert str(old.directory) in moved["before"]
    assert ("the database server does not answer: giving it up" in events) == (
        fault is Server.freeze
    )
    assert set(writers.refused) <= {"ChangeUnconfirmed", "StoreUnavailable"}
    kept = {row[0] for row in new.execute("SELECT id FROM nodes", DATABASE)}
    assert set(writers.acknowledged) <= kept
    assert await store.is_there()


async def test_a_primary_that_was_frozen_acknowledges_nothing_afterwards(
    pair: PostgresqlPair, store: SqlStore
) -> None:
    old = pair.primary
    await store.write(save("before"))
    old.freeze()
    await asyncio.to_thread(pair.promote)
    await asyncio.gather(
        *(store.write(save(f"meanwhile-{number}")) for number in range(6)), return_exceptions=True
    )
    old.thaw()
    alone = open_store(
        f"postgresql:///{DATABASE}?host={old.directory}&user={USER}", statement_seconds=1
    )
    with pytest.raises(VisavisError) as refusal:
        await alone.write(save("split"))
    assert refusal.value.code == "ChangeUnconfirmed"
    alone.close()
    await store.write(save("after"))
    kept = {row[0] for row in pair.primary.execute("SELECT id FROM nodes", DATABASE)}
    assert {"before", "after"} <= kept
    assert "split" not in kept


async def test_a_commit_without_its_standby_is_not_acknowledged(
    pair: PostgresqlPair, store: SqlStore
) -> None:
    """PostgreSQL itself calls it a success when its wait for the standby is cancelled."""
    pair.standby.freeze()
    refusals = await asyncio.gather(
        *(store.write(save(f"lonely-{number}")) for number in range(6)), return_exceptions=True
    )
    codes = {refusal.code for refusal in refusals if isinstance(refusal, VisavisError)}
    assert len(refusals) == 6
    assert "ChangeUnconfirmed" in codes <= {"ChangeUnconfirmed", "StoreUnavailable"}
    pair.standby.thaw()
    await store.write(save("together"))


async def test_a_unit_is_repeated_only_if_it_cannot_have_been_committed(
    pair: PostgresqlPair, store: SqlStore
) -> None:
    """Its connection is cut before the commit, once; its second run is the only one that counts."""
    runs = 0

    def work(rows: Transaction) -> int:
        nonlocal runs
        runs += 1
        rows.nodes.save(f"run-{runs}", "", NOW)
        if runs == 1:
            pair.primary.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE state LIKE 'idle in%'"
            )
        rows.nodes.newest_archive_url()
        return runs

    assert await store.write(work) == 2
    kept = {row[0] for row in pair.primary.execute("SELECT id FROM nodes", DATABASE)}
    assert kept == {"run-2"}


async def test_a_connection_to_a_server_that_became_read_only_is_left(
    pair: PostgresqlPair, store: SqlStore
) -> None:
    """As a server is fenced off before another is promoted; nobody is told to try again."""
    await asyncio.gather(*(store.write(save(f"before-{number}")) for number in range(8)))
    pair.primary.execute("ALTER SYSTEM SET default_transaction_read_only = on")
    pair.primary.execute("SELECT pg_reload_conf()")
    await asyncio.to_thread(pair.promote)
    await asyncio.gather(*(store.write(save(f"after-{number}")) for number in range(8)))
    kept = {row[0] for row in pair.primary.execute("SELECT id FROM nodes", DATABASE)}
    assert {f"after-{number}" for number in range(8)} <= kept


async def test_a_slow_statement_is_cancelled(cluster: Cluster, anyio_backend: str) -> None:
    database = PostgresqlDatabase(cluster.new_database(), statement_seconds=0.2)
    with database.engine.connect() as connection:
        with pytest.raises(Exception, match="canceling statement"):
            connection.exec_driver_sql("SELECT pg_sleep(60)")
        connection.rollback()
        assert connection.exec_driver_sql("SELECT 1").scalar() == 1  # the connection stays
    database.close()


async def test_units_do_not_wait_for_a_thread_longer_than_a_statement_may_take(
    cluster: Cluster, anyio_backend: str
) -> None:
    address = cluster.new_database()
    store = open_store(address, statement_seconds=0.5)
    runs: list[int] = []
    with psycopg.connect(address) as other:
        other.execute("LOCK TABLE nodes")

        def work(rows: Transaction) -> None:
            rows.nodes.save("node", "", NOW)
            runs.append(1)

        results = await asyncio.gather(
            *(store.write(work) for _ in range(40)), return_exceptions=True
        )
    assert all(isinstance(result, VisavisError) for result in results)
    assert not runs
    await store.write(work)
    store.close()


def test_several_hosts_are_read_as_libpq_reads_them() -> None:
    assert without_hosts("postgresql://a/x") == ("postgresql://a/x", {})
    assert without_hosts("postgresql://me:p%40,w@a:1,[::1]:2,b/x?y=1") == (
        "postgresql://me:p%40,w@/x?y=1",
        {"host": "a,::1,b", "port": "1,2,"},
    )
    with pytest.raises(ArgumentError):
        without_hosts("postgresql://a:b:c,d/x")


def test_the_server_that_was_right_is_tried_first_and_a_silent_one_last() -> None:
    both = {"host": "a,b", "port": "1,", "user": "me"}
    swapped = {"host": "b,a", "port": ",1", "user": "me"}
    assert in_order(both, first="b:5432", last="") == swapped
    assert in_order(both, first="a:1", last="") == both
    assert in_order(both, first="a:1", last="a:1") == swapped
    assert in_order({"host": "a,b"}, first="b:5432", last="") == {"host": "b,a", "port": ","}
    assert in_order({"host": "a"}, first="b:5432", last="") == {"host": "a"}
