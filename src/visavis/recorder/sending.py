"""Sends finished files to their recording servers, several at once, for as long as it takes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

import structlog

from visavis.domain.delivery_status import DeliveryProgress, Outlook, Server
from visavis.domain.errors import VisavisError
from visavis.domain.recording import Manifest, RecordingState
from visavis.recorder import spool
from visavis.recorder.answers import DeliveryError
from visavis.recorder.kept import Kept, Ledger, note
from visavis.recorder.patience import Patience
from visavis.tasks import spawn

log = structlog.get_logger(__name__)


class Carrier(Protocol):
    """Brings a file to a server; `recorder.delivery` is one."""

    async def deliver(
        self, directory: Path, manifest: Manifest, server: Server, told: Callable[[int], None]
    ) -> None: ...


@dataclass(slots=True, eq=False)
class _Gate:
    """What is known of one recording server: while it fails, one recording at a time tries it."""

    patience: Patience
    active: int = 0
    failures: int = 0


class Sending:
    """At most `limit` recordings are on their way at once.

    A server that fails as a whole is tried by one recording at a time, ever less often, and such
    tries take at most half of the places: other sites' servers are not kept waiting.
    """

    def __init__(
        self,
        ledger: Ledger,
        carrier: Carrier,
        limit: int,
        clock: Callable[[], float],
        chance: Callable[[], float],
    ) -> None:
        self._ledger = ledger
        self._carrier = carrier
        self._limit: Final = limit
        self._clock = clock
        self._chance = chance
        self._gates: dict[Server, _Gate] = {}
        self._active = 0

    def start(self, kept: Iterable[Kept], outlooks: Mapping[int, Outlook], now: float) -> None:
        """Begin with whatever may be tried now, the longest untried first."""
        self._forget_servers(outlooks)
        ready = [one for one in kept if one.is_muxed and not one.task and one.site_id in outlooks]
        for one in sorted(ready, key=lambda one: one.tried_at):
            if self._active >= self._limit:
                return
            server = outlooks[one.site_id].server
            if one.tried != server:
                one.patience.reset()  # what another server thought of it does not count
                one.uploaded = 0
            gate = self._gates.setdefault(server, _Gate(Patience(self._chance)))
            if one.patience.is_due(now) and self._is_open(gate, now):
                self._send(one, server, gate, now)

    def retry(self, server: Server) -> None:
        """Somebody wants another try at once."""
        if gate := self._gates.get(server):
            gate.patience.reset()

    def _is_open(self, gate: _Gate, now: float) -> bool:
        if not gate.patience.is_failing:
            return True
        tries = sum(g.active for g in self._gates.values() if g.patience.is_failing)
        return gate.patience.is_due(now) and not gate.active and tries < max(1, self._limit // 2)

    def _forget_servers(self, outlooks: Mapping[int, Outlook]) -> None:
        current = {outlook.server for outlook in outlooks.values()}
        for server in self._gates.keys() - current:
            if not self._gates[server].active:
                del self._gates[server]

    def _send(self, kept: Kept, server: Server, gate: _Gate, now: float) -> None:
        kept.tried, kept.tried_at = server, now
        gate.active += 1
        self._active += 1
        kept.task = spawn("delivery", self._see_through(kept, server, gate, gate.failures))

    async def _see_through(self, kept: Kept, server: Server, gate: _Gate, failures: int) -> None:
        try:
            await self._deliver(kept, server)
        except DeliveryError as error:
            if not error.is_servers:
                wait = kept.patience.failed(self._clock(), error.retry_after)
            elif gate.failures == failures:
                gate.failures += 1
                wait = gate.patience.failed(self._clock(), error.retry_after)
            else:
                wait = 0.0  # others that were under way have told the same
            await self._not_delivered(kept, str(error), wait)
        except (OSError, VisavisError) as error:
            wait = kept.patience.failed(self._clock())
            await self._not_delivered(kept, f"This machine could not go on: {error}", wait)
        else:
            gate.patience.reset()
        finally:
            gate.active -= 1
            self._active -= 1

    async def _deliver(self, kept: Kept, server: Server) -> None:
        with spool.claimed(kept.directory) as is_ours:
            if not is_ours:
                raise DeliveryError("Another process is still working on it.")
            begun = DeliveryProgress(
                RecordingState.DELIVERING, server_url=server.url, is_attempt=True
            )
            await note(self._ledger, kept, begun)
            await self._carrier.deliver(
                kept.directory, kept.manifest, server, lambda sent: _tell(kept, sent)
            )
            delivery = await asyncio.to_thread(spool.read_delivery, kept.directory)
            if delivery is None:
                raise DeliveryError("The file in the spool has changed.")
            # the database first: until it knows, the spool is the only one that does
            await self._ledger.delivered(kept.manifest, delivery, server.url)
            release = spool.set_aside if delivery.missing else spool.remove
            await asyncio.to_thread(release, kept.directory)
        log.info("recording delivered", recording_id=kept.id, call_id=kept.manifest.call_id)

    async def _not_delivered(self, kept: Kept, reason: str, wait: float) -> None:
        log.warning("recording not delivered", recording_id=kept.id, reason=reason, wait=wait)
        kept.is_muxed = await asyncio.to_thread(spool.read_delivery, kept.directory) is not None
        failed = DeliveryProgress(
            RecordingState.WAITING, uploaded=kept.uploaded, error=reason, next_try=wait or None
        )
        await note(self._ledger, kept, failed)


def _tell(kept: Kept, sent: int) -> None:
    kept.uploaded = sent
