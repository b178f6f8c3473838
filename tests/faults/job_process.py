"""One of several processes with the same jobs: `python -m tests.faults.job_process NAME ADDRESS`.

A job deletes the recordings that are due, one after the other, as the archive's retention does, and
prints each of them.
"""

from __future__ import annotations

import asyncio
import sys
from typing import Final

from visavis.archive.library import Library
from visavis.clock_and_ids import new_id, now
from visavis.domain.library import Entry
from visavis.services import jobs
from visavis.services.audit import AuditTrail
from visavis.services.ports import Store
from visavis.store import open_store

ARCHIVE: Final = "archive"
JOB: Final = "retention"
LEASE: Final = 2.0


class Storage:
    """The files of the archive, of which there are none."""

    name = ARCHIVE

    async def delete(self, entry: Entry) -> None:
        pass


async def retention(store: Store, name: str) -> None:
    library, trail = Library(Storage(), store), AuditTrail(store, now, new_id)  # type: ignore[arg-type]
    for entry in await store.read(lambda rows: rows.library.list_due(ARCHIVE, 1, "9", 1000)):
        is_new = library.deletion_of(entry)
        await trail.record_act(1, None, "recordingDeleted", f"{name} {entry.id}", (), is_new)
        await asyncio.sleep(0.05)
        await library.delete(entry)
        print(entry.id, flush=True)


async def main(name: str, address: str) -> None:
    jobs.LEASE_SECONDS, jobs.RENEW_SECONDS = LEASE, LEASE / 4  # type: ignore[misc]
    store = open_store(address)
    ours = jobs.Jobs(store, name)
    print("ready", flush=True)
    while True:
        try:
            await ours.perform(JOB, 0.5, lambda: retention(store, name))
        except TimeoutError:
            print("lost", flush=True)
        await asyncio.sleep(0.1)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2]))
