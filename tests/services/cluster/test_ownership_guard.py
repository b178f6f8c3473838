"""A process that was frozen or cut off waits until it knows which sites it still owns."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from tests.dying import dies_once
from tests.running import PATIENCE
from tests.services.calls.simulated_site import FakeTimer
from visavis.domain.errors import ErrorKind, VisavisError
from visavis.services.cluster import ownership_guard as module
from visavis.services.cluster.ownership_guard import (
    CHECK_SECONDS,
    DOUBT_SECONDS,
    FROZEN_SECONDS,
    PATIENCE_SECONDS,
    OwnershipGuard,
)
from visavis.tasks import cancelled, child

pytestmark = pytest.mark.anyio


class Process:
    """A process with its timers, in simulated time."""

    def __init__(self) -> None:
        self.time = 0.0
        self.is_database_away = self.is_cut_off = False
        self.checks = 0
        self.timers: list[FakeTimer] = []
        self.rung: list[str] = []
        self.during_check: Callable[[], None] = lambda: None
        self.guard = OwnershipGuard(
            self.check, lambda: self.is_cut_off, lambda: self.time, self.set_timer
        )

    async def check(self) -> None:
        self.checks += 1
        self.during_check()
        await asyncio.sleep(0)
        if self.is_database_away:
            raise VisavisError(ErrorKind.StoreUnavailable)

    def set_timer(self, seconds: float, ring: Callable[[], None]) -> FakeTimer:
        self.timers.append(FakeTimer(self.time + seconds, ring))
        return self.timers[-1]

    def ring(self, name: str) -> None:
        self.rung.append(name)

    def fire(self) -> None:
        """Fire what is due."""
        due = [timer for timer in self.timers if timer.at <= self.time and not timer.is_cancelled]
        self.timers = [timer for timer in self.timers if timer not in due]
        for timer in due:
            timer.ring()


@pytest.fixture
def process(monkeypatch: pytest.MonkeyPatch) -> Process:
    monkeypatch.setattr(module, "TICK_SECONDS", 0.0)
    monkeypatch.setattr(module, "RETRY_SECONDS", 0.0)
    return Process()


async def pass_steps(number: int = 20) -> None:
    for _ in range(number):
        await asyncio.sleep(0)


async def until(holds: Callable[[], object]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not holds():
            await asyncio.sleep(0)


def test_timers_ring_at_their_time_and_can_be_cancelled(process: Process) -> None:
    process.guard.schedule(1.0, lambda: process.rung.append("one"))
    process.guard.schedule(1.0, lambda: process.rung.append("two")).cancel()
    process.time = 1.0
    process.fire()
    assert process.rung == ["one"]


async def test_after_a_freeze_timers_wait_for_the_check(process: Process) -> None:
    process.guard.schedule(1.0, lambda: process.rung.append("one"))
    process.guard.schedule(1.0, lambda: process.rung.append("two"))
    process.time = FROZEN_SECONDS + 1
    process.is_database_away = True
    process.fire()
    await pass_steps()
    process.time += PATIENCE_SECONDS + 1
    await pass_steps()
    assert process.rung == []
    assert process.guard.is_in_doubt
    process.is_database_away = False
    await until(lambda: process.rung)
    assert process.rung == ["one", "two"]
    assert not process.guard.is_in_doubt


async def test_a_timer_that_waits_can_be_cancelled(process: Process) -> None:
    timer = process.guard.schedule(1.0, lambda: process.rung.append("one"))
    process.time = FROZEN_SECONDS + 1
    process.fire()
    timer.cancel()
    await process.guard.settled()
    await pass_steps()
    assert process.rung == []


async def test_reports_wait_for_the_check_and_keep_their_order(process: Process) -> None:
    report = process.guard.when_settled
    report(lambda: process.rung.append("at once"))
    assert process.rung == ["at once"]
    process.time = FROZEN_SECONDS + 1
    process.is_database_away = True
    report(lambda: process.rung.append("one"))
    report(lambda: process.rung.append("two"))
    process.time += PATIENCE_SECONDS + 1
    await pass_steps()
    assert process.rung == ["at once"]
    process.is_database_away = False
    await until(lambda: len(process.rung) == 3)
    assert process.rung == ["at once", "one", "two"]
    report(lambda: process.rung.append("three"))
    assert process.rung[-1] == "three"


async def test_a_report_that_arrives_during_the_check_is_not_performed_before_the_others(
    process: Process,
) -> None:
    process.time = FROZEN_SECONDS + 1
    process.guard.when_settled(lambda: process.rung.append("one"))
    await until(lambda: process.checks)
    process.guard.when_settled(lambda: process.rung.append("two"))
    await until(lambda: len(process.rung) == 2)
    assert process.rung == ["one", "two"]


async def test_a_report_that_fails_does_not_hold_others_back(process: Process) -> None:
    failures: list[BaseException] = []
    asyncio.get_running_loop().set_exception_handler(
        lambda _, context: failures.append(context["exception"])
    )
    process.time = FROZEN_SECONDS + 1
    process.guard.when_settled(lambda: process.rung.remove("none"))
    process.guard.when_settled(lambda: process.rung.append("one"))
    await until(lambda: process.rung)
    assert process.rung == ["one"]
    assert [type(failure) for failure in failures] == [ValueError]


async def test_a_request_waits_for_a_check_that_began_after_it(process: Process) -> None:
    await process.guard.settled()
    assert process.checks == 0
    process.is_cut_off = True
    async with asyncio.TaskGroup() as group:
        first = group.create_task(process.guard.settled())
        await until(lambda: process.checks)
        others = [group.create_task(process.guard.settled()) for _ in range(3)]
        await first
        assert not any(one.done() for one in others)
    assert process.checks == 2


async def test_a_request_is_refused_if_the_database_stays_away(process: Process) -> None:
    process.is_cut_off = process.is_database_away = True
    waiting = child(process.guard.settled())
    await pass_steps()
    assert not waiting.done()
    process.time = PATIENCE_SECONDS + 1
    with pytest.raises(VisavisError, match="try again") as refused:
        await waiting
    assert refused.value.kind is ErrorKind.StoreUnavailable


async def test_ownership_stays_in_doubt_until_other_nodes_have_heard_this_one(
    process: Process,
) -> None:
    process.is_cut_off = True
    assert process.guard.is_in_doubt
    process.is_cut_off = False
    await process.guard.settled()
    assert process.guard.is_in_doubt
    process.guard.tick()
    process.time = DOUBT_SECONDS
    assert not process.guard.is_in_doubt


async def test_a_freeze_during_the_check_makes_it_worthless(process: Process) -> None:
    process.time = FROZEN_SECONDS + 1

    def freeze() -> None:
        process.time += FROZEN_SECONDS + 1

    process.during_check = freeze
    assert not await process.guard.check()
    assert process.guard.is_in_doubt
    process.during_check = lambda: None
    assert await process.guard.check()
    assert not process.guard.is_in_doubt


async def test_it_checks_regularly_and_after_a_freeze(process: Process) -> None:
    running = child(process.guard.run())
    for seconds in (CHECK_SECONDS, FROZEN_SECONDS + 0.5):
        before = process.checks
        process.time += seconds
        await until(lambda: process.checks > before and not process.guard.is_in_doubt)  # noqa: B023
    await cancelled(running)


async def test_a_check_that_takes_long_is_not_repeated(process: Process) -> None:
    may_end = asyncio.Event()

    async def slow() -> None:
        process.checks += 1
        await may_end.wait()

    process.guard._check = slow
    process.time = CHECK_SECONDS
    running = child(process.guard.run())
    await until(lambda: process.checks)
    process.time += CHECK_SECONDS
    await pass_steps()
    assert process.checks == 1
    may_end.set()
    await until(lambda: process.checks == 2)
    await cancelled(running)


async def test_a_check_that_dies_is_counted_and_repeated(process: Process) -> None:
    process.time = FROZEN_SECONDS + 1
    process.guard.tick()
    with dies_once("check of sites", process.guard, "_check") as has_died:
        running = child(process.guard.run())
        await until(lambda: has_died() and not process.guard.is_in_doubt)
    await cancelled(running)


async def test_a_timer_that_dies_after_its_wait_is_counted(process: Process) -> None:
    for name in ("one", "two"):
        process.guard.schedule(1.0, lambda name=name: process.ring(name))  # type: ignore[misc]
    process.time = FROZEN_SECONDS + 1
    with dies_once("timer that waits", process, "ring") as has_died:
        process.fire()
        await until(lambda: has_died() and process.rung)
    assert process.rung == ["two"]


async def test_reports_whose_wait_dies_are_performed_with_the_next_one(process: Process) -> None:
    process.time = FROZEN_SECONDS + 1
    with dies_once("reports that wait", process.guard, "settled") as has_died:
        process.guard.when_settled(lambda: process.rung.append("one"))
        await until(has_died)
    process.guard.when_settled(lambda: process.rung.append("two"))
    await until(lambda: len(process.rung) == 2)
    assert process.rung == ["one", "two"]
