"""Composition root of the recorder process."""

from __future__ import annotations

import os

from visavis.compose import build_recordings, open_database, tus_uploader
from visavis.lifecycle import Lifecycle
from visavis.recorder.sweeper import Sweeper
from visavis.settings import Settings


def half_of_the_cores() -> int:
    """Return half of the cores, rounded up.

    From three cores on, a long recording thus does not block the others.
    """
    return ((os.cpu_count() or 1) + 1) // 2


async def run_recorder(settings: Settings, lifecycle: Lifecycle) -> None:
    store = open_database(settings)
    sweeper = Sweeper(
        settings.spool,
        build_recordings(store, settings),
        tus_uploader(settings),
        deliveries=settings.parallel_deliveries,
        muxers=settings.parallel_muxers or half_of_the_cores(),
    )
    try:
        lifecycle.set_up()
        await sweeper.run(lifecycle.stop)
    finally:
        store.close()
