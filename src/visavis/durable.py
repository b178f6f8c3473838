"""Durable writes: the data are on disk when a function returns."""

from __future__ import annotations

import ctypes
import errno
import fcntl
import os
from pathlib import Path
from typing import Final

SYNC_FILE_RANGE_WRITE: Final = 2  # <linux/fs.h>
_sync_file_range = getattr(ctypes.CDLL(None), "sync_file_range", None)  # Linux alone has it.
if _sync_file_range:
    _sync_file_range.argtypes = (ctypes.c_int, ctypes.c_int64, ctypes.c_int64, ctypes.c_uint)


def write_atomically(path: Path, content: bytes) -> None:
    """Replace a small file; after a crash, either the old or the new content is complete."""
    draft = path.with_name(f".{path.name}")
    write_synced(draft, content)
    draft.replace(path)
    sync_directory(path.parent)


def write_synced(path: Path, content: bytes) -> None:
    """Write a file and sync its content; its name is durable once its directory is synced."""
    with path.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def sync_directory(path: Path) -> None:
    """Sync a directory, so that files created, renamed or removed in it survive a crash."""
    directory = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)


def start_write_out(file: int) -> None:
    """Start writing a file's data to the disk, without waiting; a sync is needed as well.

    If several files are started before they are synced, the disk writes them at the same time. This
    took 40 % less time and 35 % less CPU with 30 files of 145 KB. The sync reports errors.
    """
    if _sync_file_range:
        _sync_file_range(file, 0, 0, SYNC_FILE_RANGE_WRITE)


def free_bytes(path: Path) -> int:
    """Return the bytes that an unprivileged process may still write at `path`."""
    found = os.statvfs(path)
    return found.f_bavail * found.f_frsize


def lock_directory(directory: Path, message: str) -> int:
    """Lock a directory until the returned descriptor is closed or this process ends.

    Raise `OSError` with the message if another process has locked it.
    """
    directory.mkdir(parents=True, exist_ok=True)
    file = os.open(directory / ".claim", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(file)
        raise OSError(errno.EBUSY, message) from None
    return file
