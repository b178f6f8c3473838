"""A drained node gives its sites and pages up, unless no other node is ready."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
from structlog.testing import capture_logs

from tests.dying import dies_once
from tests.services.cluster.test_node import Node, connect, take_over, two_nodes, until
from tests.services.site import NOW
from visavis.domain.membership import MemberState
from visavis.protocol.cluster import NodeHeartbeat
from visavis.protocol.wire import encode
from visavis.services.cluster import drain as module
from visavis.services.cluster.drain import AppDrain
from visavis.store.sql import SqlStore
from visavis.tasks import cancelled, child, run_every

pytestmark = pytest.mark.anyio


@pytest.fixture
async def nodes(
    store: SqlStore, monkeypatch: pytest.MonkeyPatch, anyio_backend: str
) -> AsyncIterator[tuple[Node, Node]]:
    async with two_nodes(store, monkeypatch) as both:
        for node in both:
            await store.write(lambda rows, n=node: rows.nodes.save(n.node_id, "", NOW, "machine"))  # type: ignore[misc]
        yield both


def drain_of(node: Node, *, is_alone: bool = False) -> AppDrain:
    return AppDrain(
        store=node.store,
        members=node.members,
        edge=node.edge,
        cluster=None if is_alone else node.cluster,
        calls=lambda: node.calls.count,
    )


def state(node: Node) -> MemberState:
    return node.members.state


def is_leaving(node: Node) -> bool:
    return node.cluster._heartbeats.is_leaving


async def set_drained(node: Node, *, is_drained: bool) -> None:
    await node.store.write(lambda rows: rows.nodes.set_drained(node.node_id, is_drained=is_drained))


async def test_a_drained_node_gives_its_sites_and_pages_up(nodes: tuple[Node, Node]) -> None:
    first, second = nodes
    drain = drain_of(first)
    await connect(second, first)
    await drain.follow()
    assert (drain.why_not_ready(), state(first)) == ("", MemberState.READY)

    await set_drained(first, is_drained=True)
    await first.edge.arrive("idle", 1)
    pages = [child(first.edge.until_moved(page, 1)) for page in first.edge.page_ids]
    assert len(pages) == 2
    for _ in pages:  # a page at a time
        await drain.follow()
    for page in pages:
        await page
    assert drain.why_not_ready() == "the node is drained: 2 pages and 1 calls are left"
    assert state(first) is MemberState.DRAINING
    assert is_leaving(first)
    await first.edge.until_moved("idle", 1)  # it need not wait

    await take_over(first, second)
    await first.cluster._guard.check()
    for socket_id in first.edge.page_ids:
        first.edge._remove(socket_id)
    await drain.follow()
    assert state(first) is MemberState.DRAINED
    assert second.calls.count == 1

    await set_drained(first, is_drained=False)
    await drain.follow()
    assert (drain.why_not_ready(), state(first)) == ("", MemberState.READY)
    assert not is_leaving(first)
    first.edge.send_on("idle")  # it has left


async def test_the_app_processes_of_a_node_are_drained_together(
    store: SqlStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with two_nodes(store, monkeypatch, ("a", "a:1")) as (first, second):
        await store.write(lambda rows: rows.nodes.save("a", "", NOW, "machine"))
        drains = [drain_of(node) for node in (first, second)]
        await store.write(lambda rows: rows.nodes.set_drained("a", is_drained=True))
        for drain, node in zip(drains, (first, second), strict=True):
            await drain.follow()
            assert not is_leaving(node)  # the other process is no other node
        third = NodeHeartbeat("b")
        for drain, node in zip(drains, (first, second), strict=True):
            node.cluster._heartbeats.receive(encode(third))
            elsewhere = replace(node.members.me, node_id="b")
            node.members.observe([first.members.me, second.members.me, elsewhere])
            await drain.follow()
            assert is_leaving(node)


async def test_the_last_node_that_is_ready_goes_on(nodes: tuple[Node, Node]) -> None:
    first, _ = nodes
    drain = drain_of(first)
    await connect(first, first)
    await set_drained(first, is_drained=True)
    await drain.follow()
    assert state(first) is MemberState.DRAINING
    first.cluster._heartbeats._silent_seconds.clear()  # the other one has been killed
    for _ in range(2):
        await drain.follow()
        assert (drain.why_not_ready(), state(first)) == ("", MemberState.READY)
    assert not is_leaving(first)


async def test_a_node_that_is_drained_as_the_only_one_waits_for_another(
    nodes: tuple[Node, Node],
) -> None:
    first, second = nodes
    drain = drain_of(first)
    first.cluster._heartbeats._silent_seconds.clear()
    await set_drained(first, is_drained=True)
    with capture_logs() as logs:
        for _ in range(2):
            await drain.follow()
    assert [line["log_level"] for line in logs] == ["warning"]  # it is told once
    assert (drain.why_not_ready(), state(first)) == ("", MemberState.READY)
    first.cluster._heartbeats.receive(encode(NodeHeartbeat(second.node_id)))
    await drain.follow()
    assert is_leaving(first)


async def test_without_a_bus_calls_stay_until_they_end(nodes: tuple[Node, Node]) -> None:
    first, _ = nodes
    drain = drain_of(first, is_alone=True)
    await connect(first, first)
    await set_drained(first, is_drained=True)
    await drain.follow()
    assert state(first) is MemberState.DRAINING
    assert not is_leaving(first)
    await set_drained(first, is_drained=False)
    await drain.follow()
    assert state(first) is MemberState.READY


async def test_a_look_that_dies_is_repeated(
    nodes: tuple[Node, Node], monkeypatch: pytest.MonkeyPatch
) -> None:
    first, _ = nodes
    drain = drain_of(first)
    await set_drained(first, is_drained=True)
    monkeypatch.setattr("visavis.tasks.FIRST_PAUSE_SECONDS", 0.0)
    with dies_once("drain", drain, "follow") as has_died:
        task = run_every("drain", module.FOLLOW_SECONDS / 100, lambda: drain.follow())
        await until(lambda: has_died() and drain.is_leaving)
        await cancelled(task)
