"""Each job is done once per period, by one of the processes that share the database."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import update

from tests.running import PATIENCE
from visavis.domain.errors import ErrorKind, VisavisError
from visavis.services import jobs as module
from visavis.services.jobs import Figures, Jobs
from visavis.store import tables as t
from visavis.store.sql import SqlStore

pytestmark = pytest.mark.anyio

NAME = "job"


@pytest.fixture
def both(store: SqlStore) -> tuple[Jobs, Jobs]:
    return Jobs(store, "a"), Jobs(store, "b")


class Log:
    """Work that is counted; it ends when it may."""

    def __init__(self, result: Figures | None = None) -> None:
        self.result = result
        self.begun = self.ended = 0
        self.has_begun, self.may_end = asyncio.Event(), asyncio.Event()

    async def __call__(self) -> Figures | None:
        self.begun += 1
        self.has_begun.set()
        await self.may_end.wait()
        self.ended += 1
        return self.result

    @classmethod
    def quick(cls, result: Figures | None = None) -> Log:
        log = cls(result)
        log.may_end.set()
        return log


def change(store: SqlStore, **values: float) -> None:
    with store._database.engine.begin() as connection:
        connection.execute(update(t.job_leases).values(values))


def is_away(store: SqlStore, monkeypatch: pytest.MonkeyPatch) -> None:
    async def write(_: Callable[..., Any]) -> None:
        raise VisavisError(ErrorKind.StoreUnavailable)

    monkeypatch.setattr(store, "write", write)


async def test_a_job_is_done_once_per_period(store: SqlStore, both: tuple[Jobs, Jobs]) -> None:
    one, other = both
    first, second = Log.quick({"count": 3}), Log.quick({"count": 4})
    assert await one.perform(NAME, 60, first) == {"count": 3}
    assert await other.perform(NAME, 60, second) == {"count": 3}
    assert (first.begun, second.begun) == (1, 0)
    change(store, due_at=0)
    assert await other.perform(NAME, 60, second) == {"count": 4}
    assert await one.perform(NAME, 60, first) == {"count": 4}
    (lease,) = await store.read(lambda rows: rows.jobs.all())
    assert (lease.name, lease.holder, lease.term, lease.is_due) == (NAME, "b", 2, False)


async def test_nobody_else_does_it_meanwhile(both: tuple[Jobs, Jobs]) -> None:
    one, other = both
    slow, never = Log(), Log.quick()
    running = asyncio.create_task(one.perform(NAME, 0.001, slow))
    await slow.has_begun.wait()
    assert await other.perform(NAME, 0.001, never) is None
    slow.may_end.set()
    await running
    await asyncio.sleep(0.01)
    await other.perform(NAME, 60, never)
    assert never.begun == 1


async def test_of_two_at_once_one_does_it(store: SqlStore, both: tuple[Jobs, Jobs]) -> None:
    """Both have read that the job is due."""
    for _ in range(2):  # without a row, and with one
        log = Log()
        log.may_end.set()
        await asyncio.gather(*(jobs.perform(NAME, 60, log) for jobs in both))
        assert log.begun == 1
        change(store, due_at=0)
    lease = await store.read(lambda rows: rows.jobs.get(NAME))
    assert lease
    assert lease.is_due
    assert await store.write(lambda rows: rows.jobs.take(NAME, "c", 60)) == 3
    assert await store.write(lambda rows: rows.jobs.take(NAME, "d", 60)) is None


@pytest.mark.parametrize("has_row", [False, True])
async def test_the_slower_of_two_reads_the_figures(
    store: SqlStore, both: tuple[Jobs, Jobs], monkeypatch: pytest.MonkeyPatch, has_row: bool
) -> None:
    one, other = both
    if has_row:
        await one.perform(NAME, 60, Log.quick({"count": 3}))
        change(store, due_at=0)
    write = store.write

    async def overtaken(work: Callable[..., Any]) -> Any:
        monkeypatch.setattr(store, "write", write)
        await write(lambda rows: rows.jobs.take(NAME, "b", 60))
        return await write(work)

    monkeypatch.setattr(store, "write", overtaken)
    log = Log()
    assert await other.perform(NAME, 60, log) == ({"count": 3} if has_row else None)
    assert not log.begun


async def test_a_job_that_failed_is_due_at_once(both: tuple[Jobs, Jobs]) -> None:
    one, other = both

    async def fail() -> None:
        raise ValueError("a bug")

    await one.perform(NAME, 0.001, Log.quick({"count": 3}))
    await asyncio.sleep(0.01)
    with pytest.raises(ValueError, match="a bug"):
        await one.perform(NAME, 60, fail)
    log = Log.quick()
    await other.perform(NAME, 60, log)
    assert log.ended == 1


async def test_a_process_that_ends_gives_its_job_back(both: tuple[Jobs, Jobs]) -> None:
    one, other = both
    slow, log = Log(), Log.quick()
    running = asyncio.create_task(one.perform(NAME, 60, slow))
    await slow.has_begun.wait()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    await other.perform(NAME, 60, log)
    assert (slow.ended, log.ended) == (0, 1)


async def test_a_lease_is_renewed_while_the_job_is_done(
    store: SqlStore, both: tuple[Jobs, Jobs], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "RENEW_SECONDS", 0.01)
    one, other = both
    slow = Log()
    running = asyncio.create_task(one.perform(NAME, 60, slow))
    await slow.has_begun.wait()
    change(store, until=0)

    async def is_held() -> bool:
        lease = await store.read(lambda rows: rows.jobs.get(NAME))
        return lease is not None and not lease.is_due

    async with asyncio.timeout(PATIENCE):
        while not await is_held():
            await asyncio.sleep(0.01)
    await other.perform(NAME, 60, Log())  # would never return if it did the job
    slow.may_end.set()
    await running


async def test_a_job_whose_lease_another_has_taken_is_cancelled(
    store: SqlStore, both: tuple[Jobs, Jobs], monkeypatch: pytest.MonkeyPatch
) -> None:
    one, other = both
    slow, log = Log(), Log.quick({"count": 5})
    with monkeypatch.context() as patched:
        patched.setattr(module, "RENEW_SECONDS", 0.2)
        running = asyncio.create_task(one.perform(NAME, 60, slow))
        await slow.has_begun.wait()
        change(store, until=0)  # as after a pause of a minute
        await other.perform(NAME, 60, log)
        with pytest.raises(TimeoutError, match="another process does the job"):
            await running
    assert slow.ended == 0
    assert await one.perform(NAME, 60, slow) == {"count": 5}  # its end has changed nothing


async def test_without_a_database_a_job_ends_before_its_lease(
    store: SqlStore, both: tuple[Jobs, Jobs], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "RENEW_SECONDS", 0.01)
    monkeypatch.setattr(module, "LEASE_SECONDS", 0.1)
    slow = Log()
    running = asyncio.create_task(both[0].perform(NAME, 60, slow))
    await slow.has_begun.wait()
    is_away(store, monkeypatch)
    with pytest.raises(TimeoutError):
        await running
    assert slow.ended == 0


async def test_a_lease_from_the_future_keeps_nobody(
    store: SqlStore, both: tuple[Jobs, Jobs]
) -> None:
    """The database's clock was set back by an hour after the job."""
    first, second = both
    await first.perform(NAME, 60, Log.quick())
    later = time.time() + 3_600
    change(store, taken_at=later, due_at=later + 60)
    log = Log.quick()
    await second.perform(NAME, 60, log)
    assert log.ended == 1
    await first.perform(NAME, 60, log)
    assert log.ended == 1
