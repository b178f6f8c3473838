"""Upload keys: the archive's own for our recorder, and keys of sites for others.

The digests are in the database, so every node accepts a key. Each node has the archive's own key in
a file of its own, and keeps the digest of that key in the database while it runs.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

import msgspec

from visavis.domain.upload_keys import UploadKey
from visavis.durable import sync_directory
from visavis.services.ports import Store, UploadKeyRows

KEYS_FILE: Final = "keys.json"
"""File with the sites' keys of an earlier version."""
NODE_KEY_SECONDS: Final = 8 * 24 * 3600.0
"""Time after which other nodes refuse the key of a node that has stopped."""


class UploadKeyHolder(msgspec.Struct, frozen=True):
    """Holder of a key; with `site_id` `None` it may upload for every site. `key` is its name."""

    site_id: int | None
    key: str = ""


class UploadKeys:
    """The archive's own key and the sites' keys, which the command line changes meanwhile."""

    def __init__(
        self, store: Store, own_key: Callable[[], str], clock: Callable[[], float] = time.time
    ) -> None:
        self._clock = clock
        self._store = store
        self._own_key = own_key

    async def uploader(self, key: str) -> UploadKeyHolder | None:
        if hmac.compare_digest(key.encode(), self._own_key().encode()):
            return UploadKeyHolder(None)  # our own recorder needs no database
        sha256 = digest(key)
        found = await self._store.read(lambda rows: rows.upload_keys.find(sha256))
        if found is None or (found.expires_at is not None and found.expires_at <= self._clock()):
            return None
        return UploadKeyHolder(found.site_id, found.name)

    async def all(self) -> Sequence[UploadKey]:
        """Return the keys of sites, including replaced ones, but not those of nodes."""
        keys = await self._store.read(lambda rows: rows.upload_keys.all())
        return [key for key in keys if not key.node]

    async def add(self, name: str, site_id: int) -> str:
        """Make a key and keep its digest; returns the key, which nobody can read again."""
        key = secrets.token_urlsafe(32)
        new = UploadKey(name, site_id, digest(key))
        await self._store.write(lambda rows: rows.upload_keys.save(new))
        return key

    async def rotate(self, name: str, site_id: int, overlap: float) -> str | None:
        """Replace a key, which stays valid for `overlap` seconds; return the new one.

        Keys that an earlier rotation has replaced end at once. `None` if there is no such key.
        """
        key = secrets.token_urlsafe(32)
        new = UploadKey(name, site_id, digest(key))

        def rotate(rows: UploadKeyRows) -> str | None:
            known = [one for one in rows.all() if (one.name, one.site_id) == (name, site_id)]
            if all(one.expires_at is not None for one in known):
                return None
            self._replace(rows, known, overlap)
            rows.save(new)
            return key

        return await self._store.write(lambda rows: rotate(rows.upload_keys))

    async def rotate_own(self, path: Path, overlap: float) -> None:
        """Replace the archive's own key in its file; the old one stays valid for `overlap` seconds.

        Keys of this node that were replaced earlier become invalid at once.
        """
        old, new = UploadKey("", None, digest(self._own_key())), secrets.token_urlsafe(32)

        def rotate(rows: UploadKeyRows) -> None:
            known = rows.find(old.sha256)
            node = known.node if known else ""
            replaced = [one for one in rows.all() if one.site_id is None and not one.node]
            for one in replaced:
                rows.delete(one.sha256)
            self._replace(rows, [old], overlap)
            if node:  # the other nodes know it before the recorder uses it
                self._save_node_key(rows, node, new)

        await self._store.write(lambda rows: rotate(rows.upload_keys))
        replace_key(path, new)

    async def delete(self, name: str, site_id: int) -> bool:
        """Delete a key; return whether it existed."""

        def delete(rows: UploadKeyRows) -> bool:
            known = [one for one in rows.all() if (one.name, one.site_id) == (name, site_id)]
            for one in known:
                rows.delete(one.sha256)
            return bool(known)

        return await self._store.write(lambda rows: delete(rows.upload_keys))

    async def publish_own(self, node: str) -> None:
        """Save this node's own key for the other nodes, and delete keys that have expired."""

        def publish(rows: UploadKeyRows) -> None:
            for one in rows.all():
                if one.expires_at is not None and one.expires_at <= self._clock():
                    rows.delete(one.sha256)
            self._save_node_key(rows, node, self._own_key())

        await self._store.write(lambda rows: publish(rows.upload_keys))

    async def import_file(self, directory: Path) -> None:
        """Import the keys of sites that an earlier version kept in a file."""
        file = directory / KEYS_FILE
        if not file.exists():
            return
        keys = msgspec.json.decode(file.read_bytes(), type=list[UploadKey])

        def save(rows: UploadKeyRows) -> None:
            for key in keys:
                rows.save(key)

        await self._store.write(lambda rows: save(rows.upload_keys))
        file.rename(file.with_suffix(".json.imported"))
        sync_directory(directory)

    def _save_node_key(self, rows: UploadKeyRows, node: str, key: str) -> None:
        expires_at = self._clock() + NODE_KEY_SECONDS
        rows.save(UploadKey("", None, digest(key), expires_at, node))

    def _replace(self, rows: UploadKeyRows, keys: Sequence[UploadKey], overlap: float) -> None:
        """Let the key in use expire after `overlap` seconds, and earlier ones at once."""
        for one in keys:
            if one.expires_at is None and overlap > 0:
                ends = msgspec.structs.replace(one, expires_at=self._clock() + overlap)
                rows.save(ends)
            else:
                rows.delete(one.sha256)


def digest(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()


class OwnKey:
    """The archive's own key, read again when its file has been replaced."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._key = ensure_key(path)
        self._read_at = 0

    def __call__(self) -> str:
        with suppress(OSError):  # no file can be opened now: the key is still known
            changed_at = self._path.stat().st_mtime_ns
            if changed_at != self._read_at:
                self._key = self._path.read_text().strip()
                self._read_at = changed_at
        return self._key


def ensure_key(path: Path) -> str:
    """Read the archive's own key, made by the first process that calls this."""
    if not path.exists():
        draft = _draft(path, secrets.token_urlsafe(32))
        with suppress(FileExistsError):
            path.hardlink_to(draft)
        draft.unlink()
    return path.read_text().strip()


def replace_key(path: Path, key: str) -> None:
    """Put a new key into a file; a crash leaves the old or the new one."""
    _draft(path, key).replace(path)
    sync_directory(path.parent)


def _draft(path: Path, key: str) -> Path:
    """Return a file beside `path` with a key, on disk."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    file = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        os.write(file, key.encode())
        os.fsync(file)
    finally:
        os.close(file)
    return draft
