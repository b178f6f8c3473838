"""Composition root of the recorder process."""

from __future__ import annotations

import asyncio
import os
import socket
import time
from functools import partial
from typing import Final

from visavis import __version__
from visavis.clock_and_ids import ensure_node_id, new_id, now
from visavis.compose import build_recordings, open_database, tus_uploader
from visavis.domain.membership import Member, MemberLoad
from visavis.lifecycle import Lifecycle
from visavis.listener import listen
from visavis.media.limits import MEGABYTE
from visavis.recorder.handover import Handover
from visavis.recorder.sweeper import Sweeper
from visavis.services.members import Members
from visavis.services.recordings import Recordings
from visavis.settings import Settings
from visavis.store.sql import SqlStore
from visavis.tasks import cancelled, run_every, run_until_done

BEAT_SECONDS: Final = 1.0
KEY_SECONDS: Final = 3_600.0


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
        handover=Handover(recordings, node_id, reserve_bytes),
    )
    node = MediaNode(settings, store) if settings.is_media_node else None
    serving = run_until_done("handover", partial(hand_over, settings, recordings, node_id))
    try:
        beating = await node.start() if node else None
        lifecycle.set_up()
        await sweeper.run(lifecycle.stop)
        if node and beating:
            await cancelled(beating)
            await node.leave()
    finally:
        await cancelled(serving)
        store.close()


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


class MediaNode:
    """Keeps a node without an app among the members, since the recorder has the database."""

    def __init__(self, settings: Settings, store: SqlStore) -> None:
        self._settings = settings
        self._store = store
        self._node_id = ensure_node_id(settings.node_file)
        member = Member(
            node_id=self._node_id,
            boot=new_id(),
            started_at=now(),
            version=__version__,
            machine=socket.gethostname(),
            url="",
            roles=tuple(settings.roles.split(",")),
        )
        load = MemberLoad(media_workers=settings.media_workers)
        self._published_at = -KEY_SECONDS
        self._members = Members(member, lambda: load, time.monotonic)

    async def start(self) -> asyncio.Task[None]:
        """Register the node, and begin to beat."""
        me = self._members.me
        archive_url = self._settings.archive_url
        await self._store.write(
            lambda rows: rows.nodes.save(me.node_id, archive_url, me.started_at, me.machine)
        )
        return run_every("media node", BEAT_SECONDS, self.beat)

    async def beat(self) -> None:
        """Tell the members that the node runs, and all archives its upload key now and then."""
        me = self._members.report()
        await self._store.write(lambda rows: rows.members.beat(me))
        if time.monotonic() - self._published_at > KEY_SECONDS:
            await self._publish_key()
            self._published_at = time.monotonic()

    async def _publish_key(self) -> None:
        if self._settings.archive:
            from visavis.archive.upload_keys import OwnKey, UploadKeys

            own_key = OwnKey(self._settings.archive_key_file)
            await UploadKeys(self._store, own_key).publish_own(self._node_id)

    async def leave(self) -> None:
        """Delete the node from the members before it ends."""
        me = self._members.me
        await self._store.write(lambda rows: rows.members.delete(me.node_id, me.boot))
