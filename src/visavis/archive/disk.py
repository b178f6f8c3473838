"""Files that are on disk when the function that wrote them returns."""

from __future__ import annotations

import os
from pathlib import Path


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


def free_bytes(path: Path) -> int:
    """What an unprivileged process may still write where `path` is."""
    found = os.statvfs(path)
    return found.f_bavail * found.f_frsize
