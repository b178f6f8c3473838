"""Upload queue: delivers muxed files, with a circuit breaker for each recording server."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

import structlog

from visavis.domain.delivery_status import DeliveryPlan, DeliveryProgress, RecordingServer
from visavis.domain.errors import VisavisError
from visavis.domain.recording import DeliveryTrigger, Manifest
from visavis.outbound.backoff import Backoff
from visavis.outbound.errors import DeliveryError
from visavis.recorder.jobs import RecordingJob, RecordingStore, save_progress
from visavis.spool import reader as spool_reader
from visavis.tasks import spawn

log = structlog.get_logger(__name__)


class Uploader(Protocol):
    """Port that uploads a file to a server; `recorder.tus_upload` implements it."""

    async def deliver(
        self,
        directory: Path,
        manifest: Manifest,
        server: RecordingServer,
        on_progress: Callable[[int], None],
    ) -> None: ...


@dataclass(slots=True, eq=False)
class _CircuitBreaker:
    """Circuit breaker of one recording server: if the server fails, one upload at a time tries it.

    `active` is the number of running uploads, and `failures` the number of failures so far.
    """

    backoff: Backoff
    active: int = 0
    failures: int = 0


class UploadQueue:
    """Queue that uploads at most `limit` recordings at the same time.

    A failing server is tried by one recording at a time, with back-off. All failing servers
    together get at most half of the `limit`, so that the servers of other sites do not wait.
    """

    def __init__(
        self,
        store: RecordingStore,
        uploader: Uploader,
        limit: int,
        clock: Callable[[], float],
        chance: Callable[[], float],
    ) -> None:
        self._store = store
        self._uploader = uploader
        self._limit: Final = limit
        self._clock = clock
        self._chance = chance
        self._breakers: dict[RecordingServer, _CircuitBreaker] = {}
        self._active = 0

    def start(
        self, jobs: Iterable[RecordingJob], delivery_plans: Mapping[int, DeliveryPlan], now: float
    ) -> None:
        """Start the uploads that are due, least recently tried first."""
        self._forget_breakers(delivery_plans)
        ready = [
            job for job in jobs if job.is_muxed and not job.task and job.site_id in delivery_plans
        ]
        for job in sorted(ready, key=lambda job: job.tried_at):
            if self._active >= self._limit:
                return
            server = delivery_plans[job.site_id].server
            if job.tried_server != server:
                job.backoff.reset()  # Failures at another server do not count.
                job.uploaded = 0
            breaker = self._breakers.setdefault(server, _CircuitBreaker(Backoff(self._chance)))
            if job.backoff.is_due(now) and self._is_open(breaker, now):
                self._send(job, server, breaker, now)

    def retry(self, server: RecordingServer) -> None:
        """Close a server's circuit breaker, because a retry was requested."""
        if breaker := self._breakers.get(server):
            breaker.backoff.reset()

    def _is_open(self, breaker: _CircuitBreaker, now: float) -> bool:
        if not breaker.backoff.is_failing:
            return True
        tries = sum(g.active for g in self._breakers.values() if g.backoff.is_failing)
        return (
            breaker.backoff.is_due(now) and not breaker.active and tries < max(1, self._limit // 2)
        )

    def _forget_breakers(self, delivery_plans: Mapping[int, DeliveryPlan]) -> None:
        current = {delivery_plan.server for delivery_plan in delivery_plans.values()}
        for server in self._breakers.keys() - current:
            if not self._breakers[server].active:
                del self._breakers[server]

    def _send(
        self, job: RecordingJob, server: RecordingServer, breaker: _CircuitBreaker, now: float
    ) -> None:
        job.tried_server, job.tried_at = server, now
        breaker.active += 1
        self._active += 1
        job.task = spawn("delivery", self._run(job, server, breaker, breaker.failures))

    async def _run(
        self, job: RecordingJob, server: RecordingServer, breaker: _CircuitBreaker, failures: int
    ) -> None:
        try:
            await self._deliver(job, server)
        except DeliveryError as error:
            if not error.is_servers:
                wait = job.backoff.record_failure(self._clock(), error.retry_after)
            elif breaker.failures == failures:
                breaker.failures += 1
                wait = breaker.backoff.record_failure(self._clock(), error.retry_after)
            else:
                wait = 0.0  # Another upload, which ran at the same time, has counted this failure.
            await self._not_delivered(job, str(error), wait)
        except (OSError, VisavisError) as error:
            wait = job.backoff.record_failure(self._clock())
            await self._not_delivered(job, f"This machine could not go on: {error}", wait)
        else:
            breaker.backoff.reset()
        finally:
            breaker.active -= 1
            self._active -= 1

    async def _deliver(self, job: RecordingJob, server: RecordingServer) -> None:
        with spool_reader.claimed(job.directory) as is_ours:
            if not is_ours:
                raise DeliveryError("Another process is still working on it.")
            begun = DeliveryProgress(DeliveryTrigger.UPLOAD, server_url=server.url, is_attempt=True)
            await save_progress(self._store, job, begun)
            await self._uploader.deliver(
                job.directory, job.manifest, server, lambda sent: _set_uploaded(job, sent)
            )
            delivery = await asyncio.to_thread(spool_reader.read_delivery, job.directory)
            if delivery is None:
                raise DeliveryError("The file in the spool has changed.")
            # Save this in the database before removing the spool's files, which are the only other
            # record of the delivery.
            await self._store.record_delivery(job.manifest, delivery, server.url)
            release = spool_reader.keep_incomplete if delivery.missing else spool_reader.remove
            await asyncio.to_thread(release, job.directory)
        log.info("recording delivered", recording_id=job.id, call_id=job.manifest.call_id)

    async def _not_delivered(self, job: RecordingJob, reason: str, wait: float) -> None:
        log.warning("recording not delivered", recording_id=job.id, reason=reason, wait=wait)
        job.is_muxed = (
            await asyncio.to_thread(spool_reader.read_delivery, job.directory) is not None
        )
        failed = DeliveryProgress(
            DeliveryTrigger.NOT_DELIVERED,
            uploaded=job.uploaded,
            error=reason,
            next_try=wait or None,
        )
        await save_progress(self._store, job, failed)


def _set_uploaded(job: RecordingJob, sent: int) -> None:
    job.uploaded = sent
