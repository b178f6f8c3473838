"""The owner of sites answers other nodes, and forgets those that are silent."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.services.calls.conftest import FixedOwner, SiteAtEdge
from tests.services.calls.simulated_site import create_sites
from visavis.bus.local import LocalBus
from visavis.domain.errors import ErrorKind, VisavisError
from visavis.domain.people import Visitor
from visavis.protocol import cluster, signaling
from visavis.services.cluster import owner as module
from visavis.services.cluster.owner import SILENCE_SECONDS, OwnerService
from visavis.services.topics import OWNER_TOPIC
from visavis.store import open_store
from visavis.tasks import cancelled, child

pytestmark = pytest.mark.anyio


@pytest.fixture
async def remote(new_database: Path, anyio_backend: str) -> AsyncIterator[SiteAtEdge]:
    store = open_store(str(new_database))
    await store.write(create_sites)
    opened = SiteAtEdge(store)
    yield opened
    await opened.calls.shut_down()
    store.close()


def ask(number: int = 1) -> bytes:
    request = cluster.VisitorMessage(Visitor("v", 1), signaling.Here("/"))
    return cluster.encode(cluster.Ask("edge", "boot", "v", number, 1, request))


async def answer(owner: OwnerService, message: bytes) -> cluster.Answer:
    answered: cluster.Answer = cluster.decode_answer(await owner.answer(message))
    return answered


async def test_a_socket_that_is_not_known_has_to_connect_again(remote: SiteAtEdge) -> None:
    assert isinstance(await answer(remote.owner, ask(2)), cluster.Moved)
    assert isinstance(await answer(remote.owner, ask(1)), cluster.RequestDone)
    assert isinstance(await answer(remote.owner, ask(2)), cluster.RequestDone)


async def test_a_node_that_cannot_find_the_owner_is_not_the_owner(
    remote: SiteAtEdge, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(_: object, __: int) -> str:
        raise VisavisError(ErrorKind.StoreUnavailable)

    monkeypatch.setattr(FixedOwner, "owner_of", away)
    assert isinstance(await answer(remote.owner, ask()), cluster.Moved)


async def test_it_answers_on_the_bus_and_forgets_silent_nodes(
    remote: SiteAtEdge, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "CHECK_SECONDS", 0.0)
    owner, bus = remote.owner, LocalBus()
    owner._bus = bus
    topic = f"{OWNER_TOPIC}owner"
    running = child(owner.run())
    while not bus.is_answered(topic):
        await asyncio.sleep(0)
    alive = cluster.encode(cluster.NodeAlive("edge", "boot", (1,)))
    cluster.decode_owner_alive(await bus.ask(topic, alive, 120.0))
    assert set(owner._nodes) == {"edge"}
    remote.time += SILENCE_SECONDS + 1
    while owner._nodes:
        await asyncio.sleep(0)
    await cancelled(running)
    assert not bus.is_answered(topic)


async def test_pages_of_a_lost_site_are_forgotten(remote: SiteAtEdge) -> None:
    await answer(remote.owner, ask(1))
    remote.owner.site_lost(2)
    assert isinstance(await answer(remote.owner, ask(2)), cluster.RequestDone)
    remote.owner.site_lost(1)
    assert isinstance(await answer(remote.owner, ask(3)), cluster.Moved)
