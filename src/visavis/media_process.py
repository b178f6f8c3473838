"""Composition root of a media worker process."""

from __future__ import annotations

from visavis.bus.connect import connect_nodes, keep_connected
from visavis.clock_and_ids import ensure_node_id
from visavis.lifecycle import Lifecycle
from visavis.media import worker
from visavis.media.worker import ClusterPlace
from visavis.settings import Settings
from visavis.tasks import cancelled


async def run_media_worker(settings: Settings, number: int, lifecycle: Lifecycle) -> None:
    """Run the `number`-th worker of this node, from 0.

    On a media node, apps of other nodes control it over the bus; otherwise there is no bus.
    """
    if not settings.is_media_node:
        await worker.run(settings, number, lifecycle.stop, lifecycle.set_up)
        return
    node_id = ensure_node_id(settings.node_file)
    name = f"{node_id}-{number}"
    bus = connect_nodes(settings, name)
    if bus is None:
        raise OSError("a media node needs a bus")
    place = ClusterPlace(
        bus,
        name=name,
        node_id=node_id,
        region=settings.region,
        drained_file=settings.drained_file,
    )
    connection = keep_connected(bus)
    try:
        await worker.run(settings, number, lifecycle.stop, lifecycle.set_up, place)
    finally:
        await cancelled(connection)
