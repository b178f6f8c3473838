"""A node knows which other nodes it hears."""

from __future__ import annotations

import asyncio

import pytest

from visavis.bus.local import MAX_WAITING, LocalBus
from visavis.protocol.cluster import NodeHeartbeat
from visavis.protocol.wire import encode
from visavis.services.cluster.heartbeats import (
    HEARTBEAT_SECONDS,
    LATE_SECONDS,
    SETTLE_SECONDS,
    SILENCE_SECONDS,
    Heartbeats,
)
from visavis.services.topics import NODES_TOPIC
from visavis.tasks import cancelled, child

pytestmark = pytest.mark.anyio


class Node:
    """Heartbeats of one node, in simulated time."""

    def __init__(self, bus: LocalBus, node_id: str) -> None:
        self.node_id, self.time, self.is_connected = node_id, 0.0, True
        self.heartbeats = Heartbeats(
            bus=bus,
            node_id=node_id,
            is_connected=lambda: self.is_connected,
            elapsed=lambda: self.time,
        )

    @property
    def heard(self) -> str:
        return "".join(sorted(self.heartbeats.heard))

    async def settle(self) -> None:
        """Be connected for long enough."""
        for _ in range(round(SETTLE_SECONDS / HEARTBEAT_SECONDS)):
            assert self.node_id not in self.heard
            await self.pass_time(HEARTBEAT_SECONDS)

    async def pass_time(self, seconds: float) -> None:
        self.time += seconds
        await self.heartbeats.send()


async def test_nodes_hear_each_other_until_one_is_silent_or_leaves() -> None:
    bus = LocalBus()
    a, b, c = (Node(bus, name) for name in "abc")
    followers = [child(node.heartbeats.follow()) for node in (a, b, c)]
    await asyncio.sleep(0)
    for node in (a, b, c):
        await node.settle()
    while {a.heard, b.heard, c.heard} != {"abc"}:
        await asyncio.sleep(0)
    c.heartbeats.leave()
    while {a.heard, b.heard} != {"ab"}:
        await asyncio.sleep(0)
    await cancelled(*followers)
    for _ in range(round(SILENCE_SECONDS / HEARTBEAT_SECONDS)):
        assert a.heard == "ab"
        await a.pass_time(HEARTBEAT_SECONDS)
    assert a.heard == "a"


async def test_a_node_without_a_connection_does_not_hear_itself() -> None:
    node = Node(LocalBus(), "a")
    await node.settle()
    assert node.heard == "a"
    node.is_connected = False
    assert node.heard == ""
    await node.pass_time(HEARTBEAT_SECONDS)
    node.is_connected = True
    await node.settle()  # it has not heard the others yet
    assert node.heard == "a"


async def test_a_node_that_was_frozen_does_not_consider_the_others_silent() -> None:
    node = Node(LocalBus(), "a")
    await node.settle()
    node.heartbeats.receive(encode(NodeHeartbeat("b")))
    await node.pass_time(60.0)
    assert node.heard == "ab"


async def test_a_node_that_has_missed_heartbeats_hears_the_next_ones() -> None:
    bus = LocalBus()
    node = Node(bus, "a")
    await node.settle()
    follower = child(node.heartbeats.follow())
    await asyncio.sleep(0)
    for _ in range(MAX_WAITING + 1):
        bus.publish(NODES_TOPIC, NodeHeartbeat("b"))
    while node.heard != "ab":
        bus.publish(NODES_TOPIC, NodeHeartbeat("b"))
        await asyncio.sleep(0)
    await cancelled(follower)


async def test_a_node_that_is_late_is_still_heard() -> None:
    node = Node(LocalBus(), "a")
    await node.settle()
    node.heartbeats.receive(encode(NodeHeartbeat("b")))
    for _ in range(round(LATE_SECONDS / HEARTBEAT_SECONDS)):
        assert node.heartbeats.heard_lately == {"a", "b"}
        await node.pass_time(HEARTBEAT_SECONDS)
    assert node.heartbeats.heard_lately == {"a"}
    assert node.heard == "ab"


async def test_a_node_that_leaves_is_not_heard_again() -> None:
    bus = LocalBus()
    node, other = Node(bus, "a"), Node(bus, "b")
    following = child(other.heartbeats.follow())
    await asyncio.sleep(0)
    await node.settle()
    while "a" not in other.heard:
        await asyncio.sleep(0)
    node.heartbeats.leave()
    await node.pass_time(HEARTBEAT_SECONDS)
    while "a" in other.heard:
        await asyncio.sleep(0)
    for _ in range(5):
        await asyncio.sleep(0)
    assert "a" not in other.heard
    await cancelled(following)
