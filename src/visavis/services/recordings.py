"""Where recordings go, and that they have arrived."""

from __future__ import annotations

from visavis.domain.recording import Manifest
from visavis.services.ports import Clock, Store, Transaction


class Recordings:
    def __init__(self, store: Store, clock: Clock, archive_url: str) -> None:
        self._store = store
        self._clock = clock
        self._archive_url = archive_url

    async def destination(self, site_id: int) -> str:
        """The site's recording server as it is now; empty while there is none."""
        config = await self._store.read(lambda rows: rows.configs.get(site_id))
        stored = config.recording_server_url
        return self._archive_url if stored is None else stored

    async def delivered(self, manifest: Manifest, sha256: str, size: int) -> None:
        """Note a delivery; doing so twice changes nothing."""
        now = self._clock()

        def work(rows: Transaction) -> None:
            rows.recordings.add(manifest)
            rows.recordings.delivered(manifest.site_id, manifest.recording_id, sha256, size, now)

        await self._store.write(work)
