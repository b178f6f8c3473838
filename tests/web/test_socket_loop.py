"""When the server gives up a page that no longer answers, in simulated time."""

from __future__ import annotations

import asyncio

import pytest

from visavis.web.socket_loop import Liveness


async def _seconds_until_gone(*, is_busy: bool) -> float:
    """Simulated seconds of silence after which a page counts as gone."""
    now = 0.0
    asked: list[float] = []

    async def sleep(seconds: float) -> None:
        nonlocal now
        now += seconds

    async def ask() -> None:
        asked.append(now)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("visavis.web.socket_loop.asyncio.sleep", sleep)
        await Liveness(lambda: now, lambda: is_busy).watch(ask)
    assert len(asked) == 1
    return now


def test_silence_is_noticed_within_20_seconds_and_within_6_in_a_call() -> None:
    assert asyncio.run(_seconds_until_gone(is_busy=False)) <= 20
    assert asyncio.run(_seconds_until_gone(is_busy=True)) <= 6


def test_a_page_whose_request_takes_long_is_not_gone() -> None:
    async def talk() -> None:
        now = 0.0

        async def sleep(seconds: float) -> None:
            nonlocal now
            now += seconds
            if now >= 30 and not ended:
                now = 30.0
                ended.append(now)
                performing.__exit__(None, None, None)

        async def ask() -> None:
            asked.append(now)

        asked: list[float] = []
        ended: list[float] = []
        liveness = Liveness(lambda: now, lambda: True)
        performing = liveness.performing()
        performing.__enter__()
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr("visavis.web.socket_loop.asyncio.sleep", sleep)
            await liveness.watch(ask)
        assert asked == [33.0]
        assert now == 36

    asyncio.run(talk())


def test_an_idle_page_is_checked_a_few_times_a_minute() -> None:
    """Each check takes processor time, and a server has many open pages."""
    checks: list[float] = []
    now = 0.0

    async def sleep(seconds: float) -> None:
        nonlocal now
        now += seconds
        checks.append(now)
        if now >= 58:
            raise asyncio.CancelledError

    async def ask() -> None:
        liveness.heard()

    liveness = Liveness(lambda: now, lambda: False)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("visavis.web.socket_loop.asyncio.sleep", sleep)
        with pytest.raises(asyncio.CancelledError):
            asyncio.run(liveness.watch(ask))
    assert len(checks) <= 20
    assert checks[0] <= 3, "a call that begins is checked in time"
