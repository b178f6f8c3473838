"""Library of the archive: complete recordings, found, held and deleted."""

from __future__ import annotations

import hashlib
import re
import threading
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from msgspec.structs import replace

from visavis.archive.media_info import MediaInfo, read_time
from visavis.archive.storage import Entry, LocalStorage

SITE: Final = re.compile(r"[1-9][0-9]{0,17}")
RECORDING: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")


NO_MEDIA_INFO: Final = MediaInfo()


class RefusedError(Exception):
    """Error: a finished upload is not accepted; the message says why."""


class HeldError(Exception):
    """Error: the recording is on legal hold."""


class Library:
    """All recordings of a storage, cached in memory; the storage is the truth."""

    def __init__(self, storage: LocalStorage) -> None:
        self._storage = storage
        self._entries = {(entry.site_id, entry.id): entry for entry in storage.entries()}
        self._changing = threading.Lock()

    def list_by_site(self, site_id: int) -> list[Entry]:
        return [entry for entry in self.all() if entry.site_id == site_id]

    def all(self) -> list[Entry]:
        return list(self._entries.values())

    def find(self, site_id: int, recording_id: str) -> Entry | None:
        return self._entries.get((site_id, recording_id))

    def file(self, entry: Entry) -> Path:
        return self._storage.file(entry.site_id, entry.id)

    def contents(self, entry: Entry) -> MediaInfo:
        return self._storage.contents(entry)

    def source(self, metadata: Mapping[str, str], upload_id: str, data: Path) -> Path:
        """Return where a whole upload is: still in `data`, or here after a crash half-way.

        Raises `RefusedError` if the metadata name no recording that could be.
        """
        site, recording = _ids(metadata, upload_id)
        return data if data.exists() else self._storage.file(site, recording)

    def keep(
        self,
        metadata: Mapping[str, str],
        upload_id: str,
        data: Path,
        contents: MediaInfo = NO_MEDIA_INFO,
    ) -> Entry:
        """Check a whole upload against its SHA-256 and take its file in; raises `RefusedError`.

        Doing it again with the same recording, also after a crash half-way, changes nothing.
        """
        site, recording = _ids(metadata, upload_id)
        source = self.source(metadata, upload_id, data)
        sha256 = checked_sha256(metadata, source)
        with self._changing:
            known = self.find(site, recording)
            if known and known.sha256 != sha256:
                raise RefusedError("There is another recording with that id.")
            entry = known or _entry(metadata, site, recording, contents, sha256, source)
            # the sidecars first: they are ignored while the file is missing
            self._storage.save(entry)
            self._storage.save_media_info(entry, contents)
            if data.exists():
                self._storage.adopt(entry, data)
            self._entries[entry.site_id, entry.id] = entry
        return entry

    def hold(self, entry: Entry, *, is_held: bool) -> Entry:
        """Put a recording on legal hold, or release it; raises `KeyError` if it is gone."""
        with self._changing:
            held = replace(self._entries[entry.site_id, entry.id], is_held=is_held)
            self._storage.save(held)
            self._entries[held.site_id, held.id] = held
        return held

    def delete(self, entry: Entry) -> None:
        """Delete a recording for good; raises `HeldError`. A missing one is ignored."""
        with self._changing:
            known = self.find(entry.site_id, entry.id)
            if known and known.is_held:
                raise HeldError
            self._storage.delete(entry)
            self._entries.pop((entry.site_id, entry.id), None)


def _ids(metadata: Mapping[str, str], upload_id: str) -> tuple[int, str]:
    """Return the numbers of the site and the recording; raise `RefusedError`."""
    site, recording = metadata.get("site", "1"), metadata.get("recording") or upload_id
    if not SITE.fullmatch(site) or not RECORDING.fullmatch(recording):
        raise RefusedError("The metadata site or recording is not an id.")
    return int(site), recording


def checked_sha256(metadata: Mapping[str, str], path: Path) -> str:
    """Return the SHA-256 of a file; raise `RefusedError` if its metadata tell another."""
    with path.open("rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    if metadata.get("sha256", sha256) != sha256:
        raise RefusedError("The file does not have the SHA-256 of its metadata.")
    return sha256


def _entry(
    metadata: Mapping[str, str],
    site_id: int,
    recording_id: str,
    contents: MediaInfo,
    sha256: str,
    file: Path,
) -> Entry:
    said = metadata.get
    found = file.stat()
    arrived_at = datetime.fromtimestamp(found.st_mtime, UTC)
    started_at = read_time(said("startedAt", "")) or arrived_at
    agent_names = contents.agent_names or tuple(filter(None, (said("agentName"),)))
    return Entry(
        id=recording_id,
        site_id=site_id,
        call_id=said("call", ""),
        media=said("media", "video"),
        visitor_name=contents.visitor_name or said("visitorName", ""),
        visitor_email=contents.visitor_email,
        agent_names=agent_names,
        started_at=started_at.isoformat(timespec="milliseconds"),
        duration=round(contents.duration or _seconds(said("duration", "")), 3),
        size=found.st_size,
        sha256=sha256,
        missing=tuple(filter(None, said("missing", "").splitlines())),
    )


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        return 0.0
    return seconds if 0 < seconds < 10**7 else 0.0
