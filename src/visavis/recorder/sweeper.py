"""The recorder's loop: what lies finished in the spool is muxed, delivered and taken out."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

import msgspec
import structlog

from visavis.domain.delivery_status import DeliveryProgress, Outlook
from visavis.domain.errors import VisavisError
from visavis.domain.recording import RecordingState
from visavis.recorder import spool
from visavis.recorder.kept import Kept, Ledger, keep, note
from visavis.recorder.making import Making
from visavis.recorder.muxers import Muxers
from visavis.recorder.sending import Carrier, Sending
from visavis.tasks import cancelled, describe, run_every

log = structlog.get_logger(__name__)

POLL_SECONDS: Final = 0.5
NOTE_SECONDS: Final = 2.0
PUT_OFF_SECONDS: Final = 60.0
"""After an error that nobody foresaw; it says so in the log, and the recording stays."""


class Sweeper:
    """Its only state is the spool: it may be killed anywhere and started again.

    At most `deliveries` recordings are uploaded and `muxers` muxed at once.
    """

    def __init__(
        self,
        directory: Path,
        ledger: Ledger,
        carrier: Carrier,
        *,
        deliveries: int,
        muxers: int,
        clock: Callable[[], float] | None = None,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._spool = directory
        self._ledger = ledger
        self._chance = chance
        self._clock = clock or asyncio.get_running_loop().time
        self._muxers = Muxers()
        self._making = Making(ledger, self._muxers, muxers)
        self._sending = Sending(ledger, carrier, deliveries, self._clock, chance)
        self._kept: dict[str, Kept] = {}
        self._unreadable: dict[str, str] = {}
        self._noted_at = 0.0

    async def run(self, stop: asyncio.Event) -> None:
        """Sweep until `stop`; a sweep that fails, of whatever error, is tried again later."""
        sweeping = run_every("spool sweep", POLL_SECONDS, self.sweep)
        try:
            await stop.wait()
        finally:
            await cancelled(sweeping)
            await self.close()

    async def sweep(self) -> None:
        """Look at the spool once, and begin with what can be done."""
        now = self._clock()
        await self._look()
        await self._muxers.rest(now)
        if not self._kept:
            return
        try:
            outlooks = await self._ledger.outlooks(
                frozenset(k.site_id for k in self._kept.values())
            )
            await self._retry(outlooks)
            await self._making.start(self._kept.values(), now)
        except VisavisError as error:
            log.warning("the database is away", error=error.kind.name)
            return
        self._sending.start(self._kept.values(), outlooks, now)
        await self._note_progress(now)

    async def settle(self) -> None:
        """Return when nothing is under way any longer."""
        while tasks := [kept.task for kept in self._kept.values() if kept.task]:
            await asyncio.gather(*tasks, return_exceptions=True)
            self._clear()

    async def close(self) -> None:
        for kept in self._kept.values():
            if kept.task:
                kept.task.cancel()
        await self.settle()
        await self._muxers.stop()

    async def _look(self) -> None:
        """Take notice of what has come into the spool and what has gone from it."""
        self._clear()
        await asyncio.to_thread(spool.sweep_hidden, self._spool)
        found = {path.name: path for path in await asyncio.to_thread(spool.recordings, self._spool)}
        for name in [n for n, kept in self._kept.items() if n not in found and not kept.task]:
            del self._kept[name]
        for name in self._unreadable.keys() - found.keys():
            del self._unreadable[name]
        for name in found.keys() - self._kept.keys():
            try:
                self._kept[name] = await asyncio.to_thread(keep, found[name], self._chance)
            except (OSError, msgspec.MsgspecError) as error:
                self._report_unreadable(name, str(error))
            else:
                self._unreadable.pop(name, None)

    def _report_unreadable(self, name: str, reason: str) -> None:
        """Log it once. It is tried again with each sweep: the cause may be a lack of descriptors.

        Its call is in the database, so `visavis recordings verify` lists it.
        """
        if self._unreadable.get(name) != reason:
            log.error("recording unreadable", directory=name, reason=reason)
        self._unreadable[name] = reason

    def _clear(self) -> None:
        """Take leave of what has been done."""
        for kept in self._kept.values():
            if kept.task and kept.task.done():
                if not kept.task.cancelled() and (error := kept.task.exception()):
                    log.error("recording put off", recording_id=kept.id, reason=describe(error))
                    kept.patience.failed(self._clock(), PUT_OFF_SECONDS)
                kept.task = None

    async def _retry(self, outlooks: Mapping[int, Outlook]) -> None:
        """Forget what went wrong with what somebody wants tried again."""
        for site_id, outlook in outlooks.items():
            asked = [
                kept
                for kept in self._kept.values()
                if kept.site_id == site_id and kept.id in outlook.retries and not kept.task
            ]
            for kept in asked:
                self._sending.retry(outlook.server)
                kept.patience.reset()
                kept.is_set_aside = False
                await asyncio.to_thread(spool.forget_trouble, kept.directory)
                await note(
                    self._ledger, kept, DeliveryProgress(RecordingState.WAITING, next_try=0.0)
                )
            if asked:
                await self._ledger.retried(site_id, frozenset(kept.id for kept in asked))

    async def _note_progress(self, now: float) -> None:
        if now - self._noted_at < NOTE_SECONDS:
            return
        self._noted_at = now
        for kept in list(self._kept.values()):
            if kept.task and kept.uploaded != kept.noted:
                kept.noted = kept.uploaded
                await note(self._ledger, kept, DeliveryProgress(uploaded=kept.uploaded))
