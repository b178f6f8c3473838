"""The recorder's process: it hands journals over, if the settings have an address for it."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from msgspec import structs

from tests.dying import dies_once
from tests.running import PATIENCE
from visavis.domain.delivery_status import SpoolNode
from visavis.lifecycle import Lifecycle
from visavis.recorder_process import run_recorder
from visavis.services.recordings import Recordings
from visavis.settings import Settings
from visavis.store import open_store

pytestmark = pytest.mark.anyio


async def recorder_url(settings: Settings, lifecycle: Lifecycle, *, is_set: bool) -> str:
    """Run a recorder until its URL is in the database or not; return the URL."""
    store = open_store(settings.database)
    running = asyncio.create_task(run_recorder(settings, lifecycle))
    found: SpoolNode | None = None
    async with asyncio.timeout(PATIENCE):
        while found is None or bool(found.recorder_url) != is_set:
            await asyncio.sleep(0.01)
            nodes = await store.read(lambda rows: rows.recordings.spool_nodes(10.0))
            found = next(iter(nodes.values()), None)
    lifecycle.stop.set()
    await running
    store.close()
    return found.recorder_url


async def test_other_recorders_learn_its_address_also_after_an_error(
    new_database: Path, anyio_backend: str
) -> None:
    settings = Settings(
        data_dir=new_database.parent,
        database=str(new_database),
        recorder_address="127.0.0.1:0",
        archive=False,
    )
    with dies_once("handover", Recordings, "save_recorder"):
        url = await recorder_url(settings, Lifecycle(), is_set=True)
    assert url.startswith("https://127.0.0.1:")
    without = structs.replace(settings, recorder_address="")
    assert await recorder_url(without, Lifecycle(), is_set=False) == ""


def test_an_address_may_be_of_either_family() -> None:
    assert Settings(recorder_address="[::1]:8453").recorder_host_and_port == ("::1", 8453)
    assert Settings(recorder_address="media-7:1").recorder_host_and_port == ("media-7", 1)
