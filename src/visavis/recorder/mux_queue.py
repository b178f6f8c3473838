"""Mux queue: muxes the recordings of calls that have ended."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from pathlib import Path
from typing import Final, Protocol

import structlog

from visavis import __version__
from visavis.domain.call_events import CallReport
from visavis.domain.delivery_status import DeliveryProgress
from visavis.domain.errors import VisavisError
from visavis.domain.recording import DeliveryTrigger, Trouble
from visavis.recorder.jobs import MAX_FAILURES, RecordingJob, RecordingStore, save_progress
from visavis.recorder.mux.requests import MuxResult, Outcome
from visavis.recorder.mux_pool import MuxCrashError
from visavis.spool import reader as spool_reader
from visavis.tasks import spawn

log = structlog.get_logger(__name__)


class Muxer(Protocol):
    """Port that muxes a recording in another process; `recorder.mux_pool` implements it."""

    async def mux(
        self, directory: Path, report: CallReport | None, missing: tuple[str, ...] = ()
    ) -> MuxResult: ...


class MuxQueue:
    """Queue that muxes at most `limit` recordings at once."""

    def __init__(self, store: RecordingStore, muxer: Muxer, limit: int) -> None:
        self._store = store
        self._muxer = muxer
        self._limit: Final = limit
        self._tasks: set[asyncio.Task[None]] = set()
        self._is_disk_full = False

    async def start(self, jobs: Iterable[RecordingJob], now: float) -> None:
        """Start muxing recordings of ended calls, up to the limit; raises `VisavisError`."""
        waiting = [
            job
            for job in jobs
            if not (job.is_muxed or job.is_given_up or job.task) and job.backoff.is_due(now)
        ]
        # While the disk is full, recordings are muxed one at a time: each frees space once it is
        # delivered, while several at once may all run out of space.
        limit = 1 if self._is_disk_full else self._limit
        if not waiting or len(self._tasks) >= limit:
            return
        unwritten = await asyncio.to_thread(
            lambda: [job for job in waiting if not spool_reader.is_written(job.directory)]
        )
        ended = await self._of_ended_calls(unwritten)
        if self._is_disk_full:
            ended = await asyncio.to_thread(_smallest_first, ended)
        for job in ended:
            if len(self._tasks) >= limit:
                return
            job.task = spawn("muxing", self._mux(job, now))
            self._tasks.add(job.task)
            job.task.add_done_callback(self._tasks.discard)

    async def _of_ended_calls(self, waiting: list[RecordingJob]) -> list[RecordingJob]:
        calls = frozenset((job.site_id, job.manifest.call_id) for job in waiting)
        ended = await self._store.ended_calls(calls)
        return [job for job in waiting if (job.site_id, job.manifest.call_id) in ended]

    async def _mux(self, job: RecordingJob, now: float) -> None:
        try:
            report = await self._store.call_report(job.site_id, job.manifest.call_id)
            await save_progress(self._store, job, DeliveryProgress(DeliveryTrigger.MUX))
            result = await self._muxer.mux(job.directory, report, job.missing)
            await self._handle_result(job, now, result)
        except MuxCrashError as error:
            await self._failed(job, now, str(error))
        except VisavisError as error:
            job.backoff.record_failure(now)
            log.warning("recording postponed", recording_id=job.id, error=error.kind.name)
        except OSError as error:
            await self._postpone(job, now, f"This machine could not go on: {error}.")

    async def _handle_result(self, job: RecordingJob, now: float, result: MuxResult) -> None:
        match result.outcome:
            case Outcome.MUXED:
                self._is_disk_full = False
                await self._muxed(job, result.packets)
            case Outcome.EMPTY:
                await self._empty(job)
            case Outcome.BUSY:
                await self._postpone(job, now, "Another process is still working on it.")
            case Outcome.NO_ROOM:
                self._is_disk_full = True
                await self._postpone(job, now, f"The machine has no room: {result.reason}.")
            case Outcome.FAILED:
                await self._failed(job, now, result.reason)

    async def _muxed(self, job: RecordingJob, packets: dict[str, dict[str, int]]) -> None:
        await asyncio.to_thread(spool_reader.forget_trouble, job.directory)
        delivery = await asyncio.to_thread(spool_reader.read_delivery, job.directory)
        job.backoff.reset()
        job.is_muxed = delivery is not None
        if delivery:
            log.info("recording muxed", recording_id=job.id, size=delivery.size, packets=packets)
            if several := sorted(part for part, count in packets.items() if "beside" in count):
                log.warning("several streams at once", recording_id=job.id, parts=several)
            if delivery.missing:
                log.error("recording incomplete", recording_id=job.id, missing=delivery.missing)
            made = DeliveryProgress(
                DeliveryTrigger.MUXED,
                size=delivery.size,
                sha256=delivery.sha256,
                duration=delivery.duration,
                missing=delivery.missing,
                error="",
            )
            await save_progress(self._store, job, made)

    async def _empty(self, job: RecordingJob) -> None:
        """Remove a recording without media, whose call ended before any media was sent."""
        await self._store.save_progress(
            job.manifest, DeliveryProgress(DeliveryTrigger.NO_MEDIA, error="")
        )
        with spool_reader.claimed(job.directory) as is_ours:
            if is_ours:
                await asyncio.to_thread(spool_reader.remove, job.directory)
        log.info("nothing to deliver", recording_id=job.id, call_id=job.manifest.call_id)

    async def _postpone(self, job: RecordingJob, now: float, reason: str) -> None:
        wait = job.backoff.record_failure(now)
        log.warning("recording postponed", recording_id=job.id, reason=reason)
        await save_progress(
            self._store,
            job,
            DeliveryProgress(DeliveryTrigger.PUT_OFF, error=reason, next_try=wait),
        )

    async def _failed(self, job: RecordingJob, now: float, reason: str) -> None:
        """Postpone the recording, or give it up after `MAX_FAILURES` until a person retries it."""
        before = await asyncio.to_thread(spool_reader.read_trouble, job.directory)
        count = before.failures + 1 if before and before.version == __version__ else 1
        trouble = Trouble(failures=count, reason=reason, version=__version__)
        await asyncio.to_thread(spool_reader.write_trouble, job.directory, trouble)
        sentence = f"It could not be muxed: {reason}"
        if count < MAX_FAILURES:
            await self._postpone(job, now, sentence)
            return
        job.is_given_up = True
        log.error("recording set aside", recording_id=job.id, reason=reason)
        await save_progress(
            self._store, job, DeliveryProgress(DeliveryTrigger.GIVE_UP, error=sentence)
        )


def _smallest_first(jobs: list[RecordingJob]) -> list[RecordingJob]:
    """Sort by size. A small recording is more likely to fit, and frees space once delivered."""
    return sorted(jobs, key=lambda job: spool_reader.size_of(job.directory))
