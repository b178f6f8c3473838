"""Recording jobs: the recorder's state in memory for each recording in the spool."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import structlog

from visavis import __version__
from visavis.domain.call_events import CallReport
from visavis.domain.delivery_status import DeliveryPlan, DeliveryProgress, RecordingServer
from visavis.domain.errors import VisavisError
from visavis.domain.handover import RecordingShares, SpoolRole
from visavis.domain.recording import Delivery, Manifest
from visavis.outbound.backoff import Backoff
from visavis.spool import reader as spool_reader

log = structlog.get_logger(__name__)

MAX_FAILURES = 3
"""After this many failures of the muxer, a recording is given up until a person retries it."""


class RecordingStore(Protocol):
    """Store of the recordings' delivery status; `services.recordings` implements it.

    Every method raises `VisavisError` while the database is not available.
    """

    async def delivery_plans(self, site_ids: frozenset[int]) -> Mapping[int, DeliveryPlan]: ...
    async def ended_calls(self, calls: frozenset[tuple[int, str]]) -> frozenset[tuple[int, str]]:
        """Return those of the calls (site ID, call ID) that have ended or are unknown."""

    async def call_report(self, site_id: int, call_id: str) -> CallReport | None: ...
    async def save_progress(self, manifest: Manifest, progress: DeliveryProgress) -> None: ...
    async def record_delivery(
        self, manifest: Manifest, delivery: Delivery, server_url: str
    ) -> None: ...
    async def clear_retries(self, site_id: int, recording_ids: frozenset[str]) -> None:
        """Clear the retry requests of these recordings."""


@dataclass(slots=True, eq=False)
class RecordingJob:
    """Recording in the spool: its state on disk, its running task, and when to try it again.

    `is_timed` says that the recording's clock has been compared with the database's, or cannot be.
    `is_listed` says that the database knows of these journals; `shares` has all nodes with others.
    `tried_server` is the server of the last attempt. `uploaded` is the number of bytes sent to it,
    and `saved_bytes` the number last saved in the database.
    """

    directory: Path
    manifest: Manifest
    backoff: Backoff
    is_muxed: bool
    is_given_up: bool = False
    is_timed: bool = False
    is_listed: bool = False
    shares: RecordingShares | None = None
    role: SpoolRole = SpoolRole.DELIVER
    tried_server: RecordingServer | None = None
    tried_at: float = 0.0
    uploaded: int = 0
    saved_bytes: int = 0
    task: asyncio.Task[None] | None = None

    @property
    def id(self) -> str:
        return self.manifest.recording_id

    @property
    def site_id(self) -> int:
        return self.manifest.site_id

    @property
    def is_of_another_node(self) -> bool:
        """Whether another node makes and delivers the file."""
        return self.role in {SpoolRole.KEEP, SpoolRole.REMOVE}

    @property
    def missing(self) -> tuple[str, ...]:
        """Sentences about journals of other nodes that will not be in the file."""
        return self.shares.missing if self.shares else ()


def read_job(directory: Path, chance: Callable[[], float]) -> RecordingJob:
    """Read a recording's directory; raises `OSError` or `msgspec.MsgspecError`."""
    manifest = spool_reader.read_manifest(directory)
    trouble = spool_reader.read_trouble(directory)
    return RecordingJob(
        directory,
        manifest,
        Backoff(chance),
        is_muxed=spool_reader.read_delivery(directory) is not None,
        is_given_up=trouble is not None
        and trouble.version == __version__
        and trouble.failures >= MAX_FAILURES,
    )


async def save_progress(
    store: RecordingStore, job: RecordingJob, progress: DeliveryProgress
) -> None:
    """Save progress in the database. If that fails, only log it, as the spool is authoritative."""
    try:
        await store.save_progress(job.manifest, progress)
    except VisavisError as error:
        log.warning("progress not saved", recording_id=job.id, error=error.kind.name)
