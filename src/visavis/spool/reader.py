"""Reader of the spool, and owner of its recordings once they are written.

`domain.recording` describes the files in it.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import msgspec

from visavis.domain.recording import (
    DELIVERY,
    INCOMPLETE,
    JOURNAL_SUFFIX,
    MANIFEST,
    MATROSKA,
    TROUBLE,
    Delivery,
    Manifest,
    Trouble,
)
from visavis.durable import sync_directory, write_atomically

ABANDONED_SECONDS: Final = 60.0


def recordings(spool: Path) -> list[Path]:
    """Every recording, whether it is still written or not."""
    try:
        return sorted(
            path
            for path in spool.iterdir()
            if not path.name.startswith(".") and path.name != INCOMPLETE
        )
    except FileNotFoundError:  # no call has been recorded yet
        return []


def sweep_hidden(spool: Path) -> None:
    """Remove directories that a crash left half-made or half-removed.

    A directory may disappear at any moment: its writer renames it, or its deletion ends.
    """
    for directory in spool.glob(".*/"):
        with contextlib.suppress(FileNotFoundError):
            is_old = time.time() - directory.stat().st_mtime > ABANDONED_SECONDS
            if is_old and not is_written(directory):
                shutil.rmtree(directory)


def journals(directory: Path) -> list[Path]:
    return sorted(directory.glob(f"*{JOURNAL_SUFFIX}"))


def size_of(directory: Path) -> int:
    """Bytes of a recording's journals, about those of its file; 0 once it is gone."""
    try:
        return sum(journal.stat().st_size for journal in journals(directory))
    except FileNotFoundError:
        return 0


def read_manifest(directory: Path) -> Manifest:
    """Raises `OSError` or `msgspec.MsgspecError`."""
    return msgspec.json.decode((directory / MANIFEST).read_bytes(), type=Manifest)


def read_delivery(directory: Path) -> Delivery | None:
    """Return the pending delivery; `None` without one whose file is complete."""
    try:
        note = msgspec.json.decode((directory / DELIVERY).read_bytes(), type=Delivery)
        is_whole = (directory / MATROSKA).stat().st_size == note.size
    except (FileNotFoundError, msgspec.MsgspecError):
        return None
    return note if is_whole else None


def write_delivery(directory: Path, delivery: Delivery) -> None:
    """On disk when this returns; a crash leaves the old one or the new one."""
    write_atomically(directory / DELIVERY, msgspec.json.encode(delivery))


def read_trouble(directory: Path) -> Trouble | None:
    try:
        return msgspec.json.decode((directory / TROUBLE).read_bytes(), type=Trouble)
    except (FileNotFoundError, msgspec.MsgspecError):
        return None


def write_trouble(directory: Path, trouble: Trouble) -> None:
    write_atomically(directory / TROUBLE, msgspec.json.encode(trouble))


def forget_trouble(directory: Path) -> None:
    (directory / TROUBLE).unlink(missing_ok=True)


def remove(directory: Path) -> None:
    """Take a recording out of the spool at once, then free its space."""
    hidden = directory.with_name(f".{directory.name}.delivered")
    directory.rename(hidden)
    sync_directory(directory.parent)
    shutil.rmtree(hidden)


def keep_incomplete(directory: Path) -> None:
    """Keep the journals of a delivered recording whose file lacks some of the media.

    They are all there is of those media, so only a person removes them.
    """
    kept = directory.parent / INCOMPLETE
    kept.mkdir(exist_ok=True)
    sync_directory(directory.parent)
    directory.rename(kept / directory.name)
    sync_directory(directory.parent)
    sync_directory(kept)
    for name in (MATROSKA, DELIVERY):
        (kept / directory.name / name).unlink(missing_ok=True)


@contextlib.contextmanager
def claimed(directory: Path) -> Iterator[bool]:
    """Whether the recording is ours for as long as this lasts.

    It is not while a worker may still write to it, or while another process has claimed it.
    """
    try:
        file = os.open(directory / MANIFEST, os.O_RDONLY)
    except FileNotFoundError:
        yield False
        return
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        is_ours = not is_written(directory)
    except BlockingIOError:
        is_ours = False
    try:
        yield is_ours
    finally:
        os.close(file)


def is_written(directory: Path) -> bool:
    """Whether a worker holds the lock of a journal; nobody writes to one that has disappeared."""
    for journal in journals(directory):
        with contextlib.suppress(FileNotFoundError), journal.open("rb") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                return True
    return False
