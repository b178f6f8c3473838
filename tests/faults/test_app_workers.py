"""Two app processes of one machine share its port: visitor and agent meet, whichever one dies."""

from __future__ import annotations

import asyncio
import os
import re
import signal
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
import pytest

from tests import http_clients
from tests.faults.test_cluster import connect_again, media_flow, token_of
from tests.nats_servers import NatsServers
from tests.participants.people import present
from tests.participants.resuming import KnownAgent, KnownVisitor, Pages
from tests.postgresql import Cluster
from tests.running import PATIENCE, System, administer, children, until
from visavis.settings import app_part

pytestmark = [pytest.mark.fault, pytest.mark.media, pytest.mark.anyio]


@dataclass
class Office:
    """A node with two app processes, and the people on its pages."""

    address: str
    node: System
    tokens: dict[str, str]
    pages: Pages = field(init=False)

    def __post_init__(self) -> None:
        self.pages = Pages(self.node, self.tokens)

    @property
    def members(self) -> list[str]:
        """Ids of the app processes, by number."""
        node_id = (self.node.data / "node").read_text()
        return [node_id, f"{node_id}:1"]

    def owning(self) -> int:
        """Return the number of the app process that owns the site."""
        query = "SELECT node_id FROM site_owners WHERE site_id = 1 AND cluster = 'visavis'"
        return self.members.index(self._one(query))

    def term(self) -> int:
        return int(self._one("SELECT term FROM site_owners WHERE site_id = 1"))

    def _one(self, query: str) -> str:
        with psycopg.connect(self.address) as connection:
            found = connection.execute(query).fetchone()
        assert found
        return str(found[0])

    def page_counts(self) -> list[int]:
        """Return the number of open pages of each app process."""
        query = "SELECT load ->> 'pages' FROM members WHERE node_id = %s"
        with psycopg.connect(self.address) as connection:
            rows = [connection.execute(query, [one]).fetchone() for one in self.members]
        return [int(row[0]) if row else 0 for row in rows]

    async def place(self, count: int) -> list[int]:
        """Wait until so many pages are open; return their number at each process."""
        await until(lambda: sum(self.page_counts()) == count)
        return self.page_counts()

    async def connect(self) -> tuple[KnownVisitor, KnownAgent]:
        """Let a visitor and an agent whose pages are at different processes meet."""
        agent = self.pages.agent("bo")
        await asyncio.wait_for(agent.is_on_duty.wait(), PATIENCE)
        await self.place(1)
        while True:
            visitor = self.pages.visitor()
            await asyncio.wait_for(visitor.is_open.wait(), PATIENCE)
            if await self.place(2) == [1, 1]:
                break
            await visitor.leave()
            self.pages.people.remove(visitor)
            await self.place(1)
        await visitor.call("Ann")
        for page in (visitor, agent):
            await asyncio.wait_for(page.is_connected.wait(), PATIENCE)
        await media_flow(visitor, agent)
        saved = "SELECT count(*) FROM calls WHERE state = 'connected'"
        await until(lambda: self._one(saved) == "1")
        return visitor, agent


@pytest.fixture(scope="module")
def running(
    cluster: Cluster, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[str, System, dict[str, str]]]:
    data, servers = tmp_path_factory.mktemp("workers"), NatsServers(1).start()
    address = cluster.new_database()
    environment = {**os.environ, "VISAVIS_BUS": servers.url}
    options = ("--database", address, "--app-workers", "2", "--no-archive")
    node = System(data / "a", *options, environment=environment)
    try:
        node.start()
        tokens = {"bo": token_of(address, "bo")}
        administer("config", "enable", "--database", address)
        yield address, node, tokens
    finally:
        node.kill()
        servers.stop()


@pytest.fixture
async def office(
    running: tuple[str, System, dict[str, str]], anyio_backend: str
) -> AsyncIterator[Office]:
    opened = Office(*running)
    yield opened
    async with present(*opened.pages.people):
        for page in opened.pages.people:
            if page.call_id:
                await page.hang_up()
        await asyncio.sleep(0.5)
    if opened.node in System.running:
        await opened.place(0)


async def test_any_process_has_the_metrics_of_both(office: Office) -> None:
    visitor = office.pages.visitor()
    await asyncio.wait_for(visitor.is_open.wait(), PATIENCE)
    for _ in range(8):  # each connection goes to one of the processes
        text = (await asyncio.to_thread(http_clients.get, f"{office.node.url}/metrics")).text
        sockets = re.findall(r'^visavis_sockets{app="([01])"} ([01])\.0$', text, re.MULTILINE)
        assert sorted(number for number, _ in sockets) == ["0", "1"]
        assert sorted(count for _, count in sockets) == ["0", "1"]
        assert re.findall(r'^visavis_app_up{app="."} (.+)$', text, re.MULTILINE) == ["1.0", "1.0"]
        assert re.search(r"^visavis_disk_free_bytes \d", text, re.MULTILINE)


async def test_the_owner_s_process_is_killed_and_no_packet_is_lost(office: Office) -> None:
    visitor, agent = await office.connect()
    owner, term = office.owning(), office.term()
    visitor.lose()
    agent.lose()
    await asyncio.to_thread(office.node.kill_part, app_part(owner))
    await connect_again(visitor, agent)
    assert office.term() == term + 1
    assert (visitor.reason, agent.reason) == ("", "")
    assert len(visitor.peers) == len(agent.peers) == 1
    assert (visitor.longest_gap, agent.longest_gap) == (0, 0)


async def test_the_other_process_takes_the_site_with_its_bridges(office: Office) -> None:
    visitor, agent = await office.connect()
    owner, term = office.owning(), office.term()
    visitor.lose()
    agent.lose()
    with office.node.nobody_started_again():
        await asyncio.to_thread(office.node.kill_part, app_part(owner))
        await connect_again(visitor, agent)
        assert (office.owning(), office.term()) == (1 - owner, term + 1)
    assert (visitor.reason, agent.reason) == ("", "")
    assert len(visitor.peers) == len(agent.peers) == 1
    assert (visitor.longest_gap, agent.longest_gap) == (0, 0)
    await visitor.hang_up()
    await asyncio.wait_for(agent.is_over.wait(), PATIENCE)
    assert agent.reason == "hungUp"


async def test_a_stop_ends_all_processes(office: Office) -> None:
    visitor, agent = await office.connect()
    processes = children(office.node.pid)
    assert {office.node.pid_of(app_part(number)) for number in range(2)} <= set(processes)
    code = await asyncio.to_thread(office.node.end_by, signal.SIGTERM)
    assert code == 0
    assert not any(Path(f"/proc/{pid}").exists() for pid in processes)
    for page in (visitor, agent):
        await asyncio.wait_for(page.is_over.wait(), PATIENCE)
    with psycopg.connect(office.address) as connection:
        assert connection.execute("SELECT count(*) FROM live_calls").fetchone() == (0,)
        states = connection.execute("SELECT state FROM members ORDER BY node_id").fetchall()
    assert states == [("stopped",), ("stopped",)]
