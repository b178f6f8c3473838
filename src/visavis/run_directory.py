"""The directory of `visavis serve` for its Unix sockets, among the temporary files.

It is locked (flock) while its server runs. Cleaners that keep to tmpfiles.d(5) leave a locked
directory alone, and the next start removes those that nobody has locked: their servers were killed.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import tempfile
from pathlib import Path
from typing import Final

import structlog

from visavis.local_socket import ensure_private_directory, require_private_directory

log = structlog.get_logger(__name__)

PREFIX: Final = "visavis-run-"


class RunDirectory:
    """One directory, made and locked."""

    def __init__(self) -> None:
        """Raise `OSError` if there is no place for it."""
        while not self._try_to_make():
            pass  # another start has removed it before it was locked

    def _try_to_make(self) -> bool:
        self.path = Path(tempfile.mkdtemp(prefix=PREFIX))
        self._lock = self._open_locked()
        return self._is_there()

    async def hold(self) -> None:
        """Make it again if it has been removed; to be called again and again."""
        if self._is_there():
            return
        log.warning("run directory was removed, it is made again", path=str(self.path))
        ensure_private_directory(self.path)
        self._unlock()
        self._lock = self._open_locked()

    def remove(self) -> None:
        shutil.rmtree(self.path, ignore_errors=True)
        self._unlock()

    def _open_locked(self) -> int | None:
        """Return the descriptor of the lock, or None if another start is about to remove it."""
        try:
            return _open_locked(self.path)
        except (BlockingIOError, FileNotFoundError):
            return None

    def _unlock(self) -> None:
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def _is_there(self) -> bool:
        """Whether the directory that is locked is the one of this name."""
        try:
            return self._lock is not None and os.path.samestat(
                os.fstat(self._lock), self.path.lstat()
            )
        except FileNotFoundError:
            return False


def remove_abandoned(parent: Path) -> None:
    """Remove the run directories of servers of this user that were killed."""
    for path in parent.glob(f"{PREFIX}*"):
        with contextlib.suppress(OSError):  # another user's, locked, or gone meanwhile
            require_private_directory(path)
            lock = _open_locked(path)
            shutil.rmtree(path, ignore_errors=True)
            os.close(lock)


def _open_locked(path: Path) -> int:
    """Return the descriptor of a directory that is locked; raise `OSError`."""
    directory = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        fcntl.flock(directory, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(directory)
        raise
    return directory
