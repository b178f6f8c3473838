"""Nodes of a cluster find the owner of a site, take it over, and give it up, in simulated time."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from tests.dying import DiedError, dies_once
from tests.services.calls.simulated_site import create_sites
from tests.services.site import NOW
from visavis.bus.local import LocalBus
from visavis.domain.errors import ErrorKind, VisavisError
from visavis.domain.membership import Member, MemberLoad
from visavis.domain.ownership import NOBODY, SiteOwner, candidates
from visavis.protocol.cluster import NodeHeartbeat
from visavis.protocol.wire import encode
from visavis.services.cluster.heartbeats import (
    HEARTBEAT_SECONDS,
    SETTLE_SECONDS,
    SILENCE_SECONDS,
    Heartbeats,
)
from visavis.services.cluster.site_owners import ClusterOwners, LocalOwners
from visavis.services.members import Members
from visavis.services.ownership import Ownership
from visavis.store.sql import SqlStore

pytestmark = pytest.mark.anyio

SITE = 1
CLUSTER = "visavis"


@dataclass
class Node:
    """A node of the cluster; `taken` are the former owners of the site that it has taken."""

    node_id: str
    store: SqlStore
    time: Callable[[], float]
    boot: str
    is_running: bool = True
    side: int = 0
    is_refusing: bool = False
    taken: list[SiteOwner | None] = field(default_factory=list)
    lost: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.member = Member(
            self.node_id, self.boot, NOW, "1.0", "machine", "http://node", ("app",)
        )
        self.members = Members(self.member, MemberLoad, self.time)
        self.heartbeats = Heartbeats(
            bus=LocalBus(), node_id=self.node_id, is_connected=lambda: True, elapsed=self.time
        )
        self.ownership = Ownership(self.node_id, self.boot, self.lost.append, CLUSTER)
        self.owners = ClusterOwners(
            settled=self.settled,
            ownership=self.ownership,
            store=self.store,
            members=self.members,
            heard=lambda: self.heartbeats.heard,
            take=self._take,
        )

    async def settled(self) -> None:
        """The sites of this process are always known."""

    async def _take(self, site_id: int, former: SiteOwner | None) -> int:
        term = await self.store.write(lambda rows: self.ownership.take(rows, site_id, former))
        assert not self.owners.owns(site_id)
        if self.is_refusing:
            raise VisavisError(ErrorKind.StoreUnavailable)
        if term:
            self.taken.append(former)
            self.ownership.begin({site_id: term})
        return term


@dataclass
class Nodes:
    """The nodes of a cluster, of which some do not hear each other while `side` differs."""

    store: SqlStore
    time: float = 0.0
    nodes: dict[str, Node] = field(default_factory=dict)
    beats: dict[str, Member] = field(default_factory=dict)
    boots: Iterator[int] = field(default_factory=itertools.count)

    def start(self, node_id: str) -> Node:
        boot = f"boot{next(self.boots)}"
        self.nodes[node_id] = Node(node_id, self.store, lambda: self.time, boot)
        return self.nodes[node_id]

    async def pass_time(self, seconds: float = HEARTBEAT_SECONDS) -> None:
        for _ in range(round(seconds / HEARTBEAT_SECONDS)):
            self.time += HEARTBEAT_SECONDS
            running = [node for node in self.nodes.values() if node.is_running]
            for node in running:
                beat = round(self.time / HEARTBEAT_SECONDS)
                self.beats[node.node_id] = replace(node.member, beat=beat)
                for other in running:
                    if other.side == node.side:
                        other.heartbeats.receive(encode(NodeHeartbeat(node.node_id)))
            for node in running:
                await node.heartbeats.send()
                node.members.observe(list(self.beats.values()))

    async def owner(self) -> SiteOwner | None:
        return await self.store.read(lambda rows: rows.site_owners.get(CLUSTER, SITE))

    async def ask(self) -> set[str]:
        """Let each running node ask for the owner as pages do; return the owners that they find."""
        return {await self._ask(node) for node in self.nodes.values() if node.is_running}

    async def _ask(self, node: Node) -> str:
        named = self.nodes[await node.owners.owner_of(SITE)]
        is_reached = named.is_running and named.side == node.side
        if is_reached and await named.owners.owner_of(SITE) != named.node_id:
            node.owners.forget(SITE)  # as after `Moved`
        return await node.owners.owner_of(SITE)

    @property
    def order(self) -> list[Node]:
        members = [node.member for node in self.nodes.values()]
        return [self.nodes[node_id] for node_id in candidates(SITE, members)]


@pytest.fixture
async def cluster(store: SqlStore) -> Nodes:
    await store.write(create_sites)
    nodes = Nodes(store)
    for node_id in "abc":
        nodes.start(node_id)
    await nodes.pass_time(SETTLE_SECONDS)
    return nodes


async def test_the_first_candidate_takes_a_site_when_it_is_asked(cluster: Nodes) -> None:
    first, second, _ = cluster.order
    assert await second.owners.owner_of(SITE) == first.node_id
    assert await cluster.owner() is None
    assert await first.owners.owner_of(SITE) == first.node_id
    assert first.owners.owns(SITE)
    assert first.taken == [None]
    assert await cluster.ask() == {first.node_id}
    assert not second.owners.owns(SITE)
    second.owners.forget(SITE)
    assert await second.owners.owner_of(SITE) == first.node_id


async def test_many_ask_at_once(cluster: Nodes) -> None:
    first = cluster.order[0]
    asked = [node.owners.owner_of(SITE) for node in cluster.order for _ in range(5)]
    assert set(await asyncio.gather(*asked)) == {first.node_id}
    owner = await cluster.owner()
    assert owner
    assert owner.term == 1
    assert first.taken == [None]


async def test_a_silent_owner_is_replaced_and_changes_nothing_when_it_thaws(
    cluster: Nodes,
) -> None:
    await cluster.ask()
    first, second, _ = cluster.order
    first.is_running = False
    await cluster.pass_time(SILENCE_SECONDS - 1.0)
    assert await cluster.ask() == {first.node_id}
    await cluster.pass_time(1.0)
    assert await cluster.ask() == {second.node_id}
    assert second.taken == [SiteOwner(SITE, first.node_id, first.boot, 1)]
    first.is_running = True
    assert first.owners.owns(SITE)  # as far as it knows
    assert await cluster.store.write(lambda rows: first.ownership.fence(rows, [SITE])) == {}
    await first.owners.check()
    assert first.lost == [SITE]
    await cluster.pass_time(SILENCE_SECONDS + 1.0)
    assert await cluster.ask() == {second.node_id}
    owner = await cluster.owner()
    assert owner
    assert owner.term == 2
    assert first.ownership.lost == {SITE}


async def test_a_site_comes_back_to_a_node_that_has_lost_it(cluster: Nodes) -> None:
    await cluster.ask()
    first, second, third = cluster.order
    first.is_running = False
    await cluster.pass_time(SILENCE_SECONDS + 1.0)
    await cluster.ask()
    first.is_running = True
    await first.owners.check()
    await cluster.pass_time(1.0)
    for gone in (second, third):
        gone.is_running = False
    await cluster.pass_time(SILENCE_SECONDS + 1.0)
    assert await cluster.ask() == {first.node_id}
    assert not first.ownership.lost
    assert first.owners.owns(SITE)


@pytest.mark.parametrize("alone", [0, 1, 2])
async def test_a_partition_lets_a_site_change_hands_once_at_most(
    cluster: Nodes, alone: int
) -> None:
    await cluster.ask()
    cluster.order[alone].side = 1
    for _ in range(20):
        await cluster.pass_time(1.0)
        await cluster.ask()
    cluster.order[alone].side = 0
    for _ in range(5):
        await cluster.pass_time(1.0)
        for node in cluster.order:
            await node.owners.check()
        await cluster.ask()
    owner = await cluster.owner()
    assert owner
    assert owner.term == (2 if alone == 0 else 1)
    assert await cluster.ask() == {owner.node_id}


async def test_a_node_that_leaves_is_replaced_at_once(cluster: Nodes) -> None:
    await cluster.ask()
    first, second, third = cluster.order
    first.is_running = False
    for other in (second, third):
        other.heartbeats.receive(encode(NodeHeartbeat(first.node_id, is_leaving=True)))
    assert await cluster.ask() == {second.node_id}


async def test_the_next_process_of_a_node_takes_its_sites_again(cluster: Nodes) -> None:
    await cluster.ask()
    first = cluster.order[0]
    again = cluster.start(first.node_id)
    assert await again.owners.owner_of(SITE) == first.node_id
    assert await cluster.owner() == SiteOwner(SITE, first.node_id, again.boot, 2)


async def test_a_node_that_was_slower_learns_the_owner(cluster: Nodes) -> None:
    first, second, _ = cluster.order
    take = first.ownership.take
    faster = second.ownership.take

    def beaten(rows: Any, site_id: int, seen: SiteOwner | None) -> int:
        faster(rows, site_id, seen)
        return take(rows, site_id, seen)

    first.ownership.take = beaten  # type: ignore[method-assign]
    assert await first.owners.owner_of(SITE) == second.node_id
    assert first.taken == []


async def test_a_site_whose_calls_could_not_be_read_is_taken_again(cluster: Nodes) -> None:
    first = cluster.order[0]
    first.is_refusing = True
    with pytest.raises(VisavisError):
        await first.owners.owner_of(SITE)
    assert not first.owners.owns(SITE)
    first.is_refusing = False
    assert await cluster.ask() == {first.node_id}
    owner = await cluster.owner()
    assert owner
    assert owner.term == 2


async def test_the_known_owner_remains_while_the_database_is_away(
    cluster: Nodes, monkeypatch: pytest.MonkeyPatch
) -> None:
    await cluster.ask()
    first, second, _ = cluster.order

    async def away(_: object) -> None:
        raise VisavisError(ErrorKind.StoreUnavailable)

    monkeypatch.setattr(cluster.store, "read", away)
    second.owners.forget(SITE)
    assert await second.owners.owner_of(SITE) == first.node_id
    with pytest.raises(VisavisError):
        await second.owners.owner_of(2)


async def test_one_of_three_nodes_is_cut_off_if_it_hears_no_other(cluster: Nodes) -> None:
    node, other, _ = cluster.order
    assert node.owners.is_cut_off(frozenset({node.node_id}))
    assert not node.owners.is_cut_off(frozenset({node.node_id, other.node_id}))


async def test_a_node_that_is_cut_off_takes_nothing(cluster: Nodes) -> None:
    last = cluster.order[-1]
    last.side = 1
    await cluster.pass_time(SILENCE_SECONDS + 1.0)
    with pytest.raises(VisavisError) as raised:
        await last.owners.owner_of(SITE)
    assert raised.value.kind is ErrorKind.StoreUnavailable
    assert await cluster.owner() is None


async def test_the_term_is_above_all_that_a_process_had(cluster: Nodes) -> None:
    await cluster.ask()
    first = cluster.order[0]
    first.ownership.begin({SITE: 7})  # a fail-over of the database has lost the newer row
    owner = await cluster.owner()
    assert await cluster.store.write(lambda rows: first.ownership.take(rows, SITE, owner)) == 8
    assert await cluster.store.write(lambda rows: first.ownership.take(rows, SITE, owner)) == NOBODY


async def test_a_node_that_is_alone_owns_every_site() -> None:
    owners = LocalOwners("a")
    owners.forget(SITE)
    assert owners.owns(SITE)
    assert await owners.owner_of(SITE) == "a"


async def test_a_search_that_dies_is_counted_and_the_next_one_finds_the_owner(
    cluster: Nodes,
) -> None:
    first = cluster.order[0]
    with dies_once("search for an owner", first.owners, "_successor"), pytest.raises(DiedError):
        await first.owners.owner_of(SITE)
    assert await first.owners.owner_of(SITE) == first.node_id


async def test_nodes_without_an_app_do_not_count(cluster: Nodes) -> None:
    for node_id in ("m1", "m2", "m3", "m4"):  # nobody hears them
        cluster.beats[node_id] = replace(cluster.order[0].member, node_id=node_id, roles=("media",))
    await cluster.pass_time()
    assert await cluster.ask() == {cluster.order[0].node_id}
