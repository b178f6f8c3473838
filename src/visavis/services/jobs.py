"""Periodic jobs that one process at a time does for all that share the database.

A process takes the lease of a job that is due by compare-and-set, on the database's clock, renews
it while it works, and gives it back. If it dies, another takes the lease once it has expired. A
process that was frozen meanwhile may still write when it wakes up, until it notices that it has
lost the lease. So each write of a job must change nothing if another process has made it already.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Final

import structlog

from visavis.domain.errors import VisavisError
from visavis.services.ports import Store
from visavis.tasks import cancelled, child

log = structlog.get_logger(__name__)

LEASE_SECONDS: Final = 60.0
RENEW_SECONDS: Final = 15.0
LOOK_SECONDS: Final = 15.0
"""Maximum interval at which a process checks whether a job is due."""

Figures = Mapping[str, float]
"""Result of a job, which the other processes read."""

Work = Callable[[], Awaitable[Figures | None]]


class Jobs:
    """The jobs of one process, which holds their leases under the name `node_id`."""

    def __init__(self, store: Store, node_id: str) -> None:
        self._store = store
        self._node_id = node_id

    async def perform(self, name: str, period: float, work: Work) -> Figures | None:
        """Do a job unless another process does it, or has begun it within `period` seconds.

        Return the figures of the newest run that has ended, by any process. An error of `work` is
        raised, and the job is due again at once. A job whose lease is lost is cancelled.
        """
        lease = await self._store.read(lambda rows: rows.jobs.get(name))
        if lease and not lease.is_due:
            return lease.figures
        term = await self._store.write(
            lambda rows: rows.jobs.take(name, self._node_id, LEASE_SECONDS)
        )
        if term is None:
            return lease.figures if lease else None
        pause, figures = 0.0, lease.figures if lease else None
        try:
            figures = await self._work(name, term, work)
            pause = period
        finally:
            await self._give_back(name, term, pause, figures)
        return figures

    async def _work(self, name: str, term: int, work: Work) -> Figures | None:
        """Return the result of the work; raises `TimeoutError` if the lease is lost meanwhile."""
        working, renewing = child(_result_of(work)), child(self._renew(name, term))
        try:
            await asyncio.wait({working, renewing}, return_when=asyncio.FIRST_COMPLETED)
            if not working.done():
                raise TimeoutError(f"another process does the job: {name}")
            return working.result()
        finally:
            await cancelled(working, renewing)

    async def _renew(self, name: str, term: int) -> None:
        """Renew the lease; return once another process has it, or it may have expired."""
        loop = asyncio.get_running_loop()
        expires_at = loop.time() + LEASE_SECONDS
        while loop.time() < expires_at:
            await asyncio.sleep(RENEW_SECONDS)
            asked_at = loop.time()
            try:
                is_ours = await self._store.write(
                    lambda rows: rows.jobs.renew(name, term, LEASE_SECONDS)
                )
            except VisavisError as error:
                log.warning("lease not renewed", job=name, error=error.kind.name)
                continue
            if not is_ours:
                return
            expires_at = asked_at + LEASE_SECONDS

    async def _give_back(self, name: str, term: int, pause: float, figures: Figures | None) -> None:
        try:
            await self._store.write(lambda rows: rows.jobs.give_back(name, term, pause, figures))
        except VisavisError as error:  # the lease expires by itself
            log.warning("lease not given back", job=name, error=error.kind.name)


async def _result_of(work: Work) -> Figures | None:
    return await work()
