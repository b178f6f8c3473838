"""Directory of `visavis serve` for its Unix sockets, among the temporary files.

It is locked (flock) while its server runs. Cleaners that follow tmpfiles.d(5) do not touch a locked
directory. The next start removes unlocked ones, whose servers were killed.
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
    """A directory that this server has created and locked."""

    def __init__(self) -> None:
        """Create and lock a directory; raise `OSError` if that is impossible."""
        while not self._try_to_make():
            pass  # another server that is starting has removed it before it was locked

    def _try_to_make(self) -> bool:
        self.path = Path(tempfile.mkdtemp(prefix=PREFIX))
        self._lock = self._open_locked()
        return self._is_there()

    async def hold(self) -> None:
        """Create the directory again if it was removed; to be called regularly."""
        if self._is_there():
            return
        log.warning("run directory was removed and is created again", path=str(self.path))
        ensure_private_directory(self.path)
        self._unlock()
        self._lock = self._open_locked()

    def remove(self) -> None:
        shutil.rmtree(self.path, ignore_errors=True)
        self._unlock()

    def _open_locked(self) -> int | None:
        """Return the descriptor of the lock, `None` if another server is about to remove it."""
        try:
            return _open_locked(self.path)
        except (BlockingIOError, FileNotFoundError):
            return None

    def _unlock(self) -> None:
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def _is_there(self) -> bool:
        """Whether the locked directory is still the one with this path."""
        try:
            return self._lock is not None and os.path.samestat(
                os.fstat(self._lock), self.path.lstat()
            )
        except FileNotFoundError:
            return False


def remove_abandoned(parent: Path) -> None:
    """Remove the run directories of killed servers of this user."""
    for path in parent.glob(f"{PREFIX}*"):
        with contextlib.suppress(OSError):  # of another user, locked, or removed meanwhile
            require_private_directory(path)
            lock = _open_locked(path)
            shutil.rmtree(path, ignore_errors=True)
            os.close(lock)


def _open_locked(path: Path) -> int:
    """Lock a directory and return its descriptor; raise `OSError`."""
    directory = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        fcntl.flock(directory, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(directory)
        raise
    return directory
