from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import pytest

from tests.nats_servers import NatsServers
from visavis.bus.local import LocalBus
from visavis.bus.nats import BusOptions, NatsBus
from visavis.services.ports import Bus
from visavis.tasks import cancelled, run_forever

INTEROP = pytest.param("nats", marks=pytest.mark.interop)


@pytest.fixture
def nats_servers() -> Iterator[NatsServers]:
    """Three servers for this test only, which may kill them."""
    servers = NatsServers()
    try:
        yield servers.start()
    finally:
        servers.stop()


@asynccontextmanager
async def connected(options: BusOptions, node_id: str) -> AsyncIterator[NatsBus]:
    """A node's bus that has reached a server."""
    bus = NatsBus(options, node_id)
    running = run_forever("bus of a test", bus.run)
    try:
        await bus._connected.wait()
        yield bus
    finally:
        await cancelled(running)


@pytest.fixture(params=["local", INTEROP])
async def ends(
    request: pytest.FixtureRequest, anyio_backend: str
) -> AsyncIterator[tuple[Bus, Bus]]:
    """Two ends of a bus: the same one, or two nodes at different servers of NATS."""
    if request.param == "local":
        bus = LocalBus()
        yield bus, bus
        return
    servers: NatsServers = request.getfixturevalue("nats_servers")
    one, other = (BusOptions(address=servers.address(number)) for number in (0, 1))
    async with connected(one, "one") as first, connected(other, "other") as second:
        yield first, second
