"""The cluster of the storms: a visitor and an agent meet, and their call is in the library."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.cluster.topology import running
from tests.participants.people import Agent, Visitor, present
from tests.running import PATIENCE, eventually

pytestmark = [pytest.mark.fault, pytest.mark.anyio]


async def test_a_call_is_recorded_in_the_object_store(tmp_path: Path) -> None:
    with running(tmp_path) as topology:
        address = f":{topology.port}/signaling"
        agent = Agent(f"ws://127.0.0.2{address}/agent", topology.add_agent("bo"))
        visitor = Visitor(f"ws://127.0.0.3{address}/visitor?site=1", has_video=False)
        async with present(visitor, agent):
            await asyncio.wait_for(agent.is_on_duty.wait(), PATIENCE)
            await visitor.call("Ann")
            await asyncio.wait_for(visitor.is_connected.wait(), PATIENCE)
            await asyncio.sleep(1)
            await visitor.hang_up()
            await asyncio.wait_for(visitor.is_over.wait(), PATIENCE)
        assert visitor.reason == "hungUp"
        query = f"SELECT state FROM recordings WHERE call_id = '{visitor.known_as}'"
        await asyncio.to_thread(eventually, lambda: topology.query(query) == [("delivered",)])
