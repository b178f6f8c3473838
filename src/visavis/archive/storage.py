"""Storage of the archive's recordings on a local disk: one file and two sidecars each.

    <library>/<site>/<id>.mkv       the recording, as it was uploaded
    <library>/<site>/<id>.json      Entry: without its file it counts for nothing
    <library>/<site>/<id>.details   Contents, read from the file
    <library>/.name                 the name of this storage in the database

The sidecars are the truth, so that a copy of the directory is a whole backup; the library's table
is an index of them. The stamp of a recording is the time of its sidecar's last change.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import threading
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Final

import msgspec
from msgspec.structs import replace
from starlette.requests import Request
from starlette.responses import FileResponse, Response

from visavis.archive.media_info import MediaInfo
from visavis.archive.media_types import MATROSKA_TYPE
from visavis.archive.ports import HeldError, Key, RefusedError, Stamped
from visavis.domain.library import Entry
from visavis.durable import sync_directory, write_atomically

NAME_FILE: Final = ".name"


class RecordingResponse(FileResponse):
    """Response with a file, which the server of this process sends."""

    chunk_size = 1024 * 1024  # plays back at a third of the CPU of the default


class LocalStorage:
    """Implements `RecordingStorage` on a directory; every method leaves it synced."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._changing = threading.Lock()
        directory.mkdir(parents=True, exist_ok=True)
        self._name = ensure_name(directory / NAME_FILE)

    @property
    def name(self) -> str:
        return self._name

    def file(self, site_id: int, recording_id: str) -> Path:
        return self._directory / str(site_id) / f"{recording_id}.mkv"

    async def changes(self, known: Mapping[Key, int]) -> tuple[list[Stamped], list[Key]]:
        return await asyncio.to_thread(self._changes, known)

    async def adopt(self, entry: Entry, info: MediaInfo, upload_id: str, file: Path) -> Stamped:
        return await asyncio.to_thread(self._adopt, entry, info, file)

    async def adopted(self, site_id: int, recording_id: str) -> Stamped | None:
        return await asyncio.to_thread(self._find, site_id, recording_id)

    async def hold(self, entry: Entry, *, is_held: bool) -> Stamped:
        return await asyncio.to_thread(self._hold, entry, is_held)

    async def delete(self, entry: Entry) -> None:
        await asyncio.to_thread(self._delete, entry)

    async def media_info(self, entry: Entry) -> MediaInfo:
        return await asyncio.to_thread(self._media_info, entry)

    @asynccontextmanager
    async def opened(self, entry: Entry) -> AsyncIterator[Path]:
        yield self.file(entry.site_id, entry.id)

    async def download(
        self, entry: Entry, request: Request, name: str, headers: Mapping[str, str]
    ) -> Response:
        path = self.file(entry.site_id, entry.id)
        return RecordingResponse(path, media_type=MATROSKA_TYPE, filename=name, headers=headers)

    def _changes(self, known: Mapping[Key, int]) -> tuple[list[Stamped], list[Key]]:
        changed, seen = list[Stamped](), set[Key]()
        for key, stamp in self._stamps():
            seen.add(key)
            if known.get(key) != stamp and (found := self._find(*key)):
                changed.append(found)
        return changed, [key for key in known if key not in seen]

    def _stamps(self) -> Iterator[tuple[Key, int]]:
        """Yield every recording and its stamp; remove the sidecars of those half deleted."""
        for site in self._directory.iterdir():
            if not site.name.isdigit():
                continue
            with os.scandir(site) as listed:
                files = {file.name: file for file in listed if not file.name.startswith(".")}
            for name, file in files.items():
                recording, _, suffix = name.rpartition(".")
                if suffix != "json":
                    continue
                if f"{recording}.mkv" in files:
                    yield (int(site.name), recording), file.stat().st_mtime_ns
                else:
                    self._remove_sidecars(int(site.name), recording)

    def _find(self, site_id: int, recording_id: str) -> Stamped | None:
        path = self.file(site_id, recording_id)
        if not path.exists():
            return None
        with suppress(FileNotFoundError), path.with_suffix(".json").open("rb") as sidecar:
            stamp = os.fstat(sidecar.fileno()).st_mtime_ns
            return Stamped(msgspec.json.decode(sidecar.read(), type=Entry), stamp)
        return None

    def _adopt(self, entry: Entry, info: MediaInfo, file: Path) -> Stamped:
        path = self.file(entry.site_id, entry.id)
        with self._changing:
            known = self._find(entry.site_id, entry.id)
            if known and known.entry.sha256 != entry.sha256:
                raise RefusedError("There is another recording with that id.")
            if not path.parent.exists():
                path.parent.mkdir()
                sync_directory(self._directory)
            # the sidecars first: they are ignored while the file is missing
            stamped = self._save(known.entry if known else entry)
            write_atomically(path.with_suffix(".details"), msgspec.json.encode(info))
            file.replace(path)
            sync_directory(path.parent)
            sync_directory(file.parent)
        return stamped

    def _hold(self, entry: Entry, is_held: bool) -> Stamped:
        with self._changing:
            known = self._find(entry.site_id, entry.id)
            if known is None:
                raise KeyError(entry.id)
            return self._save(replace(known.entry, is_held=is_held))

    def _delete(self, entry: Entry) -> None:
        path = self.file(entry.site_id, entry.id)
        with self._changing:
            known = self._find(entry.site_id, entry.id)
            if known and known.entry.is_held:
                raise HeldError
            path.unlink(missing_ok=True)
            if path.parent.exists():
                sync_directory(path.parent)
            self._remove_sidecars(entry.site_id, entry.id)

    def _save(self, entry: Entry) -> Stamped:
        sidecar = self.file(entry.site_id, entry.id).with_suffix(".json")
        write_atomically(sidecar, msgspec.json.encode(entry))
        return Stamped(entry, sidecar.stat().st_mtime_ns)

    def _media_info(self, entry: Entry) -> MediaInfo:
        path = self.file(entry.site_id, entry.id).with_suffix(".details")
        try:
            return msgspec.json.decode(path.read_bytes(), type=MediaInfo)
        except FileNotFoundError:
            return MediaInfo()

    def _remove_sidecars(self, site_id: int, recording_id: str) -> None:
        path = self.file(site_id, recording_id)
        path.with_suffix(".details").unlink(missing_ok=True)
        path.with_suffix(".json").unlink(missing_ok=True)


def ensure_name(path: Path) -> str:
    """Return the name of a directory from a file in it, which is made if it is missing."""
    if not path.exists():
        write_atomically(path, secrets.token_hex(6).encode())
    return path.read_text(encoding="ascii")
