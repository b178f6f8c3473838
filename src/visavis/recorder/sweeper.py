"""The recorder's main loop: it muxes, delivers and removes the recordings of ended calls."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final, Protocol

import msgspec
import structlog

from visavis.domain.delivery_status import DeliveryPlan, DeliveryProgress
from visavis.domain.errors import VisavisError
from visavis.domain.recording import ClockOffset, DeliveryTrigger
from visavis.recorder.handover import Handover
from visavis.recorder.jobs import RecordingJob, RecordingStore, read_job, save_progress
from visavis.recorder.mux_pool import MuxPool
from visavis.recorder.mux_queue import MuxQueue
from visavis.recorder.upload_queue import Uploader, UploadQueue
from visavis.spool import clocks
from visavis.spool import reader as spool_reader
from visavis.tasks import cancelled, describe, run_every

log = structlog.get_logger(__name__)

POLL_SECONDS: Final = 0.5
PROGRESS_SECONDS: Final = 2.0
LEAVE_SECONDS: Final = 30.0
"""Time for which a media node that is stopped waits until other nodes have collected journals."""
LEAVE_LOG_SECONDS: Final = 5.0
POSTPONE_SECONDS: Final = 60.0
"""Delay until a recording is tried again after an unexpected error."""


class ClockStore(RecordingStore, Protocol):
    """Store that can compare the clock of this machine with its own."""

    async def clock_offset(self) -> ClockOffset | None:
        """Compare this machine's monotonic clock with the database's; `None` for SQLite."""


class Sweeper:
    """Main loop of the recorder. Its only lasting state is the spool, so it may be killed any time.

    At most `deliveries` recordings are uploaded, and at most `muxers` are muxed, at the same time.
    """

    def __init__(
        self,
        directory: Path,
        store: ClockStore,
        uploader: Uploader,
        *,
        deliveries: int,
        muxers: int,
        handover: Handover,
        clock: Callable[[], float] | None = None,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._spool = directory
        self._store = store
        self._chance = chance
        self._clock = clock or asyncio.get_running_loop().time
        self._handover = handover
        self._mux_pool = MuxPool()
        self._mux_queue = MuxQueue(store, self._mux_pool, muxers)
        self._upload_queue = UploadQueue(store, uploader, deliveries, self._clock, chance)
        self._jobs: dict[str, RecordingJob] = {}
        self._unreadable: dict[str, str] = {}
        self._progress_saved_at = 0.0

    async def run(self, stop: asyncio.Event) -> None:
        """Sweep the spool periodically until `stop`. A sweep that fails is repeated later."""
        sweeping = run_every("spool sweep", POLL_SECONDS, self.sweep)
        try:
            await stop.wait()
            await cancelled(sweeping)
            if self._handover.is_leaving():
                await self._leave()
        finally:
            await cancelled(sweeping)
            await self.close()

    @property
    def is_needed(self) -> bool:
        """Whether the spool has journals that the recording server or other nodes still need."""
        return bool(self._handover.needed(self._jobs.values()))

    async def _leave(self) -> None:
        """Wait until nodes that run have collected the journals of shared recordings."""
        clock = asyncio.get_running_loop().time
        end, logged_at = clock() + LEAVE_SECONDS, float("-inf")
        while True:
            await self.sweep()
            awaited = self._handover.awaited(self._jobs.values())
            if not awaited or clock() > end:
                break
            if clock() - logged_at > LEAVE_LOG_SECONDS:
                logged_at = clock()
                log.info("journals are handed over", recordings=len(awaited))
            await asyncio.sleep(POLL_SECONDS)
        if left := self._handover.needed(self._jobs.values()):
            log.warning("recordings are left on this node", recordings=[job.id for job in left])

    async def sweep(self) -> None:
        """Read the spool once, and start the muxing and uploads that are due."""
        now = self._clock()
        await self._scan_spool()
        await self._mux_pool.stop_idle(now)
        if not self._jobs:
            return
        try:
            delivery_plans = await self._store.delivery_plans(
                frozenset(k.site_id for k in self._jobs.values())
            )
            await self._compare_clocks()
            jobs = await self._handover.select(self._jobs.values(), now)
            await self._retry(delivery_plans)
            await self._mux_queue.start(jobs, now)
        except VisavisError as error:
            log.warning("database unavailable", error=error.kind.name)
            return
        self._upload_queue.start(jobs, delivery_plans, now)
        await self._save_progress(now)

    async def wait_idle(self) -> None:
        """Wait until no job is running."""
        while tasks := [job.task for job in self._jobs.values() if job.task]:
            await asyncio.gather(*tasks, return_exceptions=True)
            self._forget_finished()

    async def close(self) -> None:
        """Cancel all jobs and stop the mux workers."""
        for job in self._jobs.values():
            if job.task:
                job.task.cancel()
        await self.wait_idle()
        await self._mux_pool.stop()

    async def _scan_spool(self) -> None:
        """Add jobs for new recordings in the spool and forget those that are gone."""
        self._forget_finished()
        await asyncio.to_thread(spool_reader.sweep_hidden, self._spool)
        found = {
            path.name: path
            for path in await asyncio.to_thread(spool_reader.recordings, self._spool)
        }
        for name in [n for n, job in self._jobs.items() if n not in found and not job.task]:
            del self._jobs[name]
        for name in self._unreadable.keys() - found.keys():
            del self._unreadable[name]
        for name in found.keys() - self._jobs.keys():
            try:
                self._jobs[name] = await asyncio.to_thread(read_job, found[name], self._chance)
            except (OSError, msgspec.MsgspecError) as error:
                self._report_unreadable(name, str(error))
            else:
                self._unreadable.pop(name, None)

    def _report_unreadable(self, name: str, reason: str) -> None:
        """Log a recording that cannot be read, once per reason.

        Each sweep tries to read it again, as the cause may be a temporary lack of file descriptors.
        Its call is in the database, so `visavis recordings verify` lists it.
        """
        if self._unreadable.get(name) != reason:
            log.error("recording unreadable", directory=name, reason=reason)
        self._unreadable[name] = reason

    def _forget_finished(self) -> None:
        """Forget finished jobs and postpone failed ones."""
        for job in self._jobs.values():
            if job.task and job.task.done():
                if not job.task.cancelled() and (error := job.task.exception()):
                    log.error("recording postponed", recording_id=job.id, reason=describe(error))
                    job.backoff.record_failure(self._clock(), POSTPONE_SECONDS)
                job.task = None

    async def _compare_clocks(self) -> None:
        """Compare the clocks of new recordings with the database's, while they are recorded."""
        untimed = [job for job in self._jobs.values() if not job.is_timed]
        due = await asyncio.to_thread(
            lambda: [job for job in untimed if clocks.is_comparable(job.directory)]
        )
        if due and (offset := await self._store.clock_offset()):
            for job in due:
                await asyncio.to_thread(clocks.write_comparison, job.directory, offset)
        for job in untimed:
            job.is_timed = True

    async def _retry(self, delivery_plans: Mapping[int, DeliveryPlan]) -> None:
        """Reset the failures of the recordings for which a retry was requested."""
        for site_id, delivery_plan in delivery_plans.items():
            asked = [
                job
                for job in self._jobs.values()
                if job.site_id == site_id and job.id in delivery_plan.retries and not job.task
                if not job.is_of_another_node
            ]
            for job in asked:
                self._upload_queue.retry(delivery_plan.server)
                job.backoff.reset()
                job.is_given_up = False
                await asyncio.to_thread(spool_reader.forget_trouble, job.directory)
                await save_progress(
                    self._store, job, DeliveryProgress(DeliveryTrigger.RETRY, next_try=0.0)
                )
            if asked:
                await self._store.clear_retries(site_id, frozenset(job.id for job in asked))

    async def _save_progress(self, now: float) -> None:
        if now - self._progress_saved_at < PROGRESS_SECONDS:
            return
        self._progress_saved_at = now
        for job in list(self._jobs.values()):
            if job.task and job.uploaded != job.saved_bytes:
                job.saved_bytes = job.uploaded
                await save_progress(self._store, job, DeliveryProgress(uploaded=job.uploaded))
