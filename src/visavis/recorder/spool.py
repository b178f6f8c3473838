"""The recorder's view of the spool; see `domain.recording` for what lies in it."""

from __future__ import annotations

import fcntl
import os
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import msgspec

from visavis.domain.recording import DELIVERY, JOURNAL_SUFFIX, MANIFEST, Delivery, Manifest

ABANDONED_SECONDS: Final = 60.0


def finished(spool: Path) -> Iterator[Path]:
    """The recordings whose journals nobody writes any longer: sealed, or their writer is dead."""
    for directory in sorted(spool.iterdir()) if spool.exists() else ():
        if not directory.name.startswith(".") and not _is_written(directory):
            yield directory


def sweep_hidden(spool: Path) -> None:
    """Remove what a crash left half-made or half-removed."""
    for directory in spool.glob(".*"):
        is_old = time.time() - directory.stat().st_mtime > ABANDONED_SECONDS
        if is_old and not _is_written(directory):
            shutil.rmtree(directory)


def journals(directory: Path) -> list[Path]:
    return sorted(directory.glob(f"*{JOURNAL_SUFFIX}"))


def read_manifest(directory: Path) -> Manifest:
    """Raises `OSError` or `msgspec.MsgspecError`."""
    return msgspec.json.decode((directory / MANIFEST).read_bytes(), type=Manifest)


def read_delivery(directory: Path) -> Delivery | None:
    try:
        return msgspec.json.decode((directory / DELIVERY).read_bytes(), type=Delivery)
    except FileNotFoundError:
        return None


def write_delivery(directory: Path, delivery: Delivery) -> None:
    """On disk when this returns; a crash leaves the old one or the new one."""
    draft = directory / f".{DELIVERY}"
    with draft.open("wb") as file:
        file.write(msgspec.json.encode(delivery))
        file.flush()
        os.fsync(file.fileno())
    draft.replace(directory / DELIVERY)
    sync_directory(directory)


def remove(directory: Path) -> None:
    """Take a recording out of the spool at once, then free its space."""
    hidden = directory.with_name(f".{directory.name}.delivered")
    directory.rename(hidden)
    sync_directory(directory.parent)
    shutil.rmtree(hidden)


def sync_directory(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _is_written(directory: Path) -> bool:
    """Whether a worker holds the lock of a journal."""
    for journal in journals(directory):
        with journal.open("rb") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                return True
    return False
