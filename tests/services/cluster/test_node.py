"""Two nodes of a cluster with their calls, over one database and one bus."""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest

from tests.dying import dies_once
from tests.legs import LEGS
from tests.running import PATIENCE
from tests.services.calls.simulated_site import (
    ANSWER,
    OFFER,
    FakeMediaPlane,
    agent_session,
    create_sites,
)
from tests.services.site import NOW
from visavis import tasks
from visavis.bus.local import LocalBus
from visavis.domain.config import Config
from visavis.domain.leg import AGENT_LEG, VISITOR_LEG, BridgeId, BridgeStatus
from visavis.domain.membership import Member, MemberLoad, MemberState
from visavis.domain.ownership import SiteOwner, SiteTerm, candidates
from visavis.domain.people import Visitor
from visavis.domain.policy import RecordingPolicy
from visavis.domain.site_settings import SiteSettings
from visavis.protocol import signaling
from visavis.protocol.cluster import NodeHeartbeat
from visavis.protocol.wire import encode
from visavis.services.calls import Calls
from visavis.services.cluster import edge as edge_module
from visavis.services.cluster import node as module
from visavis.services.cluster.heartbeats import HEARTBEAT_SECONDS, SETTLE_SECONDS
from visavis.services.cluster.node import ClusterNode
from visavis.services.members import Members
from visavis.services.ports import Transaction
from visavis.store.sql import SqlStore
from visavis.tasks import cancelled, child

pytestmark = pytest.mark.anyio

SITE = 1


class SharedBus(LocalBus):
    """One bus for all nodes of a test."""

    is_connected = True


class Node:
    """A node with its calls and its pages; `boots` counts the starts of all nodes."""

    boots = 0

    def __init__(self, node_id: str, store: SqlStore, bus: SharedBus) -> None:
        Node.boots += 1
        self.node_id, self.time, self.store = node_id, 0.0, store
        self.media = FakeMediaPlane()
        self.told: list[int] = []
        self.cluster = ClusterNode(bus, node_id, self.new_id, lambda: self.time)
        self.calls = Calls(
            settings_of=self._settings_of,
            store=store,
            bus=bus,
            media=self.media,
            clock=lambda: NOW,
            new_id=self.new_id,
            node_id=node_id,
            boot=f"boot{Node.boots}",
            announce=self._tell,
            schedule=self.cluster.schedule,
            cluster="visavis",
            on_lost=self.cluster.site_lost,
        )
        me = Member(node_id, f"boot{Node.boots}", NOW, "1.0", "machine", "http://node", ("app",))
        self.members = Members(me, MemberLoad, lambda: self.time)
        self.edge = self.cluster.connect(
            calls=self.calls,
            store=store,
            members=self.members,
            staffing_changed=self._tell,
            has_site=self._has_site,
        )
        self.ids = 0
        self.tasks: list[asyncio.Task[None]] = []

    def new_id(self) -> str:
        self.ids = getattr(self, "ids", 0) + 1
        return f"{self.node_id}{Node.boots}x{self.ids}"

    async def _settings_of(self, site_id: int) -> SiteSettings:
        config = Config(site_id, is_enabled=True, is_recording=True)
        return SiteSettings(config, RecordingPolicy(site_id))

    async def _has_site(self, _: int) -> bool:
        return True

    async def _tell(self, site_id: int) -> None:
        self.told.append(site_id)

    async def see(self, others: list[Node], alive: list[Node]) -> None:
        """Hear the other nodes for long enough, and see the beats of those alive."""
        for _ in range(round(SETTLE_SECONDS / HEARTBEAT_SECONDS)):
            self.time += HEARTBEAT_SECONDS
            for other in others:
                self.cluster._heartbeats.receive(encode(NodeHeartbeat(other.node_id)))
            await self.cluster._heartbeats.send()
        self.members.observe([node.members.me for node in alive])


@pytest.fixture
async def nodes(
    store: SqlStore, monkeypatch: pytest.MonkeyPatch, anyio_backend: str
) -> AsyncIterator[tuple[Node, Node]]:
    async with two_nodes(store, monkeypatch) as both:
        yield both


@asynccontextmanager
async def two_nodes(
    store: SqlStore, monkeypatch: pytest.MonkeyPatch, names: tuple[str, str] = ("a", "b")
) -> AsyncIterator[tuple[Node, Node]]:
    """Run two nodes, of which the first one is the first candidate for the site."""
    monkeypatch.setattr(edge_module, "PAUSE_SECONDS", 0.01)
    monkeypatch.setattr(edge_module, "SEARCH_PAUSE_SECONDS", 0.01)
    await store.write(create_sites)
    bus = SharedBus()
    both = [Node(name, store, bus) for name in names]
    members = [node.members.me for node in both]
    both.sort(key=lambda node: candidates(SITE, members).index(node.node_id))
    for node in both:
        await node.see(both, both)
        node.tasks = node.cluster.serve()
    yield both[0], both[1]
    for node in both:
        await cancelled(*node.tasks)
        await node.calls.shut_down()


def owner(rows: Transaction) -> SiteOwner | None:
    return rows.site_owners.get("visavis", SITE)


async def until(holds: Callable[[], Any]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not holds():
            await asyncio.sleep(0.01)


async def connect(visitor_at: Node, agent_at: Node) -> str:
    """Connect a visitor and an agent, at these nodes; return the call's id."""
    agent = agent_session("b-agent")
    await agent_at.edge.arrive(agent.socket_id, SITE)
    await agent_at.edge.welcome(agent)
    agent_at.edge.agent_arrived(agent)
    await agent_at.edge.wait_idle()
    visitor = Visitor("a-visitor", SITE)
    await visitor_at.edge.arrive(visitor.id, SITE)
    await visitor_at.edge.from_visitor(visitor, signaling.PlaceCall("video", OFFER, "Ann"))
    owning = next(node for node in (visitor_at, agent_at) if node.calls.count)
    (call_id,) = owning.calls.site(SITE).calls
    await agent_at.edge.from_agent(agent, signaling.Accept(call_id))
    await agent_at.edge.from_agent(agent, signaling.Answer(call_id, 1, ANSWER))
    await owning.calls.wait_idle()
    return call_id


async def test_a_call_between_two_nodes_is_at_the_owner(nodes: tuple[Node, Node]) -> None:
    first, second = nodes
    call_id = await connect(second, first)
    assert (first.calls.count, second.calls.count) == (1, 0)
    assert first.edge.is_in_call("b-agent")
    await second.edge.show_life()
    assert second.edge.is_in_call("a-visitor")
    assert second.edge.is_staffed(SITE)
    await second.edge.end(SITE, call_id)
    assert first.calls.count == 0


async def take_over(first: Node, second: Node) -> None:
    """The first node falls silent, and the second takes its site."""
    await first.calls.call_log.flush()
    await cancelled(*first.tasks)
    second.cluster._heartbeats._silent_seconds.clear()
    second.members.observe([second.members.me])
    second.cluster._owners.forget(SITE)
    assert await second.cluster._owners.owner_of(SITE) == second.node_id


async def test_the_other_node_continues_the_calls_of_a_silent_one(
    nodes: tuple[Node, Node],
) -> None:
    first, second = nodes
    call_id = await connect(second, first)
    recording = first.calls.site(SITE).calls[call_id].record.recording_id
    await take_over(first, second)
    call = second.calls.site(SITE).calls[call_id]
    assert call.record.recording_id not in {None, recording}
    assert second.calls.is_staffed(SITE)
    moved = second.edge.until_moved("a-visitor", SITE)
    await second.edge.show_life()
    await asyncio.wait_for(moved, PATIENCE)
    await second.calls.call_log.flush()

    found = await second.store.read(owner)
    assert found
    assert (found.node_id, found.term) == (second.node_id, 2)
    rows = await second.store.read(lambda rows: rows.live_calls.list_by_node(second.node_id))
    assert [row.call_id for row in rows] == [call_id]
    assert not await second.store.read(lambda rows: rows.live_calls.list_by_node(first.node_id))


async def test_the_calls_keep_their_bridges_at_media_nodes(nodes: tuple[Node, Node]) -> None:
    first, second = nodes
    call_id = await connect(second, first)
    recording = first.calls.site(SITE).calls[call_id].record.recording_id
    bridge = BridgeId(call_id, 1)
    second.media.is_shared = True
    second.media.carried = [BridgeStatus(bridge, frozenset(LEGS), has_journal=True)]
    heard = second.calls.media_events

    async def lose_a_leg() -> None:
        """The worker reports to the new owner before that knows the call."""
        await heard.leg_down(bridge, VISITOR_LEG, "closed")

    second.media.on_claim = lose_a_leg
    await take_over(first, second)
    call = second.calls.site(SITE).calls[call_id]
    await second.calls.wait_idle()
    assert call.record.recording_id == recording
    assert second.media.asked == []
    assert call.bridges[1].up == {AGENT_LEG}
    await second.calls.media_events.leg_up(bridge, VISITOR_LEG)
    assert call.bridges[1].up == set(LEGS)


async def test_bridges_of_a_media_node_that_is_away_are_replaced(
    nodes: tuple[Node, Node],
) -> None:
    first, second = nodes
    call_id = await connect(second, first)
    recording = first.calls.site(SITE).calls[call_id].record.recording_id
    second.media.is_shared = True
    await take_over(first, second)
    call = second.calls.site(SITE).calls[call_id]
    assert (list(call.bridges), call.record.recording_id) == ([2], recording)


async def test_the_former_owner_gives_up_when_it_wakes_up(nodes: tuple[Node, Node]) -> None:
    first, second = nodes
    await connect(second, first)
    await take_over(first, second)
    await first.cluster._guard.check()
    assert first.calls.count == 0
    await asyncio.wait_for(first.edge.until_moved("b-agent", SITE), PATIENCE)
    first.edge.agent_left(agent_session("b-agent"))
    assert first.cluster._owner._nodes[second.node_id].sockets == {}
    assert first.calls.ownership.lost == {SITE}


async def test_a_process_that_a_media_worker_has_refused_gives_its_site_up(
    nodes: tuple[Node, Node], monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = nodes
    bridge = BridgeId(await connect(second, first), 1)
    assert first.calls.term_of(bridge) == SiteTerm(SITE, 1)
    await take_over(first, second)
    assert second.calls.term_of(bridge) == SiteTerm(SITE, 2)
    check, answers = first.cluster._guard.check, [False, True]

    async def try_to_check() -> bool:
        return answers.pop(0) and await check()

    monkeypatch.setattr(first.cluster._guard, "check", try_to_check)
    await first.cluster.check_sites()
    assert first.calls.term_of(bridge) is None
    assert first.calls.ownership.term_of(SITE) is None


async def test_one_that_was_slower_takes_nothing(nodes: tuple[Node, Node]) -> None:
    first, second = nodes
    await first.edge.arrive("a-visitor", SITE)
    assert await second.calls.take(SITE, None) == 0
    assert second.calls.ownership.owned_count == 0


async def test_a_restarted_node_restores_its_own_sites_only(
    nodes: tuple[Node, Node], store: SqlStore
) -> None:
    first, second = nodes
    call_id = await connect(second, first)
    await second.calls.take(2, None)
    await first.calls.call_log.flush()
    again = Node(first.node_id, store, SharedBus())
    await again.calls.restore()
    again.calls.resume(())
    assert set(again.calls.ownership.sites) == {SITE}
    assert list(again.calls.site(SITE).calls) == [call_id]
    await again.calls.shut_down()


async def test_a_node_that_stops_waits_until_its_calls_have_been_taken(
    nodes: tuple[Node, Node],
) -> None:
    first, second = nodes
    await connect(second, first)
    assert await first.cluster.find_successors(0.0)
    first.members.drain()
    first.cluster.leave()
    await first.calls.hand_over(0.0)
    assert first.calls.count == 1  # nobody was there to take it
    assert first.cluster._guard.is_in_doubt
    waiting = child(first.calls.hand_over(PATIENCE))
    await asyncio.sleep(0)
    assert not waiting.done()
    await take_over(first, second)
    assert not await second.cluster.find_successors(0.0)
    await first.cluster._guard.check()
    await waiting
    assert first.calls.count == 0
    assert second.calls.count == 1


async def test_a_node_that_stops_waits_for_one_that_has_just_been_started(
    nodes: tuple[Node, Node],
) -> None:
    first, second = nodes
    first.cluster._heartbeats._silent_seconds.clear()
    searching = child(first.cluster.find_successors(PATIENCE))
    await asyncio.sleep(0)
    assert not searching.done()
    first.cluster._heartbeats.receive(encode(NodeHeartbeat(second.node_id)))
    assert await searching

    first.cluster._heartbeats._silent_seconds.clear()
    searching = child(first.cluster.find_successors(PATIENCE))
    await asyncio.sleep(0)
    first.time += PATIENCE
    assert not await searching


async def test_a_node_that_is_alone_waits_for_nobody(nodes: tuple[Node, Node]) -> None:
    first, second = nodes
    stopped = replace(second.members.me, state=MemberState.STOPPED)
    first.members.observe([first.members.me, stopped])
    assert not await first.cluster.find_successors(math.inf)


async def test_another_app_process_of_the_same_node_is_no_successor(
    store: SqlStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with two_nodes(store, monkeypatch, ("a", "a:1")) as both:
        for node in both:
            assert not await node.cluster.find_successors(math.inf)


async def test_a_process_waits_for_the_others_of_its_node_while_it_has_pages(
    store: SqlStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with two_nodes(store, monkeypatch, ("a", "a:1")) as (first, second):
        await first.cluster.wait_for_ends(math.inf)
        await connect(second, first)
        waiting = child(second.cluster.wait_for_ends(math.inf))
        await second.cluster.wait_for_ends(0.0)
        await asyncio.sleep(0)
        assert not waiting.done()
        left = NodeHeartbeat(first.node_id, is_leaving=True)
        second.cluster._heartbeats.receive(encode(left))
        await asyncio.wait_for(waiting, PATIENCE)


async def test_a_process_does_not_wait_for_other_nodes(nodes: tuple[Node, Node]) -> None:
    first, second = nodes
    await connect(second, first)
    await second.cluster.wait_for_ends(math.inf)


async def test_a_process_that_leaves_says_so(nodes: tuple[Node, Node]) -> None:
    first, second = nodes
    running = [*first.cluster.start(), *second.cluster.start()]
    await until(lambda: first.node_id in second.cluster._heartbeats.heard)
    await until(lambda: len(first.cluster._bus._topics) > 0)  # type: ignore[attr-defined]
    running[0].cancel()
    await asyncio.sleep(0)
    first.cluster.leave()
    await until(lambda: first.node_id not in second.cluster._heartbeats.heard)
    await cancelled(*running)


async def test_a_process_is_heard_before_it_takes_its_sites(nodes: tuple[Node, Node]) -> None:
    first, second = nodes
    bus: Any = first.cluster._bus
    bus.is_connected = False
    following = child(second.cluster._heartbeats.follow())
    second.cluster._heartbeats._silent_seconds.clear()
    announcing = child(first.cluster.announce())
    await asyncio.sleep(0)
    assert not announcing.done()
    bus.is_connected = True
    await announcing
    await until(lambda: first.node_id in second.cluster._heartbeats.heard)
    bus.is_connected = False
    announcing = child(first.cluster.announce())
    await asyncio.sleep(0)
    first.time += module.ANNOUNCE_SECONDS
    await announcing  # the bus stays away
    await cancelled(following)


DYING: dict[str, Callable[[ClusterNode], Any]] = {
    "heartbeats": lambda one: dies_once("heartbeats", one._heartbeats, "send"),
    "others": lambda one: dies_once("heartbeats of other nodes", one._heartbeats, "follow"),
    "check": lambda one: dies_once("sites of this node", one._guard, "run"),
    "owner": lambda one: dies_once("requests of other nodes", one._owner, "run"),
    "edge": lambda one: dies_once("sites of other nodes", one._edge, "run"),
}


@pytest.mark.parametrize("task", DYING)
async def test_a_task_that_dies_is_started_again(
    nodes: tuple[Node, Node], monkeypatch: pytest.MonkeyPatch, task: str
) -> None:
    monkeypatch.setattr(tasks, "FIRST_PAUSE_SECONDS", 0.01)
    cluster = nodes[0].cluster
    await cancelled(*nodes[0].tasks)
    before = sum(tasks.MONITOR.failures.values())
    with DYING[task](cluster) as has_died:
        running = [*cluster.start(), *cluster.serve()]
        await until(has_died)
        await until(lambda: sum(tasks.MONITOR.failures.values()) > before)
    await cancelled(*running)
