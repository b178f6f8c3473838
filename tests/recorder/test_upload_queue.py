"""Order and times of uploads, in simulated time and with a fake uploader."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import msgspec
import pytest

from tests.recorder.conftest import put_muxed
from visavis.domain.call_events import CallReport
from visavis.domain.delivery_status import DeliveryPlan, DeliveryProgress, RecordingServer
from visavis.domain.errors import ErrorKind, VisavisError
from visavis.domain.recording import (
    INCOMPLETE,
    MANIFEST,
    MATROSKA,
    Delivery,
    DeliveryTrigger,
    Manifest,
    journal_name,
)
from visavis.outbound.errors import DeliveryError
from visavis.recorder.jobs import RecordingJob, read_job
from visavis.recorder.upload_queue import UploadQueue
from visavis.spool import reader as spool_reader

pytestmark = pytest.mark.anyio

ONE, OTHER = RecordingServer("http://one.example/"), RecordingServer("http://other.example/")
DOWN = DeliveryError("The recording server is away.", is_servers=True)
TOO_LARGE = DeliveryError("Too large.")


@dataclass
class FakeRecordingStore:
    """Fake database that records what is saved, and may be unavailable."""

    told: list[tuple[str, DeliveryProgress]] = field(default_factory=list)
    delivered_ids: list[str] = field(default_factory=list)
    is_away: bool = False

    def _demand(self) -> None:
        if self.is_away:
            raise VisavisError(ErrorKind.StoreUnavailable)

    async def delivery_plans(self, site_ids: frozenset[int]) -> Mapping[int, DeliveryPlan]:
        raise NotImplementedError

    async def ended_calls(self, calls: frozenset[tuple[int, str]]) -> frozenset[tuple[int, str]]:
        raise NotImplementedError

    async def call_report(self, site_id: int, call_id: str) -> CallReport | None:
        raise NotImplementedError

    async def save_progress(self, manifest: Manifest, progress: DeliveryProgress) -> None:
        self._demand()
        self.told.append((manifest.recording_id, progress))

    async def record_delivery(
        self, manifest: Manifest, delivery: Delivery, server_url: str
    ) -> None:
        self._demand()
        self.delivered_ids.append(manifest.recording_id)

    async def clear_retries(self, site_id: int, recording_ids: frozenset[str]) -> None:
        raise NotImplementedError


@dataclass
class FakeUploader:
    """Fake tus client that raises `errors` by recording or server, and waits for `held`."""

    errors: dict[str, DeliveryError | OSError] = field(default_factory=dict)
    went: list[str] = field(default_factory=list)
    held: asyncio.Event | None = None

    async def deliver(
        self,
        directory: Path,
        manifest: Manifest,
        server: RecordingServer,
        on_progress: Callable[[int], None],
    ) -> None:
        self.went.append(manifest.recording_id)
        on_progress(5)
        if self.held:
            await self.held.wait()
        for name in (server.url, manifest.recording_id):
            if name in self.errors:
                raise self.errors[name]


class UploadQueueHarness:
    """An upload queue over a spool, with a simulated clock and a server for each site."""

    def __init__(self, directory: Path, limit: int = 4) -> None:
        self.directory = directory
        self.store, self.uploader, self.now = FakeRecordingStore(), FakeUploader(), 0.0
        self.servers = {1: ONE, 2: OTHER}
        self.queue = UploadQueue(self.store, self.uploader, limit, lambda: self.now, lambda: 0.5)
        self.jobs: list[RecordingJob] = []

    def put(self, *recording_ids: str, site_id: int = 1) -> None:
        for recording_id in recording_ids:
            put_muxed(self.directory, recording_id, b"matroska", site_id)
            self.jobs.append(read_job(self.directory / recording_id, lambda: 0.5))

    def start(self) -> list[str]:
        """Start the uploads that are due; return their ids."""
        delivery_plans = {site: DeliveryPlan(server) for site, server in self.servers.items()}
        self.queue.start(self.jobs, delivery_plans, self.now)
        return [job.id for job in self.jobs if job.task]

    async def wait_idle(self) -> list[str]:
        """Start the uploads that are due, and wait until they end; return their ids."""
        begun = self.start()
        await asyncio.gather(*(job.task for job in self.jobs if job.task))
        for job in self.jobs:
            job.task = None
        self.jobs = [job for job in self.jobs if job.directory.exists()]
        return begun

    async def tries(self, until: float, step: float = 0.25) -> list[float]:
        """Return the times at which an upload was tried, until a time."""
        moments = []
        while self.now < until:
            if await self.wait_idle():
                moments.append(self.now)
            self.now += step
        return moments


@pytest.fixture
def harness(tmp_path: Path) -> UploadQueueHarness:
    return UploadQueueHarness(tmp_path / "spool")


async def test_what_is_delivered_leaves_the_spool_when_the_database_knows(
    harness: UploadQueueHarness,
) -> None:
    harness.put("a")
    harness.store.is_away = True
    assert await harness.wait_idle() == ["a"]
    assert (harness.directory / "a" / MATROSKA).exists()
    harness.store.is_away = False
    harness.now = 1.0
    assert await harness.wait_idle() == ["a"]
    assert harness.store.delivered_ids == ["a"]
    assert list(harness.directory.iterdir()) == []


async def test_the_journals_of_an_incomplete_recording_are_kept(
    harness: UploadQueueHarness,
) -> None:
    harness.put("a")
    directory = harness.jobs[0].directory
    (directory / journal_name(1)).write_bytes(b"journal")
    delivery = spool_reader.read_delivery(directory)
    assert delivery
    spool_reader.write_delivery(
        directory, msgspec.structs.replace(delivery, missing=("No video.",))
    )
    await harness.wait_idle()
    assert harness.store.delivered_ids == ["a"]
    assert spool_reader.recordings(harness.directory) == []
    job = harness.directory / INCOMPLETE / "a"
    assert (job / journal_name(1)).read_bytes() == b"journal"
    assert sorted(path.name for path in job.iterdir()) == [journal_name(1), MANIFEST]


async def test_several_at_once_with_a_limit(harness: UploadQueueHarness) -> None:
    harness.put("a", "b", "c", "d", "e", "f")
    harness.uploader.held = asyncio.Event()
    assert harness.start() == ["a", "b", "c", "d"]
    assert harness.start() == ["a", "b", "c", "d"]
    harness.uploader.held.set()
    await harness.wait_idle()
    assert await harness.wait_idle() == ["e", "f"]
    assert harness.jobs == []


async def test_a_server_that_fails_is_tried_ever_less_often(harness: UploadQueueHarness) -> None:
    harness.put("a")
    harness.uploader.errors[ONE.url] = DOWN
    assert await harness.tries(32) == [0, 1, 3, 7, 15, 31]
    told = [progress for _, progress in harness.store.told]
    assert [p.is_attempt for p in told[:2]] == [True, False]
    assert told[1] == DeliveryProgress(
        DeliveryTrigger.NOT_DELIVERED, uploaded=5, error=str(DOWN), next_try=1.0
    )


async def test_a_failing_server_is_tried_by_one_at_a_time_in_turn(
    harness: UploadQueueHarness,
) -> None:
    harness.put("a", "b", "c")
    harness.uploader.errors[ONE.url] = DOWN
    assert await harness.wait_idle() == ["a", "b", "c"]  # The failure was not known yet.
    harness.now = 1.0
    assert await harness.wait_idle() == ["a"]
    harness.now = 3.0
    assert await harness.wait_idle() == ["b"]
    harness.uploader.errors.clear()
    harness.now = 7.0
    assert await harness.wait_idle() == ["c"]
    assert await harness.wait_idle() == [
        "a",
        "b",
    ]  # The server works again, so all others are tried at once.


async def test_one_bad_recording_does_not_stop_the_others(harness: UploadQueueHarness) -> None:
    harness.put("bad", "good")
    harness.uploader.errors["bad"] = TOO_LARGE
    assert await harness.wait_idle() == ["bad", "good"]
    assert harness.store.delivered_ids == ["good"]
    harness.put("next")
    assert await harness.wait_idle() == ["next"]
    assert await harness.tries(16) == [1, 3, 7, 15]


async def test_failing_servers_leave_places_to_others(harness: UploadQueueHarness) -> None:
    harness.servers = {site: RecordingServer(f"http://{site}.example/") for site in range(1, 6)}
    for site in range(1, 6):
        harness.put(f"site-{site}", site_id=site)
    for site in range(1, 5):
        harness.uploader.errors[f"http://{site}.example/"] = DOWN
    assert len(await harness.wait_idle()) == 4
    harness.now = 1.0
    harness.uploader.held = asyncio.Event()
    begun = harness.start()
    assert "site-5" in begun
    assert len(begun) == 3  # Half of four slots for failing servers, and the working server.
    harness.uploader.held.set()
    await harness.wait_idle()


async def test_recordings_follow_the_address_as_it_is_now(harness: UploadQueueHarness) -> None:
    harness.put("a", "b")
    harness.uploader.errors[ONE.url] = DOWN
    harness.uploader.errors["b"] = TOO_LARGE
    harness.servers[1] = OTHER
    assert await harness.wait_idle() == ["a", "b"]
    assert harness.store.delivered_ids == ["a"]
    del harness.uploader.errors["b"]
    assert await harness.wait_idle() == []
    harness.servers[1] = RecordingServer(OTHER.url, "another secret")
    assert await harness.wait_idle() == ["b"]
    assert harness.store.delivered_ids == ["a", "b"]


async def test_retry_after(harness: UploadQueueHarness) -> None:
    harness.put("a")
    harness.uploader.errors[ONE.url] = DeliveryError("Busy.", retry_after=20.0, is_servers=True)
    assert await harness.tries(25) == [0, 20]


async def test_somebody_wants_another_try(harness: UploadQueueHarness) -> None:
    harness.put("a")
    harness.uploader.errors[ONE.url] = DOWN
    await harness.tries(10)
    harness.queue.retry(OTHER)  # No upload to this server was ever tried.
    assert await harness.wait_idle() == []
    harness.queue.retry(ONE)
    assert await harness.wait_idle() == ["a"]


async def test_what_another_process_has_is_left_to_it(harness: UploadQueueHarness) -> None:
    harness.put("a")
    with spool_reader.claimed(harness.directory / "a") as is_ours:
        assert is_ours
        await harness.wait_idle()
        assert harness.uploader.went == []
    harness.now = 1.0
    await harness.wait_idle()
    assert harness.store.delivered_ids == ["a"]


async def test_trouble_on_this_machine(harness: UploadQueueHarness) -> None:
    harness.put("a")
    harness.uploader.errors["a"] = OSError("the disk is bad")
    await harness.wait_idle()
    assert "This machine could not go on: the disk is bad" in str(harness.store.told[-1][1].error)


async def test_a_file_that_changes_under_way_is_made_anew(harness: UploadQueueHarness) -> None:
    harness.put("a")
    harness.uploader.held = asyncio.Event()
    harness.start()
    await asyncio.sleep(0)
    (harness.directory / "a" / MATROSKA).write_bytes(b"torn")
    harness.uploader.held.set()
    await harness.wait_idle()
    assert harness.store.delivered_ids == []
    assert [job.is_muxed for job in harness.jobs] == [False]


async def test_sites_of_which_nothing_is_known_wait(harness: UploadQueueHarness) -> None:
    harness.put("a", site_id=7)
    assert await harness.wait_idle() == []
