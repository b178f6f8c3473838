"""Unfinished uploads on disk: the offset of an upload is the size of its file."""

from __future__ import annotations

import os
import re
import secrets
from pathlib import Path
from typing import Final

import msgspec

_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")


class Upload(msgspec.Struct, frozen=True):
    """What a client said of its upload. `length` in bytes; `stored` once the library has it."""

    id: str
    length: int
    metadata: dict[str, str]
    stored: bool = False


class Uploads:
    """A folder of uploads; every method works on disk and leaves it synced."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        directory.mkdir(parents=True, exist_ok=True)

    def create(self, length: int, metadata: dict[str, str]) -> Upload:
        upload = Upload(secrets.token_urlsafe(24), length, metadata)
        with self.data(upload.id).open("xb") as file:
            os.fsync(file.fileno())
        self.save(upload)
        return upload

    def save(self, upload: Upload) -> None:
        write_atomically(self._sidecar(upload.id), msgspec.json.encode(upload))

    def find(self, upload_id: str) -> Upload | None:
        if not _ID.fullmatch(upload_id):
            return None
        try:
            content = self._sidecar(upload_id).read_bytes()
        except FileNotFoundError:
            return None
        return msgspec.json.decode(content, type=Upload)

    def offset(self, upload: Upload) -> int:
        try:
            return self.data(upload.id).stat().st_size
        except FileNotFoundError:
            return upload.length  # the library has it

    def discard(self, upload: Upload) -> None:
        self._sidecar(upload.id).unlink(missing_ok=True)
        self.data(upload.id).unlink(missing_ok=True)

    def data(self, upload_id: str) -> Path:
        return self._directory / f"{upload_id}.part"

    def _sidecar(self, upload_id: str) -> Path:
        return self._directory / f"{upload_id}.json"


def write_atomically(path: Path, content: bytes) -> None:
    """Replace a small file so that a crash leaves the old or the new one, whole."""
    draft = path.with_name(f".{path.name}")
    with draft.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
    sync_directory(path.parent)


def sync_directory(path: Path) -> None:
    directory = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)
