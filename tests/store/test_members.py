"""Members beat in the transaction that reads the log of changes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import aclosing, suppress
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from sqlalchemy import event, update

from tests.running import PATIENCE
from visavis.domain.membership import Member, MemberLoad, MemberState
from visavis.store import open_store, sql, sqlite
from visavis.store import tables as t
from visavis.store.sql import SqlStore

pytestmark = pytest.mark.anyio

NOW = datetime(2026, 1, 1, tzinfo=UTC)
A = Member("a", "boot", NOW, "1.0", "machine", "http://a", ("app", "media"))
B = replace(
    A,
    node_id="b",
    state=MemberState.DRAINING,
    load=MemberLoad(1, 2, 3, 4),
    counts={"digest": 2.5},
)


@pytest.fixture
async def store(database: str, anyio_backend: str) -> AsyncIterator[SqlStore]:
    opened = open_store(database)
    yield opened
    opened.close()


async def test_a_beat_adds_one_and_tells_of_all_members(store: SqlStore) -> None:
    assert await store.write(lambda rows: rows.members.beat(A)) == [A]
    for _ in range(2):
        await store.write(lambda rows: rows.members.beat(B))
    second = replace(A, load=MemberLoad(calls=7))
    await store.write(lambda rows: rows.members.beat(second))
    found = await store.read(lambda rows: rows.members.all())
    assert list(found) == [replace(second, beat=1), replace(B, beat=1)]


async def test_a_process_that_was_replaced_stops_only_itself(store: SqlStore) -> None:
    await store.write(lambda rows: rows.members.beat(A))
    await store.write(lambda rows: rows.members.beat(replace(A, boot="next")))
    await store.write(lambda rows: rows.members.stop("a", "boot"))
    (found,) = await store.read(lambda rows: rows.members.all())
    assert found.state is MemberState.READY
    await store.write(lambda rows: rows.members.stop("a", "next"))
    (found,) = await store.read(lambda rows: rows.members.all())
    assert found.state is MemberState.STOPPED


async def test_members_that_are_gone_for_long_are_deleted(store: SqlStore) -> None:
    for member in (A, B):
        await store.write(lambda rows, m=member: rows.members.beat(m))  # type: ignore[misc]
    c = t.members.c
    with store._database.engine.begin() as connection:
        connection.execute(
            update(t.members).where(c.node_id == "b").values(beaten_at=c.beaten_at - 100)
        )
    assert await store.write(lambda rows: rows.members.delete_silent(90)) == 1
    assert [m.node_id for m in await store.read(lambda rows: rows.members.all())] == ["a"]


async def test_a_later_version_may_report_more(store: SqlStore) -> None:
    await store.write(lambda rows: rows.members.beat(A))
    with store._database.engine.begin() as connection:
        connection.execute(update(t.members).values(load={"calls": 2, "planets": 9}))
    (found,) = await store.read(lambda rows: rows.members.all())
    assert found.load == MemberLoad(calls=2)


class Watch:
    """Receives the members, as `Members` does."""

    def __init__(self) -> None:
        self.seen: list[Sequence[Member]] = []

    def report(self) -> Member:
        return A

    def observe(self, members: Sequence[Member]) -> None:
        self.seen.append(members)


async def follow(store: SqlStore, watch: Watch, until: Callable[[], bool]) -> None:
    """Read the log of changes until a condition holds."""

    async def read() -> None:
        async with aclosing(store.changes(watch)) as changes:
            async for _ in changes:
                pass

    reading = asyncio.create_task(read())
    async with asyncio.timeout(PATIENCE):
        while not until():
            await asyncio.sleep(0.01)
    reading.cancel()
    with suppress(asyncio.CancelledError):
        await reading


async def test_every_second_reading_of_the_log_is_a_beat(
    store: SqlStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sql, "WATCH_SECONDS", 0.01)
    statements: list[str] = []
    event.listen(
        store._database.log_engine,
        "before_cursor_execute",
        lambda _, __, statement, *___: statements.append(statement),
    )
    watch = Watch()
    await follow(store, watch, lambda: len(watch.seen) == 3)
    assert [len(members) for members in watch.seen] == [1, 1, 1]
    beats = [one for one in statements if "UPDATE members" in one]
    assert len(beats) in {3, 4}
    readings = [one for one in statements if "FROM changes" in one]
    assert len(readings) >= 2 * len(beats) - 1


async def test_a_beat_of_sqlite_waits_for_no_writer(
    new_database: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sql, "WATCH_SECONDS", 0.01)
    monkeypatch.setattr(sqlite, "LOG_BUSY_SECONDS", 0.01)
    store, watch = open_store(str(new_database)), Watch()
    with store._database.engine.connect() as writing:
        writing.exec_driver_sql("BEGIN IMMEDIATE")
        readings: list[str] = []
        event.listen(
            store._database.log_engine,
            "before_cursor_execute",
            lambda _, __, statement, *___: readings.append(statement),
        )
        await follow(store, watch, lambda: sum("FROM changes" in one for one in readings) > 4)
        assert watch.seen == []
        writing.exec_driver_sql("ROLLBACK")
    await follow(store, watch, lambda: bool(watch.seen))
    store.close()


async def test_sqlite_syncs_whatever_is_not_a_beat(new_database: object) -> None:
    store = open_store(str(new_database))
    for engine, level in ((store._database.engine, 2), (store._database.log_engine, 1)):
        with engine.connect() as connection:
            assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == level
    store.close()
