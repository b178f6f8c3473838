"""Retention deletes what is due, and nothing else."""

from __future__ import annotations

import asyncio
import contextlib
from datetime import UTC, datetime, timedelta

import pytest

from tests.archive.conftest import ArchiveHarness, both_storages
from tests.dying import dies_once
from tests.running import PATIENCE
from visavis import tasks
from visavis.archive import retention
from visavis.domain.errors import ErrorKind, VisavisError
from visavis.domain.library import Entry

pytestmark = pytest.mark.anyio

NOW = datetime(2026, 6, 1, tzinfo=UTC)


async def keep(harness: ArchiveHarness, recording: str, days_ago: int, site: str = "1") -> None:
    started_at = (NOW - timedelta(days=days_ago)).isoformat()
    await harness.keep(recording.encode(), recording, startedAt=started_at, site=site)


async def left(harness: ArchiveHarness) -> set[str]:
    return {entry.id for site in (1, 2) for entry in await harness.entries(site)}


@both_storages
async def test_retention_respects_the_site_and_legal_hold(harness: ArchiveHarness) -> None:
    await keep(harness, "young", 29)
    await keep(harness, "old", 31)
    await keep(harness, "held", 400)
    await keep(harness, "theirs", 400, site="2")
    await harness.ask("/held/hold", "admin", "PUT")
    harness.log.clear()
    sweeper = harness.archive._sweeper
    assert await sweeper.apply_retention(NOW) == 0
    harness.days = {1: 30}
    assert await sweeper.apply_retention(NOW) == 1
    assert await left(harness) == {"young", "held", "theirs"}
    assert harness.log == [("recordingDeleted", None, "old")]
    assert harness.deleted == [(1, "old")]
    assert await sweeper.apply_retention(NOW) == 0  # done is done
    harness.open()
    assert await left(harness) == {"young", "held", "theirs"}


async def test_two_processes_delete_a_recording_at_once(
    harness: ArchiveHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One of them was frozen, and continues with data that it had read before."""
    await keep(harness, "old", 31)
    (entry,) = await harness.entries()
    deletion = harness.archive._sweeper._deletion
    harness.log.clear()

    async def died(_: Entry) -> None:
        raise VisavisError(ErrorKind.StoreUnavailable)

    with monkeypatch.context() as patched:
        patched.setattr(harness.archive._library, "delete", died)
        with pytest.raises(VisavisError):
            await deletion.delete_due(entry, 30)
    for _ in range(2):
        await deletion.delete_due(entry, 30)
    assert harness.log == [("recordingDeleted", None, "old")]
    assert await left(harness) == set()


async def test_a_storage_is_swept_by_one_process(harness: ArchiveHarness) -> None:
    harness.days = {1: 30}
    await keep(harness, "old", 10_000)
    name = f"archive {harness.archive._library.name}"
    await harness.store.write(lambda rows: rows.jobs.take(name, "another", 60))
    await harness.archive._sweeper.sweep()
    assert await left(harness) == {"old"}
    await harness.store.write(lambda rows: rows.jobs.give_back(name, 1, 0, None))
    await harness.archive._sweeper.sweep()
    assert await left(harness) == set()


async def test_what_cannot_be_told_is_not_deleted(
    harness: ArchiveHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    await keep(harness, "old", 31)
    harness.days = {1: 30}

    async def deaf(*_: object) -> None:
        raise VisavisError(ErrorKind.StoreUnavailable)

    monkeypatch.setattr(harness.archive._sweeper._deletion._access_audit, "_audit", deaf)
    with pytest.raises(VisavisError):
        await harness.archive._sweeper.apply_retention(NOW)
    assert await left(harness) == {"old"}


@both_storages
async def test_a_hold_in_the_last_moment(
    harness: ArchiveHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    await keep(harness, "old", 31)
    harness.days = {1: 30}
    library = harness.archive._sweeper._library

    async def held_meanwhile(*_: object) -> None:
        await library.hold((await harness.entries())[0], is_held=True)

    monkeypatch.setattr(harness.archive._sweeper._deletion._access_audit, "_audit", held_meanwhile)
    assert await harness.archive._sweeper.apply_retention(NOW) == 0
    assert await left(harness) == {"old"}


async def test_it_runs_by_itself_and_survives_trouble(
    harness: ArchiveHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "SWEEP_SECONDS", 0.0)
    await keep(harness, "old", 10_000)
    tries = 0

    async def retention_of(_: int) -> int | None:
        nonlocal tries
        tries += 1
        if tries == 1:
            raise VisavisError(ErrorKind.StoreUnavailable)
        return 30

    monkeypatch.setattr(harness.archive._sweeper, "_retention_days_of", retention_of)
    running = asyncio.create_task(harness.archive.run())
    while await left(harness):
        await asyncio.sleep(0)
    running.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await running


async def test_the_sweep_and_its_task_die_once(
    harness: ArchiveHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tasks, "FIRST_PAUSE_SECONDS", 0.01)
    swept = asyncio.Event()

    async def sweep() -> None:
        swept.set()

    async def sweep_renditions() -> None:
        renditions.set()

    async def publish_key() -> None:
        published.set()

    renditions, published = asyncio.Event(), asyncio.Event()
    sweeper = harness.archive._sweeper
    monkeypatch.setattr(harness.archive, "_publish_key", publish_key)
    monkeypatch.setattr(sweeper, "sweep", sweep)
    monkeypatch.setattr(sweeper, "sweep_renditions", sweep_renditions)
    with (
        dies_once("archive", harness.archive, "run"),
        dies_once("archive sweep", sweeper, "sweep"),
        dies_once("archive renditions", sweeper, "sweep_renditions"),
        dies_once("archive key", harness.archive, "_publish_key"),
    ):
        running = harness.archive.start()
        for event in (swept, renditions, published):
            await asyncio.wait_for(event.wait(), PATIENCE)
    await tasks.cancelled(running)


async def test_recordings_are_deleted_although_uploads_cannot_be(
    harness: ArchiveHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    await keep(harness, "old", 4_000)
    harness.days = {1: 30}
    sweeper = harness.archive._sweeper

    async def fails(_: float) -> int:
        raise VisavisError(ErrorKind.StoreUnavailable)

    monkeypatch.setattr(sweeper._uploads, "sweep", fails)
    with pytest.raises(VisavisError):
        await sweeper.sweep()
    assert await left(harness) == set()
