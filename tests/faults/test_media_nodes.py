"""Two app nodes and two media nodes: calls go on, and are recorded, when a node dies."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any, Final

import psycopg
import pytest

from tests import http_clients
from tests.nats_servers import NatsServers
from tests.participants.people import present
from tests.participants.resuming import KnownAgent, KnownVisitor, Pages, agent_tokens
from tests.postgresql import Cluster
from tests.running import (
    PATIENCE,
    System,
    administer,
    children,
    eventually,
    free_port,
    until,
)

pytestmark = [pytest.mark.fault, pytest.mark.media, pytest.mark.anyio]

TALK_SECONDS: Final = 3.0


class MediaCluster:
    """Two nodes with an app, and media nodes, on one PostgreSQL and one NATS server."""

    def __init__(self, directory: Path, address: str, servers: NatsServers) -> None:
        self.address = address
        self.metrics_ports = free_port(), free_port()
        environment = {**os.environ, "VISAVIS_BUS": servers.url}
        database = ("--database", address)
        self.app, self.other = (
            System(directory / name, *database, "--roles", "app", environment=environment)
            for name in ("app", "other")
        )
        shared = ("--public-url", self.app.url, "--media-host", "127.0.0.1")
        self.media = [
            System(
                directory / name,
                *database,
                *shared,
                *("--roles", "media,recorder", "--recorder-address", "127.0.0.1:0"),
                *("--metrics-address", f"127.0.0.1:{port}"),
                environment=environment,
            )
            for name, port in zip(("one", "two"), self.metrics_ports, strict=True)
        ]

    def start(self) -> None:
        for node in (*self.media, self.app, self.other):
            node.start()
        self.app.configure(on=True, recording=True)

    def stop(self) -> None:
        for node in (self.app, self.other, *self.media):
            node.stop()

    def owner(self) -> System:
        """Return the app node that owns the site."""
        query = "SELECT node_id FROM site_owners WHERE site_id = 1"
        with psycopg.connect(self.address) as connection:
            found = connection.execute(query).fetchone()
        assert found
        return self.other if found[0] == (self.other.data / "node").read_text() else self.app

    def carrier(self, page: KnownVisitor) -> System:
        """Return the media node to which a page sends its newest bridge's packets."""
        port = page.peers[max(page.peers)]._remote[1]
        return next(node for node in self.media if node.media_port == port)


@pytest.fixture(scope="module")
def nodes(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[MediaCluster]:
    servers = NatsServers(1).start()
    directory = tmp_path_factory.mktemp("media-nodes")
    running = MediaCluster(directory, cluster.new_database(), servers)
    try:
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("VISAVIS_DATABASE", running.address)  # for the commands of the tests
            running.start()
            yield running
            running.stop()
    finally:
        servers.stop()


@pytest.fixture(scope="module")
def tokens(nodes: MediaCluster) -> dict[str, str]:
    return agent_tokens(nodes.app, "bo")


@pytest.fixture
async def office(
    nodes: MediaCluster, tokens: dict[str, str], anyio_backend: str
) -> AsyncIterator[Pages]:
    opened = Pages(nodes.app, tokens)
    async with present(*opened.people):
        yield opened


async def connected(office: Pages) -> tuple[KnownVisitor, KnownAgent]:
    agent = office.agent("bo")
    await agent.is_on_duty.wait()
    visitor = office.visitor()
    await visitor.call("Ann")
    for page in (visitor, agent):
        await asyncio.wait_for(page.is_connected.wait(), PATIENCE)
    await until(lambda: page_receives(visitor) and page_receives(agent))
    return visitor, agent


def page_receives(page: KnownVisitor | KnownAgent) -> bool:
    return page.received > 20


def kill_machine(node: System) -> None:
    """Kill all processes of a node at once, as the loss of its machine does."""
    pids = [node.pid, *children(node.pid)]
    os.kill(node.pid, signal.SIGSTOP)  # it starts nothing again
    for pid in reversed(pids):
        os.kill(pid, signal.SIGKILL)
    node.kill()


def test_the_nodes_and_their_roles(nodes: MediaCluster) -> None:
    printed = administer("nodes", "--database", nodes.address, "--json")
    roles = sorted(tuple(node["roles"]) for node in json.loads(printed))
    assert roles == [("app", "archive")] * 2 + [("media", "recorder")] * 2
    eventually(lambda: http_clients.get(f"{nodes.app.url}/readyz").status_code == 200)


async def test_a_node_that_is_stopped_loses_no_packet(nodes: MediaCluster, office: Pages) -> None:
    visitor, agent = await connected(office)
    first = nodes.carrier(visitor)
    peers = [*visitor.peers.values(), *agent.peers.values()]
    stopping = asyncio.create_task(asyncio.to_thread(first.stop))
    await until(lambda: len(visitor.peers) == len(agent.peers) == 1 and max(visitor.peers) == 2)
    for peer in peers:  # each had all packets until the new bridge carried media
        assert [one.longest_gap for one in peer.receptions.values() if one.longest_gap] == []
    assert nodes.carrier(visitor) is not first
    await stopping
    # before it ended, the node that has the call now has collected its journals
    node_id = (first.data / "node").read_text()

    def recording() -> dict[str, Any]:
        listed = nodes.app.ask("/v4/livechat/recordings")["recordings"]
        return dict(next(one for one in listed if one["callId"] == visitor.known_as))

    assert node_id not in {one["id"] for one in recording()["nodes"]}
    assert visitor.state == agent.state == "connected"
    assert "reconnecting" not in {m["state"] for m in visitor.told if m["type"] == "callState"}
    before = visitor.received
    await until(lambda: visitor.received > before and page_receives(agent))
    await visitor.hang_up()
    await asyncio.wait_for(agent.is_over.wait(), PATIENCE)
    assert agent.reason == "hungUp"
    await asyncio.to_thread(eventually, lambda: recording()["state"] == "delivered")
    await asyncio.to_thread(first.start)
    await asyncio.to_thread(eventually, lambda: not first.undelivered())


async def test_a_node_that_is_drained_loses_no_packet(nodes: MediaCluster, office: Pages) -> None:
    visitor, agent = await connected(office)
    first = nodes.carrier(visitor)
    node_id = (first.data / "node").read_text()

    def state() -> str:
        printed = administer("nodes", "--database", nodes.address, "--json")
        return str(next(node["state"] for node in json.loads(printed) if node["id"] == node_id))

    peers = [*visitor.peers.values(), *agent.peers.values()]
    await asyncio.to_thread(administer, "nodes", "drain", "--database", nodes.address, node_id)
    await until(lambda: len(visitor.peers) == len(agent.peers) == 1 and max(visitor.peers) == 2)
    for peer in peers:
        assert [one.longest_gap for one in peer.receptions.values() if one.longest_gap] == []
    assert nodes.carrier(visitor) is not first
    await visitor.hang_up()
    await asyncio.wait_for(agent.is_over.wait(), PATIENCE)
    await asyncio.to_thread(eventually, lambda: state() == "drained")
    await asyncio.to_thread(first.stop)
    assert await asyncio.to_thread(state) == "stopped"
    await asyncio.to_thread(first.start)
    await asyncio.to_thread(eventually, lambda: state() == "drained")
    await asyncio.to_thread(administer, "nodes", "undrain", "--database", nodes.address, node_id)
    await asyncio.to_thread(eventually, lambda: state() == "ready")


async def test_a_call_outlives_its_app_and_its_media_node(
    nodes: MediaCluster, office: Pages
) -> None:
    visitor, agent = await connected(office)
    assert visitor.recording == "on"
    first = nodes.carrier(visitor)
    second = next(node for node in nodes.media if node is not first)

    before = visitor.received
    await office.kill_app()
    await until(lambda: all(page.waits and not page._lost_at for page in (visitor, agent)))
    assert len(visitor.peers) == 1
    assert visitor.longest_gap == agent.longest_gap == 0
    await until(lambda: visitor.received > before)

    loop = asyncio.get_running_loop()
    await asyncio.sleep(TALK_SECONDS)
    killed_at = loop.time()
    await asyncio.to_thread(kill_machine, first)
    await until(lambda: max(visitor.peers, default=0) > 1)
    print(f"noticed after {loop.time() - killed_at:.2f} s")
    await until(lambda: visitor.state == "connected" and page_receives(visitor))
    await until(lambda: page_receives(agent) and len(visitor.peers) == 1)
    print(f"rebuilt after {loop.time() - killed_at:.2f} s")
    assert nodes.carrier(visitor) is second
    await asyncio.sleep(TALK_SECONDS)
    await visitor.hang_up()
    await asyncio.wait_for(agent.is_over.wait(), PATIENCE)
    assert agent.reason == "hungUp"

    # what the dead node has of the recording is known, and delivered when it is back
    def recording() -> dict[str, Any]:
        listed = nodes.app.ask("/v4/livechat/recordings")["recordings"]
        return dict(next(one for one in listed if one["callId"] == visitor.known_as))

    await asyncio.to_thread(eventually, lambda: len(recording()["nodes"]) == 2)
    await asyncio.to_thread(eventually, lambda: recording()["nodes"][0]["isSilent"])
    assert recording()["state"] == "waiting"
    await asyncio.to_thread(first.start)
    await asyncio.to_thread(eventually, lambda: recording()["state"] == "delivered")
    await asyncio.to_thread(eventually, lambda: not first.undelivered() + second.undelivered())
    # the journals of both nodes are one file
    assert recording()["duration"] > 2 * TALK_SECONDS
    assert not recording()["missingMedia"]


async def test_another_app_node_continues_a_call_with_its_bridge(
    nodes: MediaCluster, tokens: dict[str, str], anyio_backend: str
) -> None:
    """The owner's whole machine dies: media and recording go on as if nothing had happened."""
    owner = await asyncio.to_thread(nodes.owner)
    successor = nodes.app if owner is nodes.other else nodes.other
    pages = Pages(successor, tokens)
    async with present(*pages.people):
        visitor, agent = await connected(pages)
        assert visitor.recording == "on"
        for page in (visitor, agent):
            page.lose()
        await asyncio.to_thread(kill_machine, owner)
        await until(lambda: all(page.waits for page in (visitor, agent)))
        print(f"resumed after {[round(page.waits[-1], 2) for page in (visitor, agent)]} s")
        assert await asyncio.to_thread(nodes.owner) is successor
        before = visitor.received, agent.received
        await until(lambda: visitor.received > before[0] + 50 and agent.received > before[1] + 50)
        assert list(visitor.peers) == list(agent.peers) == [1]
        assert visitor.longest_gap == agent.longest_gap == 0
        await visitor.hang_up()
        await asyncio.wait_for(agent.is_over.wait(), PATIENCE)
    assert agent.reason == "hungUp"

    def recordings() -> list[dict[str, Any]]:
        listed = successor.ask("/v4/livechat/recordings")["recordings"]
        return [one for one in listed if one["callId"] == visitor.known_as]

    await asyncio.to_thread(owner.start)  # it may be the recording server
    await asyncio.to_thread(eventually, lambda: recordings()[0]["state"] == "delivered")
    (recording,) = recordings()
    assert not recording["missingMedia"]


def test_the_metrics_of_a_media_node(nodes: MediaCluster) -> None:
    # the last test: for a while the app has no channel to the worker that is killed
    url = f"http://127.0.0.1:{nodes.metrics_ports[0]}"
    eventually(lambda: http_clients.get(f"{url}/readyz").text == "ready\n")
    nodes.media[0].kill_part("media")

    def restarts() -> bool:
        return "visavis_part_restarts 1.0" in http_clients.get(f"{url}/metrics").text

    eventually(restarts)
    eventually(lambda: http_clients.get(f"{url}/readyz").status_code == 200)
