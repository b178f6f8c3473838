"""Makes files of what lies finished in the spool."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import Final, Protocol

import structlog

from visavis import __version__
from visavis.domain.call_events import CallReport
from visavis.domain.delivery_status import DeliveryProgress
from visavis.domain.errors import VisavisError
from visavis.domain.recording import RecordingState, Trouble
from visavis.recorder import spool
from visavis.recorder.kept import MAX_FAILURES, Kept, Ledger, note
from visavis.recorder.muxers import MuxCrashError
from visavis.recorder.muxing import Answer, Outcome
from visavis.tasks import spawn

log = structlog.get_logger(__name__)


class MuxingPlant(Protocol):
    """Muxes a recording elsewhere; `recorder.muxers` is one."""

    async def mux(self, directory: Path, story: CallReport | None) -> Answer: ...


class Making:
    """At most `limit` recordings are muxed at once."""

    def __init__(self, ledger: Ledger, plant: MuxingPlant, limit: int) -> None:
        self._ledger = ledger
        self._plant = plant
        self._limit: Final = limit
        self._tasks: set[asyncio.Task[None]] = set()
        self._is_disk_full = False

    async def start(self, kept: Iterable[Kept], now: float) -> None:
        """Begin with whatever is over, as far as there is room; raises `VisavisError`."""
        waiting = [
            one
            for one in kept
            if not (one.is_muxed or one.is_set_aside or one.task) and one.patience.is_due(now)
        ]
        # one after the other frees the disk; side by side none of them may have the room
        limit = 1 if self._is_disk_full else self._limit
        if not waiting or len(self._tasks) >= limit:
            return
        unwritten = await asyncio.to_thread(
            lambda: [one for one in waiting if not spool.is_written(one.directory)]
        )
        over = await self._over(unwritten)
        if self._is_disk_full:
            over = await asyncio.to_thread(_smallest_first, over)
        for one in over:
            if len(self._tasks) >= limit:
                return
            one.task = spawn("muxing", self._make(one, now))
            self._tasks.add(one.task)
            one.task.add_done_callback(self._tasks.discard)

    async def _over(self, waiting: list[Kept]) -> list[Kept]:
        calls = defaultdict(set)
        for one in waiting:
            calls[one.site_id].add(one.manifest.call_id)
        over = {
            (site_id, call_id)
            for site_id, call_ids in calls.items()
            for call_id in await self._ledger.over(site_id, frozenset(call_ids))
        }
        return [one for one in waiting if (one.site_id, one.manifest.call_id) in over]

    async def _make(self, kept: Kept, now: float) -> None:
        try:
            story = await self._ledger.call_report(kept.site_id, kept.manifest.call_id)
            await note(self._ledger, kept, DeliveryProgress(RecordingState.MUXING))
            await self._answered(kept, now, await self._plant.mux(kept.directory, story))
        except MuxCrashError as error:
            await self._failed(kept, now, str(error))
        except VisavisError as error:
            kept.patience.failed(now)
            log.warning("recording put off", recording_id=kept.id, error=error.kind.name)
        except OSError as error:
            await self._put_off(kept, now, f"This machine could not go on: {error}.")

    async def _answered(self, kept: Kept, now: float, answer: Answer) -> None:
        match answer.outcome:
            case Outcome.MUXED:
                self._is_disk_full = False
                await self._muxed(kept, answer.packets)
            case Outcome.EMPTY:
                await self._empty(kept)
            case Outcome.BUSY:
                await self._put_off(kept, now, "Another process is still working on it.")
            case Outcome.NO_ROOM:
                self._is_disk_full = True
                await self._put_off(kept, now, f"The machine has no room: {answer.reason}.")
            case Outcome.FAILED:
                await self._failed(kept, now, answer.reason)

    async def _muxed(self, kept: Kept, packets: dict[str, dict[str, int]]) -> None:
        await asyncio.to_thread(spool.forget_trouble, kept.directory)
        delivery = await asyncio.to_thread(spool.read_delivery, kept.directory)
        kept.patience.reset()
        kept.is_muxed = delivery is not None
        if delivery:
            log.info("recording muxed", recording_id=kept.id, size=delivery.size, packets=packets)
            if delivery.missing:
                log.error("recording incomplete", recording_id=kept.id, missing=delivery.missing)
            made = DeliveryProgress(
                RecordingState.WAITING,
                size=delivery.size,
                sha256=delivery.sha256,
                duration=delivery.duration,
                missing=delivery.missing,
                error="",
            )
            await note(self._ledger, kept, made)

    async def _empty(self, kept: Kept) -> None:
        """The call was given up before anything was sent: nothing is to be delivered."""
        await self._ledger.note(kept.manifest, DeliveryProgress(RecordingState.EMPTY, error=""))
        with spool.claimed(kept.directory) as is_ours:
            if is_ours:
                await asyncio.to_thread(spool.remove, kept.directory)
        log.info("nothing to deliver", recording_id=kept.id, call_id=kept.manifest.call_id)

    async def _put_off(self, kept: Kept, now: float, reason: str) -> None:
        wait = kept.patience.failed(now)
        log.warning("recording put off", recording_id=kept.id, reason=reason)
        await note(
            self._ledger,
            kept,
            DeliveryProgress(RecordingState.WAITING, error=reason, next_try=wait),
        )

    async def _failed(self, kept: Kept, now: float, reason: str) -> None:
        """Others go on; after a few failures this one waits for a person."""
        before = await asyncio.to_thread(spool.read_trouble, kept.directory)
        count = before.failures + 1 if before and before.version == __version__ else 1
        trouble = Trouble(failures=count, reason=reason, version=__version__)
        await asyncio.to_thread(spool.write_trouble, kept.directory, trouble)
        sentence = f"It could not be muxed: {reason}"
        if count < MAX_FAILURES:
            await self._put_off(kept, now, sentence)
            return
        kept.is_set_aside = True
        log.error("recording set aside", recording_id=kept.id, reason=reason)
        await note(self._ledger, kept, DeliveryProgress(RecordingState.FAILED, error=sentence))


def _smallest_first(kept: list[Kept]) -> list[Kept]:
    """In the order of the room that they take: the first that fits frees room for the next."""
    return sorted(kept, key=lambda one: spool.size_of(one.directory))
