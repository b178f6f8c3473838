"""Reading, claiming and removing recordings in the spool, once their journals are written.

`domain.recording` describes the files of a recording.
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
    """Return the directories of all recordings, including those still being written."""
    try:
        return sorted(
            path
            for path in spool.iterdir()
            if not path.name.startswith(".") and path.name != INCOMPLETE
        )
    except FileNotFoundError:  # No call has been recorded yet.
        return []


def sweep_hidden(spool: Path) -> None:
    """Remove hidden directories that a crash left incompletely created or removed.

    A hidden directory may disappear at any time, because its writer renames it or another process
    removes it.
    """
    for directory in spool.glob(".*/"):
        with contextlib.suppress(FileNotFoundError):
            is_old = time.time() - directory.stat().st_mtime > ABANDONED_SECONDS
            if is_old and not is_written(directory):
                shutil.rmtree(directory)


def journals(directory: Path) -> list[Path]:
    """Return a recording's journals, in order of their bridges."""
    return sorted(directory.glob(f"*{JOURNAL_SUFFIX}"))


def size_of(directory: Path) -> int:
    """Return the size of a recording's journals in bytes, which is about that of its file.

    Returns 0 if the recording has been removed.
    """
    try:
        return sum(journal.stat().st_size for journal in journals(directory))
    except FileNotFoundError:
        return 0


def read_manifest(directory: Path) -> Manifest:
    """Read the manifest of a recording; raises `OSError` or `msgspec.MsgspecError`."""
    return msgspec.json.decode((directory / MANIFEST).read_bytes(), type=Manifest)


def read_delivery(directory: Path) -> Delivery | None:
    """Return the pending delivery; `None` if there is none or its file is incomplete."""
    try:
        note = msgspec.json.decode((directory / DELIVERY).read_bytes(), type=Delivery)
        is_whole = (directory / MATROSKA).stat().st_size == note.size
    except (FileNotFoundError, msgspec.MsgspecError):
        return None
    return note if is_whole else None


def write_delivery(directory: Path, delivery: Delivery) -> None:
    """Write the delivery and sync it to disk; a crash leaves either the old one or the new one."""
    write_atomically(directory / DELIVERY, msgspec.json.encode(delivery))


def read_trouble(directory: Path) -> Trouble | None:
    """Return the failures of the muxer on a recording, or `None`."""
    try:
        return msgspec.json.decode((directory / TROUBLE).read_bytes(), type=Trouble)
    except (FileNotFoundError, msgspec.MsgspecError):
        return None


def write_trouble(directory: Path, trouble: Trouble) -> None:
    """Save the failures of the muxer on a recording."""
    write_atomically(directory / TROUBLE, msgspec.json.encode(trouble))


def forget_trouble(directory: Path) -> None:
    """Forget the failures of the muxer on a recording."""
    (directory / TROUBLE).unlink(missing_ok=True)


def remove(directory: Path) -> None:
    """Remove a recording from the spool atomically, then delete its files."""
    hidden = directory.with_name(f".{directory.name}.delivered")
    directory.rename(hidden)
    sync_directory(directory.parent)
    shutil.rmtree(hidden)


def keep_incomplete(directory: Path) -> None:
    """Keep the journals of a delivered recording whose file lacks some of the received media.

    The journals are the only copy of that media, so they are never removed automatically.
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
    """Claim a recording for this process; yield whether that succeeded.

    It fails while a media worker may still write to the recording, or while another process has
    claimed it. The claim ends with the context.
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


@contextlib.contextmanager
def shared(directory: Path) -> Iterator[bool]:
    """Prevent others from claiming a recording; media workers may write to it.

    Yield whether that succeeded. It ends with the context.
    """
    try:
        file = os.open(directory / MANIFEST, os.O_RDONLY)
    except FileNotFoundError:
        yield False
        return
    try:
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        is_shared = True
    except BlockingIOError:
        is_shared = False
    try:
        yield is_shared
    finally:
        os.close(file)


def is_written(directory: Path) -> bool:
    """Whether a media worker holds the lock of a journal of this recording."""
    for journal in journals(directory):
        with contextlib.suppress(FileNotFoundError), journal.open("rb") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                return True
    return False
