"""Unix sockets of our own processes, in a directory among the temporary files.

Whatever cleans those up may remove a socket or the directory; then the socket is opened again. The
directory must be ours: once it has been removed, any user could make one of its name.
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
"""Seconds between the looks of a socket's owner whether it is still there."""


class LocalSocket:
    """One socket to listen on; its connections go on when it is removed."""

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
        """Whether a new connection still reaches the socket that was opened last."""
        return self._identity is not None and identity(self.path) == self._identity

    def remove(self) -> None:
        """Remove it, unless another process has opened one at its place."""
        if self.is_there():
            self.path.unlink(missing_ok=True)


def identity(path: Path) -> tuple[int, int] | None:
    """Return what tells a file from its successors of the same name; None if it is gone."""
    try:
        found = path.lstat()
    except OSError:
        return None
    return found.st_ino, found.st_ctime_ns  # an inode's number may be used again


def ensure_private_directory(path: Path) -> None:
    """Make a directory unless it is there; raise `OSError` if others may write in it."""
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    require_private_directory(path)


def require_private_directory(path: Path) -> None:
    """Raise `OSError` unless this directory is there and only we may write in it."""
    found = path.lstat()
    is_directory = stat.S_ISDIR(found.st_mode)
    if not is_directory or found.st_uid != os.geteuid() or found.st_mode & 0o022:
        raise OSError(errno.EPERM, f"{path} is not a directory that only we may write in")
