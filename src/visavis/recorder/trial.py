"""Tries a recording server out: does this address take recordings?"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Final

from visavis.domain.backlog import Server, Trial
from visavis.recorder.answers import DeliveryError
from visavis.recorder.delivery import Deliverer
from visavis.recorder.tus import TUS, Abilities, abilities_of, create, offset_of, written
from visavis.recorder.wire import Wire

TRIAL_SECONDS: Final = 15.0
MAX_TRIALS: Final = 4
LENGTH: Final = 2
"""Of which one byte is sent: what is never finished becomes nobody's recording."""


class Trials:
    """Implements `services.ports.RecordingServers`, for a few people at once."""

    def __init__(self, deliverer: Deliverer) -> None:
        self._deliverer = deliverer
        self._places = asyncio.Semaphore(MAX_TRIALS)

    async def try_out(self, site_id: int, server: Server) -> Trial:
        """Create an upload, send a byte of it, and take it back where the server lets us."""
        if not server.url:
            return Trial(False, "There is no address to try.")
        try:
            async with asyncio.timeout(TRIAL_SECONDS), self._places:
                abilities = await self._exchange(site_id, server)
        except DeliveryError as error:
            return Trial(False, str(error))
        except TimeoutError:
            return Trial(False, f"The recording server took longer than {TRIAL_SECONDS:.0f} s.")
        return Trial(
            True,
            _praise(abilities),
            extensions=tuple(sorted(abilities.extensions)),
            has_checksums=abilities.checksum is not None,
        )

    async def _exchange(self, site_id: int, server: Server) -> Abilities:
        async with self._deliverer.wire(server) as wire:
            abilities = await abilities_of(wire, server.url)
            await _send_a_byte(wire, server.url, site_id, abilities)
        return abilities


async def _send_a_byte(wire: Wire, url: str, site_id: int, abilities: Abilities) -> None:
    values = {"site": str(site_id), "filename": "visavis-trial", "filetype": "text/plain"}
    headers = {**TUS, "Upload-Length": str(LENGTH), "Upload-Metadata": written(values)}
    upload = await create(wire, url, headers)
    sent = {
        **TUS,
        "Upload-Offset": "0",
        "Content-Type": "application/offset+octet-stream",
        "Content-Length": "1",
    }
    if offset_of(await wire.ask("PATCH", upload, sent, _one_byte, 1), 204, 200) != 1:
        raise DeliveryError("The recording server took a byte and does not have it.")
    if offset_of(await wire.ask("HEAD", upload, TUS), 200, 204) != 1:
        raise DeliveryError("The recording server lost the byte that it had taken.")
    if "termination" in abilities.extensions:
        await wire.ask("DELETE", upload, TUS)


async def _one_byte() -> AsyncIterator[bytes]:
    yield b"v"


def _praise(abilities: Abilities) -> str:
    checks = (
        f"It checks every piece ({abilities.checksum})."
        if abilities.checksum
        else "It offers no checksums: what arrives is held against its length alone."
    )
    return f"This recording server takes recordings. {checks}"
