"""Finished recordings: one file and one sidecar each, by site and recording id."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from typing import Final

import msgspec

from visavis.archive.uploads import Upload, sync_directory, write_atomically

SITE: Final = re.compile(r"[1-9][0-9]{0,17}")
RECORDING: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")


class Entry(msgspec.Struct, frozen=True, rename="camel", kw_only=True):
    """A recording as the library lists it; `size` in bytes, `duration` in seconds."""

    id: str
    site_id: int
    call_id: str
    media: str
    visitor_name: str
    agent_name: str
    started_at: str
    duration: float
    size: int
    sha256: str


class RefusedError(Exception):
    """The finished upload cannot be kept; the message says why."""


class Library:
    def __init__(self, directory: Path) -> None:
        self._directory = directory
        directory.mkdir(parents=True, exist_ok=True)
        self._entries = {
            (entry.site_id, entry.id): entry
            for sidecar in directory.glob("*/*.json")
            if (entry := _read(sidecar)) and self._file(entry.site_id, entry.id).exists()
        }

    def entries(self, site_id: int) -> list[Entry]:
        """A site's recordings, newest first."""
        mine = [entry for entry in self._entries.values() if entry.site_id == site_id]
        return sorted(mine, key=lambda entry: entry.started_at, reverse=True)

    def find(self, site_id: int, recording_id: str) -> tuple[Entry, Path] | None:
        entry = self._entries.get((site_id, recording_id))
        return (entry, self._file(site_id, recording_id)) if entry else None

    def keep(self, upload: Upload, data: Path) -> Entry:
        """Check a whole upload against its SHA-256 and take its file in; raises `RefusedError`.

        Doing it again with the same recording, also after a crash half-way, changes nothing.
        """
        site, recording = upload.metadata.get("site", "1"), upload.metadata.get("recording", "")
        recording = recording or upload.id
        if not SITE.fullmatch(site) or not RECORDING.fullmatch(recording):
            raise RefusedError("The metadata site or recording is not an id.")
        target = self._file(int(site), recording)
        source = data if data.exists() else target
        sha256 = _sha256(source)
        if upload.metadata.get("sha256", sha256) != sha256:
            raise RefusedError("The file does not have the SHA-256 of its metadata.")
        known = self._entries.get((int(site), recording))
        if known and known.sha256 != sha256:
            raise RefusedError("There is another recording of that id.")
        entry = _entry(upload, int(site), recording, sha256)
        target.parent.mkdir(exist_ok=True)
        sync_directory(self._directory)
        # the sidecar first: without its file it counts for nothing
        write_atomically(target.with_suffix(".json"), msgspec.json.encode(entry))
        if data.exists():
            data.replace(target)
            sync_directory(target.parent)
            sync_directory(data.parent)
        self._entries[entry.site_id, entry.id] = entry
        return entry

    def _file(self, site_id: int, recording_id: str) -> Path:
        return self._directory / str(site_id) / f"{recording_id}.mkv"


def _read(sidecar: Path) -> Entry | None:
    if sidecar.name.startswith("."):
        return None
    return msgspec.json.decode(sidecar.read_bytes(), type=Entry)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _entry(upload: Upload, site_id: int, recording_id: str, sha256: str) -> Entry:
    said = upload.metadata.get
    try:
        duration = max(0.0, float(said("duration", "0")))
    except ValueError:
        duration = 0.0
    return Entry(
        id=recording_id,
        site_id=site_id,
        call_id=said("call", ""),
        media=said("media", "video"),
        visitor_name=said("visitorName", ""),
        agent_name=said("agentName", ""),
        started_at=said("startedAt", ""),
        duration=duration,
        size=upload.length,
        sha256=sha256,
    )
