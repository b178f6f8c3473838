"""Unix sockets of our own processes, in a directory for temporary files.

A cleaner of temporary files may remove a socket or the directory; the socket is then opened again.
The directory must belong to us, because after its removal any user could create one of the same
name.
"""

from __future__ import annotations

import errno
import os
import socket
import stat
from pathlib import Path
from typing import Final

BACKLOG: Final = 2048
CHECK_SECONDS: Final = 1.0
"""Seconds between two checks of a socket's owner whether its file still exists."""


class LocalSocket:
    """A listening Unix socket; its open connections continue when its file is removed."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._identity: tuple[int, int] | None = None

    def open(self) -> socket.socket:
        """Return a new listening socket; raise `OSError`."""
        ensure_private_directory(self.path.parent)
        self.path.unlink(missing_ok=True)
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            listener.bind(os.fspath(self.path))
            self.path.chmod(0o600)
            listener.listen(BACKLOG)
            self._identity = identity(self.path)
        except OSError:
            listener.close()
            raise
        return listener

    def is_there(self) -> bool:
        """Whether new connections still reach the socket that was opened last."""
        return self._identity is not None and identity(self.path) == self._identity

    def remove(self) -> None:
        """Remove the socket's file, unless another process has replaced it."""
        if self.is_there():
            self.path.unlink(missing_ok=True)


def identity(path: Path) -> tuple[int, int] | None:
    """Return a value that differs between a file and a later one of the same name; None if none."""
    try:
        found = path.lstat()
    except OSError:
        return None
    return found.st_ino, found.st_ctime_ns  # an inode number can be reused


def ensure_private_directory(path: Path) -> None:
    """Create a directory if missing; raise `OSError` if other users can write to it."""
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    require_private_directory(path)


def require_private_directory(path: Path) -> None:
    """Raise `OSError` unless the directory exists and only this user can write to it."""
    found = path.lstat()
    is_directory = stat.S_ISDIR(found.st_mode)
    if not is_directory or found.st_uid != os.geteuid() or found.st_mode & 0o022:
        raise OSError(errno.EPERM, f"{path} is not a directory that only this user can write to")
