"""Simulated time passes at once, and processes can be frozen, thawed and killed."""

from __future__ import annotations

import asyncio

import pytest

from tests.simulation.event_loop import Process, SimulatedLoop


async def count(ticks: list[float]) -> None:
    while True:
        await asyncio.sleep(1.0)
        ticks.append(asyncio.get_running_loop().time())


def test_time_passes_at_once_and_a_frozen_process_catches_up() -> None:
    loop = SimulatedLoop()
    ticks: list[float] = []

    async def run() -> None:
        process = Process("node")
        counting = process.spawn(count(ticks))
        await asyncio.sleep(2.5)
        process.is_frozen = True
        await asyncio.sleep(100.0)
        assert ticks == [1.0, 2.0]
        loop.thaw(process)
        await asyncio.sleep(1.2)
        assert ticks == [1.0, 2.0, 102.5, 103.5]
        counting.cancel()

    with asyncio.Runner(loop_factory=lambda: loop) as runner:
        runner.run(run())
    assert loop.errors == []


def test_a_dead_process_does_nothing_more() -> None:
    loop = SimulatedLoop()
    ticks: list[float] = []

    async def run() -> None:
        process = Process("node")
        counting = process.spawn(count(ticks))
        await asyncio.sleep(1.5)
        process.is_dead = True
        await asyncio.sleep(100.0)
        assert ticks == [1.0]
        loop.thaw(process)  # so that it can be cancelled
        counting.cancel()

    with asyncio.Runner(loop_factory=lambda: loop) as runner:
        runner.run(run())


def test_a_simulation_in_which_nothing_can_happen_any_more_fails() -> None:
    loop = SimulatedLoop()
    with pytest.raises(RuntimeError, match="nothing is left"):
        loop.run_until_complete(loop.create_future())
    loop.close()
