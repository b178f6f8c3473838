"""The bus between the nodes, for the processes that use it."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

from visavis.settings import Settings
from visavis.tasks import run_forever

if TYPE_CHECKING:
    from visavis.bus.nats import NatsBus


def connect_nodes(settings: Settings, name: str) -> NatsBus | None:
    """Return the bus between the nodes, if there is one; raises `OSError` for a wrong file.

    `name` is that of this process on the bus. Without a bus, the client of NATS is not imported.
    """
    if not settings.bus:
        return None
    from visavis.bus.addresses import parse
    from visavis.bus.nats import BusOptions, NatsBus

    options = BusOptions(
        address=parse(settings.bus),
        prefix=settings.bus_prefix,
        credentials=Path(settings.bus_credentials) if settings.bus_credentials else None,
        ca=Path(settings.bus_ca) if settings.bus_ca else None,
    )
    return NatsBus(options, name)


def keep_connected(bus: NatsBus) -> asyncio.Task[None]:
    """Keep the bus connected until the task is cancelled."""
    return run_forever("bus", bus.run)
