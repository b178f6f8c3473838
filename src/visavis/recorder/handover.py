"""Recordings with journals on several nodes: collect them at their home, keep them elsewhere."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import Final, Protocol

import structlog

from visavis.domain.delivery_status import DeliveryProgress, SpoolNode
from visavis.domain.errors import VisavisError
from visavis.domain.handover import (
    Journals,
    RecordingShares,
    SpoolRole,
    is_removable,
    spool_role,
)
from visavis.domain.recording import DeliveryTrigger, Manifest
from visavis.recorder.handover_client import HandoverError, collect
from visavis.recorder.jobs import RecordingJob, RecordingStore, save_progress
from visavis.spool import pieces
from visavis.spool import reader as spool_reader
from visavis.tasks import spawn

log = structlog.get_logger(__name__)

LOOK_SECONDS: Final = 1.0
"""Interval at which the nodes are read, to see which of them are leaving."""
MAX_COLLECTIONS: Final = 2
"""Recordings that are collected at the same time, which leaves most of the network to calls."""


class SharesStore(RecordingStore, Protocol):
    """Store of the nodes with journals of recordings; `services.recordings` implements it."""

    async def shares(
        self, recordings: Collection[tuple[int, str]]
    ) -> Mapping[str, RecordingShares]: ...
    async def list_journals(self, manifest: Manifest, node_id: str) -> None: ...
    async def spool_nodes(self) -> Mapping[str, SpoolNode]: ...
    async def allow_handover(self, manifest: Manifest) -> str: ...
    async def hand_home_over(
        self, manifest: Manifest, home: str, running: Collection[str]
    ) -> bool: ...
    async def record_collection(
        self, manifest: Manifest, home: str, node_id: str, journals: Journals
    ) -> bool:
        """Save that the home has a node's journals; return false if another is the home now."""


class Handover:
    """Decides which recordings this node makes into files, and collects what these need.

    `node_id` is empty on the only node of an embedded database, which makes all of them. While the
    node `is_leaving`, because it is drained or stopped, others are to take over what it has.
    """

    def __init__(
        self,
        store: SharesStore,
        node_id: str,
        reserve_bytes: int = 0,
        is_leaving: Callable[[], bool] = lambda: False,
    ) -> None:
        self._store = store
        self._node_id = node_id
        self._reserve_bytes = reserve_bytes
        self.is_leaving = is_leaving
        self._collections = 0
        self._nodes: Mapping[str, SpoolNode] = {}
        self._looked_at = float("-inf")

    async def select(self, jobs: Collection[RecordingJob], now: float) -> list[RecordingJob]:
        """Return the recordings whose journals are all here; raises `VisavisError`.

        Starts to collect the journals of others whose call has ended, and removes journals that
        another node has delivered.
        """
        if not self._node_id:
            return list(jobs)
        idle = [job for job in jobs if not job.task]
        written = await asyncio.to_thread(_written, idle)
        leaving = await self._look(now) if idle else frozenset()
        # a recording that is new here is listed at once, before its call ends elsewhere
        fresh = [job for job in idle if leaving or job not in written or not job.is_listed]
        await self._assign(fresh)
        settled = [job for job in idle if job not in written]
        for job in [job for job in settled if job.role is SpoolRole.REMOVE]:
            await self._remove(job, now)
        if self._node_id in leaving:
            await self._hand_home_over([job for job in settled if job.role is SpoolRole.COLLECT])
        await self._start([job for job in settled if job.role is SpoolRole.COLLECT], now)
        self._start_early([job for job in fresh if job.role is SpoolRole.COLLECT], leaving, now)
        return [job for job in settled if job.role is SpoolRole.DELIVER]

    def needed(self, jobs: Collection[RecordingJob]) -> list[RecordingJob]:
        """Return the recordings of which this node has journals that are still needed from it."""
        return [
            job
            for job in jobs
            if job.role is not SpoolRole.REMOVE
            and not (job.shares and self._node_id not in job.shares.nodes)
        ]

    def awaited(self, jobs: Collection[RecordingJob]) -> list[RecordingJob]:
        """Return the needed recordings that a node that runs can take over."""
        return [
            job
            for job in self.needed(jobs)
            if job.shares
            and any(
                node != self._node_id and node in self._nodes and not self._nodes[node].is_silent
                for node in job.shares.nodes
            )
        ]

    async def _look(self, now: float) -> frozenset[str]:
        """Return the nodes that are leaving; none between two looks."""
        if now - self._looked_at < LOOK_SECONDS:
            return frozenset()
        self._looked_at, self._nodes = now, await self._store.spool_nodes()
        leaving = {n for n, node in self._nodes.items() if node.is_draining and not node.is_silent}
        return frozenset(leaving | ({self._node_id} if self.is_leaving() else set()))

    async def _hand_home_over(self, jobs: Sequence[RecordingJob]) -> None:
        """Let nodes that stay make the files of these recordings."""
        running = [
            node_id
            for node_id, node in self._nodes.items()
            if not (node.is_silent or node.is_draining) and node_id != self._node_id
        ]
        for job in jobs:
            if await self._store.hand_home_over(job.manifest, self._node_id, running):
                log.info("another node makes the file", recording_id=job.id)
        await self._assign(jobs)

    def _start_early(
        self, jobs: Sequence[RecordingJob], leaving: Collection[str], now: float
    ) -> None:
        """Collect from nodes that are leaving, also while the call goes on."""
        for job in jobs:
            others = job.shares.nodes[1:] if job.shares else ()
            nodes = [self._nodes[node] for node in others if node in leaving]
            if nodes and not job.task and self._collections < MAX_COLLECTIONS:
                self._collections += 1
                job.task = spawn(
                    "collecting from a node that leaves", self._collect_early(job, nodes)
                )

    async def _collect_early(self, job: RecordingJob, nodes: Sequence[SpoolNode]) -> None:
        """Collect journals; what fails is tried again with the next look."""
        try:
            with spool_reader.shared(job.directory) as is_shared:
                if is_shared:
                    for node in nodes:
                        await self._collect_from(job, node)
        except (HandoverError, OSError, VisavisError) as error:
            log.info("recording not collected yet", recording_id=job.id, reason=str(error))
        finally:
            self._collections -= 1

    async def _assign(self, jobs: Sequence[RecordingJob]) -> None:
        """Assign the present roles of these recordings, after listing those that are not listed."""
        shares = await self._shares(jobs)
        unlisted = [
            job
            for job in jobs
            if spool_role(shares.get(job.id), self._node_id) is SpoolRole.UNLISTED
        ]
        for job in unlisted:
            await self._store.list_journals(job.manifest, self._node_id)
        if unlisted:
            shares = {**shares, **await self._shares(unlisted)}
        for job in jobs:
            if found := shares.get(job.id):
                job.is_listed, job.shares = True, found
                job.role = spool_role(found, self._node_id)
                await self._reopen(job)

    async def _shares(self, jobs: Sequence[RecordingJob]) -> Mapping[str, RecordingShares]:
        if not jobs:
            return {}
        return await self._store.shares([(job.site_id, job.id) for job in jobs])

    async def _reopen(self, job: RecordingJob) -> None:
        """Forget a file that was made before another node was listed, unless it has arrived."""
        if job.role is not SpoolRole.COLLECT or not job.is_muxed:
            return
        delivery = await asyncio.to_thread(spool_reader.read_delivery, job.directory)
        if delivery and delivery.is_uploaded:
            job.role = SpoolRole.DELIVER
            return
        with spool_reader.claimed(job.directory) as is_ours:
            if is_ours:
                await asyncio.to_thread(pieces.forget_file, job.directory)
                job.is_muxed = False

    async def _start(self, jobs: Sequence[RecordingJob], now: float) -> None:
        due = [job for job in jobs if job.backoff.is_due(now)]
        if not due or self._collections >= MAX_COLLECTIONS:
            return
        calls = frozenset((job.site_id, job.manifest.call_id) for job in due)
        ended = await self._store.ended_calls(calls)
        nodes = await self._store.spool_nodes() if ended else {}
        for job in due:
            if (job.site_id, job.manifest.call_id) not in ended or not job.shares:
                continue
            others = [nodes[node] for node in job.shares.nodes[1:] if node in nodes]
            # a silent node is asked as soon as it is back: it would only lengthen the back-off
            alive = [node for node in others if not node.is_silent]
            if alive and self._collections < MAX_COLLECTIONS:
                self._collections += 1
                job.task = spawn("collecting", self._collect(job, alive, now))

    async def _collect(self, job: RecordingJob, nodes: Sequence[SpoolNode], now: float) -> None:
        try:
            await self._collect_all(job, nodes)
            job.backoff.reset()
        except (HandoverError, OSError) as error:
            wait = job.backoff.record_failure(now)
            log.warning("recording not collected", recording_id=job.id, reason=str(error))
            failed = DeliveryProgress(DeliveryTrigger.PUT_OFF, error=str(error), next_try=wait)
            await save_progress(self._store, job, failed)
        except VisavisError as error:
            job.backoff.record_failure(now)
            log.warning("recording not collected", recording_id=job.id, error=error.kind.name)
        finally:
            self._collections -= 1

    async def _collect_all(self, job: RecordingJob, nodes: Sequence[SpoolNode]) -> None:
        with spool_reader.claimed(job.directory) as is_ours:
            if not is_ours:
                raise HandoverError("Another process is still working on it.")
            for node in nodes:
                await self._collect_from(job, node)

    async def _collect_from(self, job: RecordingJob, node: SpoolNode) -> None:
        token = await self._store.allow_handover(job.manifest)
        journals = await collect(job.directory, job.manifest, node, token, self._reserve_bytes)
        is_home = await self._store.record_collection(
            job.manifest, self._node_id, node.id, journals
        )
        log.info("journals collected", recording_id=job.id, node_id=node.id, is_home=is_home)

    async def _remove(self, job: RecordingJob, now: float) -> None:
        """Remove journals that are in the delivered file; move others to `incomplete`."""
        if not job.shares or not job.backoff.is_due(now):
            return
        try:
            await asyncio.to_thread(_remove, job.directory, job.shares, self._node_id)
        except (OSError, ValueError) as error:
            job.backoff.record_failure(now)
            log.error("journals not removed", recording_id=job.id, reason=str(error))  # noqa: TRY400


def _written(jobs: Sequence[RecordingJob]) -> list[RecordingJob]:
    return [job for job in jobs if spool_reader.is_written(job.directory)]


def _remove(directory: Path, shares: RecordingShares, node_id: str) -> None:
    with spool_reader.claimed(directory) as is_ours:
        if not is_ours:
            return
        if is_removable(shares, node_id, pieces.journal_names(directory)):
            spool_reader.remove(directory)
            log.info("journals removed", recording_id=shares.id)
        else:
            spool_reader.keep_incomplete(directory)
            log.error("journals are not in the delivered file", recording_id=shares.id)
