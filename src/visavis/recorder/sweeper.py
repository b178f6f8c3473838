"""The recorder's loop: what lies finished in the spool is muxed, delivered and taken out."""

from __future__ import annotations

import asyncio
import hashlib
import random
from functools import partial
from pathlib import Path
from typing import Final, Protocol

import av
import msgspec
import structlog

from visavis.domain.recording import MATROSKA, Delivery, Manifest
from visavis.recorder import spool
from visavis.recorder.delivery import DeliveryError
from visavis.recorder.muxer import mux

log = structlog.get_logger(__name__)

POLL_SECONDS: Final = 0.5
MAX_DELIVERIES: Final = 4
FIRST_PAUSE_SECONDS: Final = 1.0
MAX_PAUSE_SECONDS: Final = 900.0
PUT_OFF_SECONDS: Final = 60.0
"""After an error that nobody foresaw; it says so in the log, and the recording stays."""


class Ledger(Protocol):
    """Where recordings go, and who notes that they arrived; `services.recordings` is one."""

    async def destination(self, site_id: int) -> str: ...
    async def delivered(self, manifest: Manifest, sha256: str, size: int) -> None: ...


class Carrier(Protocol):
    async def deliver(self, directory: Path, manifest: Manifest, server_url: str) -> None: ...


class Sweeper:
    """Its only state is the spool: it may be killed anywhere and started again."""

    def __init__(self, directory: Path, ledger: Ledger, carrier: Carrier) -> None:
        self._spool = directory
        self._ledger = ledger
        self._carrier = carrier
        self._busy: dict[str, asyncio.Task[None]] = {}
        self._muxing = asyncio.Semaphore(1)
        self._delivering = asyncio.Semaphore(MAX_DELIVERIES)

    async def run(self, stop: asyncio.Event) -> None:
        while not stop.is_set():
            await self._sweep()
            try:
                await asyncio.wait_for(stop.wait(), POLL_SECONDS)
            except TimeoutError:
                continue
        for task in self._busy.values():
            task.cancel()
        await asyncio.gather(*self._busy.values(), return_exceptions=True)

    async def _sweep(self) -> None:
        await asyncio.to_thread(spool.sweep_hidden, self._spool)
        for directory in await asyncio.to_thread(lambda: list(spool.finished(self._spool))):
            if directory.name not in self._busy:
                task = asyncio.create_task(self._see_through(directory))
                self._busy[directory.name] = task
                task.add_done_callback(partial(self._forget, directory.name))

    def _forget(self, name: str, task: asyncio.Task[None]) -> None:
        if task.cancelled() or not (error := task.exception()):
            del self._busy[name]
            return
        log.error("recording put off", recording_id=name, exc_info=error)
        asyncio.get_running_loop().call_later(PUT_OFF_SECONDS, self._busy.pop, name)

    async def _see_through(self, directory: Path) -> None:
        """Try until the recording is delivered, ever more patiently."""
        pause, destination = FIRST_PAUSE_SECONDS, ""
        logger = log.bind(recording_id=directory.name)
        while True:
            retry_after = 0.0
            try:
                manifest = spool.read_manifest(directory)
                if not await self._ensure_muxed(directory, manifest):
                    logger.info("nothing to deliver", call_id=manifest.call_id)
                    return
                await self._deliver(directory, manifest)
            except DeliveryError as error:
                retry_after = error.retry_after
                logger.warning("recording not delivered", reason=str(error))
            except (OSError, ValueError, msgspec.MsgspecError, av.FFmpegError) as error:
                logger.error("recording not muxed", reason=str(error))  # noqa: TRY400
            else:
                logger.info("recording delivered", call_id=manifest.call_id)
                return
            before, destination = destination, await self._ledger.destination(manifest.site_id)
            pause = FIRST_PAUSE_SECONDS if before != destination else pause
            await self._wait(max(pause, retry_after), manifest.site_id, destination)
            pause = min(MAX_PAUSE_SECONDS, pause * 2)

    async def _wait(self, seconds: float, site_id: int, destination: str) -> None:
        """Pause, unless the site's recording server changes meanwhile."""
        loop = asyncio.get_running_loop()
        until = loop.time() + seconds * random.uniform(0.8, 1.2)  # noqa: S311  spreads the load
        while await self._ledger.destination(site_id) == destination:
            left = until - loop.time()
            if left <= 0:
                return
            await asyncio.sleep(min(POLL_SECONDS, left))

    async def _ensure_muxed(self, directory: Path, manifest: Manifest) -> bool:
        if await asyncio.to_thread(spool.read_delivery, directory):
            return True
        async with self._muxing:
            return await asyncio.to_thread(_mux, directory, manifest)

    async def _deliver(self, directory: Path, manifest: Manifest) -> None:
        destination = await self._ledger.destination(manifest.site_id)
        if not destination:
            raise DeliveryError("The site has no recording server.")
        async with self._delivering:
            await self._carrier.deliver(directory, manifest, destination)
        delivery = spool.read_delivery(directory)
        if delivery:
            await self._ledger.delivered(manifest, delivery.sha256, delivery.size)
            await asyncio.to_thread(spool.remove, directory)


def _mux(directory: Path, manifest: Manifest) -> bool:
    """Make the file and the note of it; whether there is anything to deliver."""
    muxed = mux(directory, manifest)
    if muxed is None:
        spool.remove(directory)
        return False
    with (directory / MATROSKA).open("rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    size = muxed.path.stat().st_size
    spool.write_delivery(directory, Delivery(sha256=sha256, size=size, duration=muxed.duration))
    return True
