"""A visitor and an agent of one site on two nodes: they meet, whatever dies between them."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass

import psycopg
import pytest

from tests import http_clients
from tests.nats_servers import NatsServers
from tests.participants.people import present
from tests.participants.resuming import PERMISSION, KnownAgent, KnownVisitor, Pages
from tests.postgresql import Cluster
from tests.running import PATIENCE, System, administer, children, eventually, until

pytestmark = [pytest.mark.fault, pytest.mark.media, pytest.mark.anyio]


@dataclass
class Office:
    """Two nodes on one PostgreSQL and one NATS server, and the people on their pages."""

    address: str
    nodes: tuple[System, System]
    tokens: dict[str, str]

    def __post_init__(self) -> None:
        self.pages = [Pages(node, self.tokens) for node in self.nodes]

    def owner(self) -> tuple[str, int]:
        """Return the node that owns the site, and its term."""
        query = "SELECT node_id, term FROM site_owners WHERE site_id = 1 AND cluster = 'visavis'"
        with psycopg.connect(self.address) as connection:
            found = connection.execute(query).fetchone()
        return (str(found[0]), int(found[1])) if found else ("", 0)

    def owning(self) -> int:
        """Return the number of the node that owns the site."""
        node_id, _ = self.owner()
        return [(node.data / "node").read_text() for node in self.nodes].index(node_id)

    async def connect(self, visitor_at: int, agent_at: int) -> tuple[KnownVisitor, KnownAgent]:
        agent = self.pages[agent_at].agent("bo")
        await asyncio.wait_for(agent.is_on_duty.wait(), PATIENCE)
        visitor = self.pages[visitor_at].visitor()
        await visitor.call("Ann")
        for page in (visitor, agent):
            await asyncio.wait_for(page.is_connected.wait(), PATIENCE)
        await media_flow(visitor, agent)
        await until(lambda: self.is_saved(visitor.call_id))
        return visitor, agent

    def is_saved(self, call_id: str) -> bool:
        """Whether the database has the call as a connected one."""
        query = "SELECT 1 FROM calls WHERE id = %s AND state = 'connected'"
        with psycopg.connect(self.address) as connection:
            return connection.execute(query, [call_id]).fetchone() is not None


async def connect_again(*pages: KnownVisitor | KnownAgent) -> None:
    """Wait until pages that have lost their call are connected in it, and their media flow."""
    began_at = asyncio.get_running_loop().time()
    await until(lambda: all(p.last("callState").get("state") == "connected" for p in pages))
    seconds = asyncio.get_running_loop().time() - began_at
    waits = [round(page.waits[-1], 2) for page in pages]
    print(f"answered after {waits} s, connected after {seconds:.2f} s")
    await media_flow(*pages)


async def media_flow(*pages: KnownVisitor | KnownAgent) -> None:
    """Wait until each page has received more."""
    before = [page.received for page in pages]
    await until(lambda: all(p.received > n for p, n in zip(pages, before, strict=True)))


@pytest.fixture(scope="module")
def running(
    cluster: Cluster, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[str, tuple[System, System], dict[str, str]]]:
    data, servers = tmp_path_factory.mktemp("cluster"), NatsServers(1).start()
    address = cluster.new_database()
    environment = {**os.environ, "VISAVIS_BUS": servers.url}
    nodes = tuple(
        System(data / name, "--database", address, environment=environment) for name in "ab"
    )
    try:
        for node in nodes:
            node.start()
        tokens = {name: token_of(address, name) for name in ("bo", "cy")}
        administer("config", "enable", "--database", address)
        yield address, (nodes[0], nodes[1]), tokens
        for node in nodes:
            node.stop()
    finally:
        for node in nodes:
            node.kill()
        servers.stop()


def token_of(address: str, name: str) -> str:
    """Add an agent; return their bearer token."""
    email, database = f"{name}@example.com", ("--database", address)
    administer("agent", "add", email, "--permission", PERMISSION, *database)
    return administer("token", "issue", "--email", email, *database).strip()


@pytest.fixture
async def office(
    running: tuple[str, tuple[System, System], dict[str, str]], anyio_backend: str
) -> AsyncIterator[Office]:
    opened = Office(*running)
    yield opened
    people = [page for pages in opened.pages for page in pages.people]
    async with present(*people):
        for page in people:
            if page.call_id:
                await page.hang_up()
        await asyncio.sleep(0.5)


@pytest.mark.parametrize(("visitor_at", "agent_at"), [(0, 1), (1, 0)])
async def test_a_visitor_and_an_agent_on_two_nodes_meet(
    office: Office, visitor_at: int, agent_at: int
) -> None:
    visitor, agent = await office.connect(visitor_at, agent_at)
    await visitor.send(type="say", callId=visitor.call_id, text="Hello?")
    await until(lambda: agent.last("said").get("text") == "Hello?")
    await agent.send(type="say", callId=agent.call_id, text="Good morning.")
    await until(lambda: visitor.last("said").get("text") == "Good morning.")

    second = office.pages[visitor_at].agent("cy")
    await until(lambda: second.last("welcome"))
    await asyncio.wait_for(second.is_on_duty.wait(), PATIENCE)
    to = second.last("welcome")["agentId"]
    await agent.send(type="transfer", callId=agent.call_id, agentId=to, note="Please")
    await asyncio.wait_for(second.is_connected.wait(), PATIENCE)
    await asyncio.wait_for(agent.is_over.wait(), PATIENCE)
    assert agent.reason == "transferred"
    await media_flow(visitor, second)
    await visitor.hang_up()
    await asyncio.wait_for(second.is_over.wait(), PATIENCE)
    assert second.reason == "hungUp"


async def test_the_owner_s_app_is_killed_and_media_go_on(office: Office) -> None:
    await office.pages[0].agent("cy", is_willing=False).is_open.wait()
    await until(lambda: office.owner()[1])
    owner = office.owning()
    term = office.owner()[1]
    visitor, agent = await office.connect(1 - owner, owner)
    visitor.lose()
    agent.lose()
    await asyncio.to_thread(office.nodes[owner].kill_part, "app")
    await connect_again(visitor, agent)
    if office.owning() == owner:  # unless the machine was too busy to start it again in time
        assert len(visitor.peers) == len(agent.peers) == 1
        assert (visitor.longest_gap, agent.longest_gap) == (0, 0)
    assert office.owner()[1] == term + 1


async def test_a_frozen_owner_changes_nothing_when_it_wakes_up(office: Office) -> None:
    await office.pages[0].agent("cy", is_willing=False).is_open.wait()
    await until(lambda: office.owner()[1])
    owner = office.owning()
    visitor, agent = await office.connect(1 - owner, 1 - owner)
    term = office.owner()[1]
    pid = office.nodes[owner].pid_of("app")
    os.kill(pid, signal.SIGSTOP)
    try:
        visitor.lose()
        agent.lose()
        await connect_again(visitor, agent)
        assert office.owning() == 1 - owner
    finally:
        os.kill(pid, signal.SIGCONT)
    await until(lambda: sites_lost(office.nodes[owner]))
    await media_flow(visitor, agent)
    await visitor.send(type="say", callId=visitor.call_id, text="Still there?")
    await until(lambda: agent.last("said").get("text") == "Still there?")
    assert (visitor.reason, agent.reason) == ("", "")
    assert office.owning() == 1 - owner
    assert office.owner()[1] == term + 1


async def test_a_node_that_is_stopped_hands_its_calls_over(office: Office) -> None:
    await office.pages[0].agent("cy", is_willing=False).is_open.wait()
    await until(lambda: office.owner()[1])
    owner = office.owning()
    visitor, agent = await office.connect(1 - owner, 1 - owner)
    term = office.owner()[1]
    for page in office.pages[owner].people:
        await page.leave()
    visitor.lose()
    agent.lose()
    old = [next(iter(page.peers.values())) for page in (visitor, agent)]
    stopping = asyncio.create_task(asyncio.to_thread(office.nodes[owner].stop))
    await connect_again(visitor, agent)
    for peer in old:  # the former bridge has carried media until the new one did
        assert [reception.longest_gap for reception in peer.receptions.values()] == [0, 0]
    assert (visitor.reason, agent.reason) == ("", "")
    assert (office.owning(), office.owner()[1]) == (1 - owner, term + 1)
    await stopping
    await visitor.hang_up()
    await asyncio.wait_for(agent.is_over.wait(), PATIENCE)
    assert agent.reason == "hungUp"
    await asyncio.to_thread(office.nodes[owner].start)


async def test_a_node_that_is_drained_hands_its_calls_and_pages_over(office: Office) -> None:
    idle = [pages.agent("cy", is_willing=False) for pages in office.pages]
    await asyncio.gather(*(page.is_open.wait() for page in idle))
    await until(lambda: office.owner()[1])
    owner = office.owning()
    visitor, agent = await office.connect(1 - owner, 1 - owner)
    node_id, term = office.owner()
    visitor.lose()
    agent.lose()
    old = [next(iter(page.peers.values())) for page in (visitor, agent)]
    database = ("--database", office.address)
    await asyncio.to_thread(administer, "nodes", "drain", *database, node_id)
    await connect_again(visitor, agent)
    for peer in old:
        assert [reception.longest_gap for reception in peer.receptions.values()] == [0, 0]
    assert (visitor.reason, agent.reason) == ("", "")
    assert (office.owning(), office.owner()[1]) == (1 - owner, term + 1)
    await until(lambda: not is_ready(office.nodes[owner]))
    await until(lambda: [m["type"] for m in idle[owner].told].count("welcome") > 1)  # sent on
    await idle[owner].leave()  # it knows no other node
    await asyncio.to_thread(eventually, lambda: state(office, node_id) == "drained")
    await asyncio.to_thread(administer, "nodes", "undrain", *database, node_id)
    await asyncio.to_thread(eventually, lambda: state(office, node_id) == "ready")
    await until(lambda: is_ready(office.nodes[owner]))


def is_ready(node: System) -> bool:
    return http_clients.get(f"{node.url}/readyz").status_code == 200


def state(office: Office, node_id: str) -> str:
    """Return the state of a node in the list of nodes."""
    rows = json.loads(administer("nodes", "--json", "--database", office.address))
    return str(next(row["state"] for row in rows if row["id"] == node_id))


def kill_at_once(node: System) -> None:
    """Kill all processes of a node, as when its machine dies: none can end its calls."""
    node.signal(signal.SIGSTOP)
    for pid in children(node.pid):
        os.kill(pid, signal.SIGKILL)
    node.kill()


def sites_lost(node: System) -> float:
    text = http_clients.get(f"{node.url}/metrics").text
    line = next(line for line in text.splitlines() if line.startswith("visavis_sites_lost "))
    return float(line.split()[1])


async def test_the_owner_s_whole_node_is_killed_and_its_calls_go_on(office: Office) -> None:
    await office.pages[0].agent("cy", is_willing=False).is_open.wait()
    await until(lambda: office.owner()[1])
    owner = office.owning()
    visitor, agent = await office.connect(1 - owner, 1 - owner)
    for page in office.pages[owner].people:
        await page.leave()
    visitor.lose()
    agent.lose()
    kill_at_once(office.nodes[owner])
    await connect_again(visitor, agent)
    assert office.owning() == 1 - owner
    await visitor.hang_up()
    await asyncio.wait_for(agent.is_over.wait(), PATIENCE)
    assert agent.reason == "hungUp"

    await asyncio.to_thread(office.nodes[owner].start)
    others = office.pages[1 - owner].people
    for page in others:
        await page.leave()
    again, other = await office.connect(owner, 1 - owner)
    await again.hang_up()
    await asyncio.wait_for(other.is_over.wait(), PATIENCE)
