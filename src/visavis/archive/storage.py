"""Storage of the archive's recordings: one file and two sidecars each, by site and id.

    <library>/<site>/<id>.mkv       the recording, as it was uploaded
    <library>/<site>/<id>.json      Entry: without its file it counts for nothing
    <library>/<site>/<id>.details   Contents, read from the file

Another kind of storage has to offer what the methods here do.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec

from visavis.archive.media_info import MediaInfo
from visavis.durable import sync_directory, write_atomically


class Entry(msgspec.Struct, frozen=True, rename="camel", kw_only=True):
    """A recording as the library lists it.

    `size` in bytes, `duration` in seconds, times in ISO 8601 and UTC. A held one stays, whatever
    the retention is. `missing` says in sentences which media were received and are not in the file.
    """

    id: str
    site_id: int
    call_id: str
    media: str
    visitor_name: str
    visitor_email: str = ""
    agent_names: tuple[str, ...] = ()
    started_at: str
    duration: float
    size: int
    sha256: str
    missing: tuple[str, ...] = ()
    is_held: bool = False


class LocalStorage:
    """A directory; every method leaves it synced."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        directory.mkdir(parents=True, exist_ok=True)

    def entries(self) -> Iterator[Entry]:
        """Every recording; removes the sidecars of those that are half deleted."""
        for sidecar in sorted(self._directory.glob("*/[!.]*.json")):
            entry = msgspec.json.decode(sidecar.read_bytes(), type=Entry)
            if self.file(entry.site_id, entry.id).exists():
                yield entry
            else:
                self._remove_sidecars(entry.site_id, entry.id)

    def file(self, site_id: int, recording_id: str) -> Path:
        return self._directory / str(site_id) / f"{recording_id}.mkv"

    def save(self, entry: Entry) -> None:
        path = self.file(entry.site_id, entry.id)
        if not path.parent.exists():
            path.parent.mkdir()
            sync_directory(self._directory)
        write_atomically(path.with_suffix(".json"), msgspec.json.encode(entry))

    def save_media_info(self, entry: Entry, contents: MediaInfo) -> None:
        path = self.file(entry.site_id, entry.id).with_suffix(".details")
        write_atomically(path, msgspec.json.encode(contents))

    def contents(self, entry: Entry) -> MediaInfo:
        path = self.file(entry.site_id, entry.id).with_suffix(".details")
        try:
            return msgspec.json.decode(path.read_bytes(), type=MediaInfo)
        except FileNotFoundError:
            return MediaInfo()

    def adopt(self, entry: Entry, data: Path) -> None:
        """Move an upload's bytes in; from now on the recording is here."""
        path = self.file(entry.site_id, entry.id)
        data.replace(path)
        sync_directory(path.parent)
        sync_directory(data.parent)

    def delete(self, entry: Entry) -> None:
        path = self.file(entry.site_id, entry.id)
        path.unlink(missing_ok=True)
        sync_directory(path.parent)
        self._remove_sidecars(entry.site_id, entry.id)

    def _remove_sidecars(self, site_id: int, recording_id: str) -> None:
        path = self.file(site_id, recording_id)
        path.with_suffix(".details").unlink(missing_ok=True)
        path.with_suffix(".json").unlink(missing_ok=True)
