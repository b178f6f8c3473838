"""What has been kept long enough goes, and nothing else."""

from __future__ import annotations

import asyncio
import contextlib
from datetime import UTC, datetime, timedelta

import pytest

from tests.archive.conftest import House
from tests.dying import dies_once
from visavis import tasks
from visavis.archive import retention
from visavis.domain.errors import ErrorKind, VisavisError

pytestmark = pytest.mark.anyio

NOW = datetime(2026, 6, 1, tzinfo=UTC)


async def keep(house: House, recording: str, days_ago: int, site: str = "1") -> None:
    started_at = (NOW - timedelta(days=days_ago)).isoformat()
    await house.keep(recording.encode(), recording, startedAt=started_at, site=site)


def left(house: House) -> set[str]:
    return {entry.id for entry in house.archive._sweeper._library.all()}


async def test_retention_respects_the_site_and_legal_hold(house: House) -> None:
    await keep(house, "young", 29)
    await keep(house, "old", 31)
    await keep(house, "held", 400)
    await keep(house, "theirs", 400, site="2")
    await house.ask("/held/hold", "admin", "PUT")
    house.log.clear()
    sweeper = house.archive._sweeper
    assert await sweeper.apply_retention(NOW) == 0
    house.days = {1: 30}
    assert await sweeper.apply_retention(NOW) == 1
    assert left(house) == {"young", "held", "theirs"}
    assert house.log == [("recordingDeleted", None, "old")]
    assert house.deleted == [(1, "old")]
    assert await sweeper.apply_retention(NOW) == 0  # done is done
    house.open()
    assert left(house) == {"young", "held", "theirs"}


async def test_what_cannot_be_told_is_not_deleted(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    await keep(house, "old", 31)
    house.days = {1: 30}

    async def deaf(*_: object) -> None:
        raise VisavisError(ErrorKind.StoreUnavailable)

    monkeypatch.setattr(house.archive._sweeper._deletion._access_audit, "_audit", deaf)
    with pytest.raises(VisavisError):
        await house.archive._sweeper.apply_retention(NOW)
    assert left(house) == {"old"}


async def test_a_hold_in_the_last_moment(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    await keep(house, "old", 31)
    house.days = {1: 30}
    library = house.archive._sweeper._library

    async def held_meanwhile(*_: object) -> None:
        library.hold(library.all()[0], is_held=True)

    monkeypatch.setattr(house.archive._sweeper._deletion._access_audit, "_audit", held_meanwhile)
    assert await house.archive._sweeper.apply_retention(NOW) == 0
    assert left(house) == {"old"}


async def test_it_runs_by_itself_and_survives_trouble(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "SWEEP_SECONDS", 0.0)
    await keep(house, "old", 10_000)
    tries = 0

    async def retention_of(_: int) -> int | None:
        nonlocal tries
        tries += 1
        if tries == 1:
            raise VisavisError(ErrorKind.StoreUnavailable)
        return 30

    monkeypatch.setattr(house.archive._sweeper, "_retention_days_of", retention_of)
    running = asyncio.create_task(house.archive.run())
    while left(house):
        await asyncio.sleep(0)
    running.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await running


async def test_the_sweep_and_its_task_die_once(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tasks, "FIRST_PAUSE_SECONDS", 0.01)
    swept = asyncio.Event()

    async def sweep() -> None:
        swept.set()

    monkeypatch.setattr(house.archive._sweeper, "sweep", sweep)
    with (
        dies_once("archive", house.archive, "run"),
        dies_once("archive sweep", house.archive._sweeper, "sweep"),
    ):
        running = house.archive.start()
        await asyncio.wait_for(swept.wait(), 20)
    await tasks.cancelled(running)
