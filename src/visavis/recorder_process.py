"""Composition root of the recorder process."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from visavis.clock_and_ids import ensure_node_id
from visavis.compose import build_recordings, open_database, tus_uploader
from visavis.lifecycle import Lifecycle
from visavis.listener import listen
from visavis.media.limits import MEGABYTE
from visavis.recorder.handover import Handover
from visavis.recorder.sweeper import Sweeper
from visavis.services.recordings import Recordings
from visavis.settings import Settings
from visavis.store.sql import SqlStore
from visavis.tasks import cancelled, run_until_done

if TYPE_CHECKING:
    from visavis.media_node import MediaNode


def half_of_the_cores() -> int:
    """Return half of the cores, rounded up.

    From three cores on, a long recording thus does not block the others.
    """
    return ((os.cpu_count() or 1) + 1) // 2


async def run_recorder(settings: Settings, lifecycle: Lifecycle) -> None:
    store = open_database(settings)
    recordings = build_recordings(store, settings)
    # an embedded database has no other node
    node_id = ensure_node_id(settings.node_file) if settings.database else ""
    reserve_bytes = settings.disk_reserve_megabytes * MEGABYTE
    sweeper = Sweeper(
        settings.spool,
        recordings,
        tus_uploader(settings),
        deliveries=settings.parallel_deliveries,
        muxers=settings.parallel_muxers or half_of_the_cores(),
        handover=Handover(
            recordings, node_id, reserve_bytes, lambda: node is not None and node.is_leaving
        ),
    )
    node = _media_node(settings, store, lifecycle, lambda: sweeper.is_needed)
    serving = run_until_done("handover", partial(hand_over, settings, recordings, node_id))
    try:
        background = await node.start() if node else []
        lifecycle.set_up()
        await sweeper.run(lifecycle.stop)
        await cancelled(*background)
        if node:
            await node.leave()
    finally:
        await cancelled(serving)
        store.close()


def _media_node(
    settings: Settings, store: SqlStore, lifecycle: Lifecycle, is_needed: Callable[[], bool]
) -> MediaNode | None:
    if not settings.is_media_node:
        return None
    from visavis.media_node import MediaNode

    return MediaNode(settings, store, lifecycle, is_needed)


async def hand_over(settings: Settings, recordings: Recordings, node_id: str) -> None:
    """Serve journals to the recorders of other nodes, if the settings have an address for it."""
    if not node_id:
        return
    if not settings.recorder_address:
        await recordings.save_recorder(node_id, "", "")
        return
    from visavis.recorder.handover_server import HandoverServer, RecorderIdentity

    host, port = settings.recorder_host_and_port
    name = f"[{host}]" if ":" in host else host
    with listen(host, port) as listener:
        identity = RecorderIdentity()
        server = HandoverServer(settings.spool, recordings).server(identity)
        url = f"https://{name}:{listener.getsockname()[1]}"
        await recordings.save_recorder(node_id, url, identity.certificate)
        await server.serve([listener])
