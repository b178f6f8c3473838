"""Two nodes in one process: each with a spool and a recorder, one database, one server."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from pathlib import Path

from tests.recorder.conftest import STARTED_AT, manifest_of
from tests.recorder.journals import put_clock, put_journal, shift_times
from visavis.clock_and_ids import new_secret
from visavis.domain.membership import Member, MemberState
from visavis.domain.recording import Manifest, journal_name
from visavis.listener import listen
from visavis.recorder.handover import Handover
from visavis.recorder.handover_server import HandoverServer, RecorderIdentity
from visavis.recorder.sweeper import Sweeper
from visavis.recorder.tus_upload import TusUploader
from visavis.services.ports import Transaction
from visavis.services.recordings import Recordings
from visavis.store.sql import SqlStore

AHEAD_US = 3_600_000_000
"""The clock of the second node is an hour ahead."""


class RecorderNode:
    """One node's recorder, with a clock of its own."""

    def __init__(self, directory: Path, store: SqlStore, node_id: str, clock: Callable[[], float]):
        self.id = node_id
        self.spool = directory / node_id
        self.spool.mkdir(parents=True)
        self.store = store
        self.recordings = Recordings(store, lambda: datetime.now(UTC), "", new_secret)
        self.handover = Handover(self.recordings, node_id)
        self.sweeper = Sweeper(
            self.spool,
            self.recordings,
            TusUploader(archive_url="", archive_key=str, allow_private=True),
            deliveries=4,
            muxers=2,
            handover=self.handover,
            clock=clock,
            chance=lambda: 0.5,
        )

    async def sweep(self, times: int = 1) -> None:
        for _ in range(times):
            await self.sweeper.sweep()
            await self.sweeper.wait_idle()

    async def live(
        self, *, is_silent: bool = False, state: MemberState = MemberState.READY
    ) -> None:
        """Let the node beat in this state, or stop to beat."""
        member = Member(self.id, "boot", STARTED_AT, "1", f"machine-{self.id}", "", (), state=state)

        def work(rows: Transaction) -> None:
            rows.nodes.save(self.id, "", STARTED_AT, f"machine-{self.id}")
            if is_silent:
                rows.members.stop(self.id, "boot")
            else:
                rows.members.beat(member)

        await self.store.write(work)

    @contextlib.asynccontextmanager
    async def serving(self) -> AsyncIterator[HandoverServer]:
        """Hand journals over, as the recorder's process does."""
        identity, handover = RecorderIdentity(), HandoverServer(self.spool, self.recordings)
        listener, server = listen("127.0.0.1", 0), handover.server(identity)
        url = f"https://127.0.0.1:{listener.getsockname()[1]}"
        await self.recordings.save_recorder(self.id, url, identity.certificate)
        task = asyncio.create_task(server.serve([listener]))
        try:
            yield handover
        finally:
            server.should_exit = True
            await task


def put_piece(
    spool: Path, number: int, seconds: float, *, manifest: Manifest | None = None
) -> Path:
    """Put the `number`-th journal of a call into a spool, by a clock that is known exactly.

    The second one begins three seconds later, and is by the second node's clock.
    """
    directory = put_journal(spool, manifest or manifest_of("r"), seconds)
    journal = directory / journal_name(number)
    (directory / journal_name(1)).rename(journal)
    ahead_us = AHEAD_US if number > 1 else 0
    shift_times(journal, ahead_us + (number - 1) * 3_000_000)
    put_clock(directory, f"boot of {number}", number, 1_000_000 - ahead_us)
    return directory
