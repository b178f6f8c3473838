"""The secret by which our recorder proves itself to our archive."""

from __future__ import annotations

import os
import secrets
from contextlib import suppress
from pathlib import Path


def ensure_key(path: Path) -> str:
    """Read the key, made on the first call by whichever process comes first."""
    if not path.exists():
        draft = path.with_name(f".{path.name}.{os.getpid()}")
        file = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        try:
            os.write(file, secrets.token_urlsafe(32).encode())
            os.fsync(file)
        finally:
            os.close(file)
        with suppress(FileExistsError):
            path.hardlink_to(draft)
        draft.unlink()
    return path.read_text().strip()
