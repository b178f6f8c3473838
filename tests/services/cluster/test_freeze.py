"""A process that was frozen holds its timers back until it knows which sites it still owns."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from tests.dying import dies_once
from tests.services.calls.simulated_site import FakeTimer
from visavis.domain.errors import ErrorKind, VisavisError
from visavis.services.cluster import freeze as module
from visavis.services.cluster.freeze import (
    CHECK_SECONDS,
    FROZEN_SECONDS,
    RETRY_SECONDS,
    FreezeGuard,
)
from visavis.tasks import cancelled, child

pytestmark = pytest.mark.anyio


class Process:
    """A process with its timers, in simulated time."""

    def __init__(self) -> None:
        self.time = 0.0
        self.is_database_away = False
        self.checks = 0
        self.timers: list[FakeTimer] = []
        self.rung: list[str] = []
        self.guard = FreezeGuard(self.check, lambda: self.time, self.set_timer)

    async def check(self) -> None:
        self.checks += 1
        if self.is_database_away:
            raise VisavisError(ErrorKind.StoreUnavailable)

    def set_timer(self, seconds: float, ring: Callable[[], None]) -> FakeTimer:
        self.timers.append(FakeTimer(self.time + seconds, ring))
        return self.timers[-1]

    def fire(self) -> None:
        """Fire what is due."""
        due = [timer for timer in self.timers if timer.at <= self.time and not timer.is_cancelled]
        self.timers = [timer for timer in self.timers if timer not in due]
        for timer in due:
            timer.ring()


def test_timers_ring_at_their_time_and_can_be_cancelled() -> None:
    process = Process()
    process.guard.schedule(1.0, lambda: process.rung.append("one"))
    process.guard.schedule(1.0, lambda: process.rung.append("two")).cancel()
    process.time = 1.0
    process.fire()
    assert process.rung == ["one"]


async def test_after_a_freeze_timers_wait_for_the_check() -> None:
    process = Process()
    process.guard.schedule(1.0, lambda: process.rung.append("one"))
    process.time = FROZEN_SECONDS + 1
    process.fire()
    process.guard.tick()
    process.is_database_away = True
    await process.guard.check()
    process.time += RETRY_SECONDS
    process.fire()
    assert process.rung == []
    process.is_database_away = False
    await process.guard.check()
    assert not process.guard.is_in_doubt
    process.time += RETRY_SECONDS
    process.fire()
    assert process.rung == ["one"]


def test_a_timer_that_waits_can_be_cancelled() -> None:
    process = Process()
    timer = process.guard.schedule(1.0, lambda: process.rung.append("one"))
    process.time = FROZEN_SECONDS + 1
    process.fire()
    timer.cancel()
    process.guard.tick()
    process.guard._was_frozen = False
    process.time += RETRY_SECONDS
    process.fire()
    assert process.rung == []


async def test_it_checks_regularly_and_after_a_freeze(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "TICK_SECONDS", 0.0)
    process = Process()
    running = child(process.guard.run())
    for seconds in (CHECK_SECONDS, FROZEN_SECONDS + 0.5):
        before = process.checks
        process.time += seconds
        while process.checks == before or process.guard.is_in_doubt:
            await asyncio.sleep(0)
    assert process.checks == 2
    await cancelled(running)


async def test_a_check_that_takes_long_is_not_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "TICK_SECONDS", 0.0)
    process, may_end = Process(), asyncio.Event()

    async def slow() -> None:
        process.checks += 1
        await may_end.wait()

    process.guard._check = slow
    process.time = CHECK_SECONDS
    running = child(process.guard.run())
    while not process.checks:
        await asyncio.sleep(0)
    process.time += CHECK_SECONDS
    for _ in range(5):
        await asyncio.sleep(0)
    assert process.checks == 1
    assert process.guard.is_in_doubt
    await cancelled(running)


async def test_it_ends_before_its_first_check(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "TICK_SECONDS", 0.0)
    process = Process()
    running = child(process.guard.run())
    for _ in range(3):
        await asyncio.sleep(0)
    await cancelled(running)
    assert process.checks == 0


async def test_a_check_that_dies_is_counted_and_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "TICK_SECONDS", 0.0)
    process = Process()
    process.time = FROZEN_SECONDS + 1
    process.guard.tick()
    with dies_once("check of sites", process.guard, "check") as has_died:
        running = child(process.guard.run())
        while not has_died() or process.guard.is_in_doubt:
            await asyncio.sleep(0)
    assert process.checks == 1
    await cancelled(running)
