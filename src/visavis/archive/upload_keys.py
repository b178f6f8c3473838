"""Upload keys: the archive's own for our recorder, and keys of sites for others."""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final

import msgspec

from visavis.durable import sync_directory, write_atomically

KEYS_FILE: Final = "keys.json"


class SiteKey(msgspec.Struct, frozen=True, rename="camel"):
    """A key that takes recordings of one site; `sha256` of it in lower-case hexadecimal.

    `expires_at`, in seconds since 1970, is set when another key has replaced it. A replaced key of
    the archive itself has no site.
    """

    name: str
    site_id: int | None
    sha256: str
    expires_at: float | None = None


class UploadKeyHolder(msgspec.Struct, frozen=True):
    """Holder of a key; with `site_id` `None` it may upload for every site. `key` is its name."""

    site_id: int | None
    key: str = ""


class UploadKeys:
    """The archive's own key and the sites' keys, which the command line changes meanwhile."""

    def __init__(
        self, directory: Path, own_key: Callable[[], str], clock: Callable[[], float] = time.time
    ) -> None:
        self._clock = clock
        self._file = directory / KEYS_FILE
        self._own_key = own_key
        self._known: list[SiteKey] = []
        self._read_at = 0

    def uploader(self, key: str) -> UploadKeyHolder | None:
        given = key.encode()
        if hmac.compare_digest(given, self._own_key().encode()):
            return UploadKeyHolder(None)
        digest, now = hashlib.sha256(given).hexdigest(), self._clock()
        valid = (k for k in self.all() if k.expires_at is None or k.expires_at > now)
        return next((UploadKeyHolder(k.site_id, k.name) for k in valid if k.sha256 == digest), None)

    def all(self) -> list[SiteKey]:
        try:
            changed_at = self._file.stat().st_mtime_ns
        except FileNotFoundError:
            return []
        if changed_at != self._read_at:
            self._known = msgspec.json.decode(self._file.read_bytes(), type=list[SiteKey])
            self._read_at = changed_at
        return self._known

    def add(self, name: str, site_id: int) -> str:
        """Make a key and keep its digest; returns the key, which nobody can read again."""
        key = secrets.token_urlsafe(32)
        digest = hashlib.sha256(key.encode()).hexdigest()
        self._write([*self.all(), SiteKey(name, site_id, digest)])
        return key

    def rotate(self, name: str, site_id: int, overlap: float) -> str | None:
        """Replace a key, which stays valid for `overlap` seconds; return the new one.

        Keys that an earlier rotation has replaced end at once. `None` if there is no such key.
        """
        known, now = self.all(), self._clock()
        old = [key for key in known if (key.name, key.site_id) == (name, site_id)]
        last = next((key for key in old if key.expires_at is None), None)
        if last is None:
            return None
        kept = [key for key in known if key not in old]
        if overlap > 0:
            kept.append(msgspec.structs.replace(last, expires_at=now + overlap))
        key = secrets.token_urlsafe(32)
        digest = hashlib.sha256(key.encode()).hexdigest()
        self._write([*kept, SiteKey(name, site_id, digest)])
        return key

    def rotate_own(self, path: Path, overlap: float) -> None:
        """Replace the archive's own key in its file; the old one stays valid for `overlap` seconds.

        Own keys that were replaced before end at once.
        """
        kept = [key for key in self.all() if key.site_id is not None]
        if overlap > 0:
            digest = hashlib.sha256(self._own_key().encode()).hexdigest()
            kept.append(SiteKey("", None, digest, self._clock() + overlap))
        self._write(kept)  # before the new one: the old key is valid throughout
        replace_key(path)

    def delete(self, name: str, site_id: int) -> bool:
        """Delete a key; return whether it existed."""
        left = [key for key in self.all() if (key.name, key.site_id) != (name, site_id)]
        is_known = len(left) < len(self.all())
        self._write(left)
        return is_known

    def _write(self, keys: list[SiteKey]) -> None:
        self._file.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(self._file, msgspec.json.encode(keys))


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
        draft = _draft(path)
        with suppress(FileExistsError):
            path.hardlink_to(draft)
        draft.unlink()
    return path.read_text().strip()


def replace_key(path: Path) -> None:
    """Put a new key into a file; a crash leaves the old or the new one."""
    _draft(path).replace(path)
    sync_directory(path.parent)


def _draft(path: Path) -> Path:
    """Return a file beside `path` with a new key, on disk."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    file = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        os.write(file, secrets.token_urlsafe(32).encode())
        os.fsync(file)
    finally:
        os.close(file)
    return draft
