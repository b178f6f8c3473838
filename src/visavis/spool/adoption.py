"""Moving recordings from the spool of a machine that has died into this one."""

from __future__ import annotations

import errno
import fcntl
import os
import shutil
from pathlib import Path
from typing import Final

from visavis.domain.recording import JOURNAL_SUFFIX
from visavis.durable import sync_directory
from visavis.spool import pieces
from visavis.spool import reader as spool_reader

_LOCK: Final = f"copying{JOURNAL_SUFFIX}"
"""Name of a file that is locked during a copy: `sweep_hidden` removes what nobody writes."""


def move_into(spool: Path, directory: Path) -> None:
    """Move a claimed recording into the spool, where it appears at once and complete.

    If the spool has journals of the same recording, because its call was on both nodes, those of
    the directory are added to them. A crash leaves the recording in its old place, or in both; the
    next call then completes the move. Raises `FileExistsError` if the spool has a different
    recording of its id, and `OSError` if the disk fails or the recording there is in use.
    """
    spool.mkdir(parents=True, exist_ok=True)
    target = spool / directory.name
    if target.exists():
        _merge(directory, target)
        spool_reader.remove(directory)
        return
    try:
        directory.rename(target)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        _copy(directory, target)
        spool_reader.remove(directory)
    else:
        sync_directory(spool)
        sync_directory(directory.parent)


def _copy(directory: Path, target: Path) -> None:
    """Copy a recording to another file system, under a hidden name until it is complete."""
    hidden = target.with_name(f".{target.name}.adopted")
    shutil.rmtree(hidden, ignore_errors=True)  # the remains of a copy that was interrupted
    hidden.mkdir()
    lock = os.open(hidden / _LOCK, os.O_WRONLY | os.O_CREAT, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        for path in _files(directory):
            shutil.copyfile(path, hidden / path.name)
            with (hidden / path.name).open("rb+") as file:
                os.fsync(file.fileno())
        (hidden / _LOCK).unlink()
        sync_directory(hidden)
        hidden.rename(target)
        sync_directory(target.parent)
    finally:
        os.close(lock)


def _merge(directory: Path, target: Path) -> None:
    """Add the journals of a directory to those of the same recording in this spool."""
    if spool_reader.read_manifest(directory) != spool_reader.read_manifest(target):
        raise FileExistsError(errno.EEXIST, "the spool has another recording of this id")
    if pieces.is_merged(directory, target):
        return
    with spool_reader.claimed(target) as is_ours:
        if not is_ours:
            raise BlockingIOError(errno.EAGAIN, "the recorder is working on this recording")
        pieces.merge(directory, target)


def _files(directory: Path) -> list[Path]:
    """Return the files of a recording, without those that were not complete."""
    paths = sorted(directory.iterdir())
    return [path for path in paths if path.name[0] != "." and path.suffix != pieces.DRAFT_SUFFIX]
