"""The composition root of the recorder process."""

from __future__ import annotations

import os

from visavis.archive.upload_keys import OwnKey
from visavis.clock_and_ids import now
from visavis.lifecycle import Lifecycle
from visavis.recorder.sweeper import Sweeper
from visavis.recorder.tus_upload import TusUploader
from visavis.services.recordings import Recordings
from visavis.settings import Settings
from visavis.store import open_store


def tus_uploader(settings: Settings) -> TusUploader:
    return TusUploader(
        archive_url=settings.archive_url,
        archive_key=OwnKey(settings.archive_key_file) if settings.archive else str,
        allow_private=settings.allow_private_recording_servers,
        archive_socket=settings.app_socket,
    )


def half_of_the_cores() -> int:
    """Rounded up: from three cores on, no recording has to wait for one that takes long."""
    return ((os.cpu_count() or 1) + 1) // 2


async def run_recorder(settings: Settings, lifecycle: Lifecycle) -> None:
    store = open_store(settings.database_address)
    sweeper = Sweeper(
        settings.spool,
        Recordings(store, now, settings.archive_url),
        tus_uploader(settings),
        deliveries=settings.parallel_deliveries,
        muxers=settings.parallel_muxers or half_of_the_cores(),
    )
    try:
        lifecycle.set_up()
        await sweeper.run(lifecycle.stop)
    finally:
        store.close()
