"""Queries on both databases, where the tests of the API do not lead."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing
from datetime import UTC, datetime, timedelta

import psycopg
import pytest
from sqlalchemy import event, select
from sqlalchemy.exc import IntegrityError, OperationalError

from tests.postgresql import Cluster
from tests.running import PATIENCE
from visavis.domain.call import CallRecord, CallState
from visavis.domain.changes import EVERYTHING, ChangeSet, change_set, rights_changed
from visavis.domain.errors import ErrorKind, VisavisError
from visavis.domain.oauth import ApiKey, Credential, CredentialKind
from visavis.domain.ownership import SiteOwner
from visavis.domain.people import Agent, Visitor
from visavis.services.ports import CallSnapshot, Transaction
from visavis.store import open_store, sql
from visavis.store import tables as t
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
        rows.live_calls.save(CallSnapshot("call", 1, 1, b"older"), "a", 1)
        rows.live_calls.save(live, "a", 2)
        rows.live_calls.save(CallSnapshot("other", 1, 1, b""), "b", 1)

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


async def test_of_two_members_that_take_a_site_at_once_one_wins(store: SqlStore) -> None:
    """Without an owner before, and with one."""
    for seen in range(3):
        owners = [SiteOwner(1, node, f"boot {node}", seen + 1) for node in "abcd"]
        takes = [
            store.write(lambda rows, o=one, s=seen: rows.site_owners.take("c", o, s))  # type: ignore[misc]
            for one in owners
        ]
        won = await asyncio.gather(*takes)
        assert sorted(won) == [False, False, False, True]
        found = await store.read(lambda rows: rows.site_owners.hold("c", [1, 2]))
        assert found == {1: owners[won.index(True)]}
    assert await store.read(lambda rows: rows.site_owners.hold("another", [1])) == {}


async def test_a_process_takes_every_site_when_it_starts(store: SqlStore) -> None:
    await store.write(lambda rows: rows.sites.add("Two", NOW))
    for boot, term in (("first", 1), ("second", 2)):
        taken = await store.write(lambda rows, b=boot: rows.site_owners.take_all("a", "a", b))  # type: ignore[misc]
        assert taken == {1: term, 2: term}
    await store.write(lambda rows: rows.site_owners.take_all("b", "b", "boot"))
    assert await store.read(lambda rows: rows.site_owners.count_by_node()) == {"a": 2, "b": 2}
    found = await store.read(lambda rows: rows.site_owners.hold("a", [2]))
    assert found == {2: SiteOwner(2, "a", "second", 2)}


async def test_a_node_of_a_cluster_takes_its_own_sites_when_it_starts(store: SqlStore) -> None:
    for _ in range(4):
        await store.write(lambda rows: rows.sites.add("More", NOW))

    def work(rows: Transaction) -> None:
        for site_id, node in ((1, "a"), (2, "b"), (3, "a")):
            rows.site_owners.take("c", SiteOwner(site_id, node, "old", 5), 0)
        rows.site_owners.take("another", SiteOwner(1, "a", "old", 5), 0)
        # sites of the time in which the node was alone
        rows.live_calls.save(CallSnapshot("mine", 4, 1, b"state"), "a", 1)
        rows.live_calls.save(CallSnapshot("moved", 2, 1, b"state"), "a", 1)
        rows.live_calls.save(CallSnapshot("other", 5, 1, b"state"), "b", 1)

    await store.write(work)
    assert await store.write(lambda rows: rows.site_owners.take_own("c", "a", "new")) == {
        1: 6,
        3: 6,
        4: 1,
    }
    found = await store.read(lambda rows: rows.site_owners.hold("c", [1, 2, 3, 4, 5]))
    assert [(one.site_id, one.node_id, one.boot) for one in found.values()] == [
        (1, "a", "new"),
        (2, "b", "old"),
        (3, "a", "new"),
        (4, "a", "new"),
    ]
    other = await store.read(lambda rows: rows.site_owners.get("another", 1))
    assert other == SiteOwner(1, "a", "old", 5)


async def test_the_calls_of_a_site_move_with_it(store: SqlStore) -> None:
    await store.write(lambda rows: rows.sites.add("Two", NOW))

    def work(rows: Transaction) -> None:
        for call_id, site_id, state in (("one", 1, ""), ("over", 1, "ended"), ("two", 2, "")):
            record = CallRecord(
                id=call_id,
                site_id=site_id,
                visitor=Visitor("v", site_id),
                media="video",
                is_recorded=False,
                requested_at=NOW,
            )
            record.state = CallState.ENDED if state else record.state
            rows.calls.save(record, "a")
            if not state:
                rows.live_calls.save(CallSnapshot(call_id, site_id, 1, b"state"), "a", 1)
        for site_id in (1, 2):
            rows.live_calls.set_staffed(site_id, "a", is_staffed=True)
        for _ in range(2):  # the second time there is nothing to move
            rows.live_calls.move(1, "a", "b")

    await store.write(work)

    def live(rows: Transaction) -> list[list[str]]:
        found = [rows.live_calls.list_by_site(1, node) for node in "ab"]
        return [[call.call_id for call in calls] for calls in found]

    assert await store.read(live) == [[], ["one"]]
    assert await store.read(lambda rows: rows.live_calls.staffed_sites("a")) == [2]
    assert await store.read(lambda rows: rows.live_calls.staffed_sites("b")) == [1]
    with store._database.engine.connect() as connection:
        rows = connection.execute(select(t.calls.c.id, t.calls.c.node_id).order_by("id")).all()
    assert [tuple(row) for row in rows] == [("one", "b"), ("over", "a"), ("two", "a")]


@pytest.mark.postgresql
async def test_a_site_is_not_taken_while_its_owner_writes(
    cluster: Cluster, anyio_backend: str
) -> None:
    store = open_store(cluster.new_database())
    await store.write(create_site)
    await store.write(lambda rows: rows.site_owners.take_all("c", "a", "boot"))
    holds, may_commit = threading.Event(), threading.Event()

    def batch(rows: Transaction) -> None:
        rows.site_owners.hold("c", [1])
        holds.set()
        assert may_commit.wait(PATIENCE)

    writing = asyncio.create_task(store.write(batch))
    await asyncio.to_thread(holds.wait, PATIENCE)
    owner = SiteOwner(1, "b", "boot", 2)
    taking = asyncio.create_task(store.write(lambda rows: rows.site_owners.take("c", owner, 1)))
    assert not (await asyncio.wait({taking}, timeout=0.3))[0]
    may_commit.set()
    await writing
    assert await taking
    store.close()


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


async def test_other_processes_changes_are_noticed_by_name(database: str, store: SqlStore) -> None:
    other = open_store(database)
    async with asyncio.timeout(PATIENCE), aclosing(store.changes()) as changes:
        assert await anext(changes) == EVERYTHING  # for what was missed before
        await other.write(lambda rows: rows.agents.disable(1, 1, is_disabled=True))
        assert await anext(changes) == change_set([rights_changed(1, 1)])
        await other.write(lambda rows: rows.sites.disable(1, is_disabled=True))
        assert await anext(changes) == change_set([rights_changed(1)])
    other.close()


async def test_a_store_is_current_while_its_log_of_changes_is_read(
    store: SqlStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process that was frozen or is cut off must not trust what it has in memory."""
    assert store.is_current()  # nobody else writes while nobody reads the log
    told: list[ChangeSet] = []
    store.on_rights_change.append(told.append)
    async with aclosing(store.changes()) as changes:
        await anext(changes)
        assert (store.is_current(), told) == (True, [EVERYTHING])
        monkeypatch.setattr(sql, "CURRENT_SECONDS", 0.0)
        assert not store.is_current()
        monkeypatch.undo()

        def refuse(_: object) -> None:
            raise VisavisError(ErrorKind.StoreUnavailable)

        monkeypatch.setattr(store._database, "require_primary", refuse)
        with pytest.raises(VisavisError):
            await anext(changes)
    assert (store.is_current(), told) == (False, [EVERYTHING] * 2)
    async with aclosing(store.changes()) as changes:
        with pytest.raises(VisavisError):
            await anext(changes)
        assert not store.is_current()


async def test_a_change_whose_reading_loses_its_connection_is_not_skipped(
    database: str, store: SqlStore
) -> None:
    """A reader that has taken note of an entry would not find it when the unit is repeated."""

    def lose(_: object) -> None:
        raise OperationalError("COMMIT", {}, Exception("lost"), connection_invalidated=True)

    other = open_store(database)
    async with asyncio.timeout(PATIENCE), aclosing(store.changes()) as changes:
        await anext(changes)
        await other.write(lambda rows: rows.agents.disable(1, 1, is_disabled=True))
        event.listen(store._database.log_engine, "commit", lose, once=True)
        with pytest.raises(VisavisError):
            await anext(changes)
    other.close()


async def test_old_changes_are_removed(store: SqlStore, monkeypatch: pytest.MonkeyPatch) -> None:
    for _ in range(3):
        await store.write(lambda rows: rows.agents.disable(1, 1, is_disabled=True))
    await store.trim_changes()

    def entries() -> int:
        with store._database.engine.connect() as connection:
            return int(connection.exec_driver_sql("SELECT count(*) FROM changes").scalar_one())

    assert entries() == 3
    monkeypatch.setattr(sql, "RETENTION_SECONDS", -60.0)
    await store.trim_changes()
    assert entries() == 1


async def test_own_changes_are_told_after_the_commit(store: SqlStore) -> None:
    told: list[ChangeSet] = []
    store.on_rights_change.append(told.append)
    await store.write(lambda rows: rows.sites.add("Two", NOW))
    assert not told
    await store.write(lambda rows: rows.agents.disable(1, 1, is_disabled=True))
    assert told == [change_set([rights_changed(1, 1)])]


async def test_only_what_others_may_remember_is_told(store: SqlStore) -> None:
    """Calls write all the time: nobody shall read everything again for that."""

    def entries() -> int:
        with store._database.engine.connect() as connection:
            return int(connection.exec_driver_sql("SELECT count(*) FROM changes").scalar_one())

    before = entries()
    await store.write(lambda rows: rows.nodes.save("node", "", NOW))
    assert entries() == before

    def twice(rows: Transaction) -> None:
        for _ in range(2):
            rows.agents.revoke(1, 1, [])

    await store.write(twice)
    assert entries() == before + 1


async def test_a_change_of_a_token_or_key_names_its_agent(store: SqlStore) -> None:
    told: list[ChangeSet] = []
    store.on_rights_change.append(told.append)
    bearer = Credential(b"d" * 32, 1, 1, CredentialKind.BEARER, NOW, NOW, None, "f")
    key = ApiKey("k", 1, 1, "Key", b"k" * 32, NOW)

    def add(rows: Transaction) -> None:
        rows.credentials.add(bearer)
        rows.keys.add(key)

    await store.write(add)
    earlier = NOW - timedelta(hours=1)
    works: list[Callable[[Transaction], object]] = [
        lambda rows: rows.credentials.expire(b"d" * 32, earlier),
        lambda rows: rows.keys.expire(1, "k", earlier),
        lambda rows: rows.keys.delete(1, "k"),
        lambda rows: rows.credentials.delete_family(1, "f"),
    ]
    for count, work in enumerate(works, 1):
        await store.write(work)
        assert told == [change_set([rights_changed(1, 1)])] * count
    assert not await store.write(lambda rows: rows.credentials.delete(b"d" * 32))
    assert not await store.write(lambda rows: rows.keys.delete(1, "k"))
    assert len(told) == len(works)


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
