"""The recordings that are kept in the spool, as the recorder holds them in memory."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import structlog

from visavis import __version__
from visavis.domain.call_events import CallReport
from visavis.domain.delivery_status import DeliveryProgress, Outlook, Server
from visavis.domain.errors import VisavisError
from visavis.domain.recording import Delivery, Manifest
from visavis.recorder import spool
from visavis.recorder.patience import Patience

log = structlog.get_logger(__name__)

MAX_FAILURES = 3
"""So often the muxer may fail on a recording before it is set aside."""


class Ledger(Protocol):
    """What the database knows of recordings; `services.recordings` is one.

    Every method raises `VisavisError` while the database does not answer.
    """

    async def outlooks(self, site_ids: frozenset[int]) -> Mapping[int, Outlook]: ...
    async def over(self, site_id: int, call_ids: frozenset[str]) -> frozenset[str]:
        """Those of the calls that are over, or that nobody has ever heard of."""

    async def call_report(self, site_id: int, call_id: str) -> CallReport | None: ...
    async def note(self, manifest: Manifest, progress: DeliveryProgress) -> None: ...
    async def delivered(self, manifest: Manifest, delivery: Delivery, server_url: str) -> None: ...
    async def retried(self, site_id: int, recording_ids: frozenset[str]) -> None:
        """Nobody need ask for these tries any longer."""


@dataclass(slots=True, eq=False)
class Kept:
    """One recording in the spool: what is on disk, and when it may be tried again.

    `tried` is the server of the last delivery; `uploaded` how much of the file that has been sent,
    `noted` how much of that the database knows.
    """

    directory: Path
    manifest: Manifest
    patience: Patience
    is_muxed: bool
    is_set_aside: bool = False
    tried: Server | None = None
    tried_at: float = 0.0
    uploaded: int = 0
    noted: int = 0
    task: asyncio.Task[None] | None = None

    @property
    def id(self) -> str:
        return self.manifest.recording_id

    @property
    def site_id(self) -> int:
        return self.manifest.site_id


def keep(directory: Path, chance: Callable[[], float]) -> Kept:
    """Read a recording's directory; raises `OSError` or `msgspec.MsgspecError`."""
    manifest = spool.read_manifest(directory)
    trouble = spool.read_trouble(directory)
    return Kept(
        directory,
        manifest,
        Patience(chance),
        is_muxed=spool.read_delivery(directory) is not None,
        is_set_aside=trouble is not None
        and trouble.version == __version__
        and trouble.failures >= MAX_FAILURES,
    )


async def note(ledger: Ledger, kept: Kept, progress: DeliveryProgress) -> None:
    """Tell the database, which may be away: what counts is on disk."""
    try:
        await ledger.note(kept.manifest, progress)
    except VisavisError as error:
        log.warning("progress not noted", recording_id=kept.id, error=error.kind.name)
