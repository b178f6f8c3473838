"""Background tasks: no end goes unnoticed, and permanent tasks are restarted."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from functools import partial

import pytest
from structlog.testing import capture_logs

from tests.running import PATIENCE
from tests.running import until as wait_until
from visavis import tasks
from visavis.tasks import (
    MONITOR,
    cancelled,
    child,
    describe,
    run_every,
    run_forever,
    run_until_done,
    spawn,
    start_thread,
    watch_event_loop,
)

pytestmark = pytest.mark.anyio

TASK = "a task of the tests"


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(tasks, "FIRST_PAUSE_SECONDS", 0.001)
    monkeypatch.setattr(tasks, "MAX_PAUSE_SECONDS", 0.004)
    monkeypatch.setattr(tasks, "HEALTHY_SECONDS", 0.05)
    MONITOR.failures.pop(TASK, None)
    yield
    MONITOR.failures.pop(TASK, None)
    MONITOR.problems.pop(TASK, None)


until = partial(wait_until, pause=0.001)
"""Here a problem lasts for milliseconds."""


class Work:
    """Work that fails this many times and then succeeds."""

    def __init__(self, failures: int) -> None:
        self.failures = failures
        self.is_done = asyncio.Event()

    async def fail_first(self) -> None:
        if self.failures:
            self.failures -= 1
            raise RuntimeError("no luck\nat all")
        self.is_done.set()

    async def then_go_on(self) -> None:
        await self.fail_first()
        await asyncio.Event().wait()


async def test_a_task_that_misses_a_cancellation_is_cancelled_again(
    monkeypatch: pytest.MonkeyPatch, anyio_backend: str
) -> None:
    monkeypatch.setattr(tasks, "CANCEL_AGAIN_SECONDS", 0.01)
    has_begun = asyncio.Event()

    async def miss_one() -> None:
        has_begun.set()
        with suppress(asyncio.CancelledError):
            await asyncio.Event().wait()
        await asyncio.Event().wait()

    task = asyncio.create_task(miss_one())
    await has_begun.wait()
    async with asyncio.timeout(PATIENCE):
        await cancelled(task)
    assert task.cancelled()


@pytest.fixture
async def running() -> AsyncIterator[list[asyncio.Task[None]]]:
    started: list[asyncio.Task[None]] = []
    yield started
    await cancelled(*started)


async def test_a_task_that_fails_is_restarted_and_is_a_problem_until_it_runs(
    running: list[asyncio.Task[None]],
) -> None:
    work = Work(failures=5)
    with capture_logs() as logs:
        running.append(run_forever(TASK, work.then_go_on))
        await until(lambda: TASK in MONITOR.problems)
        assert MONITOR.problems[TASK] == "no luck"
        await work.is_done.wait()
        await until(lambda: TASK not in MONITOR.problems)
    assert MONITOR.failures[TASK] == 5
    told = [entry["event"] for entry in logs]
    assert told == ["background task failed", "background task recovered"]  # not five stacks


async def test_a_task_that_returns_although_it_should_not_is_restarted(
    running: list[asyncio.Task[None]],
) -> None:
    running.append(run_forever(TASK, Work(failures=0).fail_first))
    await until(lambda: MONITOR.failures[TASK] >= 2)
    assert "returned" in MONITOR.problems[TASK]


async def test_pauses_are_short_again_after_a_healthy_time(
    running: list[asyncio.Task[None]],
) -> None:
    async def live_for_a_while() -> None:
        await asyncio.sleep(0.06)
        raise RuntimeError("old age")

    with capture_logs() as logs:
        running.append(run_forever(TASK, live_for_a_while))
        await until(lambda: MONITOR.failures[TASK] >= 3)
    pauses = [entry["pause"] for entry in logs if "pause" in entry]
    assert pauses == [0.001] * len(pauses)


async def test_regular_work_goes_on_after_failures(running: list[asyncio.Task[None]]) -> None:
    work = Work(failures=3)
    running.append(run_every(TASK, 0.001, work.fail_first))
    await until(lambda: TASK in MONITOR.problems)
    await work.is_done.wait()
    await until(lambda: TASK not in MONITOR.problems)
    assert MONITOR.failures[TASK] == 3


async def test_work_that_has_an_end_is_repeated_until_it_gets_there() -> None:
    await run_until_done(TASK, Work(failures=2).fail_first)
    assert MONITOR.failures[TASK] == 2


async def test_an_error_of_spawned_work_is_told_unless_it_is_expected() -> None:
    for expected, count in ((RuntimeError, 0), ((), 1)):
        task = spawn(TASK, Work(failures=1).fail_first(), expected=expected)
        with pytest.raises(RuntimeError):
            await task
        assert MONITOR.failures[TASK] == count
    assert TASK not in MONITOR.problems
    dropped = spawn(TASK, asyncio.sleep(60))
    await cancelled(dropped)
    assert MONITOR.failures[TASK] == 1


async def test_a_child_is_its_parent_s_affair() -> None:
    with pytest.raises(RuntimeError):
        await child(Work(failures=1).fail_first())


def test_a_thread_that_fails_is_started_again_until_it_returns() -> None:
    lives, is_over = iter(range(3)), threading.Event()

    def run() -> None:
        if next(lives) < 2:
            raise RuntimeError("no luck")
        is_over.set()

    start_thread(TASK, run)
    assert is_over.wait(PATIENCE)
    assert MONITOR.failures[TASK] == 2


async def test_an_error_of_a_callback_is_counted() -> None:
    before = MONITOR.failures["event loop"]
    loop = asyncio.get_running_loop()
    watch_event_loop()
    loop.call_soon(lambda: 1 / 0)
    await until(lambda: MONITOR.failures["event loop"] == before + 1)
    loop.call_exception_handler({"message": "something else"})
    assert MONITOR.failures["event loop"] == before + 2
    loop.set_exception_handler(None)


def test_a_reason_is_one_short_line() -> None:
    assert describe(KeyError()) == "KeyError"
    assert len(describe(ValueError("x" * 1000))) == tasks.MAX_REASON_LENGTH
